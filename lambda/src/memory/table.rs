//! Requests to the table.

use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use rolewatch_analyzer::memory::{Ask, Fact};

use super::Trouble;
use super::item::{self, Attributes, Ignored, Item, Revision};
use super::writing::Change;
use crate::config::TableName;
use crate::sink::{Refusal, Service, refusal};

/// The table, with its client.
#[derive(Debug)]
pub(super) struct Table {
    client: Client,
    name: TableName,
}

/// What the table said.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) items: Vec<Item>,
    /// Why that is not all.
    pub(super) trouble: Option<Trouble>,
}

/// A fact that the table has now.
#[derive(Debug)]
pub(super) struct Saved {
    /// What it has: what was to be written, together with what another process had written since.
    pub(super) fact: Fact,
    /// Whether anything had to be written.
    pub(super) written: bool,
    /// Whether only the version was.
    pub(super) too_large: bool,
}

/// Why a fact is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwritten {
    /// The table cannot be used, for this fact or any other.
    Trouble(Trouble),
    /// The table does not take this fact.
    Refused(Trouble),
    /// Others write the same fact all the time.
    Contended,
    /// The time that a delivery gives to writing is over.
    OutOfTime,
}

impl Table {
    /// A client for the table, with the credentials and endpoints of the environment. No request is made yet.
    pub(super) fn connect(aws: &SdkConfig, name: TableName) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT);
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS_MAX)
            .with_initial_backoff(PAUSE_FIRST)
            .with_max_backoff(PAUSE_MAX);
        let mut config =
            aws_sdk_dynamodb::config::Builder::from(aws).retry_config(retries).timeout_config(timeouts.build());
        if let Some(region) = name.region() {
            config = config.region(Region::new(region.to_owned()));
        }
        Self { client: Client::from_conf(config.build()), name }
    }

    /// Everything there is about these questions, as it is now.
    pub(super) async fn read(&self, home: &str, asked: &[Ask], until: Instant) -> Answer {
        let mut answer = Answer::default();
        let keys: Vec<Attributes> = asked
            .iter()
            .filter_map(|ask| match ask {
                Ask::One(key) => Some(item::key(home, &key.place())),
                Ask::Objects { .. } | Ask::Sessions { .. } => None,
            })
            .collect();
        for batch in keys.chunks(KEYS_MAX) {
            if let Err(trouble) = self.read_keys(home, batch, until, &mut answer.items).await {
                answer.trouble = Some(trouble);
                return answer;
            }
        }
        for ask in asked.iter().filter(|ask| ask.range().is_some()) {
            if let Err(trouble) = self.read_range(home, ask, until, &mut answer.items).await {
                answer.trouble = Some(trouble);
                return answer;
            }
        }
        answer
    }

    async fn read_keys(
        &self,
        home: &str,
        keys: &[Attributes],
        until: Instant,
        items: &mut Vec<Item>,
    ) -> Result<(), Trouble> {
        let mut waiting = keys.to_vec();
        let mut pause = PAUSE_FIRST;
        loop {
            let keys = KeysAndAttributes::builder().set_keys(Some(waiting)).consistent_read(true).build();
            // The builder wants keys, and has them.
            let keys = keys.map_err(|_| Trouble::Refused(Refusal::Refused))?;
            let request = self.client.batch_get_item().request_items(self.name.as_str(), keys);
            let answer = within(until, request.send()).await?;
            let found = answer.responses.unwrap_or_default().into_values().flatten();
            items.extend(found.map(|attributes| Item::new(attributes, home.to_owned())));
            // DynamoDB API reference, BatchGetItem: what a request could not process comes back to be asked again.
            waiting = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|keys| keys.keys).collect();
            if waiting.is_empty() {
                return Ok(());
            }
            if Instant::now() + pause >= until {
                return Err(Trouble::Refused(Refusal::Throttled));
            }
            tokio::time::sleep(pause).await;
            pause = longer(pause);
        }
    }

    async fn read_range(&self, home: &str, ask: &Ask, until: Instant, items: &mut Vec<Item>) -> Result<(), Trouble> {
        let Some(range) = ask.range() else { return Ok(()) };
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut next: Option<Attributes> = None;
        for _ in 0..PAGES_MAX {
            let request = self
                .client
                .query()
                .table_name(self.name.as_str())
                .consistent_read(true)
                .key_condition_expression("#pk = :pk AND #sk BETWEEN :first AND :last")
                .expression_attribute_names("#pk", item::PARTITION)
                .expression_attribute_names("#sk", item::SORT)
                .expression_attribute_values(":pk", text(&item::partition(home, &range.cluster)))
                .expression_attribute_values(":first", text(&range.first))
                .expression_attribute_values(":last", text(&range.last))
                .set_exclusive_start_key(next);
            let answer = within(until, request.send()).await?;
            let found = answer.items.unwrap_or_default().into_iter();
            items.extend(found.map(|attributes| Item::new(attributes, home.to_owned())));
            next = answer.last_evaluated_key;
            if next.is_none() {
                return Ok(());
            }
        }
        Err(Trouble::TooMuch)
    }

    /// Writes a fact over what was read, or together with what somebody else has written since. An older version of an
    /// object never replaces a newer one.
    pub(super) async fn save(&self, home: &str, change: &Change, until: Instant) -> Result<Saved, Unwritten> {
        let (mut fact, mut revision) = (change.now.clone(), change.revision);
        for _ in 0..SAVES_MAX {
            let written = item::write(home, &fact);
            let theirs = match self.put(home, written.attributes, revision, until).await? {
                Put::Written => return Ok(Saved { fact, written: true, too_large: written.too_large }),
                Put::Other(theirs) => theirs,
            };
            revision = theirs.as_ref().and_then(Item::revision);
            let nothing_to_do = |fact| Ok(Saved { fact, written: false, too_large: false });
            match theirs.map(|theirs| theirs.read()) {
                // It is what was to be written, and only the answer was lost. To add it to itself would count twice.
                Some(Ok((_, theirs))) if theirs == written.revision => {
                    return Ok(Saved { fact, written: true, too_large: written.too_large });
                }
                Some(Ok((theirs, _))) => {
                    fact = change.now.clone().merged(change.before.as_ref(), theirs.clone());
                    if fact == theirs {
                        return nothing_to_do(fact);
                    }
                }
                Some(Err(Ignored::TooLarge(version))) if version > item::version(&fact) => return nothing_to_do(fact),
                Some(Err(_)) | None => fact = change.now.clone(),
            }
        }
        Err(Unwritten::Contended)
    }

    /// Writes an item, unless the table has another revision than the one given, or any where none is.
    async fn put(
        &self,
        home: &str,
        attributes: Attributes,
        revision: Option<Revision>,
        until: Instant,
    ) -> Result<Put, Unwritten> {
        let request = self
            .client
            .put_item()
            .table_name(self.name.as_str())
            .set_item(Some(attributes))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match revision {
            None => request
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", item::PARTITION),
            Some(revision) => request
                .condition_expression("#rev = :rev")
                .expression_attribute_names("#rev", item::REVISION)
                .expression_attribute_values(":rev", item::number(revision)),
        };
        let sent = tokio::time::timeout_at(until.into(), Box::pin(request.send())).await;
        match sent.map_err(|_| Unwritten::OutOfTime)? {
            Ok(_) => Ok(Put::Written),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Put::Other(failed.item().map(|attributes| Item::new(attributes.clone(), home.to_owned()))))
                }
                _ => match trouble(&error) {
                    refused @ Trouble::Refused(Refusal::Refused) => Err(Unwritten::Refused(refused)),
                    trouble => Err(Unwritten::Trouble(trouble)),
                },
            },
        }
    }
}

