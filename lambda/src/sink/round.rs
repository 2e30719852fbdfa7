//! Sending alerts in batches until every one is accepted or the time is over: the same for every service.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, Instant};

use lambda_runtime::tracing;
use rolewatch_analyzer::alert::Alert;

use super::{Refusal, SendError, Sent, Service};

/// A service that takes messages in batches and says of each entry whether it took it.
pub(super) trait Carrier {
    /// An alert in the form of the service.
    type Message;
    /// Which service it is.
    const SERVICE: Service;
    /// Most messages of one request.
    const ENTRIES_MAX: usize;
    /// Most bytes of all messages of one request together.
    const BATCH_BYTES_MAX: usize;

    /// The alert in full, or as much of it as the service takes.
    fn write(&self, alert: &Alert) -> Self::Message;

    /// The headline and what finds the alert again, for when the service refuses what the alert holds; none when there
    /// is no shorter form.
    fn reduce(&self, alert: &Alert) -> Option<Self::Message>;

    /// The size as the service counts it.
    fn bytes(message: &Self::Message) -> usize;

    /// One request. `Ok` holds the refusal of each entry, in order; `None` is an entry that was accepted.
    fn publish(
        &self,
        messages: &[&Self::Message],
        deadline: Instant,
    ) -> impl Future<Output = Result<Vec<Option<Refusal>>, Refusal>>;
}

/// Sends every alert, again and again where that may help.
pub(super) async fn send_all<C: Carrier>(carrier: &C, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
    let start = Instant::now();
    let mut round = Round::of(carrier, alerts);
    while !round.pending.is_empty() {
        if Instant::now() >= deadline {
            round.give_up(Refusal::OutOfTime);
            break;
        }
        let sizes = round.pending.iter().map(|pending| C::bytes(&pending.message));
        let size = size(sizes, if round.alone { 1 } else { C::ENTRIES_MAX }, C::BATCH_BYTES_MAX);
        let messages: Vec<&C::Message> = round.pending.iter().take(size).map(|pending| &pending.message).collect();
        let refusals = carrier.publish(&messages, deadline).await;
        if let Some(pause) = round.judge(size, refusals) {
            let until = (Instant::now() + pause).min(deadline);
            tokio::time::sleep_until(until.into()).await;
        }
    }
    round.sent.took = start.elapsed();
    match round.failed {
        None => Ok(round.sent),
        Some((failed, cause)) => Err(SendError { sent: round.sent, failed, cause, service: C::SERVICE }),
    }
}

/// A message that is not accepted yet.
struct Pending<'a, M> {
    alert: &'a Alert,
    message: M,
    reduced: bool,
}

/// The state of sending: what is left, what was accepted, what was given up.
struct Round<'a, C: Carrier> {
    carrier: &'a C,
    pending: VecDeque<Pending<'a, C::Message>>,
    /// Send one by one, because a whole batch was refused and one entry may be the reason.
    alone: bool,
    /// Tries in a row that a passing fault has spoilt.
    spoilt: u32,
    passing: Option<Refusal>,
    sent: Sent,
    failed: Option<(usize, Refusal)>,
}

impl<'a, C: Carrier> Round<'a, C> {
    fn of(carrier: &'a C, alerts: &'a [Alert]) -> Self {
        let pending = alerts.iter().map(|alert| Pending { alert, message: carrier.write(alert), reduced: false });
        Self {
            carrier,
            pending: pending.collect(),
            alone: false,
            spoilt: 0,
            passing: None,
            sent: Sent::default(),
            failed: None,
        }
    }

    /// Takes in the answer to the first `size` messages; returns how long to wait before the next request.
    fn judge(&mut self, size: usize, answer: Result<Vec<Option<Refusal>>, Refusal>) -> Option<Duration> {
        let refusals = match answer {
            Ok(refusals) => refusals,
            Err(Refusal::Refused) if size > 1 => {
                self.alone = true;
                return None;
            }
            Err(refusal) if refusal.is_passing() || refusal == Refusal::Refused => vec![Some(refusal); size],
            Err(refusal) => {
                // What holds for the topic or bus holds for every message; there is no point in trying the rest.
                self.give_up(refusal);
                return None;
            }
        };
        let mut again = Vec::new();
        for refusal in refusals {
            let Some(pending) = self.pending.pop_front() else { break };
            match refusal {
                None => {
                    self.sent.alerts += 1;
                    self.sent.reduced += usize::from(pending.reduced);
                }
                Some(refusal) if refusal.is_passing() => {
                    self.passing = Some(refusal);
                    again.push(pending);
                }
                Some(refusal) => match self.shorter(&pending, refusal) {
                    Some(message) => again.push(Pending { message, reduced: true, ..pending }),
                    None => self.fail(1, refusal),
                },
            }
        }
        if again.is_empty() {
            (self.spoilt, self.passing) = (0, None);
            return None;
        }
        self.sent.retries = self.sent.retries.saturating_add(1);
        // In front, so that a FIFO topic keeps its order.
        for pending in again.into_iter().rev() {
            self.pending.push_front(pending);
        }
        let refusal = self.passing?;
        tracing::warn!(error_type = refusal.code(C::SERVICE), left = self.pending.len(), "publishing again");
        self.spoilt = self.spoilt.saturating_add(1);
        Some(pause(self.spoilt, std::hash::RandomState::new().build_hasher().finish()))
    }

