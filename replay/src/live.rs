//! `--log-group`: lines straight from CloudWatch Logs, once or as they come.

mod error;
mod seen;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use jiff::{SignedDuration, Timestamp};
use rolewatch_analyzer::envelope::{BadEntry, LogLine};
use rolewatch_analyzer::stream::Source;
use rolewatch_analyzer::text::name;

pub(crate) use self::error::LiveError;
use self::seen::Seen;
use crate::cli::{Live, ReplayArgs};
use crate::error::Error;
use crate::intake::Intake;
use crate::progress::Progress;
use crate::tally::Tally;

/// Reads the log group called `group`. What went wrong on the way ends the run, but what was read before counts.
pub(crate) fn read(
    group: &str,
    options: &ReplayArgs,
    mut intake: Intake<'_>,
    progress: &Progress,
) -> Result<(Tally, Vec<Error>), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Read { path: name(group), source })?;
    intake.open_file(&name(group));
    let stop = Arc::new(AtomicBool::new(false));
    // Where Ctrl-C cannot be caught it ends the command, as it does elsewhere.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop));
    let fetched = runtime.block_on(async {
        let mut fetch = Fetch::new(group, options).await?;
        intake.source(&fetch.source);
        tokio::select! {
            done = fetch.run(&mut intake, progress) => done,
            // What was read so far is worth a summary.
            () = interrupted(&stop) => Ok(()),
        }
    });
    let problem = match fetched {
        Ok(()) => None,
        Err(error @ Error::Live(_)) => Some(error),
        Err(error) => return Err(error),
    };
    intake.close_file()?;
    let tally = intake.finish()?;
    progress.finish();
    Ok((tally, problem.into_iter().collect()))
}

/// Waits for Ctrl-C.
async fn interrupted(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One log group being read.
struct Fetch<'o> {
    client: Client,
    group: &'o str,
    live: &'o Live,
    source: Source,
    /// Milliseconds since 1970: the first to take, and the first not to.
    from: i64,
    to: i64,
    seen: Seen,
    events: u64,
    bytes: u64,
}

impl<'o> Fetch<'o> {
    async fn new(group: &'o str, options: &'o ReplayArgs) -> Result<Self, Error> {
        let live = &options.live;
        let config = configuration(live, options.about.region.as_deref()).await?;
        let source = Source {
            cluster: Source::cluster_of(group).map(ToOwned::to_owned),
            region: config.region().map(|region| region.as_ref().to_owned()),
            log_group: Some(group.to_owned()),
            ..Source::default()
        };
        let now = Timestamp::now();
        let since = now.saturating_sub(live.since.unwrap_or(SINCE));
        let from = live.from.or(since.ok()).unwrap_or(now).as_millisecond();
        let to = live.to.map_or(i64::MAX, Timestamp::as_millisecond);
        Ok(Self {
            client: Client::new(&config),
            group,
            live,
            source,
            from,
            to,
            seen: Seen::default(),
            events: 0,
            bytes: 0,
        })
    }

    async fn run(&mut self, intake: &mut Intake<'_>, progress: &Progress) -> Result<(), Error> {
        let mut start = self.from;
        loop {
            self.pages(start, intake, progress).await?;
            if !self.live.follow {
                break;
            }
            intake.flush()?;
            // CloudWatch Logs shows lines late and out of order, so the last minutes are read again.
            start = self.seen.forget_before(OVERLAP.as_millis()).max(self.from);
            tokio::time::sleep(PAUSE).await;
        }
        if self.events == 0 { Err(LiveError::NothingLogged { group: name(self.group) }.into()) } else { Ok(()) }
    }

    /// Every page of the events from `start` on.
    async fn pages(&mut self, start: i64, intake: &mut Intake<'_>, progress: &Progress) -> Result<(), Error> {
        let mut token = None;
        loop {
            let end = (self.to < i64::MAX).then_some(self.to);
            let page = self
                .client
                .filter_log_events()
                .log_group_name(self.group)
                .set_log_stream_name_prefix(self.live.log_stream.clone())
                .start_time(start.max(0))
                .set_end_time(end)
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| LiveError::of(&error, self.group))?;
            for event in page.events.unwrap_or_default() {
                self.take(event, intake, progress);
            }
            intake.settle()?;
            match page.next_token {
                // A token alone says that there is more, even after a page without events.
                Some(next) => token = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// One event, unless it is not wanted: what the server filters is checked again.
    fn take(&mut self, event: FilteredLogEvent, intake: &mut Intake<'_>, progress: &Progress) {
        let stream = event.log_stream_name.unwrap_or_default();
        let time = event.timestamp.unwrap_or(self.from);
        let wanted = self.live.log_stream.as_deref().is_none_or(|prefix| stream.starts_with(prefix));
        if !wanted || time < self.from || time >= self.to {
            return;
        }
        if self.live.follow && !event.event_id.as_deref().is_none_or(|id| self.seen.is_new(id, time)) {
            return;
        }
        self.events += 1;
        intake.at(self.events);
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

/// Profile, Region and credentials, found as the AWS CLI finds them.
async fn configuration(live: &Live, region: Option<&str>) -> Result<SdkConfig, LiveError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    if let Some(profile) = &live.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err(LiveError::NoRegion);
    }
    // Asked for here, so that what is wrong with them is not hidden in an error about the request.
    match config.credentials_provider() {
        Some(provider) => match provider.provide_credentials().await {
            Ok(_) => Ok(config),
            Err(error) => Err(LiveError::of_credentials(&error)),
        },
        None => Err(LiveError::NoCredentials),
    }
}

/// How far back where nothing is said.
const SINCE: SignedDuration = SignedDuration::from_hours(1);
/// Tries of one request: with the pauses of the SDK, about a minute of throttling.
const ATTEMPTS: u32 = 8;
/// Between two looks at what came: an account may call `FilterLogEvents` five times a second in all.
const PAUSE: Duration = Duration::from_secs(3);
/// How late a line may show up. EKS delivers within seconds, in bad hours within minutes.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
