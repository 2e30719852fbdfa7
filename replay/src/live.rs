//! `--log-group`: lines straight from CloudWatch Logs, once or as they come.

mod error;
mod fetch;
mod seen;
mod state;

use std::time::Duration;

use aws_config::default_provider::region;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use rolewatch_analyzer::text::name;

pub(crate) use self::error::LiveError;
use self::fetch::Fetch;
use crate::cli::{Live, ReplayArgs};
use crate::error::Error;
use crate::intake::Intake;
use crate::progress::Progress;
use crate::replay::Read;

/// Reads the log group called `group`. What went wrong on the way ends the run, but what was read before counts.
pub(crate) fn read(
    group: &str,
    options: &ReplayArgs,
    mut intake: Intake<'_>,
    progress: &Progress,
) -> Result<Read, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::Read { path: name(group), source })?;
    intake.open_file(&name(group));
    let fetched = runtime.block_on(async {
        let config = configuration(&options.live, options.about.region.as_deref()).await?;
        let mut fetch = Fetch::new(group, &options.live, &config, &mut intake)?;
        intake.source(fetch.source());
        if fetch.is_resumed() && options.memory.is_some() && !options.quiet {
            progress.note("the state knows what the last run learned; `--memory` counts for the first run only");
        }
        let fetched = tokio::select! {
            done = fetch.run(&mut intake, progress) => done,
            // What was read so far is worth a summary.
            () = stopped(progress) => Ok(()),
        };
        let problem = match fetched {
            Ok(()) => None,
            Err(error @ Error::Live(_)) => Some(error),
            Err(error) => return Err(error),
        };
        intake.flush()?;
        // Only now: what the file says was read must have been told.
        fetch.save(intake.memory())?;
        Ok((problem, fetch.has_state()))
    });
    let (problem, goes_on) = match fetched {
        Ok(fetched) => fetched,
        Err(error @ Error::Live(_)) => (Some(error), false),
        Err(error) => return Err(error),
    };
    // The last word on a session is for the run that sees its end.
    let is_over = problem.is_none() || intake.lines() > 0;
    let (tally, memory) = if goes_on || !is_over { intake.leave()? } else { intake.finish()? };
    progress.finish();
    Ok(Read { tally, memory, unreadable: problem.into_iter().collect() })
}

/// Waits for Ctrl-C.
async fn stopped(progress: &Progress) {
    while !progress.is_stopped() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Profile, Region and credentials, found as the AWS CLI finds them.
async fn configuration(live: &Live, region: Option<&str>) -> Result<SdkConfig, LiveError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    if std::env::var_os("AWS_MAX_ATTEMPTS").is_none() {
        loader = loader.retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS));
    }
    let mut region = region.map(|region| Region::new(region.to_owned()));
    if let Some(profile) = &live.profile {
        if region.is_none() {
            region = region::Builder::default().profile_name(profile).build().region().await;
        }
        // To the AWS CLI a profile that is named counts over keys in the environment; the SDK has it the other way round.
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&ProviderConfig::without_region().with_region(region.clone()))
            .profile_name(profile);
        loader = loader.profile_name(profile).credentials_provider(provider.build());
    }
    if let Some(region) = region {
        loader = loader.region(region);
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err(LiveError::NoRegion);
    }
    // Asked for here, so that what is wrong with them is not hidden in an error about the request.
    match config.credentials_provider() {
        Some(provider) => match provider.provide_credentials().await {
            Ok(_) => Ok(config),
            Err(error) => Err(LiveError::of_credentials(&error, live.profile.as_deref())),
        },
        None => Err(LiveError::NoCredentials),
    }
}

/// Tries of one request: with the pauses of the SDK, about a minute of throttling.
const ATTEMPTS: u32 = 8;
