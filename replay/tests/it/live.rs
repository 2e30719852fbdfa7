//! `--log-group` against an emulated CloudWatch Logs (moto): <https://docs.getmoto.org>.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use expect_test::expect;
use serde_json::{Value, json};

use crate::support::{ALERTING, AUDIT_STREAM, events};

static EMULATOR: LazyLock<Emulator> = LazyLock::new(Emulator::start);

struct Emulator {
    address: String,
    /// Holds the pipe that keeps it running.
    _process: Child,
}

impl Emulator {
    fn start() -> Self {
        let python = std::env::var_os("ROLEWATCH_TEST_PYTHON")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/venv/bin/python"), PathBuf::from);
        assert!(
            python.exists(),
            "the tests need the emulator of CloudWatch Logs; run `make venv` once, or `make test`"
        );
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/emulator.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { address: format!("127.0.0.1:{}", port.trim()), _process: process }
    }
}

/// Calls the emulator as an SDK would, without one.
fn call(action: &str, body: &Value) -> Value {
    let body = body.to_string();
    let address = &EMULATOR.address;
    let mut socket = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        socket,
        "POST / HTTP/1.1\r\nHost: {address}\r\nX-Amz-Target: Logs_20140328.{action}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260301/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{action}: {answer}");
    serde_json::from_str(body).unwrap_or(Value::Null)
}

fn group(name: &str, streams: &[&str]) -> String {
    let group = format!("/aws/eks/{name}/cluster");
    call("CreateLogGroup", &json!({"logGroupName": group}));
    for stream in streams {
        call("CreateLogStream", &json!({"logGroupName": group, "logStreamName": stream}));
    }
    group
}

