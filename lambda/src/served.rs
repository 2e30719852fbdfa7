//! A service of AWS that answers what a test within the crate says.

#[path = "../tests/it/http.rs"]
#[expect(dead_code, reason = "the tests of the binary, whose module it is, send requests as well")]
mod http;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;

pub(crate) use self::http::Request;
use self::http::{Listener, Response};

/// A service with the requests that it has seen.
pub(crate) struct Served(Listener);

impl Served {
    /// A service that answers each request, told by its number from 0, with a status and a body.
    pub(crate) fn start(answer: impl Fn(usize, &Request) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self(Listener::start(move |number, request| {
            let (status, body) = answer(number, request);
            Some(("application/x-amz-json-1.0", Response { status, body }))
        }))
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.0.seen()
    }

    /// What makes a client ask this service.
    pub(crate) async fn aws(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
            .endpoint_url(&self.0.url)
            .load()
            .await
    }
}
