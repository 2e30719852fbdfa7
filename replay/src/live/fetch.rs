//! Reading one log group: the past in windows, what comes by asking again, each event once.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::{SignedDuration, Timestamp};
use rolewatch_analyzer::envelope::{BadEntry, LogLine};
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::stream::Source;
use rolewatch_analyzer::text::name;

use super::LiveError;
use super::seen::{Seen, key};
use super::state::{About, Position, StateFile};
use crate::cli::Live;
use crate::error::Error;
use crate::intake::Intake;
use crate::progress::Progress;

/// One log group being read.
pub(super) struct Fetch<'o> {
    client: Client,
    group: &'o str,
    live: &'o Live,
    source: Source,
    /// Milliseconds since 1970: the first to take, and the first not to.
    from: i64,
    to: i64,
    position: Position,
    /// The time of the latest event, as far as it lies in the past.
    latest: i64,
    state: Option<StateFile>,
    saved: Instant,
    /// A run before this one began where `from` is.
    resumed: bool,
    answered: bool,
    events: u64,
    bytes: u64,
}

impl<'o> Fetch<'o> {
    /// Ready to read `group`, from where the state file says that it was left.
    pub(super) fn new(
        group: &'o str,
        live: &'o Live,
        config: &SdkConfig,
        intake: &mut Intake<'_>,
    ) -> Result<Self, Error> {
        let region = config.region().map(|region| region.as_ref().to_owned());
        let now = Timestamp::now();
        let since = now.saturating_sub(live.since.unwrap_or(SINCE));
        let mut from = live.from.or(since.ok()).unwrap_or(now).as_millisecond();
        let mut position = Position { start: from, seen: Seen::default() };
        let mut state = None;
        let mut resumed = false;
        if let Some(path) = &live.state {
            let about = About {
                log_group: group.to_owned(),
                region: region.clone().unwrap_or_default(),
                log_streams: live.log_stream.clone(),
            };
            let (file, left) = StateFile::open(path, about)?;
            state = Some(file);
            if let Some(left) = left {
                (from, position, resumed) = (left.position.start, left.position, true);
                intake.remember(left.memory);
            }
        }
        let to = live.to.map_or(i64::MAX, Timestamp::as_millisecond);
        if from >= to {
            return Err(LiveError::NoTime.into());
        }
        Ok(Self {
            client: Client::new(config),
            group,
            live,
            source: Source {
                cluster: Source::cluster_of(group).map(ToOwned::to_owned),
                region,
                log_group: Some(group.to_owned()),
                ..Source::default()
            },
            from,
            to,
            position,
            latest: i64::MIN,
            state,
            saved: Instant::now(),
            resumed,
            answered: false,
            events: 0,
            bytes: 0,
        })
    }

    /// Where the lines come from.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether what an earlier run knew was taken from the state file.
    pub(super) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether a later run is to go on where this one ends.
    pub(super) fn has_state(&self) -> bool {
        self.state.is_some()
    }

    /// Notes in the state file, if there is one, how far the log was read. What was read must have been told.
    pub(super) fn save(&mut self, memory: &Memory) -> Result<(), Error> {
        self.saved = Instant::now();
        self.state.as_ref().map_or(Ok(()), |state| state.save(&self.position, memory))
    }

