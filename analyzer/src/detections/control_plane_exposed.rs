use crate::case::Call;
use crate::cloudtrail::Parameters;
use crate::detection::{Delta, Hit, detection};
use crate::severity::Severity;
use crate::stream::Source;
use crate::text;

detection! {
    /// A cluster's logging, endpoint, login or encryption was changed
    ///
    /// ## Why it matters
    ///
    /// Whoever may configure a cluster from outside can switch off the log that everything here is read from, open the
    /// endpoint to the internet, change how logins are decided, or let in the users of an identity provider. None of it
    /// shows in the control-plane logs; only CloudTrail records it.
    ///
    /// ## What it misses
    ///
    /// Everything, unless the stack was told to watch the calls of the AWS API (`WatchAwsCalls`), and the clusters of member
    /// accounts. What held before: opening an endpoint that was open already is told again. Addresses that are narrower than the
    /// whole internet and still too wide.
    ///
    /// ## Known benign causes
    ///
    /// Infrastructure as code that sets a cluster up or moves it to access entries.
    ///
    /// ## What to do
    ///
    /// Ask the caller. `aws eks describe-cluster` shows what holds now; switch audit logging on again first, because
    /// nothing is recorded until then.
    "control-plane-exposed", [DISABLE_CLOUD_LOGS, IMPAIR_DEFENSES, EXPLOIT_PUBLIC_FACING], since "0.1.0", Call check
}

