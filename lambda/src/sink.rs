//! Where alerts go.

pub mod both;
pub mod chat;
pub mod events;
pub mod sns;

mod fit;
pub(crate) mod refusal;
mod round;

use std::time::{Duration, Instant};

use rolewatch_analyzer::alert::Alert;

/// A place that takes alerts.
pub trait Sink {
    /// Sends every alert, trying again until `deadline`. One refused alert does not hold back the others; success
    /// means that every one was accepted.
    fn send(&self, alerts: &[Alert], deadline: Instant) -> impl Future<Output = Result<Sent, SendError>>;
}

/// How sending went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Alerts accepted.
    pub alerts: usize,
    /// Of these, the ones accepted only after they had been cut to their headline.
    pub reduced: usize,
    /// Requests that had to be repeated, wholly or in part.
    pub retries: u32,
    /// From the first request to the last answer.
    pub took: Duration,
}

/// Not every alert was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{failed} of {} alerts were not accepted: {}", .failed + .sent.alerts, .cause.explain(*.service))]
pub struct SendError {
    /// What was accepted nevertheless.
    pub sent: Sent,
    /// How many were not.
    pub failed: usize,
    /// Why the last of them was not.
    pub cause: Refusal,
    /// By which service.
    pub service: Service,
}

impl SendError {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.cause.code(self.service)
    }
}

/// A service that requests go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Amazon SNS, for alerts.
    Sns,
    /// Amazon EventBridge, for alerts.
    EventBridge,
    /// Amazon `DynamoDB`, for the memory.
    DynamoDb,
}

/// Why a request, or an alert of it, was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 429, or an error code that asks to slow down.
    Throttled,
    /// A server error, also of a single entry.
    Unavailable,
    /// No answer.
    Unreachable,
    /// The caller may not do this.
    AccessDenied,
    /// The key of what is encrypted cannot be used.
    KeyRefused,
    /// There is no such topic, bus or table.
    Missing,
    /// Something about the request.
    Refused,
    /// The deadline passed before the first try.
    OutOfTime,
}

impl Refusal {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub const fn code(self, service: Service) -> &'static str {
        match (service, self) {
            (Service::DynamoDb, Self::OutOfTime) => "memory-out-of-time",
            (_, Self::OutOfTime) => "out-of-time",
            (Service::Sns, Self::Throttled) => "sns-throttled",
            (Service::Sns, Self::Unavailable) => "sns-unavailable",
            (Service::Sns, Self::Unreachable) => "sns-unreachable",
            (Service::Sns, Self::AccessDenied) => "sns-access-denied",
            (Service::Sns, Self::KeyRefused) => "sns-key-refused",
            (Service::Sns, Self::Missing) => "sns-topic-missing",
            (Service::Sns, Self::Refused) => "sns-refused",
            (Service::EventBridge, Self::Throttled) => "events-throttled",
            (Service::EventBridge, Self::Unavailable) => "events-unavailable",
            (Service::EventBridge, Self::Unreachable) => "events-unreachable",
            (Service::EventBridge, Self::AccessDenied) => "events-access-denied",
            (Service::EventBridge, Self::KeyRefused) => "events-key-refused",
            (Service::EventBridge, Self::Missing) => "events-bus-missing",
            (Service::EventBridge, Self::Refused) => "events-refused",
            (Service::DynamoDb, Self::Throttled) => "memory-throttled",
            (Service::DynamoDb, Self::Unavailable) => "memory-unavailable",
            (Service::DynamoDb, Self::Unreachable) => "memory-unreachable",
            (Service::DynamoDb, Self::AccessDenied) => "memory-access-denied",
            (Service::DynamoDb, Self::KeyRefused) => "memory-key-refused",
            (Service::DynamoDb, Self::Missing) => "memory-table-missing",
            (Service::DynamoDb, Self::Refused) => "memory-refused",
        }
    }

    /// What happened and what to do.
    #[must_use]
    pub const fn explain(self, service: Service) -> &'static str {
        match (service, self) {
            (Service::DynamoDb, Self::OutOfTime) => "DynamoDB did not answer in time; wait",
            (_, Self::OutOfTime) => "no time was left; raise the time-out of the function",
            (Service::Sns, Self::Throttled) => "SNS asks to slow down; look at the quota of Publish",
            (Service::Sns, Self::Unavailable) => "SNS answers with errors; wait",
            (Service::Sns, Self::Unreachable) => "SNS cannot be reached; check the network of the function",
            (Service::Sns, Self::AccessDenied) => {
                "publishing is forbidden; allow `sns:Publish` to the role of the function"
            }
            (Service::Sns, Self::KeyRefused) => {
                "the key of the topic cannot be used; allow `kms:GenerateDataKey*` and `kms:Decrypt` to the role"
            }
            (Service::Sns, Self::Missing) => {
                "the topic does not exist; correct `ROLEWATCH_ALERT_TOPIC_ARN` or `ROLEWATCH_CHAT_TOPIC_ARN`"
            }
            (Service::Sns, Self::Refused) => "SNS refuses the message; see the AWS error code in the log",
            (Service::EventBridge, Self::Throttled) => "EventBridge asks to slow down; look at the quota of PutEvents",
            (Service::EventBridge, Self::Unavailable) => "EventBridge answers with errors; wait",
            (Service::EventBridge, Self::Unreachable) => {
                "EventBridge cannot be reached; check the network of the function"
            }
            (Service::EventBridge, Self::AccessDenied) => {
                "the event bus is closed; allow `events:PutEvents` to the role of the function"
            }
            (Service::EventBridge, Self::KeyRefused) => {
                "the key of the event bus cannot be used; open it to EventBridge"
            }
            (Service::EventBridge, Self::Missing) => "the event bus does not exist; correct `ROLEWATCH_EVENT_BUS`",
            (Service::EventBridge, Self::Refused) => "EventBridge refuses the event; see the AWS error code in the log",
            (Service::DynamoDb, Self::Throttled) => {
                "DynamoDB asks to slow down; look at the throughput of the table, which should be on demand"
            }
            (Service::DynamoDb, Self::Unavailable) => "DynamoDB answers with errors; wait",
            (Service::DynamoDb, Self::Unreachable) => "DynamoDB cannot be reached; check the network of the function",
            (Service::DynamoDb, Self::AccessDenied) => {
                "the table is closed; allow `dynamodb:BatchGetItem`, `dynamodb:Query` and `dynamodb:PutItem` to the role"
            }
            (Service::DynamoDb, Self::KeyRefused) => "the key of the table cannot be used; open it to the role",
            (Service::DynamoDb, Self::Missing) => "the table does not exist; correct `ROLEWATCH_MEMORY_TABLE`",
            (Service::DynamoDb, Self::Refused) => "DynamoDB refuses the request; see the AWS error code in the log",
        }
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Unreachable)
    }
}