    /// What to try instead of a message that was refused for what it holds.
    fn shorter(&self, pending: &Pending<'_, C::Message>, refusal: Refusal) -> Option<C::Message> {
        if refusal != Refusal::Refused || pending.reduced {
            return None;
        }
        self.carrier.reduce(pending.alert)
    }

    /// Counts everything left as failed, for the reason of the last fault if there was one.
    fn give_up(&mut self, refusal: Refusal) {
        let cause = if refusal == Refusal::OutOfTime { self.passing.unwrap_or(refusal) } else { refusal };
        self.fail(self.pending.len(), cause);
        self.pending.clear();
    }

    fn fail(&mut self, count: usize, cause: Refusal) {
        let before = self.failed.map_or(0, |(count, _)| count);
        self.failed = Some((before + count, cause));
    }
}

/// How many of the first messages, given their sizes in bytes, make one request; at least one, so that sending always
/// gets on.
fn size(bytes: impl Iterator<Item = usize>, entries_max: usize, bytes_max: usize) -> usize {
    let mut total = 0_usize;
    let fitting = bytes.take(entries_max).take_while(|bytes| {
        total = total.saturating_add(*bytes);
        total <= bytes_max
    });
    fitting.count().max(1)
}

/// How long to wait after `spoilt` tries in a row: a random part of a time that doubles up to a limit, so that many
/// functions that were throttled together do not come back together.
fn pause(spoilt: u32, random: u64) -> Duration {
    let longest = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(spoilt.saturating_sub(1))).min(PAUSE_MAX);
    let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    // Never less than a tenth: a run of lucky zeros would be a busy loop.
    Duration::from_millis(millis / 10 + random % (millis - millis / 10))
}

/// An endpoint that is up answers the TCP and TLS handshake within a round trip or two.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Publishing takes milliseconds; a request that takes longer is better sent again.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest pause after the first spoilt try.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// Longest pause at all: short enough for several tries within one invocation.
const PAUSE_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::{Carrier, PAUSE_MAX, pause, size};
    use crate::sink::events::EventSink;
    use crate::sink::sns::SnsSink;

    #[test]
    fn pauses_grow_vary_and_stay_within_their_limit() {
        for random in [0, 1, u64::MAX / 3, u64::MAX] {
            assert!((20..=200).contains(&pause(1, random).as_millis()));
            assert!(pause(4, random).as_millis() >= 160);
            assert!(pause(u32::MAX, random) <= PAUSE_MAX);
        }
        assert_ne!(pause(3, 5), pause(3, 6));
    }

    #[test]
    fn a_request_holds_as_many_messages_and_bytes_as_the_service_takes() {
        let rows: &[(&[usize], usize)] =
            &[(&[5; 3], 3), (&[5; 11], 10), (&[131_072, 131_072, 1], 2), (&[131_072, 131_073], 1), (&[300_000, 1], 1)];
        for (bytes, expected) in rows {
            assert_eq!(size(bytes.iter().copied(), 10, 262_144), *expected);
        }
        assert_eq!(size([1, 1].into_iter(), 1, 262_144), 1);
    }

    #[test]
    fn a_request_at_the_limits_of_its_service_is_whole_and_one_past_them_is_split() {
        fn check<C: Carrier>() {
            let whole =
                |sizes: &[usize]| size(sizes.iter().copied(), C::ENTRIES_MAX, C::BATCH_BYTES_MAX) == sizes.len();
            assert!(whole(&vec![1; C::ENTRIES_MAX]) && !whole(&vec![1; C::ENTRIES_MAX + 1]));
            let half = C::BATCH_BYTES_MAX / 2;
            let rest = C::BATCH_BYTES_MAX - half;
            assert!(whole(&[half, rest]) && !whole(&[half, rest + 1]));
        }
        check::<SnsSink>();
        check::<EventSink>();
        // What the services take, whatever else changes here.
        assert_eq!((SnsSink::ENTRIES_MAX, SnsSink::BATCH_BYTES_MAX), (10, 262_144));
        assert_eq!((EventSink::ENTRIES_MAX, EventSink::BATCH_BYTES_MAX), (10, 262_144 - 1_024));
    }
}
