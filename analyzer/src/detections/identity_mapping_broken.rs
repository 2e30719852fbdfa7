use crate::authenticator::LoginEvent;
use crate::case::Login;
use crate::detection::{Delta, Hit, Topic, detection};
use crate::grant::LINE_CHARS_MAX;
use crate::severity::Severity;
use crate::text;

detection! {
    /// The authenticator cannot read aws-auth, or refuses somebody it used to let in
    ///
    /// ## Why it matters
    ///
    /// The authenticator decides which IAM principal is whom in the cluster. A section of `aws-auth` that it cannot read
    /// counts as empty: nodes fall off the cluster and administrators are locked out. A principal refused after it was let
    /// in shows that somebody took its access away, and a refused username that somebody tried to map a name of the
    /// control plane.
    ///
    /// ## What it misses
    ///
    /// Everything, where the `authenticator` log of the cluster is not switched on. Who did it: the audit log says that. A
    /// principal counts as let in before only if its login was seen; without memory, refusals stay quiet. It is told once, and
    /// again in another hour if the principal was let in between.
    ///
    /// ## Known benign causes
    ///
    /// A role that was taken out of `aws-auth` or whose access entry was deleted on purpose, while something still uses
    /// it. A role that was deleted and made again under the same name.
    ///
    /// ## What to do
    ///
    /// Read `aws-auth` as it is now (`kubectl -n kube-system get configmap aws-auth -o yaml`) and the last changes of it.
    /// If you are locked out, add an access entry for your role with the EKS API.
    "identity-mapping-broken", [ACCOUNT_ACCESS_REMOVAL, ADDITIONAL_CLOUD_ROLES], since "0.1.0", Login check
}

fn check(login: &Login<'_>) -> Option<Topic> {
    match login.line.event() {
        LoginEvent::Unreadable => Some(topic(
            "unreadable",
            Hit::new(
                Severity::High,
                "aws-auth cannot be read by the authenticator, in whole or in part",
                "What it cannot read counts as empty: nodes and administrators mapped there are refused from now on.",
            ),
            login.line.message.as_str(),
        )),
        LoginEvent::Emptied => Some(topic(
            "emptied",
            Hit::new(
                Severity::Medium,
                "aws-auth is gone, and with it every mapping in it",
                "The authenticator confirms that aws-auth was deleted: whoever was mapped by it alone is locked out.",
            ),
            "",
        )),
        LoginEvent::WatchLost => Some(topic(
            "watch lost",
            Hit::new(
                Severity::Medium,
                "the authenticator no longer sees changes of aws-auth",
                "Until it does again, taking access away in aws-auth has no effect, and neither has giving it.",
            ),
            login.line.message.as_str(),
        )),
        LoginEvent::Denied { arn, error } => denied(login, arn, error),
        _ => None,
    }
}

fn denied(login: &Login<'_>, arn: &str, error: &str) -> Option<Topic> {
    let who = text::name(text::short(arn));
    let (name, mut hit) = if error.starts_with("invalid username '") {
        let hit = Hit::new(
            Severity::High,
            format!("{} is mapped to a username that is refused", or_somebody(&who)),
            "Somebody mapped an IAM principal to a name that belongs to the control plane. The authenticator refuses it; \
             the attempt stands in aws-auth.",
        );
        ("username", hit)
    } else if error == "ARN does not match User ID" {
        let hit = Hit::new(
            Severity::Medium,
            format!("{} is not the principal that was mapped under this name", or_somebody(&who)),
            "The role or user was deleted and made again: somebody who may create IAM roles tries to inherit its access.",
        );
        ("recreated", hit)
    } else if error == "identity is not mapped" {
        let granted = login.memory.granted(login.cluster, arn)?;
        let strong = ["system:masters", "system:nodes"].iter().any(|group| granted.groups.contains(group));
        let before = granted.time.map(|time| format!(" at {}", time.strftime("%Y-%m-%d %H:%M:%S UTC"))).unwrap_or_default();
        let mut hit = Hit::new(
            if strong { Severity::High } else { Severity::Medium },
            format!("{who} is refused; it was let in before"),
            "Its mapping or access entry is gone. If nobody meant that, it is locked out.",
        );
        hit.changes.push(Delta::Lost(format!("{who}: let in{before} with groups {}", granted.groups)));
        ("refused", hit)
    } else {
        return None;
    };
    if !arn.is_empty() {
        hit.subjects.push(text::name(arn));
    }
    Some(topic(&format!("{name} {}", text::name(arn)), hit, if name == "refused" { "" } else { error }))
}

fn or_somebody(who: &str) -> &str {
    if who.is_empty() { "somebody" } else { who }
}

fn topic(name: &str, mut hit: Hit, note: &str) -> Topic {
    if !note.is_empty() {
        hit.changes.push(Delta::Note(text::printable(note, LINE_CHARS_MAX)));
    }
    Topic { name: name.to_owned(), hit }
}
