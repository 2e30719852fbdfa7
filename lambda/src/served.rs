//! A service of AWS that answers what a test within the crate says.

#[path = "../tests/it/http.rs"]
#[expect(dead_code, reason = "the tests of the binary, whose module it is, send requests as well")]
mod http;

use std::io::BufReader;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;

pub(crate) use self::http::Request;

/// A service with the requests that it has seen.
pub(crate) struct Served {
    url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Served {
    /// A service that answers each request, told by its number from 0, with a status and a body.
    pub(crate) fn start(answer: impl Fn(usize, &Request) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(&stream.unwrap(), answer.as_ref(), &log));
            }
        });
        Self { url, seen }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// What makes a client ask this service.
    pub(crate) async fn aws(&self) -> SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("testing", "testing", None, None, "test"))
            .endpoint_url(&self.url)
            .load()
            .await
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(usize, &Request) -> (u16, String), seen: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Ok(Some(request)) = Request::read(&mut reader) {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let (status, body) = answer(number, &request);
        if http::respond(&mut writer, status, &[("content-type", "application/x-amz-json-1.0")], &body).is_err() {
            return;
        }
    }
}
