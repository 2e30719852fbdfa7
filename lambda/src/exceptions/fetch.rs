//! Fetching the text of the exceptions from SSM or S3.

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use rolewatch_analyzer::exceptions::ExceptionsError;

use super::{LOOK_TIMEOUT, Place};

/// A place outside the process, with its client.
#[derive(Debug)]
pub(super) enum Remote {
    Parameter(aws_sdk_ssm::Client, String),
    Object(aws_sdk_s3::Client, String, String),
}

/// Why the exceptions could not be read anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No answer in time, or none at all.
    #[error("no answer in time; check the network of the function")]
    Unreachable,
    /// The parameter, bucket or object does not exist.
    #[error("the parameter or object does not exist; correct `ROLEWATCH_EXCEPTIONS`")]
    Missing,
    /// The role may not read it.
    #[error("reading it is forbidden; allow `ssm:GetParameter` or `s3:GetObject` to the role")]
    AccessDenied,
    /// Any other answer.
    #[error("SSM or S3 answered with an error; wait, and look at its status if it lasts")]
    Unavailable,
    /// The text cannot be used.
    #[error("{0}")]
    Unusable(ExceptionsError),
}

impl FetchError {
    /// A stable word for logs and tests.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "exceptions-unreachable",
            Self::Missing => "exceptions-missing",
            Self::AccessDenied => "exceptions-access-denied",
            Self::Unavailable => "exceptions-unavailable",
            Self::Unusable(_) => "exceptions-unusable",
        }
    }

    fn of_code(code: Option<&str>) -> Self {
        match code {
            Some("ParameterNotFound" | "ParameterVersionNotFound" | "NoSuchKey" | "NoSuchBucket") => Self::Missing,
            Some(code) if code.contains("AccessDenied") => Self::AccessDenied,
            Some(_) => Self::Unavailable,
            None => Self::Unreachable,
        }
    }
}

impl Remote {
    /// A client for the place; none for exceptions that stand in the variable.
    pub(super) fn connect(aws: &SdkConfig, place: Place) -> Option<Self> {
        let timeouts = TimeoutConfig::builder().operation_timeout(LOOK_TIMEOUT).build();
        match place {
            Place::Inline(_) => None,
            Place::Parameter(name) => {
                let config = aws_sdk_ssm::config::Builder::from(aws).timeout_config(timeouts);
                Some(Self::Parameter(aws_sdk_ssm::Client::from_conf(config.build()), name))
            }
            Place::Object { bucket, key } => {
                let config = aws_sdk_s3::config::Builder::from(aws)
                    .timeout_config(timeouts)
                    // An endpoint that an operator sets, such as a gateway in a VPC, need not know a host per bucket.
                    .force_path_style(aws.endpoint_url().is_some() || std::env::var_os(ENDPOINT).is_some());
                Some(Self::Object(aws_sdk_s3::Client::from_conf(config.build()), bucket, key))
            }
        }
    }

    /// The text as it is now.
    pub(super) async fn fetch(&self) -> Result<String, FetchError> {
        match self {
            Self::Parameter(client, name) => {
                let request = client.get_parameter().name(name).with_decryption(true);
                let answer = request.send().await.map_err(|error| FetchError::of_code(error.code()))?;
                let parameter = answer.parameter.and_then(|parameter| parameter.value);
                parameter.ok_or(FetchError::Missing)
            }
            Self::Object(client, bucket, key) => {
                // One byte more than is read tells a file that is too large.
                let range = format!("bytes=0-{OBJECT_BYTES_MAX}");
                let request = client.get_object().bucket(bucket).key(key).range(range);
                let answer = request.send().await.map_err(|error| FetchError::of_code(error.code()))?;
                let body = answer.body.collect().await.map_err(|_| FetchError::Unreachable)?;
                Ok(String::from_utf8_lossy(&body.into_bytes()).into_owned())
            }
        }
    }
}

/// Set by whoever sends requests for S3 elsewhere (AWS SDKs reference guide, "Service-specific endpoints").
const ENDPOINT: &str = "AWS_ENDPOINT_URL_S3";
/// Larger files are refused by their reader.
const OBJECT_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::{OBJECT_BYTES_MAX, Remote};
    use crate::served::Served;

    #[tokio::test]
    async fn an_object_at_its_limit_is_fetched_whole_and_of_one_past_it_as_much_as_tells_that() {
        for (length, fetched) in [
            (OBJECT_BYTES_MAX, OBJECT_BYTES_MAX),
            (OBJECT_BYTES_MAX + 1, OBJECT_BYTES_MAX + 1),
            (OBJECT_BYTES_MAX + 2, OBJECT_BYTES_MAX + 1),
        ] {
            let served = Served::start(move |_, request| {
                let last: usize = request.header("range").strip_prefix("bytes=0-").unwrap().parse().unwrap();
                (206, "#".repeat(length.min(last + 1)))
            });
            let place = Place::Object { bucket: "rolewatch".to_owned(), key: "exceptions.yaml".to_owned() };
            let text = Remote::connect(&served.aws().await, place).unwrap().fetch().await.unwrap();
            assert_eq!(text.len(), fetched);
        }
    }
}