/// What became of writing an item.
enum Put {
    Written,
    /// The table has something else, or nothing where something was expected.
    Other(Option<Item>),
}

/// The pause after one that was too short.
pub(super) fn longer(pause: Duration) -> Duration {
    pause.saturating_mul(2).min(PAUSE_MAX)
}

/// Runs a request to its end or to the end of the time.
async fn within<T, E: ProvideErrorMetadata>(
    until: Instant,
    request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<T, Trouble> {
    // Boxed, because the future of an SDK call is several KiB large and deeper than the compiler likes to look.
    match tokio::time::timeout_at(until.into(), Box::pin(request)).await {
        Err(_) => Err(Trouble::Refused(Refusal::OutOfTime)),
        Ok(answer) => answer.map_err(|error| trouble(&error)),
    }
}

fn trouble<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Trouble {
    Trouble::Refused(refusal::of_request(Service::DynamoDb, error))
}

/// `DynamoDB` API reference, `BatchGetItem`: at most 100 keys.
pub(super) const KEYS_MAX: usize = 100;
/// Pages of one range, 1 MB each: more objects of a kind than the process has room for.
pub(super) const PAGES_MAX: usize = 16;
/// Tries to write one fact while others write it, too.
pub(super) const SAVES_MAX: u32 = 8;
/// An endpoint that is up answers the TCP and TLS handshake within a round trip or two.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// `DynamoDB` answers within 10 ms; what takes longer is better asked again.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);
/// All tries of one request.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(4);
/// Tries of one request, the first included.
pub(super) const ATTEMPTS_MAX: u32 = 4;
/// Longest pause after the first try.
const PAUSE_FIRST: Duration = Duration::from_millis(40);
/// Longest pause at all.
pub(super) const PAUSE_MAX: Duration = Duration::from_millis(400);