fn put(group: &str, stream: &str, lines: &[(i64, String)]) {
    for lines in lines.chunks(500) {
        let events: Vec<Value> = lines.iter().map(|(time, line)| json!({"timestamp": time, "message": line})).collect();
        call("PutLogEvents", &json!({"logGroupName": group, "logStreamName": stream, "logEvents": events}));
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The binary with the environment that the AWS CLI would have, and nothing of this machine's.
fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolewatch"));
    command
        .args(args)
        .env_clear()
        .env("AWS_ENDPOINT_URL", format!("http://{}", EMULATOR.address))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[test]
fn thousands_of_events_on_several_pages_and_streams_are_read_once_each() {
    let other = "authenticator-0123456789abcdef0123456789abcdef";
    let second = "kube-apiserver-audit-fedcba9876543210fedcba9876543210";
    let group = group("pages", &[AUDIT_STREAM, second, other]);
    let [read, binding, _, role] = events();
    let start = now_ms() - 1_800_000;
    // Distinct ids, so that a page read twice would show in the count.
    let noise = |from: i64| (0..13_000).map(move |n| (start + from + n, n)).collect::<Vec<_>>();
    let line = |n: i64| read.replace("11111111-0000", &format!("{n:08}-0000"));
    put(&group, AUDIT_STREAM, &noise(0).into_iter().map(|(time, n)| (time, line(n))).collect::<Vec<_>>());
    put(&group, second, &[(start + 500, binding), (start + 20_000, role)]);
    put(&group, other, &[(start, "time=\"2026-03-01T10:00:00Z\" level=info msg=x".to_owned())]);

    let args = ["replay", "--format", "ocsf", "--log-group", &group];
    let (status, stdout, stderr) = run(&mut command(&args));
    assert_eq!(status, 0, "{stderr}");
    let ids: Vec<&str> = ALERTING.into_iter().filter(|id| stdout.contains(id)).collect();
    assert_eq!(ids, ALERTING, "{stdout}{stderr}");
    assert!(
        stderr.contains("lines   13,003") && stdout.contains(r#""name":"pages""#) | stdout.contains("pages"),
        "{stderr}"
    );

    let (_, _, audit) = run(&mut command(&[&args[..], &["--log-stream", "kube-apiserver-audit-f"]].concat()));
    assert!(audit.contains("lines   2"), "{audit}");
    // What lies outside the times is not taken, whatever the server sends.
    let to = jiff::Timestamp::from_millisecond(start + 600).unwrap().to_string();
    let from = jiff::Timestamp::from_millisecond(start + 100).unwrap().to_string();
    let (_, _, some) = run(&mut command(&[&args[..], &["--from", &from, "--to", &to]].concat()));
    assert!(some.contains("lines   501"), "{some}");
}

#[test]
fn following_tells_each_event_once_and_ends_with_a_summary() {
    let group = group("follow", &[AUDIT_STREAM]);
    let [read, binding, _, role] = events();
    put(&group, AUDIT_STREAM, &[(now_ms() - 5_000, read), (now_ms() - 4_000, binding)]);
    let mut child = command(&["replay", "--format", "ocsf", "--follow", "--log-group", &group]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(ALERTING[0]));
    // Later by arrival, earlier by time: the overlap finds it.
    put(&group, AUDIT_STREAM, &[(now_ms() - 20_000, role)]);
    assert!(lines.next().unwrap().unwrap().contains(ALERTING[1]));
    std::thread::sleep(Duration::from_secs(4));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut summary = String::new();
    child.stderr.take().unwrap().read_to_string(&mut summary).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{summary}");
    assert!(summary.contains("lines   3") && summary.contains("alerts  2"), "{summary}");
    assert!(lines.next().is_none(), "nothing is told twice");
}

#[test]
fn what_keeps_a_group_from_being_read_is_said_in_one_line() {
    let empty = group("empty", &[AUDIT_STREAM]);
    let error = |command: &mut Command| {
        let (status, _, stderr) = run(command);
        let line = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default().to_owned();
        format!("{status} {line}\n")
    };
    let args = |group| ["replay", "--quiet", "--log-group", group];
    let mut said = error(&mut command(&args(&empty)));
    said += &error(&mut command(&args("/aws/eks/missing/cluster")));
    said += &error(command(&args(&empty)).env_remove("AWS_REGION"));
    said += &error(command(&args(&empty)).env_remove("AWS_ACCESS_KEY_ID"));
    said += &error(command(&args(&empty)).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1"));
    expect![[r#"
        2 error: nothing was logged in `/aws/eks/empty/cluster` in that time; check `--since`, `--log-stream`, and that the cluster's audit and api logs are on
        2 error: no log group is called `/aws/eks/missing/cluster`; check its name, `--region` and `--profile`, and that the cluster's logging is on
        2 error: no AWS Region is set; use `--region`, or set AWS_REGION or `region` in the profile
        2 error: no AWS credentials were found; use `--profile`, set AWS_PROFILE, or log in
        2 error: CloudWatch Logs does not answer; check the network, the proxy and `--region`
    "#]].assert_eq(&said);
}

/// A server that answers each request with the next of these error codes, and with an empty page from then on.
fn answering(codes: &'static [&'static str]) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut codes = codes.iter();
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap_or_default() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let _ = reader.read_exact(&mut vec![0; length]);
            let (status, body) = match codes.next() {
                Some(code) => ("400 Bad Request", json!({"__type": code, "message": "secret"}).to_string()),
                None => ("200 OK", json!({"events": []}).to_string()),
            };
            let length = body.len();
            let _ = write!(
                socket,
                "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    address
}

#[test]
fn refusals_say_what_to_do_and_throttling_is_waited_out() {
    let mut said = String::new();
    for codes in [
        &["ExpiredTokenException"][..],
        &["AccessDeniedException"],
        &["InvalidOperationException"],
        &["InvalidParameterException"],
        // Tried again until it is let through, to an empty page.
        &["ThrottlingException", "ThrottlingException"],
    ] {
        let args = ["replay", "--quiet", "--log-group", "/aws/eks/prod/cluster"];
        let (status, _, stderr) = run(command(&args).env("AWS_ENDPOINT_URL", answering(codes)));
        let _ = write!(said, "{status} {stderr}");
    }
    expect![[r#"
        2 error: the AWS credentials have expired or are not valid; log in again, for example with `aws sso login`
        2 error: access to `/aws/eks/prod/cluster` is denied; the identity needs logs:FilterLogEvents on it
        2 error: `/aws/eks/prod/cluster` is of the class Infrequent Access, which cannot be fetched; read it with Logs Insights and pipe the result into `rolewatch replay -`
        2 error: CloudWatch Logs refused: InvalidParameterException; check the log group and the times
        2 error: nothing was logged in `/aws/eks/prod/cluster` in that time; check `--since`, `--log-stream`, and that the cluster's audit and api logs are on
    "#]].assert_eq(&said);
}
