//! `--log-group` against an emulated CloudWatch Logs (moto): <https://docs.getmoto.org>.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::proxy::{Fate, Proxy, send};
use crate::support::{ALERTING, AUDIT_STREAM, Folder, events};
use crate::terminal::{in_terminal_with, plain};

static EMULATOR: LazyLock<Emulator> = LazyLock::new(Emulator::start);

struct Emulator {
    address: String,
    /// Holds the pipe that keeps it running.
    _process: Child,
}

impl Emulator {
    fn start() -> Self {
        let mut process = Command::new(python())
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

/// The Python that has the emulator.
pub(crate) fn python() -> PathBuf {
    let python = std::env::var_os("ROLEWATCH_TEST_PYTHON")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/venv/bin/python"), PathBuf::from);
    assert!(python.exists(), "the tests need an emulator of AWS; run `make venv` once, or `make test`");
    python
}

/// Where the emulator listens.
pub(crate) fn emulator() -> &'static str {
    &EMULATOR.address
}

/// Calls the emulator.
fn call(action: &str, body: &Value) {
    let (status, answer) = send(&EMULATOR.address, &format!("Logs_20140328.{action}"), body);
    assert_eq!(status, 200, "{action}: {answer}");
}

/// A proxy in front of the emulator.
pub(crate) fn proxy(script: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Proxy {
    Proxy::start(&EMULATOR.address, script)
}

pub(crate) fn group(name: &str, streams: &[&str]) -> String {
    let group = format!("/aws/eks/{name}/cluster");
    call("CreateLogGroup", &json!({"logGroupName": group}));
    for stream in streams {
        call("CreateLogStream", &json!({"logGroupName": group, "logStreamName": stream}));
    }
    group
}

pub(crate) fn put(group: &str, stream: &str, lines: &[(i64, String)]) {
    for lines in lines.chunks(500) {
        let events: Vec<Value> = lines.iter().map(|(time, line)| json!({"timestamp": time, "message": line})).collect();
        call("PutLogEvents", &json!({"logGroupName": group, "logStreamName": stream, "logEvents": events}));
    }
}

pub(crate) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The binary with the environment that the AWS CLI would have, and nothing of this machine's.
pub(crate) fn command(args: &[&str]) -> Command {
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

pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    finish(command.spawn().unwrap())
}

pub(crate) fn finish(child: Child) -> (i32, String, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

pub(crate) fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

/// How often each audit ID is told in OCSF findings.
fn told(stdout: &str) -> BTreeMap<String, u32> {
    let mut told = BTreeMap::new();
    for line in stdout.lines() {
        let finding: Value = serde_json::from_str(line).unwrap();
        for evidence in finding["evidences"].as_array().unwrap() {
            *told.entry(evidence["api"]["request"]["uid"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    told
}

/// The number behind a label of the summary.
pub(crate) fn counted(stderr: &str, label: &str) -> u64 {
    let row = stderr.lines().find_map(|line| line.trim_start().strip_prefix(label));
    let number = row.and_then(|row| row.split_whitespace().next()).map(|number| number.replace(',', ""));
    number.and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}

/// An event that must alert, with an audit ID of its own.
fn binding(number: usize) -> (String, String) {
    let id = format!("44444444-0000-4000-8000-{number:012}");
    (events()[1].replace(ALERTING[0], &id), id)
}

/// Two streams of a busy cluster and one that is not asked for: 3,000 events, of which every hundredth must alert.
fn busy(name: &str) -> (String, Vec<String>) {
    let [first, second, other] = ["kube-apiserver-audit-0123", "kube-apiserver-audit-4567", "authenticator-0123"]
        .map(|name| name.to_owned() + &"0".repeat(28));
    let group = group(name, &[&first, &second, &other]);
    let start = now_ms() - 3_000_000;
    let (mut ids, mut streams) = (Vec::new(), [Vec::new(), Vec::new()]);
    for number in 0..2_000 {
        let line = if number % 100 == 50 {
            let (line, id) = binding(number);
            ids.push(id);
            line
        } else {
            events()[0].replace("11111111-0000", &format!("{number:08}-0000"))
        };
        // Both streams cover the same time, and the emulator gives one after the other.
        let time = start + i64::try_from(number).unwrap() * 1_400;
        streams[number % 2].push((time, line));
    }
    let [one, two] = streams;
    put(&group, &first, &one);
    put(&group, &second, &two);
    let login = |n: i64| (start + n * 2_800, format!("time=\"2026-03-01T10:00:00Z\" level=info msg=\"x{n}\""));
    put(&group, &other, &(0..1_000).map(login).collect::<Vec<_>>());
    (group, ids)
}

#[test]
fn thousands_of_events_on_several_pages_and_streams_are_read_once_each() {
    let (group, ids) = busy("pages");
    let args = ["replay", "--format", "ocsf", "--log-group", &group];
    // Every fifth request is throttled.
    let throttling = || proxy(|number| if number % 5 == 4 { Fate::Refuse("ThrottlingException") } else { Fate::Pass });
    let (status, stdout, stderr) = run(command(&args).env("AWS_ENDPOINT_URL", throttling().url));
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(told(&stdout), ids.iter().map(|id| (id.clone(), 1)).collect(), "{stderr}");
    assert_eq!(counted(&stderr, "lines"), 3_000, "{stderr}");
    assert!(stdout.contains(r#""region":"us-east-1""#) && stdout.contains("pages"), "{stdout}");

    // The emulator takes no notice of the prefix, and of the streams that two prefixes have in common there is one more.
    let lines = |more: &[&str]| counted(&run(&mut command(&[&args[..], more].concat())).2, "lines");
    assert_eq!(lines(&["--log-stream", "kube-apiserver-audit-4"]), 1_000);
    assert_eq!(lines(&["--log-stream", "kube-apiserver-audit-0", "--log-stream", "authenticator"]), 2_000);
    // What lies outside the times is not taken, whatever the server sends.
    let at = |ms: i64| jiff::Timestamp::from_millisecond(now_ms() - 3_000_000 + ms).unwrap().to_string();
    let some = lines(&["--log-stream", "kube", "--from", &at(280_000), "--to", &at(560_000)]);
    assert!((199..=201).contains(&some), "{some}: the clock has gone on since they were written");
}

/// How many bytes a log group holds nobody knows, but how much of the time that was asked for is read.
#[test]
fn progress_tells_how_much_of_the_time_was_read() {
    let (group, _) = busy("progress");
    let slow = proxy(|_| {
        std::thread::sleep(std::time::Duration::from_millis(30));
        Fate::Pass
    });
    let environment = [
        ("AWS_ENDPOINT_URL", slow.url.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let args = ["replay", "--min-severity", "critical", "--log-group", &group];
    let Some((status, text)) = in_terminal_with(&Folder::new(), 100, &args, &environment) else { return };
    let text = plain(&text);
    let shares: Vec<u32> =
        text.match_indices("% of the time").filter_map(|(at, _)| text[..at].rsplit(' ').next()?.parse().ok()).collect();
    assert!(
        status == 0 && shares.is_sorted() && shares.iter().any(|share| (1..100).contains(share)),
        "{shares:?}: {text}"
    );
    assert!(text.contains("  about ") && !text.contains(" 0% of the time  about") && text.contains(" lines"), "{text}");
    let (_, end) = text.rsplit_once("Summary\n").unwrap();
    assert!(end.contains("lines    3,000") && !end.contains("% of the time"), "{end}");
}

/// Nothing is told twice and nothing is left out, wherever a run is stopped.
#[test]
fn a_run_that_was_stopped_is_gone_on_with_exactly() {
    let (group, ids) = busy("resume");
    let folder = Folder::new();
    for stop_at in [5, 8, 13] {
        let state = folder.path().join(format!("{stop_at}.json"));
        let args = ["replay", "--format", "ocsf", "--log-group", &group, "--state", state.to_str().unwrap()];
        let stuck = proxy(move |number| if number == stop_at { Fate::Silence } else { Fate::Pass });
        let child = command(&args).env("AWS_ENDPOINT_URL", &stuck.url).spawn().unwrap();
        stuck.wait_for(stop_at + 1);
        interrupt(&child);
        let (status, first, summary) = finish(child);
        assert_eq!(status, 130, "{summary}");
        assert!(summary.starts_with("Stopped by Ctrl-C; this is what was read until then.\nSummary\n"), "{summary}");
        let read = counted(&summary, "lines");
        assert!(read > 0 && read < 3_000, "{summary}");

        let whole = proxy(|_| Fate::Pass);
        let (status, second, rest) = run(command(&args).env("AWS_ENDPOINT_URL", &whole.url));
        assert_eq!((status, read + counted(&rest, "lines")), (0, 3_000), "{rest}");
        assert_eq!(told(&(first + &second)), ids.iter().map(|id| (id.clone(), 1)).collect(), "stopped at {stop_at}");

        let (status, third, nothing) = run(command(&args).env("AWS_ENDPOINT_URL", &whole.url));
        assert_eq!(
            (status, third.as_str(), counted(&nothing, "lines")),
            (0, "", 0),
            "nothing new is no error: {nothing}"
        );
    }
}

/// What was learned goes on, too: a login that was told is not told again within its hour.
#[test]
fn what_a_run_learned_is_known_to_the_next() {
    let (group, folder) = (group("learned", &[AUDIT_STREAM]), Folder::new());
    let samples = include_str!("../../../samples/detections/sa_token_external_login.json");
    let samples: Value = serde_json::from_str(samples).unwrap();
    let login = samples[0]["lines"][0].to_string();
    let later = login.replace("0000000000a9", "0000000000b7").replace("T08:00:02", "T08:00:09");
    let run_with = |state: &str| {
        let args = ["replay", "--format", "ocsf", "--log-group", &group, "--state", state];
        let (status, stdout, stderr) = run(command(&args).current_dir(folder.path()));
        assert_eq!(status, 0, "{stderr}");
        (told(&stdout).len(), counted(&stderr, "lines"))
    };
    put(&group, AUDIT_STREAM, &[(now_ms() - 5_000, login)]);
    assert_eq!(run_with("one.json"), (1, 1));
    put(&group, AUDIT_STREAM, &[(now_ms() - 1_000, later)]);
    assert_eq!(run_with("one.json"), (0, 1), "it is counted on the alert that was sent");
    assert_eq!(run_with("other.json"), (2, 2), "a run of its own tells both");
}

#[test]
fn following_tells_each_event_once_and_is_gone_on_with() {
    let group = group("follow", &[AUDIT_STREAM]);
    let folder = Folder::new();
    let state = folder.path().join("state.json");
    let args = ["replay", "--format", "ocsf", "--follow", "--log-group", &group, "--state", state.to_str().unwrap()];
    let ((one, first), (two, second), (three, third)) = (binding(1), binding(2), binding(3));
    put(&group, AUDIT_STREAM, &[(now_ms() - 5_000, events()[0].clone()), (now_ms() - 4_000, one)]);
    // After the first answer the network fails for a moment.
    let failing = proxy(|number| if number == 1 { Fate::Close } else { Fate::Pass });
    let mut child = command(&args).env("AWS_ENDPOINT_URL", &failing.url).env("AWS_MAX_ATTEMPTS", "1").spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains(&first));
    let (status, _, stderr) = run(&mut command(&args));
    let used = "error: another rolewatch is using `{state}`; wait for its end, or name another file\n";
    assert_eq!((status, stderr), (2, used.replace("{state}", state.to_str().unwrap())));
    // Later by arrival, earlier by time: the overlap finds it.
    put(&group, AUDIT_STREAM, &[(now_ms() - 20_000, two)]);
    assert!(lines.next().unwrap().unwrap().contains(&second));
    interrupt(&child);
    let mut summary = String::new();
    child.stderr.take().unwrap().read_to_string(&mut summary).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{summary}");
    assert_eq!((counted(&summary, "lines"), counted(&summary, "alerts")), (3, 2), "{summary}");
    let note = "note: CloudWatch Logs does not answer; check the network, the proxy and `--region`; trying again\n";
    assert!(summary.starts_with(note), "{summary}");
    assert!(lines.next().is_none(), "nothing is told twice");

    put(&group, AUDIT_STREAM, &[(now_ms() - 30_000, three)]);
    let args: Vec<&str> = args.into_iter().filter(|arg| *arg != "--follow").collect();
    let (status, stdout, stderr) = run(&mut command(&args));
    assert_eq!((status, told(&stdout)), (0, BTreeMap::from([(third, 1)])), "{stderr}");
}

/// Months without a line are read in days, and what comes after them is read once all the same.
#[test]
fn a_long_time_in_which_nothing_was_logged_costs_few_requests() {
    let (group, ids) = busy("long");
    let counting = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&counting);
    let whole = proxy(move |_| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Fate::Pass
    });
    let args = ["replay", "--format", "ocsf", "--log-group", &group, "--since", "90d"];
    let (status, stdout, stderr) = run(command(&args).env("AWS_ENDPOINT_URL", &whole.url));
    assert_eq!((status, counted(&stderr, "lines")), (0, 3_000), "{stderr}");
    assert_eq!(told(&stdout), ids.iter().map(|id| (id.clone(), 1)).collect(), "{stderr}");
    let requests = counting.load(std::sync::atomic::Ordering::Relaxed);
    assert!(requests < 200, "{requests}");
}

#[test]
fn profiles_are_those_of_the_aws_cli() {
    let (group, folder) = (group("profile", &[AUDIT_STREAM]), Folder::new());
    put(&group, AUDIT_STREAM, &[(now_ms() - 5_000, events()[1].clone())]);
    folder.write(
        "config",
        "[profile audit]\nregion = eu-west-1\nsource_profile = x\n[profile keys]\nregion = us-east-1\n",
    );
    folder.write("credentials", "[keys]\naws_access_key_id = test\naws_secret_access_key = test\n");
    let with = |args: &[&str]| {
        let args = [&["replay", "--format", "ocsf", "--quiet", "--log-group", &group], args].concat();
        let mut command = command(&args);
        command
            .env("AWS_CONFIG_FILE", folder.path().join("config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("credentials"));
        for name in ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            command.env_remove(name);
        }
        run(&mut command)
    };
    let (status, stdout, stderr) = with(&["--profile", "keys"]);
    assert!(status == 0 && stdout.contains(r#""region":"us-east-1""#), "{stderr}");
    // The option counts over the profile; the emulator has the group in one Region only.
    let (status, _, stderr) = with(&["--profile", "keys", "--region", "eu-west-1"]);
    assert!(status == 2 && stderr.starts_with("error: no log group is called"), "{stderr}");
    for profile in ["audit", "missing"] {
        let (status, _, stderr) = with(&["--profile", profile, "--region", "us-east-1"]);
        assert!(status == 2 && stderr.contains("check `--profile`") || stderr.contains("the profile `"), "{stderr}");
    }
}
