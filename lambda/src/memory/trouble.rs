//! Why the table of the memory could not be used.

use crate::sink::{Refusal, Service};

/// Why the table did not answer or did not take something. It never fails a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// `DynamoDB` refused, or did not answer.
    Refused(Refusal),
    /// One delivery wanted to know more than it may ask.
    TooMuch,
}

impl Trouble {
    /// A stable word for logs, metrics and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(Service::DynamoDb),
            Self::TooMuch => "memory-too-much",
        }
    }

    /// What happened and what to do.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.explain(Service::DynamoDb),
            Self::TooMuch => "one delivery asked for more than is read; nothing to do",
        }
    }

    /// Whether it may be over in a moment.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_passing() || matches!(refusal, Refusal::OutOfTime),
            Self::TooMuch => true,
        }
    }

    /// What an alert says that was judged without the table.
    #[must_use]
    pub fn note(self) -> String {
        format!("judged without the shared memory ({}), so what was before may be missing", self.code())
    }
}
