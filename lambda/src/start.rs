//! Refusing to start, so that Lambda and the operator learn why.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::Duration;

use lambda_runtime::tracing;

use crate::config::ConfigError;

/// Logs what is wrong, tells the Lambda Runtime API, and gives the exit status to leave with.
pub fn refuse(error: &ConfigError) -> ExitCode {
    let message = error.to_string();
    tracing::error!(error_type = error.code(), "{message}");
    if let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API")
        && report(&api, error.code(), &message).is_err()
    {
        tracing::warn!("the Lambda Runtime API did not take the reason; see the line before");
    }
    ExitCode::FAILURE
}

/// Posts an initialization error (Lambda developer guide, "Using the Lambda runtime API for custom runtimes").
///
/// By hand, because `lambda_runtime` reports only its own errors of this kind. Blocking, because nothing else runs.
fn report(api: &str, code: &str, message: &str) -> std::io::Result<()> {
    let body = serde_json::json!({ "errorType": code, "errorMessage": message, "stackTrace": [] }).to_string();
    let address = api.to_socket_addrs()?.next().ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    write!(
        stream,
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: {api}\r\nContent-Type: application/json\r\n\
         Lambda-Runtime-Function-Error-Type: {code}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    // Leaving before the answer has begun could cut the request off.
    stream.read_exact(&mut [0; 1])
}

/// The Runtime API is on the same machine; Lambda ends an initialization after 10 seconds.
const TIMEOUT: Duration = Duration::from_secs(2);
