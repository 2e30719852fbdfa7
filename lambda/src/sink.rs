//! Where alerts go.

pub mod both;
pub mod chat;
pub mod sns;

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
#[error("{failed} of {} alerts were not accepted: {cause}", .failed + .sent.alerts)]
pub struct SendError {
    /// What was accepted nevertheless.
    pub sent: Sent,
    /// How many were not.
    pub failed: usize,
    /// Why the last of them was not.
    pub cause: Refusal,
}

/// Why an alert was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 429, or an error code that asks to slow down.
    #[error("SNS asks to slow down; look at the quota of Publish")]
    Throttled,
    /// A server error, also of a single entry.
    #[error("SNS answers with errors; wait")]
    Unavailable,
    /// No answer.
    #[error("SNS cannot be reached; check the network of the function")]
    Unreachable,
    /// The caller may not publish.
    #[error("publishing is forbidden; allow `sns:Publish` to the role of the function")]
    AccessDenied,
    /// The key of an encrypted topic cannot be used.
    #[error("the key of the topic cannot be used; allow `kms:GenerateDataKey*` and `kms:Decrypt` to the role")]
    KeyRefused,
    /// There is no such topic.
    #[error("the topic does not exist; correct `ROLEWATCH_ALERT_TOPIC_ARN` or `ROLEWATCH_CHAT_TOPIC_ARN`")]
    TopicMissing,
    /// Something about the message.
    #[error("SNS refuses the message; see the AWS error code in the log")]
    Refused,
    /// The deadline passed before the first try.
    #[error("no time was left; raise the time-out of the function")]
    OutOfTime,
}

impl Refusal {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Throttled => "sns-throttled",
            Self::Unavailable => "sns-unavailable",
            Self::Unreachable => "sns-unreachable",
            Self::AccessDenied => "sns-access-denied",
            Self::KeyRefused => "sns-key-refused",
            Self::TopicMissing => "sns-topic-missing",
            Self::Refused => "sns-refused",
            Self::OutOfTime => "out-of-time",
        }
    }

    /// Whether the same request may succeed a moment later.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable | Self::Unreachable)
    }
}
