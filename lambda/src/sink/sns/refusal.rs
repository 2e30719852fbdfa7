//! What an error of SNS means for us. Only its code is looked at: its text may quote the message.

use aws_sdk_sns::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_sns::operation::publish_batch::PublishBatchError;
use aws_sdk_sns::types::BatchResultErrorEntry;
use lambda_runtime::tracing;

use crate::sink::Refusal;

/// What it means that a whole request failed.
pub(super) fn of_request(error: &SdkError<PublishBatchError>) -> Refusal {
    let refusal = match error {
        SdkError::ServiceError(answer) => of_code(error.code().unwrap_or_default(), answer.raw().status().as_u16()),
        SdkError::ConstructionFailure(_) => Refusal::Refused,
        // No credentials, no connection, no answer, or an answer that is not one of SNS.
        _ => Refusal::Unreachable,
    };
    tracing::warn!(error_type = refusal.code(), aws_code = shown(error.code()), "SNS did not take a request");
    refusal
}

/// What it means that one entry of a request failed.
pub(super) fn of_entry(entry: &BatchResultErrorEntry) -> Refusal {
    let refusal = of_code(entry.code(), if entry.sender_fault() { 400 } else { 500 });
    tracing::warn!(error_type = refusal.code(), aws_code = shown(Some(entry.code())), "SNS did not take an entry");
    refusal
}

/// Codes as in the SNS API reference, Publish and "Common error types".
fn of_code(code: &str, status: u16) -> Refusal {
    match code {
        "Throttled"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "TooManyRequestsException"
        | "KMSThrottling"
        | "KMSThrottlingException" => Refusal::Throttled,
        "KMSAccessDenied"
        | "KMSAccessDeniedException"
        | "KMSDisabled"
        | "KMSDisabledException"
        | "KMSInvalidState"
        | "KMSInvalidStateException"
        | "KMSNotFound"
        | "KMSNotFoundException"
        | "KMSOptInRequired" => Refusal::KeyRefused,
        "NotFound" | "NotFoundException" => Refusal::TopicMissing,
        "AuthorizationError"
        | "AuthorizationErrorException"
        | "AccessDenied"
        | "AccessDeniedException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "OptInRequired"
        | "InvalidSecurity"
        | "InvalidSecurityException" => Refusal::AccessDenied,
        _ => match status {
            429 => Refusal::Throttled,
            401 | 403 => Refusal::AccessDenied,
            404 => Refusal::TopicMissing,
            400..=499 => Refusal::Refused,
            _ => Refusal::Unavailable,
        },
    }
}

/// An error code as AWS writes them; anything else could be a text that quotes something.
fn shown(code: Option<&str>) -> &str {
    code.filter(|code| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'))
        .unwrap_or("none")
}

#[cfg(test)]
mod tests {
    use super::{of_code, shown};

    #[test]
    fn codes_count_over_statuses_and_statuses_decide_the_rest() {
        let rows = [
            ("Throttled", 400, "sns-throttled"),
            ("KMSThrottling", 400, "sns-throttled"),
            ("KMSAccessDenied", 400, "sns-key-refused"),
            ("NotFound", 404, "sns-topic-missing"),
            ("AuthorizationError", 403, "sns-access-denied"),
            ("InvalidParameter", 400, "sns-refused"),
            ("", 429, "sns-throttled"),
            ("", 403, "sns-access-denied"),
            ("InternalError", 500, "sns-unavailable"),
            ("", 503, "sns-unavailable"),
            ("", 302, "sns-unavailable"),
        ];
        for (code, status, expected) in rows {
            assert_eq!(of_code(code, status).code(), expected, "{code} {status}");
        }
    }

    #[test]
    fn only_what_looks_like_a_code_is_shown() {
        assert_eq!(shown(Some("InvalidParameter")), "InvalidParameter");
        assert_eq!(shown(Some("Invalid parameter: alice")), "none");
        assert_eq!(shown(None), "none");
    }
}
