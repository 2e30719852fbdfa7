//! Alerts to an EventBridge bus, as events that rules can match.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use rolewatch_analyzer::alert::Alert;
use serde_json::json;

use super::fit::fit;
use super::refusal;
use super::round::{CONNECT_TIMEOUT, Carrier, REQUEST_TIMEOUT, send_all};
use super::{Refusal, SendError, Sent, Service, Sink};
use crate::config::EventBusArn;

/// One EventBridge bus.
#[derive(Debug)]
pub struct EventSink {
    client: Client,
    bus: EventBusArn,
    /// When the bus was last seen to exist, or could not be looked at.
    seen: Mutex<Option<Instant>>,
}

impl EventSink {
    /// A client for the bus, with the credentials and endpoints of the environment. No request is made yet.
    #[must_use]
    pub fn connect(aws: &SdkConfig, bus: EventBusArn) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(REQUEST_TIMEOUT);
        let config = aws_sdk_eventbridge::config::Builder::from(aws)
            .region(Region::new(bus.region().to_owned()))
            // Whoever knows the deadline and which entries failed does the retrying: the round.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build());
        Self { client: Client::from_conf(config.build()), bus, seen: Mutex::new(None) }
    }

    /// Makes sure that the bus exists: `PutEvents` answers with success when it does not, and drops the events
    /// (EventBridge user guide, "Sending events with `PutEvents`").
    async fn look(&self, deadline: Instant) -> Result<(), Refusal> {
        let seen = *self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_some_and(|seen| seen.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        let request = self.client.describe_event_bus().name(self.bus.as_str());
        match tokio::time::timeout_at(deadline.into(), Box::pin(request.send())).await {
            Err(_) => Err(Refusal::Unreachable),
            Ok(Err(error)) => match refusal::of_request(Self::SERVICE, &error) {
                // The bus of another account lets others put events and seldom lets them look. Events that it does not
                // take are refused when they are put.
                Refusal::AccessDenied => {
                    self.note();
                    Ok(())
                }
                refusal => Err(refusal),
            },
            Ok(Ok(_)) => {
                self.note();
                Ok(())
            }
        }
    }

    /// There is no need to look again soon.
    fn note(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn entry(&self, detail: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(self.bus.as_str())
            .source(SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(detail)
            .build()
    }
}

impl Carrier for EventSink {
    /// The detail of the event.
    type Message = String;
    const SERVICE: Service = Service::EventBridge;
    const ENTRIES_MAX: usize = ENTRIES_MAX;
    const BATCH_BYTES_MAX: usize = BATCH_BYTES_MAX;

    fn write(&self, alert: &Alert) -> String {
        let write = |alert: &Alert| alert.ocsf().to_string();
        fit(alert, write, |detail| Self::bytes(detail) <= BATCH_BYTES_MAX).unwrap_or_else(|| reduced(alert))
    }

    fn reduce(&self, alert: &Alert) -> Option<String> {
        Some(reduced(alert))
    }

    /// As in the EventBridge user guide, "Calculating `PutEvents` event entry size".
    fn bytes(detail: &String) -> usize {
        SOURCE.len() + DETAIL_TYPE.len() + detail.len()
    }

    async fn publish(&self, details: &[&String], deadline: Instant) -> Result<Vec<Option<Refusal>>, Refusal> {
        self.look(deadline).await?;
        let entries = details.iter().map(|detail| self.entry(detail)).collect();
        let request = self.client.put_events().set_entries(Some(entries));
        // Boxed, because the future of an SDK call is several KiB large and deeper than the compiler likes to look.
        let answer = match tokio::time::timeout_at(deadline.into(), Box::pin(request.send())).await {
            Err(_) => return Err(Refusal::Unreachable),
            Ok(Err(error)) => return Err(refusal::of_request(Self::SERVICE, &error)),
            Ok(Ok(answer)) => answer,
        };
        // The answer has an entry for each of the request, in its order. One that it does not have, or that has no id,
        // was not accepted.
        let mut refusals = vec![Some(Refusal::Unavailable); details.len()];
        for (place, entry) in refusals.iter_mut().zip(answer.entries()) {
            *place = match (entry.event_id(), entry.error_code()) {
                (Some(_), None) => None,
                (_, Some(code)) => Some(refusal::of_entry(Self::SERVICE, code, true)),
                (None, None) => Some(Refusal::Unavailable),
            };
        }
        let failed = refusals.iter().filter(|refusal| refusal.is_some()).count();
        if usize::try_from(answer.failed_entry_count()) != Ok(failed) {
            // An answer that contradicts itself proves nothing; the same alert twice is better than none.
            return Err(Refusal::Unavailable);
        }
        Ok(refusals)
    }
}

impl Sink for EventSink {
    async fn send(&self, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
        send_all(self, alerts, deadline).await
    }
}

/// What finds the alert again, with the severity that rules match: an OCSF finding without evidence.
fn reduced(alert: &Alert) -> String {
    let whole = alert.ocsf();
    let kept = ["class_uid", "category_uid", "activity_id", "type_uid", "severity_id", "severity", "time"];
    let mut short = serde_json::Map::new();
    for name in kept {
        if let Some(value) = whole.get(name) {
            short.insert(name.to_owned(), value.clone());
        }
    }
    let audit_id = alert.first().map_or("", |first| first.audit_id.as_str());
    short.insert("status_detail".to_owned(), json!("EventBridge did not take the whole alert"));
    short.insert("finding_info".to_owned(), json!({ "uid": alert.id.as_str(), "title": alert.headline().as_str() }));
    short.insert("evidences".to_owned(), json!([{ "api": { "request": { "uid": audit_id } } }]));
    serde_json::Value::Object(short).to_string()
}

/// `source` of each event; rules match it.
pub const SOURCE: &str = "rolewatch";
/// `detail-type` of each event; rules match it.
pub const DETAIL_TYPE: &str = "Rolewatch Alert";
/// How often the bus is looked for: a bus that is deleted costs at most the alerts of this time.
const LOOK_EVERY: Duration = Duration::from_mins(5);
/// EventBridge API reference, `PutEvents`: at most ten entries.
const ENTRIES_MAX: usize = 10;
/// EventBridge user guide, "Calculating `PutEvents` event entry size": all entries of a request are less than 256 KB. An
/// event grows by its envelope, about 300 bytes, before it reaches a target, and some targets take no more than 256 KB.
const BATCH_BYTES_MAX: usize = 262_144 - 1_024;
