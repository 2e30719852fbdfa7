//! The Lambda that one would write in an afternoon, and the ten checks it has: a yardstick. It reads what it is sent as
//! `aws_lambda_events` 1.2 does (from the inflater through a buffer into serde, owned strings) and each event into a `serde_json::Value`.
//! The scripts in `compare/` have the same checks; `compare/run` holds them to the same counts.

use std::io::BufReader;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::Value;

/// What `aws_lambda_events::event::cloudwatch_logs::LogData` holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogData {
    /// Account.
    pub owner: String,
    /// Log group.
    pub log_group: String,
    /// Log stream.
    pub log_stream: String,
    /// Filters that let the lines through.
    pub subscription_filters: Vec<String>,
    /// `DATA_MESSAGE`.
    pub message_type: String,
    /// The lines.
    pub log_events: Vec<LogEntry>,
}

/// One line.
#[derive(Debug, Deserialize)]
pub struct LogEntry {
    /// Its id.
    pub id: String,
    /// Its time.
    pub timestamp: i64,
    /// The audit event.
    pub message: String,
}

/// The ten checks, in the order of [`Hits`].
pub const RULES: [&str; 10] = [
    "rbac-write",
    "aws-auth-write",
    "account-public",
    "account-human",
    "account-refused",
    "account-without-pod",
    "anonymous-allowed",
    "exec",
    "privileged-pod",
    "impersonation",
];

/// How often each rule held.
pub type Hits = [u64; RULES.len()];

/// Judges one delivery. `None` when it cannot be read, whole or one event of it: that is what the obvious code does.
#[must_use]
pub fn judge(data: &str) -> Option<Hits> {
    let gzip = STANDARD.decode(data).ok()?;
    let log: LogData = serde_json::from_reader(BufReader::new(GzDecoder::new(gzip.as_slice()))).ok()?;
    let mut hits = Hits::default();
    for event in &log.log_events {
        let event: Value = serde_json::from_str(&event.message).ok()?;
        for (count, held) in hits.iter_mut().zip(held(&event)) {
            *count += u64::from(held);
        }
    }
    Some(hits)
}

/// Which checks hold for an event.
#[must_use]
pub fn held(event: &Value) -> [bool; RULES.len()] {
    if event["stage"] != "ResponseComplete" {
        return [false; RULES.len()];
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (user, object) = (&event["user"], &event["objectRef"]);
    let (name, verb, uri) = (text(&user["username"]), text(&event["verb"]), text(&event["requestURI"]));
    let (resource, namespace) = (text(&object["resource"]), text(&object["namespace"]));
    let code = event["responseStatus"]["code"].as_i64().unwrap_or(0);
    let peer = event["sourceIPs"].as_array().and_then(|all| all.last()).map(text).unwrap_or_default();
    let agent = text(&event["userAgent"]);
    let writes = ["create", "update", "patch", "delete", "deletecollection"].contains(&verb.as_str());
    let account = name.starts_with("system:serviceaccount:");
    let bound = user["extra"].get("authentication.kubernetes.io/pod-name").is_some();
    [
        writes && object["apiGroup"] == "rbac.authorization.k8s.io" && code < 300,
        writes && resource == "configmaps" && namespace == "kube-system" && object["name"] == "aws-auth" && code < 300,
        account && is_public(&peer),
        account && HUMAN_AGENTS.iter().any(|prefix| agent.starts_with(prefix)),
        account && (code == 401 || code == 403),
        account && !bound && !name.starts_with("system:serviceaccount:kube-system:"),
        name == "system:anonymous" && code < 400 && !OPEN_URLS.iter().any(|prefix| uri.starts_with(prefix)),
        resource == "pods" && object["subresource"] == "exec",
        verb == "create" && resource == "pods" && object.get("subresource").is_none() && privileged(event),
        event.get("impersonatedUser").is_some(),
    ]
}

fn privileged(event: &Value) -> bool {
    let containers = event["requestObject"]["spec"]["containers"].as_array();
    containers.is_some_and(|all| all.iter().any(|it| it["securityContext"]["privileged"] == true))
}

fn is_public(address: &str) -> bool {
    match address.parse() {
        Ok(IpAddr::V4(ip)) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared)
        }
        Ok(IpAddr::V6(ip)) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
        Err(_) => false,
    }
}

/// How the tools of people introduce themselves.
const HUMAN_AGENTS: &[&str] = &["kubectl/", "curl/", "Wget/", "python-requests/", "k9s/", "Mozilla/"];

/// What everybody may read.
const OPEN_URLS: &[&str] = &["/healthz", "/livez", "/readyz", "/version", "/api?", "/apis?", "/openapi"];
