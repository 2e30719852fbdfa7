//! What an error of AWS means for a request. Only its code is looked at: its text may quote the message.

use aws_sdk_sns::config::http::HttpResponse;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use lambda_runtime::tracing;

use super::{Refusal, Service};

/// What it means that a whole request failed.
pub(crate) fn of_request<E: ProvideErrorMetadata>(service: Service, error: &SdkError<E, HttpResponse>) -> Refusal {
    let refusal = match error {
        SdkError::ServiceError(answer) => of_code(error.code().unwrap_or_default(), answer.raw().status().as_u16()),
        SdkError::ConstructionFailure(_) => Refusal::Refused,
        // No credentials, no connection, no answer, or an answer that is not one of the service.
        _ => Refusal::Unreachable,
    };
    tracing::warn!(error_type = refusal.code(service), aws_code = shown(error.code()), "a request was not taken");
    refusal
}

/// What it means that one entry of a request failed, from its code and whether the sender is to blame.
pub(super) fn of_entry(service: Service, code: &str, sender_fault: bool) -> Refusal {
    let refusal = of_code(code, if sender_fault { 400 } else { 500 });
    tracing::warn!(error_type = refusal.code(service), aws_code = shown(Some(code)), "an entry was not taken");
    refusal
}

/// Codes as in the SNS API reference, Publish and "Common error types", the EventBridge API reference,
/// `PutEventsResultEntry`, and the `DynamoDB` developer guide, "Error handling".
fn of_code(code: &str, status: u16) -> Refusal {
    match code {
        "Throttled"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "ProvisionedThroughputExceededException"
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
        "NotFound" | "NotFoundException" | "ResourceNotFoundException" => Refusal::Missing,
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
        | "InvalidSecurityException"
        | "NotAuthorizedForSourceException"
        | "NotAuthorizedForDetailTypeException" => Refusal::AccessDenied,
        "InternalFailure" | "InternalError" | "InternalException" | "InternalServerError" => Refusal::Unavailable,
        _ => match status {
            429 => Refusal::Throttled,
            401 | 403 => Refusal::AccessDenied,
            404 => Refusal::Missing,
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
    use super::{Service, of_code, shown};

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
            ("InternalFailure", 400, "sns-unavailable"),
            ("NotAuthorizedForSourceException", 400, "sns-access-denied"),
            ("", 503, "sns-unavailable"),
            ("", 302, "sns-unavailable"),
        ];
        for (code, status, expected) in rows {
            assert_eq!(of_code(code, status).code(Service::Sns), expected, "{code} {status}");
        }
    }

    #[test]
    fn only_what_looks_like_a_code_is_shown() {
        assert_eq!(shown(Some("InvalidParameter")), "InvalidParameter");
        assert_eq!(shown(Some("Invalid parameter: alice")), "none");
        assert_eq!(shown(None), "none");
    }
}
