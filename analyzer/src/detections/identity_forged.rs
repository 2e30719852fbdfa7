use crate::audit::outcome::Outcome;
use crate::audit::principal::{Identity, Principal, ServiceAccount};
use crate::case::Case;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::severity::Severity;
use crate::text;

detection! {
    /// A name of the control plane or of a service account without its proof
    ///
    /// ## Why it matters
    ///
    /// Names that begin with `system:` or `eks:` belong to Kubernetes, to EKS and to service accounts, and people and tools
    /// trust them at sight. Genuine ones carry more than the name: a service account its uid and groups, a node its
    /// instance, the control plane a certificate or AWS's own role. A caller with the name alone was given it, most often
    /// by a mapping in `aws-auth`, and whoever reads the log by names takes it for routine.
    ///
    /// ## What it misses
    ///
    /// A role named like the one EKS uses for its add-on manager, in a foreign account that is mapped to that name, looks
    /// the same: the change of `aws-auth` is where it shows. So does a principal mapped to the name of a node that is not
    /// named after an EC2 address.
    ///
    /// ## Known benign causes
    ///
    /// A mapping that somebody named `system:...` without a second thought. Newer authenticators refuse such names. A
    /// component that AWS adds to the control plane under a `system:` name not yet known here.
    ///
    /// ## What to do
    ///
    /// Look up the ARN in `aws-auth` and in the access entries, and find who mapped it to this name and when. Until that is
    /// clear, take the mapping away and treat what the caller did as an intruder's.
    "identity-forged", [MASQUERADE_NAME, CLOUD_ACCOUNTS], since "0.1.0", Session check where &[Facts::FORGED]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    if case.identity() != Identity::Forged {
        return None;
    }
    let principal = &case.event.caller.authenticated;
    // Without a sign of IAM nothing of a customer's can be behind most names: it may be a component not yet known.
    let sure = principal.is_iam() || ServiceAccount::of_username(&principal.username).is_some();
    let severity = if sure { Severity::Critical } else { Severity::High };
    let (severity, done) = match case.event.outcome() {
        Outcome::Denied => (severity.lowered(1), "and was refused"),
        _ => (severity, "and was let in"),
    };
    let mut hit = Hit::new(severity, format!("{}, {done}", shown(principal)), missing(principal));
    if let Some(arn) = principal.extra("arn") {
        hit.changes.push(Delta::Note(format!("the name is mapped to {}", text::name(arn))));
        hit.subjects.push(text::name(arn));
    }
    Some(hit)
}

/// What the caller showed instead of the proof.
fn shown(principal: &Principal<'_>) -> String {
    match (principal.extra("arn"), principal.iam_account()) {
        (Some(arn), _) => format!("came through IAM as {}", text::name(text::short(arn))),
        (None, Some(account)) => format!("came through IAM from account {}", text::name(account)),
        (None, None) if principal.credential_id().is_some_and(|id| id.starts_with("JTI=")) => {
            "showed a token that does not go with the name".to_owned()
        }
        (None, None) => "showed no proof of the name".to_owned(),
    }
}

/// Which proof is missing.
fn missing(principal: &Principal<'_>) -> String {
    let name = principal.username.as_ref();
    let iam = principal.is_iam();
    if ServiceAccount::of_username(name).is_some() {
        return if iam {
            "The name is a service account's, but service accounts never come through IAM."
        } else {
            "The name is a service account's, but the account's uid or its groups are missing."
        }
        .to_owned();
    }
    let why = match name {
        _ if name.starts_with("system:node:") && !principal.in_group("system:nodes") => {
            "The name is a node's, but the group system:nodes is missing."
        }
        _ if name.starts_with("system:node:") => {
            "The name is a node's, but the IAM session behind it is not that of an instance."
        }
        "system:apiserver" => {
            "The API server talks to itself from its own host as a member of system:masters; this request did not."
        }
        "system:anonymous" => "The name is for callers without credentials, but this one showed some.",
        _ if iam => "The name belongs to the control plane, but this caller came through IAM like a customer's principal.",
        _ => "No known part of the control plane has this name and this kind of credential.",
    };
    why.to_owned()
}