/// One thing that a call does: how grave, what, why.
type Effect = (Severity, String, &'static str);

fn check(call: &Call<'_>) -> Option<Hit> {
    let asked = call.event.parameters().unwrap_or_default();
    let mut effects = match call.event.event_source.as_str() {
        "eks.amazonaws.com" => of_cluster(call, &asked),
        "logs.amazonaws.com" => of_log_group(call, &asked),
        _ => Vec::new(),
    };
    effects.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let (severity, what, why) = effects.first()?.clone();
    let mut hit = Hit::new(severity, what, why);
    hit.changes.extend(effects.into_iter().map(|(_, what, _)| Delta::Now(what)));
    if call.event.failed() {
        hit.severity = severity.lowered(1).min(Severity::High);
        hit.what = format!("tried and failed: {}", hit.what);
        hit.changes.push(Delta::Note(format!("the call failed: {}", text::name(&call.event.error_code))));
    }
    Some(hit)
}

fn of_cluster(call: &Call<'_>, asked: &Parameters) -> Vec<Effect> {
    let single = |severity, what: &str, why| vec![(severity, what.to_owned(), why)];
    match call.event.event_name.as_str() {
        // A call without its parameters may have done any of it.
        "UpdateClusterConfig" if call.event.request_parameters.is_none() => single(
            Severity::High,
            "changed the cluster's configuration; how, CloudTrail did not record",
            "Logging may be off and the endpoint open.",
        ),
        "UpdateClusterConfig" => {
            [logging(asked), endpoint(asked), login(asked), protection(asked)].into_iter().flatten().collect()
        }
        "CreateCluster" => created(asked),
        "DeleteCluster" => single(
            Severity::High,
            "deleted the cluster",
            "Everything that ran on it is gone, and its control-plane log ends here.",
        ),
        "AssociateEncryptionConfig" => encryption(call, asked),
        "AssociateIdentityProviderConfig" => vec![(
            Severity::High,
            format!("let in the users of identity provider {}", or_unknown(&asked.issuer_url)),
            "Whoever runs the provider decides names and groups of its users in the cluster.",
        )],
        "DisassociateIdentityProviderConfig" => single(
            Severity::Medium,
            "removed an identity provider",
            "Its users can no longer log in.",
        ),
        "CreateCertificateAuthority" | "ActivateCertificateAuthority" | "DeleteCertificateAuthority" => vec![(
            Severity::Medium,
            format!("changed the cluster's certificate authority ({})", text::name(&call.event.event_name)),
            "Certificates are a way in beside IAM; who holds one of the new authority is not in any log.",
        )],
        "RegisterCluster" | "DeregisterCluster" => vec![(
            Severity::Low,
            format!("changed what the EKS console can reach ({})", text::name(&call.event.event_name)),
            "A cluster outside AWS was connected or disconnected.",
        )],
        _ => Vec::new(),
    }
}

fn or_unknown(text: &str) -> String {
    if text.is_empty() { "that was not recorded".to_owned() } else { text::name(text) }
}

/// Logs switched off. The audit log is what nearly everything here is read from.
fn logging(asked: &Parameters) -> Vec<Effect> {
    let off = asked.logging.iter().flatten().filter(|log| log.enabled == Some(false)).flat_map(|log| &log.types);
    off.map(|log| {
        let (severity, why) = match log.as_str() {
            "audit" => (Severity::Critical, "From now on nobody sees who changes what: Rolewatch is blind."),
            "api" => (Severity::High, "Lost audit events and refused tokens are told only there."),
            "authenticator" => (Severity::Medium, "Logins of IAM principals are told only there."),
            _ => (Severity::Low, "This log is not read here; others may need it."),
        };
        (severity, format!("switched off the {} log", text::name(log)), why)
    })
    .collect()
}

fn endpoint(asked: &Parameters) -> Vec<Effect> {
    let everyone = asked.public_cidrs.iter().any(|cidr| is_everyone(cidr));
    let cidrs: Vec<String> = asked.public_cidrs.iter().take(CIDRS_SHOWN).map(|cidr| text::name(cidr)).collect();
    let mut found = Vec::new();
    match asked.endpoint_public {
        Some(false) => {}
        Some(true) if asked.public_cidrs.is_empty() => found.push((
            Severity::High,
            "made the API endpoint public; addresses as before, which is everywhere unless they were limited".to_owned(),
            "Every stolen token and every weakness of the API server can be tried from outside.",
        )),
        _ if everyone => found.push((
            Severity::High,
            "opened the API endpoint to the whole internet".to_owned(),
            "Every stolen token and every weakness of the API server can be tried from anywhere.",
        )),
        Some(true) => found.push((
            Severity::Medium,
            format!("made the API endpoint public for {}", cidrs.join(", ")),
            "Stolen tokens work from these addresses too.",
        )),
        None if !cidrs.is_empty() => found.push((
            Severity::Low,
            format!("limited the public API endpoint to {}", cidrs.join(", ")),
            "Requests from these addresses reach the API server.",
        )),
        None => {}
    }
    if asked.endpoint_private == Some(false) {
        found.push((
            Severity::Low,
            "switched off the private API endpoint".to_owned(),
            "Nodes and pods reach the API server over the internet, and their addresses look public.",
        ));
    }
    found
}

/// `0.0.0.0/0`, `::/0`, and anything so wide that it is nearly that.
fn is_everyone(cidr: &str) -> bool {
    cidr.rsplit_once('/').and_then(|(_, bits)| bits.parse::<u8>().ok()).is_some_and(|bits| bits <= WIDE_BITS)
}

fn login(asked: &Parameters) -> Vec<Effect> {
    let why = match asked.authentication_mode.as_str() {
        "" => return Vec::new(),
        "API" => "aws-auth no longer counts: whoever had access by it alone is locked out, and it cannot be undone.",
        "API_AND_CONFIG_MAP" => {
            "Access entries count beside aws-auth and before it. They do not show in the control-plane logs."
        }
        _ => "How logins are decided has changed.",
    };
    let mode = text::name(&asked.authentication_mode);
    vec![(Severity::Medium, format!("changed how logins are decided to {mode}"), why)]
}

fn protection(asked: &Parameters) -> Vec<Effect> {
    (asked.deletion_protection == Some(false))
        .then(|| {
            (
                Severity::Medium,
                "switched off the cluster's protection against deletion".to_owned(),
                "The cluster can now be deleted in one call.",
            )
        })
        .into_iter()
        .collect()
}

fn created(asked: &Parameters) -> Vec<Effect> {
    let logged = |log: &str| {
        asked.logging.iter().flatten().any(|logs| logs.enabled == Some(true) && logs.types.iter().any(|name| name == log))
    };
    let open = asked.endpoint_public != Some(false)
        && (asked.public_cidrs.is_empty() || asked.public_cidrs.iter().any(|cidr| is_everyone(cidr)));
    let mut found = vec![(
        Severity::Low,
        "created the cluster".to_owned(),
        "Whoever creates a cluster administers it, unless the call says otherwise.",
    )];
    if open {
        found.push((
            Severity::Low,
            "created the cluster with an endpoint open to the whole internet".to_owned(),
            "That is what EKS does unless it is told otherwise.",
        ));
    }
    if !logged("audit") {
        found.push((
            Severity::Medium,
            "created the cluster without its audit log".to_owned(),
            "Nobody sees who changes what in it, Rolewatch included.",
        ));
    }
    found
}

fn encryption(call: &Call<'_>, asked: &Parameters) -> Vec<Effect> {
    let foreign = asked.key_arns.iter().any(|arn| call.is_foreign(arn.split(':').nth(4)));
    let keys: Vec<String> = asked.key_arns.iter().take(CIDRS_SHOWN).map(|arn| text::name(arn)).collect();
    let keys = if keys.is_empty() { "a key that was not recorded".to_owned() } else { keys.join(", ") };
    vec![if foreign {
        (
            Severity::High,
            format!("encrypted the cluster's secrets with a key of another account: {keys}"),
            "Whoever owns the key can take the cluster away by disabling it, and the choice cannot be undone.",
        )
    } else {
        (
            Severity::Low,
            format!("encrypted the cluster's secrets with {keys}"),
            "The choice cannot be undone: without the key the cluster is lost.",
        )
    }]
}

/// The way of the log from CloudWatch to here.
fn of_log_group(call: &Call<'_>, asked: &Parameters) -> Vec<Effect> {
    if Source::cluster_of(&asked.log_group).is_none() {
        return Vec::new();
    }
    let (severity, what, why) = match call.event.event_name.as_str() {
        "DeleteLogGroup" => {
            (Severity::Critical, "deleted the cluster's log group", "What was recorded is gone, and nothing is delivered.")
        }
        "DeleteLogStream" => (Severity::High, "deleted a stream of the cluster's log", "What was recorded in it is gone."),
        "DeleteSubscriptionFilter" => (
            Severity::High,
            "stopped the delivery of the cluster's log",
            "Whoever read the log by this subscription, Rolewatch perhaps, is blind.",
        ),
        "PutSubscriptionFilter" => (
            Severity::Medium,
            "changed where the cluster's log is delivered",
            "A log group has room for two subscriptions: a changed one may leave a reader blind.",
        ),
        "PutRetentionPolicy" => (
            Severity::Low,
            "changed how long the cluster's log is kept",
            "What is older than that is deleted.",
        ),
        _ => return Vec::new(),
    };
    vec![(severity, what.to_owned(), why)]
}

/// Networks with at most so many fixed bits count as the whole internet: two halves, `0.0.0.0/1` and `128.0.0.0/1`, are a
/// well-known way around a check for `0.0.0.0/0`.
const WIDE_BITS: u8 = 4;
/// Networks and keys named in one alert.
const CIDRS_SHOWN: usize = 5;
