//! The Lambda Runtime API (Lambda developer guide, "Using the Lambda runtime API for custom runtimes"), and the built
//! function running against it.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::http::{Request, respond};

/// Stands in every delivery that these tests make, and must stand in nothing that the function prints or answers.
pub(crate) const MARKER: &str = "planted-marker-7f3a9c";

/// The function's process, started as Lambda starts it.
pub(crate) struct Lambda {
    child: Child,
    events: Sender<Event>,
    answers: Receiver<Answer>,
    printed: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
    invocations: usize,
}

struct Event {
    body: String,
    time: Duration,
}

/// What the function did with an event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Success(Value),
    Failure {
        error_type: String,
        message: String,
    },
    /// It refused to start.
    InitError {
        error_type: String,
        message: String,
    },
    /// The process ended without an answer.
    Exit(ExitStatus),
}

impl Answer {
    /// The stable code of a failure.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Failure { error_type, .. } | Self::InitError { error_type, .. } => error_type,
            other => panic!("expected a failure: {other:?}"),
        }
    }
}

impl Lambda {
    /// Starts the function with these variables besides those that Lambda itself sets.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let (events, waiting) = channel();
        let (told, answers) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (waiting, told) = (Arc::clone(&waiting), told.clone());
                thread::spawn(move || serve(&stream.unwrap(), &waiting, &told));
            }
        });
        let mut child = Command::new(bootstrap())
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", api.as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "rolewatch"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "testing"),
                ("AWS_SECRET_ACCESS_KEY", "testing"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ])
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let readers =
            vec![collect(child.stdout.take().unwrap(), &printed), collect(child.stderr.take().unwrap(), &printed)];
        Self { child, events, answers, printed, readers, invocations: 0 }
    }

    /// Sends one event and waits for the answer.
    pub(crate) fn invoke(&mut self, event: &str) -> Answer {
        self.invoke_within(event, Duration::from_secs(30))
    }

    /// The same with so much time for the invocation.
    pub(crate) fn invoke_within(&mut self, event: &str, time: Duration) -> Answer {
        self.send_within(event, time);
        let answer = self.answer(time + Duration::from_secs(20));
        self.invocations += 1;
        assert!(!format!("{answer:?}").contains(MARKER), "an answer repeats the log: {answer:?}");
        answer
    }

    /// Sends one event without waiting.
    pub(crate) fn send(&self, event: &str) {
        self.send_within(event, Duration::from_secs(30));
    }

    fn send_within(&self, event: &str, time: Duration) {
        self.events.send(Event { body: event.to_owned(), time }).unwrap();
    }

    /// Waits for what the function does next, or for its end.
    pub(crate) fn answer(&mut self, time: Duration) -> Answer {
        let end = Instant::now() + time;
        loop {
            match self.answers.recv_timeout(Duration::from_millis(20)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the runtime API is gone"),
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                // The answer may still be on its way from the thread that took it.
                return self.answers.recv_timeout(Duration::from_millis(200)).unwrap_or(Answer::Exit(status));
            }
            assert!(Instant::now() < end, "no answer in time; printed:\n{}", self.printed());
        }
    }

    /// Ends the process as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Most memory that the process has held so far, in KiB (proc(5), `VmHWM`).
    pub(crate) fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Everything on standard output and standard error so far.
    pub(crate) fn printed(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// The lines of metrics printed so far: one per invocation at least, although what it printed may arrive a little
    /// after what it answered.
    pub(crate) fn metrics(&self) -> Vec<Value> {
        let end = Instant::now() + Duration::from_secs(5);
        loop {
            let printed = self.printed();
            let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let lines: Vec<Value> = lines.filter(|line| line.get("_aws").is_some()).collect();
            if lines.len() >= self.invocations {
                return lines;
            }
            assert!(Instant::now() < end, "an invocation printed no metrics:\n{printed}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if !thread::panicking() {
            let printed = self.printed();
            assert!(!printed.contains(MARKER), "the log of the function repeats the control-plane log:\n{printed}");
        }
    }
}

/// Whether it is the build that is deployed, and not a debug build.
pub(crate) fn is_deployed_build() -> bool {
    std::env::var_os("ROLEWATCH_TEST_BOOTSTRAP").is_some()
}

/// The debug build of the function, or the build that `ROLEWATCH_TEST_BOOTSTRAP` names: see `make test-release`.
fn bootstrap() -> OsString {
    std::env::var_os("ROLEWATCH_TEST_BOOTSTRAP").unwrap_or_else(|| env!("CARGO_BIN_EXE_bootstrap").into())
}

fn collect(mut pipe: impl Read + Send + 'static, printed: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let printed = Arc::clone(printed);
    thread::spawn(move || {
        let mut chunk = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut chunk) {
            printed.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..length]));
        }
    })
}

fn serve(stream: &TcpStream, waiting: &Mutex<Receiver<Event>>, told: &Sender<Answer>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    let mut invocation = 0;
    while let Ok(Some(request)) = Request::read(&mut reader) {
        let path = request.path.trim_start_matches("/2018-06-01/runtime/").to_owned();
        let answered = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["invocation", "next"] => {
                let Ok(event) = waiting.lock().unwrap().recv() else { return };
                invocation += 1;
                respond_with_event(&mut writer, invocation, &event)
            }
            ["invocation", _, kind] => {
                told.send(answer(kind, &request)).unwrap();
                respond(&mut writer, 202, &[], "")
            }
            ["init", "error"] => {
                let (error_type, message) = error(&request);
                told.send(Answer::InitError { error_type, message }).unwrap();
                respond(&mut writer, 202, &[], "")
            }
            _ => respond(&mut writer, 404, &[], ""),
        };
        if answered.is_err() {
            return;
        }
    }
}

fn respond_with_event(writer: &mut impl std::io::Write, invocation: u32, event: &Event) -> std::io::Result<()> {
    let ends = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + event.time;
    let mut id = String::new();
    write!(id, "00000000-0000-4000-8000-{invocation:012}").unwrap();
    let headers = [
        ("lambda-runtime-aws-request-id", id.as_str()),
        ("lambda-runtime-deadline-ms", &ends.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:rolewatch"),
        ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"),
        ("content-type", "application/json"),
    ];
    respond(writer, 200, &headers, &event.body)
}

fn answer(kind: &str, request: &Request) -> Answer {
    if kind == "response" {
        return Answer::Success(serde_json::from_slice(&request.body).unwrap());
    }
    let (error_type, message) = error(request);
    Answer::Failure { error_type, message }
}

fn error(request: &Request) -> (String, String) {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let member = |name: &str| body[name].as_str().unwrap().to_owned();
    (member("errorType"), member("errorMessage"))
}