    /// Reads everything, and with `--follow` what comes after it.
    pub(super) async fn run(&mut self, intake: &mut Intake<'_>, progress: &Progress) -> Result<(), Error> {
        if !self.live.follow {
            let end = Timestamp::now().as_millisecond().min(self.to);
            progress.spanning(end.saturating_sub(self.from).try_into().unwrap_or_default());
        }
        let mut first = true;
        loop {
            match self.past(intake, progress).await {
                // Nothing is lost by waiting: what was not read is read later.
                Err(Error::Live(error @ (LiveError::NoAnswer | LiveError::Throttled)))
                    if self.live.follow && self.answered =>
                {
                    progress.note(&format!("{error}; trying again"));
                }
                done => {
                    done?;
                    self.nothing(first, progress)?;
                    first = false;
                }
            }
            if !self.live.follow {
                return Ok(());
            }
            intake.flush()?;
            if self.saved.elapsed() >= SAVE_EVERY {
                self.save(intake.memory())?;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says so when nothing was there, if that is news.
    fn nothing(&self, first: bool, progress: &Progress) -> Result<(), Error> {
        if !first || self.events > 0 || self.resumed {
            return Ok(());
        }
        let group = name(self.group);
        if self.live.follow {
            progress.note(&format!("nothing was logged in `{group}` in that time; waiting for what comes"));
            return Ok(());
        }
        Err(LiveError::NothingLogged { group }.into())
    }

    /// Reads up to now: window by window what is old enough to be complete, then the rest.
    async fn past(&mut self, intake: &mut Intake<'_>, progress: &Progress) -> Result<(), Error> {
        let mut length = WINDOW_MIN;
        loop {
            let start = self.position.start;
            let complete = Timestamp::now().as_millisecond().saturating_sub(COMPLETE_AFTER);
            if start.saturating_add(length) >= complete.min(self.to) {
                if length <= WINDOW_MAX {
                    break;
                }
                // The rest is read at once, so it must not be long.
                length = WINDOW_MAX;
                continue;
            }
            let (end, before) = (start + length, self.events);
            if !self.window(start, end, intake, progress).await? {
                // Here the log begins. What was taken of it is known to be taken.
                length = WINDOW_MIN;
                continue;
            }
            self.advance(end);
            progress.covered(end.saturating_sub(self.from).try_into().unwrap_or_default());
            length = next_length(length, self.events - before);
        }
        self.window(self.position.start, self.to, intake, progress).await?;
        // CloudWatch Logs shows lines late and out of order, so the last minutes are read again.
        self.advance(self.latest.saturating_sub(OVERLAP));
        Ok(())
    }

    /// Everything before `start` was read.
    fn advance(&mut self, start: i64) {
        if start > self.position.start {
            self.position.start = start;
            self.position.seen.forget_before(start);
        }
    }

    /// Every page of the events from `start` until before `end`; `false` when that was begun and is too long to be
    /// read at once.
    async fn window(
        &mut self,
        start: i64,
        end: i64,
        intake: &mut Intake<'_>,
        progress: &Progress,
    ) -> Result<bool, Error> {
        let too_long = end < self.to && end - start > WINDOW_MAX;
        let before = self.events;
        let mut token = None;
        loop {
            let page = self
                .client
                .filter_log_events()
                .log_group_name(self.group)
                .set_log_stream_name_prefix(common_prefix(&self.live.log_stream))
                .start_time(start.max(0))
                // The API takes the end as the last millisecond that is wanted.
                .set_end_time((end < i64::MAX).then_some(end - 1))
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| LiveError::of(&error, self.group))?;
            self.answered = true;
            for event in page.events.unwrap_or_default() {
                self.take(event, start, end, intake, progress);
            }
            intake.settle()?;
            match page.next_token {
                // A token alone says that there is more, even after a page without events.
                Some(_) if too_long && self.events > before => return Ok(false),
                Some(next) => token = Some(next),
                None => return Ok(true),
            }
        }
    }

    /// One event, unless it is not wanted: what the server filters is checked again.
    fn take(&mut self, event: FilteredLogEvent, start: i64, end: i64, intake: &mut Intake<'_>, progress: &Progress) {
        let stream = event.log_stream_name.unwrap_or_default();
        let time = event.timestamp.unwrap_or(start);
        let streams = &self.live.log_stream;
        let wanted = streams.is_empty() || streams.iter().any(|prefix| stream.starts_with(prefix.as_str()));
        if !wanted || time < start.max(self.from) || time >= end {
            return;
        }
        let message = event.message.as_deref().unwrap_or_default();
        if !self.position.seen.is_new(key(&stream, event.event_id.as_deref(), time, message), time) {
            return;
        }
        // A clock that is ahead must not make the next run begin in the future.
        self.latest = self.latest.max(time.min(Timestamp::now().as_millisecond()));
        self.events += 1;
        intake.at_event(&stream, time);
        match event.message {
            Some(message) => {
                self.bytes += u64::try_from(message.len()).unwrap_or_default();
                let (timestamp_ms, log_stream) = (event.timestamp, Some(Cow::Owned(stream)));
                intake.line(&LogLine { timestamp_ms, log_stream, message: Cow::Owned(message) });
            }
            None => intake.bad(BadEntry::NoMessage),
        }
        progress.fetched(self.bytes);
        progress.lines(self.events);
    }
}

/// The length of the window after one of `length` in which so many events were.
fn next_length(length: i64, events: u64) -> i64 {
    match events {
        // A log that was not written yet, or is kept no longer, has nothing that must be remembered.
        0 => (length * 2).min(WINDOW_EMPTY_MAX),
        few if few < WINDOW_FEW => (length * 2).min(WINDOW_MAX),
        many if many > WINDOW_MANY => (length / 2).clamp(WINDOW_MIN, WINDOW_MAX),
        _ => length.min(WINDOW_MAX),
    }
}

/// What the names of all wanted streams begin with: the server takes one prefix.
fn common_prefix(prefixes: &[String]) -> Option<String> {
    let (first, rest) = prefixes.split_first()?;
    let fits =
        |length: &usize| first.get(..*length).is_some_and(|start| rest.iter().all(|other| other.starts_with(start)));
    let length = (1..=first.len()).rev().find(fits)?;
    first.get(..length).map(ToOwned::to_owned)
}

/// How far back where nothing is said.
const SINCE: SignedDuration = SignedDuration::from_hours(1);
/// Between two looks at what came: an account may call `FilterLogEvents` five times a second in all.
const PAUSE: Duration = Duration::from_secs(3);
/// How late a line may show up, in milliseconds: five minutes. EKS delivers within seconds, in bad hours within minutes.
const OVERLAP: i64 = 5 * 60_000;
/// How old a time must be to be complete, in milliseconds, by a clock that may be ahead as far as AWS takes signatures.
const COMPLETE_AFTER: i64 = 2 * OVERLAP;
/// Time between two saves while following: an event that was read after the last one may be told again by the next run,
/// if this one is killed and not stopped.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// Shortest and longest time that is read at once, in milliseconds: a minute and an hour. The events of one window are
/// remembered until it is complete, so it is made shorter where there are many.
const WINDOW_MIN: i64 = 60_000;
const WINDOW_MAX: i64 = 60 * 60_000;
/// Longest time that is read at once after one in which nothing was logged: a day, in milliseconds.
const WINDOW_EMPTY_MAX: i64 = 24 * 60 * 60_000;
/// Events of a window below which the next is twice, and above which it is half as long.
const WINDOW_FEW: u64 = 5_000;
const WINDOW_MANY: u64 = 50_000;

#[cfg(test)]
mod tests {
    use super::{WINDOW_EMPTY_MAX, WINDOW_FEW, WINDOW_MANY, WINDOW_MAX, WINDOW_MIN, common_prefix, next_length};

    #[test]
    fn windows_grow_to_their_limits_and_not_past_them_and_shrink_where_much_was_logged() {
        for (events, limit) in [(0, WINDOW_EMPTY_MAX), (1, WINDOW_MAX), (WINDOW_FEW - 1, WINDOW_MAX)] {
            assert_eq!(next_length(WINDOW_MIN, events), 2 * WINDOW_MIN);
            for length in [limit / 2, limit / 2 + 1, limit] {
                assert_eq!(next_length(length, events), limit, "{events} events");
            }
        }
        // After a long one in which nothing was, the first events make it short again.
        for events in [1, WINDOW_FEW, WINDOW_MANY, WINDOW_MANY + 1] {
            assert_eq!(next_length(WINDOW_EMPTY_MAX, events), WINDOW_MAX, "{events} events");
        }
        assert_eq!(next_length(WINDOW_MAX, WINDOW_MANY), WINDOW_MAX);
        assert_eq!(next_length(WINDOW_MAX, WINDOW_MANY + 1), WINDOW_MAX / 2);
        assert_eq!(next_length(WINDOW_MIN, WINDOW_MANY + 1), WINDOW_MIN);
    }

    #[test]
    fn the_server_is_asked_for_what_all_wanted_streams_have_in_common() {
        let common = |prefixes: &[&str]| common_prefix(&prefixes.iter().map(|&one| one.to_owned()).collect::<Vec<_>>());
        assert_eq!(common(&[]), None);
        assert_eq!(common(&["kube-apiserver-audit"]).as_deref(), Some("kube-apiserver-audit"));
        assert_eq!(common(&["kube-apiserver-audit", "kube-apiserver-0"]).as_deref(), Some("kube-apiserver-"));
        assert_eq!(common(&["kube-apiserver", "authenticator"]), None);
        assert_eq!(common(&["\u{e9}a", "\u{e8}a"]), None, "no letter is cut");
    }
}
