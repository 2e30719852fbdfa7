//! What keeps a log group from being read, and what to do about it.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudwatchlogs::config::http::HttpResponse;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use rolewatch_analyzer::text::name;

/// What keeps a log group from being read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LiveError {
    /// Nothing says where to ask.
    #[error("no AWS Region is set; use `--region`, or set AWS_REGION or `region` in the profile")]
    NoRegion,
    /// Nothing says as whom to ask.
    #[error("no AWS credentials were found; use `--profile`, set AWS_PROFILE, or log in")]
    NoCredentials,
    /// The profile does not say as whom.
    #[error("the profile `{profile}` gives no AWS credentials; check its name in ~/.aws/config, or log in with it")]
    NoProfile {
        /// As given, made printable.
        profile: String,
    },
    /// They cannot be had.
    #[error(
        "the AWS credentials cannot be loaded; log in again, for example with `aws sso login`, and check `--profile`"
    )]
    BadCredentials,
    /// They were good once.
    #[error("the AWS credentials have expired or are not valid; log in again, for example with `aws sso login`")]
    Expired,
    /// They are good for something else.
    #[error("access to `{group}` is denied; the identity needs logs:FilterLogEvents on it")]
    Denied {
        /// The log group.
        group: String,
    },
    /// No such log group.
    #[error(
        "no log group is called `{group}`; check its name, `--region` and `--profile`, and that the cluster's logging is on"
    )]
    NoGroup {
        /// The log group.
        group: String,
    },
    /// Wrong class.
    #[error(
        "`{group}` is of the class Infrequent Access, which cannot be fetched; read it with Logs Insights and pipe the result into `rolewatch replay -`"
    )]
    InfrequentAccess {
        /// The log group.
        group: String,
    },
    /// Throttled to the end.
    #[error("CloudWatch Logs asked to slow down until it was no use; try again later, or ask for less time")]
    Throttled,
    /// No answer.
    #[error("CloudWatch Logs does not answer; check the network, the proxy and `--region`")]
    NoAnswer,
    /// The times are the wrong way round.
    #[error("`--to` is not after the time to begin with; check `--from`, `--since` and `--to`")]
    NoTime,
    /// Nothing to read.
    #[error(
        "nothing was logged in `{group}` in that time; check `--since`, `--log-stream`, and that the cluster's audit and api logs are on"
    )]
    NothingLogged {
        /// The log group.
        group: String,
    },
    /// Anything else.
    #[error("CloudWatch Logs refused: {code}; check the log group and the times")]
    Refused {
        /// The error code of AWS.
        code: String,
    },
}

impl LiveError {
    /// What a failed request means. Only codes are looked at and shown: a message may quote anything.
    pub(super) fn of(error: &SdkError<FilterLogEventsError, HttpResponse>, group: &str) -> Self {
        let group = name(group);
        match error {
            SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => return Self::NoAnswer,
            SdkError::ConstructionFailure(_) => return Self::BadCredentials,
            _ => {}
        }
        match error.code().unwrap_or("an error without a code") {
            "ResourceNotFoundException" => Self::NoGroup { group },
            "AccessDeniedException" | "AccessDenied" => Self::Denied { group },
            "ExpiredTokenException"
            | "ExpiredToken"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "InvalidClientTokenId" => Self::Expired,
            "ThrottlingException" | "Throttling" | "TooManyRequestsException" => Self::Throttled,
            "InvalidOperationException" => Self::InfrequentAccess { group },
            code => Self::Refused { code: name(code) },
        }
    }

    /// Why there are no credentials.
    pub(super) fn of_credentials(error: &CredentialsError, profile: Option<&str>) -> Self {
        match (error, profile) {
            (CredentialsError::CredentialsNotLoaded(_), Some(profile)) => Self::NoProfile { profile: name(profile) },
            (CredentialsError::CredentialsNotLoaded(_), None) => Self::NoCredentials,
            _ => Self::BadCredentials,
        }
    }
}
