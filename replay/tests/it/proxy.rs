//! Stands between the command and the emulator: makes pages short, and spoils what a test tells it to.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It reaches the emulator, and the answer comes back.
    Pass,
    /// An error of this code instead.
    Refuse(&'static str),
    /// An empty page instead.
    Nothing,
    /// The connection closes.
    Close,
    /// No answer, for as long as the test runs.
    Silence,
}

/// A proxy, and how many requests it has seen.
pub(crate) struct Proxy {
    pub(crate) url: String,
    seen: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy to the emulator at `address`; `script` gives the fate of each request by its number, from 0.
    pub(crate) fn start(address: &str, script: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(AtomicUsize::new(0));
        let (address, script, count) = (address.to_owned(), Arc::new(script), Arc::clone(&seen));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (address, script, count) = (address.clone(), Arc::clone(&script), Arc::clone(&count));
                // A client that goes away is no failure of the proxy.
                std::thread::spawn(move || serve(socket.unwrap(), &address, script.as_ref(), &count));
            }
        });
        Self { url, seen }
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for(&self, requests: usize) {
        let start = Instant::now();
        while self.seen.load(Ordering::SeqCst) < requests {
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "only {} requests came",
                self.seen.load(Ordering::SeqCst)
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn serve(mut socket: TcpStream, address: &str, script: &(dyn Fn(usize) -> Fate + Send + Sync), count: &AtomicUsize) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let (mut action, mut length, mut line) = (String::new(), 0, String::new());
    while reader.read_line(&mut line).unwrap_or_default() > 2 {
        let (name, value) = line.trim_end().split_once(": ").unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        } else if name.eq_ignore_ascii_case("x-amz-target") {
            value.clone_into(&mut action);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let fate = script(count.fetch_add(1, Ordering::SeqCst));
    let (status, answer) = match fate {
        Fate::Pass => {
            let mut request: Value = serde_json::from_slice(&body).unwrap();
            request["limit"] = json!(PAGE);
            send(address, &action, &request)
        }
        Fate::Refuse(code) => (400, json!({"__type": code, "message": "secret"}).to_string()),
        Fate::Nothing => (200, json!({"events": []}).to_string()),
        Fate::Close => return,
        Fate::Silence => {
            std::thread::sleep(Duration::from_mins(2));
            return;
        }
    };
    let _ = respond(&mut socket, status, &answer);
}

fn respond(socket: &mut TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    write!(
        socket,
        "HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Sends a request as an SDK would, without one: status and body of the answer.
pub(crate) fn send(address: &str, action: &str, body: &Value) -> (u16, String) {
    static SIGNED: OnceLock<String> = OnceLock::new();
    let signature = SIGNED.get_or_init(|| {
        "AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0"
            .to_owned()
    });
    let body = body.to_string();
    let mut socket = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        socket,
        "POST / HTTP/1.1\r\nHost: {address}\r\nX-Amz-Target: {action}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         Authorization: {signature}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Events of a page. The service itself takes up to 10,000, which no test should have to write.
const PAGE: usize = 250;
