//! Running the binary, and the one small log that the tests are made from.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Largest resident memory seen.
    pub(crate) peak_bytes: u64,
    pub(crate) time: Duration,
}

impl Run {
    /// The OCSF findings it wrote.
    pub(crate) fn findings(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The audit IDs that the findings name.
    pub(crate) fn audit_ids(&self) -> BTreeSet<String> {
        let findings = self.findings();
        let evidences = findings.iter().filter_map(|finding| finding["evidences"].as_array()).flatten();
        evidences.filter_map(|evidence| evidence["api"]["request"]["uid"].as_str().map(str::to_owned)).collect()
    }

    /// Everything for a golden file.
    pub(crate) fn transcript(&self) -> String {
        format!("{}--- standard error ---\n{}--- exit status {} ---\n", self.stdout, self.stderr, self.status)
    }
}

/// Runs the binary in an empty standard environment.
pub(crate) fn rolewatch(args: &[&str]) -> Run {
    rolewatch_in(Path::new("."), args, |_| Ok(()))
}

/// Runs the binary in `folder`; `feed` writes its standard input.
pub(crate) fn rolewatch_in(
    folder: &Path,
    args: &[&str],
    feed: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()> + Send,
) -> Run {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rolewatch"))
        .args(args)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut out, mut err) =
        (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let status_file = format!("/proc/{}/status", child.id());
    std::thread::scope(|threads| {
        threads.spawn(move || {
            // The binary may be done before it has read everything.
            let _ = feed(&mut stdin);
        });
        let stdout = threads.spawn(move || {
            let mut text = String::new();
            out.read_to_string(&mut text).unwrap();
            text
        });
        let stderr = threads.spawn(move || {
            let mut text = String::new();
            err.read_to_string(&mut text).unwrap();
            text
        });
        let mut peak_bytes = 0;
        let status = loop {
            peak_bytes = peak_bytes.max(peak(&status_file).unwrap_or_default());
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        Run {
            status: status.code().unwrap_or(-1),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
            peak_bytes,
            time: start.elapsed(),
        }
    })
}

/// `VmHWM` of a process; `None` where there is no such file.
fn peak(status_file: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status_file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// A folder of its own for one test, gone when the test is.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("rolewatch-it-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The log stream that the events are said to come from.
pub(crate) const AUDIT_STREAM: &str = "kube-apiserver-audit-0123456789abcdef0123456789abcdef";

/// Four audit events, as the API server writes them. The second and the fourth must alert.
pub(crate) fn events() -> [String; 4] {
    let user = r#""user":{"username":"arn:aws:sts::111122223333:assumed-role/admin/alice@example.com","uid":"aws-iam-authenticator:111122223333:AROAEXAMPLE","groups":["system:authenticated"],"extra":{"arn":["arn:aws:sts::111122223333:assumed-role/admin/alice@example.com"],"canonicalArn":["arn:aws:iam::111122223333:role/admin"],"sessionName":["alice@example.com"]}}"#;
    let write = |id: &str, time: &str, resource: &str, name: &str, uri: &str, body: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"RequestResponse","auditID":"{id}","stage":"ResponseComplete","requestURI":"{uri}","verb":"create",{user},"sourceIPs":["203.0.113.7"],"userAgent":"kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0","objectRef":{{"resource":"{resource}","name":"{name}","apiGroup":"rbac.authorization.k8s.io","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":201}},"requestObject":{body},"responseObject":{body},"requestReceivedTimestamp":"{time}.000000Z","stageTimestamp":"{time}.100000Z","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by \"admin\""}}}}"#
        )
    };
    let read = |id: &str, time: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"{id}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/default/configmaps","verb":"list",{user},"sourceIPs":["203.0.113.7"],"userAgent":"kubectl/v1.33.1","objectRef":{{"resource":"configmaps","namespace":"default","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"requestReceivedTimestamp":"{time}.000000Z","stageTimestamp":"{time}.100000Z","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}}}"#
        )
    };
    [
        read("11111111-0000-4000-8000-000000000001", "2026-03-01T10:00:00"),
        write(
            ALERTING[0],
            "2026-03-01T10:00:01",
            "clusterrolebindings",
            "bob-admin",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            r#"{"kind":"ClusterRoleBinding","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"bob-admin"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"bob"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"}}"#,
        ),
        read("11111111-0000-4000-8000-000000000003", "2026-03-01T10:00:02"),
        write(
            ALERTING[1],
            "2026-03-01T10:00:03",
            "clusterroles",
            "pod-reader",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            r#"{"kind":"ClusterRole","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"name":"pod-reader"},"rules":[{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}]}"#,
        ),
    ]
}

/// The audit IDs of the events that must alert.
pub(crate) const ALERTING: [&str; 2] = ["11111111-0000-4000-8000-000000000002", "11111111-0000-4000-8000-000000000004"];

/// When the first event was written; each later one came a second after.
pub(crate) const FIRST_MS: i64 = 1_772_359_200_100;

/// The events one per line.
pub(crate) fn ndjson() -> String {
    events().map(|event| event + "\n").concat()
}

/// What a subscription filter delivers for `messages`, before gzip and base64.
pub(crate) fn subscription(messages: &[String]) -> String {
    let events: Vec<String> = messages
        .iter()
        .zip(0..)
        .map(|(message, n)| {
            format!(r#"{{"id":"{n}","timestamp":{},"message":{}}}"#, FIRST_MS + n * 1000, quoted(message))
        })
        .collect();
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/aws/eks/prod/cluster","logStream":"{AUDIT_STREAM}","subscriptionFilters":["all"],"logEvents":[{}]}}"#,
        events.join(",")
    )
}

/// The event that Lambda receives for such a delivery.
pub(crate) fn lambda_event(document: &str) -> String {
    format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, base64(gzip(document)))
}
