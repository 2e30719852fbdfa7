use crate::detection::{Delta, Hit, Topic, detection};
use crate::klog::{KlogEntry, unquote};
use crate::severity::Severity;
use crate::text;

detection! {
    /// The API server started with a setting worth knowing
    ///
    /// ## Why it matters
    ///
    /// How the API server authenticates, authorizes, audits and encrypts decides what every other detection here can see.
    /// EKS chooses these settings, so this is a note and never more: it says what your cluster runs with, and it says so
    /// again when EKS changes it. Named are only values that let somebody in unasked, hide something or leave it open.
    ///
    /// ## What it misses
    ///
    /// Everything where the API server started before logging was switched on: the lines are written once. Settings in
    /// files that a flag only names.
    ///
    /// ## Known benign causes
    ///
    /// All of them are choices of EKS. Anonymous requests, for one, are allowed so that load balancers can ask for health.
    ///
    /// ## What to do
    ///
    /// Nothing at once. Know that `system:anonymous` can be bound to roles, that secrets lie unencrypted in etcd, or that
    /// audit events may be cut or dropped, and let that decide what you add.
    "control-plane-flagged", [IMPAIR_DEFENSES], since "0.1.0", KlogTopic check
}

fn check(entry: &KlogEntry<'_>) -> Option<Topic> {
    if entry.file != "flags.go" {
        return None;
    }
    let (flag, value) = entry.message.strip_prefix("FLAG: --")?.split_once("=\"")?;
    let (value, _) = unquote(value)?;
    let meaning = risk(flag, &value)?;
    let shown = text::printable(&format!("--{flag}={value}"), FLAG_CHARS_MAX);
    let mut hit = Hit::new(
        Severity::Informational,
        format!("the API server runs with {shown}"),
        "These settings decide who is let in, what is recorded and what is encrypted.",
    );
    hit.changes.push(Delta::Note(format!("{shown}: {meaning}")));
    Some(Topic { name: flag.to_owned(), hit })
}

/// What is risky about a value; `None` for the values that are not. Flags of kube-apiserver, Kubernetes 1.20 to 1.36.
fn risk(flag: &str, value: &str) -> Option<&'static str> {
    let has = |word: &str| value.split(',').any(|other| other == word);
    let risky = match flag {
        "anonymous-auth" => (value == "true", "requests without credentials are let in as system:anonymous"),
        "authorization-mode" if has("AlwaysAllow") => (true, "every request is allowed"),
        "authorization-mode" => (!value.is_empty() && !has("RBAC"), "RBAC does not decide"),
        "encryption-provider-config" => (value.is_empty(), "secrets are not encrypted by a provider"),
        "audit-policy-file" => (value.is_empty(), "nothing is audited"),
        "audit-log-path" => (value.is_empty(), "audit events are not written to the log"),
        "audit-log-truncate-enabled" => (value == "true", "large audit events lose their bodies"),
        "audit-log-mode" => (value == "batch", "audit events are dropped when they come too fast"),
        "service-account-lookup" => (value == "false", "tokens of deleted accounts and pods still work"),
        "token-auth-file" => (!value.is_empty(), "static tokens that never expire are accepted"),
        "basic-auth-file" => (!value.is_empty(), "static passwords are accepted"),
        "insecure-port" => (value != "0", "a port without authentication is open"),
        "disable-admission-plugins" => {
            (has("NodeRestriction") || has("ServiceAccount"), "nodes or accounts are less restricted than usual")
        }
        _ => (false, ""),
    };
    risky.0.then_some(risky.1)
}

/// Longest flag shown, in characters.
const FLAG_CHARS_MAX: usize = 160;
