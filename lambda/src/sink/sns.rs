//! Alerts to an SNS topic, in batches, until every one is accepted or the time is over.

mod batch;
mod message;
mod refusal;

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use lambda_runtime::tracing;
use rolewatch_analyzer::alert::Alert;

use super::{Refusal, SendError, Sent, Sink};
use crate::config::TopicArn;
use message::Message;

/// One SNS topic.
#[derive(Debug)]
pub struct SnsSink {
    client: Client,
    topic: TopicArn,
    form: Form,
}

/// What the topic's subscribers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text for people, OCSF for machines.
    Alerts,
    /// Notifications for chat channels, and nothing else.
    Chat,
}

impl SnsSink {
    /// A client for the topic, with the credentials and endpoints of the environment. No request is made yet.
    pub async fn connect(topic: TopicArn) -> Self {
        Self::connect_as(topic, Form::Alerts).await
    }

    pub(super) async fn connect_as(topic: TopicArn, form: Form) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(REQUEST_TIMEOUT);
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(topic.region().to_owned()))
            // Whoever knows the deadline and which entries failed does the retrying: this file.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build())
            .load()
            .await;
        Self { client: Client::new(&config), topic, form }
    }

    /// One request. `Ok` holds the refusal of each entry, in order; `None` is an entry that was accepted.
    async fn publish(&self, entries: &[&Pending<'_>], deadline: Instant) -> Result<Vec<Option<Refusal>>, Refusal> {
        let batch: Result<Vec<_>, BuildError> =
            entries.iter().enumerate().map(|(index, pending)| entry(index, &pending.message)).collect();
        let request = self
            .client
            .publish_batch()
            .topic_arn(self.topic.as_str())
            .set_publish_batch_request_entries(Some(batch.map_err(|_| Refusal::Refused)?));
        // Boxed, because the future of an SDK call is several KiB large and deeper than the compiler likes to look.
        let answer = match tokio::time::timeout_at(deadline.into(), Box::pin(request.send())).await {
            Err(_) => return Err(Refusal::Unreachable),
            Ok(Err(error)) => return Err(refusal::of_request(&error)),
            Ok(Ok(answer)) => answer,
        };
        // SNS API reference, PublishBatch: some entries can fail although the request succeeded. An entry that the
        // answer does not name at all was not accepted either.
        let mut refusals = vec![Some(Refusal::Unavailable); entries.len()];
        for accepted in answer.successful() {
            if let Some(place) = accepted.id().and_then(|id| place_of(&mut refusals, id)) {
                *place = None;
            }
        }
        for failed in answer.failed() {
            if let Some(place) = place_of(&mut refusals, failed.id()) {
                *place = Some(refusal::of_entry(failed));
            }
        }
        Ok(refusals)
    }
}

impl Sink for SnsSink {
    async fn send(&self, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
        let start = Instant::now();
        let mut round = Round::of(alerts, self.topic.is_fifo(), self.form);
        while !round.pending.is_empty() {
            if Instant::now() >= deadline {
                round.give_up(Refusal::OutOfTime);
                break;
            }
            let size = batch::size(round.pending.iter().map(|pending| pending.message.bytes()), round.alone);
            let entries: Vec<&Pending<'_>> = round.pending.iter().take(size).collect();
            let refusals = self.publish(&entries, deadline).await;
            if let Some(pause) = round.judge(size, refusals) {
                let until = (Instant::now() + pause).min(deadline);
                tokio::time::sleep_until(until.into()).await;
            }
        }
        round.sent.took = start.elapsed();
        match round.failed {
            None => Ok(round.sent),
            Some((failed, cause)) => Err(SendError { sent: round.sent, failed, cause }),
        }
    }
}

/// A message that is not accepted yet.
struct Pending<'a> {
    alert: &'a Alert,
    message: Message,
    reduced: bool,
}

/// The state of sending: what is left, what was accepted, what was given up.
struct Round<'a> {
    pending: VecDeque<Pending<'a>>,
    fifo: bool,
    /// Send one by one, because a whole batch was refused and one entry may be the reason.
    alone: bool,
    /// Tries in a row that a passing fault has spoilt.
    spoilt: u32,
    passing: Option<Refusal>,
    sent: Sent,
    failed: Option<(usize, Refusal)>,
}

impl<'a> Round<'a> {
    fn of(alerts: &'a [Alert], fifo: bool, form: Form) -> Self {
        let pending = alerts.iter().map(|alert| match form {
            Form::Alerts => Pending { alert, message: Message::of(alert, fifo), reduced: false },
            Form::Chat => Pending { alert, message: Message::chat(alert), reduced: true },
        });
        Self {
            pending: pending.collect(),
            fifo,
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
                // What holds for the topic holds for every message; there is no point in trying the rest.
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
                    self.sent.reduced += usize::from(pending.reduced && pending.message.structure.is_some());
                }
                Some(refusal) if refusal.is_passing() => {
                    self.passing = Some(refusal);
                    again.push(pending);
                }
                Some(Refusal::Refused) if !pending.reduced => {
                    let message = Message::reduced(pending.alert, self.fifo);
                    again.push(Pending { message, reduced: true, ..pending });
                }
                Some(refusal) => self.fail(1, refusal),
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
        tracing::warn!(error_type = refusal.code(), left = self.pending.len(), "publishing again");
        self.spoilt = self.spoilt.saturating_add(1);
        Some(pause(self.spoilt, std::hash::RandomState::new().build_hasher().finish()))
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

/// How long to wait after `spoilt` tries in a row: a random part of a time that doubles up to a limit, so that many
/// functions that were throttled together do not come back together.
fn pause(spoilt: u32, random: u64) -> Duration {
    let longest = PAUSE_FIRST.saturating_mul(2_u32.saturating_pow(spoilt.saturating_sub(1))).min(PAUSE_MAX);
    let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
    // Never less than a tenth: a run of lucky zeros would be a busy loop.
    Duration::from_millis(millis / 10 + random % (millis - millis / 10))
}

fn entry(index: usize, message: &Message) -> Result<PublishBatchRequestEntry, BuildError> {
    let mut entry = PublishBatchRequestEntry::builder()
        .id(index.to_string())
        .subject(&message.subject)
        .message(&message.body)
        .set_message_structure(message.structure.map(ToOwned::to_owned))
        .set_message_group_id(message.group.clone())
        .set_message_deduplication_id(message.deduplication.clone());
    for attribute in &message.attributes {
        let value =
            MessageAttributeValue::builder().data_type(attribute.data_type).string_value(&attribute.value).build()?;
        entry = entry.message_attributes(attribute.name, value);
    }
    entry.build()
}

fn place_of<'r>(refusals: &'r mut [Option<Refusal>], id: &str) -> Option<&'r mut Option<Refusal>> {
    refusals.get_mut(id.parse::<usize>().ok()?)
}

/// An endpoint that is up answers the TCP and TLS handshake within a round trip or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Publish answers in milliseconds; a request that takes longer is better sent again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest pause after the first spoilt try.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
/// Longest pause at all: short enough for several tries within one invocation.
const PAUSE_MAX: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::{PAUSE_MAX, pause};

    #[test]
    fn pauses_grow_vary_and_stay_within_their_limit() {
        for random in [0, 1, u64::MAX / 3, u64::MAX] {
            assert!((20..=200).contains(&pause(1, random).as_millis()));
            assert!(pause(4, random).as_millis() >= 160);
            assert!(pause(u32::MAX, random) <= PAUSE_MAX);
        }
        assert_ne!(pause(3, 5), pause(3, 6));
    }
}
