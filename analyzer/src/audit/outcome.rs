//! What came of a request: the decision and the status code as one enum.

use std::borrow::Cow;

use crate::json::{JsonError, Kind, Reader};

use super::annotation::{Annotations, Decision};

/// `responseStatus`: the answer, without its body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status<'a> {
    /// HTTP status code; 0 when it was not recorded.
    pub code: u16,
    /// Human text of a failure. The API server writes it, with parts the client chose.
    pub message: Cow<'a, str>,
    /// Machine word of a failure, `Forbidden`.
    pub reason: Cow<'a, str>,
}

impl<'a> Status<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Option<Self>, JsonError> {
        if reader.peek()? == Kind::Null {
            reader.skip()?;
            return Ok(None);
        }
        let mut status = Self::default();
        reader.object(|key, reader| {
            match key.as_ref() {
                "code" => {
                    let code = reader.integer()?;
                    status.code = u16::try_from(code).unwrap_or_default();
                }
                "message" => status.message = reader.optional_string()?.unwrap_or_default(),
                "reason" => status.reason = reader.optional_string()?.unwrap_or_default(),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(Some(status))
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was done (or begun, for long-running requests).
    Allowed,
    /// 401: nobody was authenticated.
    Unauthenticated,
    /// 403 by the authorizers, or impersonation refused.
    Denied,
    /// 403 although authorized: the object would grant more than the caller holds (RBAC escalation prevention).
    EscalationRefused,
    /// Another refusal or failure that left things as they were; admission webhooks, quota and validation included.
    Failed,
    /// No status, a server error after which nobody knows whether the write took place, or an answer that could not be
    /// given the form the client asked for.
    Unknown,
}

impl Outcome {
    /// `wants_table` says whether the query has a say in how a Table is made.
    pub(super) fn of(
        status: Option<&Status<'_>>,
        annotations: &Annotations<'_>,
        wants_table: impl FnOnce() -> bool,
    ) -> Self {
        let Some(status) = status else {
            return Self::Unknown;
        };
        match status.code {
            100..=399 => Self::Allowed,
            401 => Self::Unauthenticated,
            403 if annotations.decision() != Some(Decision::Allow) => Self::Denied,
            403 if is_escalation(&status.message) => Self::EscalationRefused,
            // The server stores first and forms the answer after that (`transformResponseObject` in
            // `k8s.io/apiserver/pkg/endpoints/handlers/response.go`). An `Accept` that asks for a list of metadata, or a query
            // that asks for a Table as there is none, so makes a write that was done look like one that failed.
            406 => Self::Unknown,
            400 if status.message.starts_with(NO_TABLE) || wants_table() => Self::Unknown,
            400..=499 => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// The word for filters and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "success",
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "denied",
            Self::EscalationRefused => "escalation-refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// How the message begins when a Table cannot be made.
const NO_TABLE: &str = "Unable to convert to Table";

/// The texts of `k8s.io/kubernetes/pkg/registry/rbac`: rules not held, and an aggregation rule without full rights.
fn is_escalation(message: &str) -> bool {
    message.contains("attempting to grant RBAC permissions not currently held")
        || message.contains("must have cluster-admin privileges to use")
}
