use crate::detection::{Delta, Hit, Object, Topic, detection};
use crate::grant::LINE_CHARS_MAX;
use crate::klog::{KlogEntry, Refusal, TokenRefusal};
use crate::severity::Severity;
use crate::text;

detection! {
    /// The API server refused a token, and said why
    ///
    /// ## Why it matters
    ///
    /// A stolen token often outlives what it was made for: its pod, its account, its Secret. The audit log shows only a
    /// 401 without a name; the api stream says the cause, and the two are joined here by their time.
    ///
    /// Severity follows what an honest client would hardly do. Medium: a token made for another service, a token of a
    /// deleted or replaced account, pod or Secret, a legacy token that was marked invalid, and one that names this
    /// cluster's issuer without its signature. Low: expired tokens, tokens whose pod has just gone, tokens of another
    /// issuer, certificates; these happen every day. Informational: tokens of no known issuer, which is what scanners
    /// send to every public endpoint.
    ///
    /// ## What it misses
    ///
    /// Whose token it was: most causes name nobody. The join is by time, at most one second apart, so on a busy cluster
    /// the address may be that of another refusal; it needs both streams, and the audit event has to be read first. A 401 alone is counted and stays quiet, a
    /// burst of them too: without the cause it is what every scanner leaves behind. Refusals of one cause, account and
    /// hour are one alert; its count covers one delivery.
    ///
    /// ## Known benign causes
    ///
    /// A client that kept its token too long, clocks that differ, pods in their last seconds, a kubeconfig of a cluster
    /// that was made anew.
    ///
    /// ## What to do
    ///
    /// Look where the refused requests came from. From outside the cluster, treat the token as stolen: find what else
    /// that address did, and replace the credentials of the workload that the token belonged to.
    "sa-token-refused", [APPLICATION_ACCESS_TOKEN, STEAL_APPLICATION_TOKEN], since "0.1.0", KlogTopic check
}

fn check(entry: &KlogEntry<'_>) -> Option<Topic> {
    let refusal = entry.refusal()?;
    let (severity, what, why) = words(refusal.cause);
    let account = text::name(&refusal.account);
    let named = if account.is_empty() { String::new() } else { format!(" (ServiceAccount {account})") };
    let mut hit = Hit::new(severity, format!("{what} was refused{named}"), why);
    if !refusal.text.is_empty() {
        hit.changes.push(Delta::Note(text::printable(&refusal.text, LINE_CHARS_MAX)));
    }
    hit.objects.extend(object("ServiceAccount", &refusal.account));
    hit.objects.extend(object("Secret", &refusal.secret));
    Some(Topic { name: name(&refusal), hit })
}

/// Causes are told apart, and accounts where the text names them: an account exists or existed, so a client cannot make
/// up any number of them.
fn name(refusal: &Refusal) -> String {
    format!("{} {}", refusal.cause.as_str(), text::name(&refusal.account))
}

const fn words(cause: TokenRefusal) -> (Severity, &'static str, &'static str) {
    use TokenRefusal as Cause;
    match cause {
        Cause::Unrecognised => (
            Severity::Informational,
            "a token of no known issuer",
            "Garbage, a token of another cluster, or an IAM identity that is not mapped.",
        ),
        Cause::Expired => (
            Severity::Low,
            "an expired service-account token",
            "Its holder kept it beyond its end: a client that does not renew its token, or somebody who copied it.",
        ),
        Cause::NotYetValid => (
            Severity::Low,
            "a service-account token from the future",
            "Clocks differ, or the token's times were set by somebody who can sign tokens.",
        ),
        Cause::Invalidated => (
            Severity::Low,
            "a service-account token whose pod, node or Secret is gone",
            "The token outlived what it was bound to. Pods do this in their last seconds; a copied token does it for longer.",
        ),
        Cause::ObjectReplaced => (
            Severity::Medium,
            "a token of an earlier pod, node or Secret of the same name",
            "A running pod has a token of its own. The token of its predecessor was kept somewhere else.",
        ),
        Cause::AccountDeleted => (
            Severity::Medium,
            "a token of a deleted service account",
            "Somebody still holds a token of an account that no longer exists.",
        ),
        Cause::AccountReplaced => (
            Severity::Medium,
            "a token of an earlier service account of the same name",
            "The account was deleted and made again. Its old token was kept somewhere, and is being tried.",
        ),
        Cause::LegacyDeleted => (
            Severity::Medium,
            "a legacy token whose Secret is gone",
            "Somebody took the token away by deleting its Secret, and somebody else still tries it.",
        ),
        Cause::LegacyReplaced => (
            Severity::Medium,
            "a legacy token that its Secret no longer holds",
            "The Secret was given another token. The old one was kept somewhere, and is being tried.",
        ),
        Cause::LegacyMarkedInvalid => (
            Severity::Medium,
            "a legacy token that was marked invalid for lack of use",
            "It was not used for a year or more, and is being tried now.",
        ),
        Cause::WrongAudience => (
            Severity::Medium,
            "a token made for another service",
            "Tokens for AWS (IRSA, Pod Identity), Vault and the like lie in pods beside the pod's own. Trying one against the \
             API server is what somebody does who found it.",
        ),
        Cause::BadSignature => (
            Severity::Medium,
            "a token with this cluster's issuer and a wrong signature",
            "Every EKS cluster has an issuer of its own, so the token was forged, or signed with a key since replaced.",
        ),
        Cause::ForeignIssuer => (
            Severity::Low,
            "a token of another issuer",
            "A token of another cluster or identity provider, mostly a kubeconfig that was mixed up.",
        ),
        Cause::Certificate => (
            Severity::Low,
            "a client certificate",
            "It has expired, or an authority signed it that this cluster does not trust.",
        ),
        Cause::Oidc => {
            (Severity::Low, "a token of an identity provider", "The OpenID Connect provider's token did not hold.")
        }
        Cause::Unknown => (
            Severity::Low,
            "a token, for a cause not known here,",
            "The API server gives a cause that this release of Rolewatch does not know; its text is below.",
        ),
    }
}

fn object(kind: &'static str, name: &str) -> Option<Object> {
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    (!name.is_empty()).then(|| Object { kind, namespace: text::name(namespace), name: text::name(name) })
}
