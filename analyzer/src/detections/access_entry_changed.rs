use crate::case::Call;
use crate::cloudtrail::Parameters;
use crate::detection::{Delta, Hit, Object, detection};
use crate::mapping::{becomes, worth as worth_of};
use crate::rbac::Subject;
use crate::severity::Severity;
use crate::text;

detection! {
    /// An EKS access entry, access policy, capability or pod identity changed
    ///
    /// ## Why it matters
    ///
    /// Access entries are the successors of `aws-auth`: they say which IAM principal may log in, and access policies say
    /// what it may do, past RBAC. Neither shows in the control-plane logs; only CloudTrail records them. Associating
    /// `AmazonEKSClusterAdminPolicy` with the whole cluster is the same as giving cluster-admin.
    ///
    /// ## What it misses
    ///
    /// Everything, unless the stack was told to watch the calls of the AWS API (`WatchAwsCalls`), and the clusters of member
    /// accounts. Entries that existed before: a policy that is taken away is named, what it was worth in RBAC is not. The
    /// Kubernetes name and groups of an entry are judged by what is bound to them, as far as that was seen. EventBridge delivers
    /// the events only in Regions with a trail that records management events.
    ///
    /// ## Known benign causes
    ///
    /// Infrastructure as code that sets up a cluster, and managed node groups, for which AWS itself makes entries.
    ///
    /// ## What to do
    ///
    /// Ask the caller. `aws eks list-access-entries` and `aws eks list-associated-access-policies` show what holds now;
    /// `aws eks delete-access-entry` takes everything away from a principal at once.
    "access-entry-changed", [ADDITIONAL_CLUSTER_ROLES, ADDITIONAL_CLOUD_ROLES], since "0.1.0", Call check
}

fn check(call: &Call<'_>) -> Option<Hit> {
    if call.event.event_source != "eks.amazonaws.com" {
        return None;
    }
    // What was not recorded is not empty: an unknown policy counts as a strong one.
    let asked = call.event.parameters().unwrap_or_default();
    let mut hit = match call.event.event_name.as_str() {
        "CreateAccessEntry" | "UpdateAccessEntry" => entry(call, &asked),
        "DeleteAccessEntry" => deleted(call, &asked),
        "AssociateAccessPolicy" => associated(&asked),
        "DisassociateAccessPolicy" => disassociated(&asked),
        "CreatePodIdentityAssociation" | "UpdatePodIdentityAssociation" => pod_identity(call, &asked),
        "DeletePodIdentityAssociation" => Hit::new(
            Severity::Low,
            "took an IAM role away from a service account (pod identity)",
            "The pods of the account lose their access to AWS.",
        ),
        "CreateCapability" | "UpdateCapability" => capability(call, &asked)?,
        "CreateAddon" | "UpdateAddon" => addon(call, &asked)?,
        _ => return None,
    };
    if !asked.principal_arn.is_empty() {
        hit.subjects.push(text::name(&asked.principal_arn));
        if gives(&call.event.event_name) && call.is_foreign(account(&asked.principal_arn)) {
            hit.severity = hit.severity.max(Severity::High);
            hit.changes.push(Delta::Note(format!("{} belongs to another AWS account", who(&asked))));
        }
    }
    if call.event.failed() {
        hit.severity = hit.severity.lowered(1).min(Severity::High);
        hit.what = format!("tried and failed: {}", hit.what);
        hit.changes.push(Delta::Note(format!("the call failed: {}", text::name(&call.event.error_code))));
    }
    Some(hit)
}

fn gives(name: &str) -> bool {
    matches!(name, "CreateAccessEntry" | "UpdateAccessEntry" | "AssociateAccessPolicy")
}

fn who(asked: &Parameters) -> String {
    if asked.principal_arn.is_empty() {
        return "a principal that was not recorded".to_owned();
    }
    text::name(text::short(&asked.principal_arn))
}

fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

/// Creating an entry lets a principal in; its groups decide what that is worth.
fn entry(call: &Call<'_>, asked: &Parameters) -> Hit {
    let who = who(asked);
    let update = call.event.event_name == "UpdateAccessEntry";
    let groups: Vec<String> = asked.groups.iter().flatten().map(|group| text::name(group)).collect();
    let is_node = !matches!(asked.entry_type.as_str(), "" | "STANDARD");
    let subjects: Vec<Subject> = becomes(&asked.username, asked.groups.iter().flatten()).collect();
    let worth = worth_of(call.memory, call.cluster(), &subjects);
    let worst = subjects.iter().filter_map(|subject| {
        let built_in = match subject {
            Subject::User(name) | Subject::Group(name) => name.starts_with("system:") || name.starts_with("eks:"),
            _ => false,
        };
        let severity = worth.get(subject).copied().or(built_in.then_some(Severity::High))?;
        Some((severity, matches!(subject, Subject::User(_))))
    });
    let worst = worst.filter(|(_, is_user)| !(*is_user && is_node)).max();
    let (severity, why) = match worst {
        Some((worst, true)) => (worst, "The username that it logs in with holds strong rights in the cluster."),
        Some((worst, false)) => (worst, "Its groups hold strong rights in the cluster."),
        // Only AWS makes node entries as a matter of course.
        None if is_node && call.event.actor.is_service() => {
            (Severity::Informational, "AWS made it for a managed node group or Fargate.")
        }
        None if is_node => {
            (Severity::Medium, "Whoever holds the role can join as a node and read what nodes may read.")
        }
        None => (Severity::Low, "It can log in now. What it may do comes from its name, its groups and from access policies."),
    };
    let what = match (groups.is_empty(), is_node) {
        (false, _) if update => format!("put {who} into the group {}", groups.join(", ")),
        (true, _) if update => format!("changed the access entry of {who}"),
        (false, _) => format!("let {who} into the cluster with the group {}", groups.join(", ")),
        (true, true) => format!("let {who} into the cluster as {}", text::name(&asked.entry_type)),
        (true, false) => format!("let {who} into the cluster"),
    };
    let mut hit = Hit::new(severity, what, why);
    hit.changes.extend(groups.into_iter().map(|group| Delta::Now(format!("{who} in group {group}"))));
    if !asked.username.is_empty() {
        hit.changes.push(Delta::Now(format!("{who} logs in as {}", text::name(&asked.username))));
    }
    hit
}

fn deleted(call: &Call<'_>, asked: &Parameters) -> Hit {
    let who = who(asked);
    let created = call.memory.entry_created(call.cluster(), &asked.principal_arn);
    let age = match (created, call.event.time) {
        (Some(created), Some(now)) => Some(now.as_second() - created.as_second()),
        _ => None,
    };
    if let Some(age) = age.filter(|age| (0..=SOON_SECONDS).contains(age)) {
        let mut hit = Hit::new(
            Severity::High,
            format!("took access away from {who} {} minutes after giving it", age / 60),
            "Access that was given and withdrawn within the hour was used, or was meant to be: look at what it did.",
        );
        hit.changes.push(Delta::Lost(format!("{who}: access entry with its groups and policies")));
        return hit;
    }
    let mut hit = Hit::new(
        Severity::Low,
        format!("took access to the cluster away from {who}"),
        "The principal can no longer log in, unless aws-auth maps it too.",
    );
    hit.changes.push(Delta::Lost(format!("{who}: access entry with its groups and policies")));
    hit
}

/// Where an access policy holds.
fn place(asked: &Parameters) -> String {
    match &asked.namespaces {
        None => "in the whole cluster".to_owned(),
        Some(names) if names.is_empty() => "in some namespaces".to_owned(),
        Some(names) => {
            let shown: Vec<String> = names.iter().take(NAMESPACES_SHOWN).map(|name| text::name(name)).collect();
            format!("in {}", shown.join(", "))
        }
    }
}

fn policy(asked: &Parameters) -> String {
    let name = asked.policy_arn.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "an access policy that was not recorded".to_owned() } else { text::name(name) }
}

/// What an access policy is worth. The list of AWS grows, so that a name not in it is judged by its end.
fn worth(asked: &Parameters) -> (Severity, &'static str) {
    let (cluster, namespace, why) = match policy(asked).as_str() {
        "AmazonEKSClusterAdminPolicy" => {
            (Severity::Critical, Severity::High, "It can do everything, including giving itself more.")
        }
        "AmazonEKSAdminPolicy" => {
            (Severity::High, Severity::Medium, "It can do nearly everything: read Secrets, run pods, give roles away.")
        }
        "AmazonEKSEditPolicy" => {
            (Severity::High, Severity::Medium, "It can read Secrets and run pods as any service account there.")
        }
        "AmazonEKSAdminViewPolicy" => (Severity::High, Severity::Medium, "It can read everything, Secrets included."),
        "AmazonEKSViewPolicy" => (Severity::Low, Severity::Low, "It can read most objects, Secrets excepted."),
        name if name.ends_with("ViewPolicy") => (Severity::Medium, Severity::Low, "It can read."),
        name if name.ends_with("AdminPolicy") => (Severity::Critical, Severity::High, "By its name it administers."),
        _ => (Severity::High, Severity::Medium, "What this policy allows is not known here."),
    };
    // Whoever edits in `kube-system` has the accounts of the controllers there, and aws-auth.
    let everywhere = asked.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| may_be(name, "kube-system")));
    (if everywhere { cluster } else { namespace }, why)
}

/// Whether a namespace of an access scope may be this one: `*` stands for any letters (EKS user guide, "Associate access policies
/// with access entries").
fn may_be(pattern: &str, namespace: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|start| namespace.strip_prefix(start)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(end) = parts.pop() else { return rest.is_empty() };
    let mut middle = Some(rest);
    for part in parts {
        middle = middle.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    middle.is_some_and(|rest| rest.ends_with(end))
}

fn associated(asked: &Parameters) -> Hit {
    let (severity, why) = worth(asked);
    let (who, policy, place) = (who(asked), policy(asked), place(asked));
    let mut hit = Hit::new(severity, format!("gave {who} {policy} {place}"), why);
    hit.changes.push(Delta::Gained(format!("{who}: {policy} {place}")));
    hit
}

fn disassociated(asked: &Parameters) -> Hit {
    let (who, policy) = (who(asked), policy(asked));
    let lock_out = policy.ends_with("AdminPolicy");
    let mut hit = Hit::new(
        if lock_out { Severity::Medium } else { Severity::Low },
        format!("took {policy} away from {who}"),
        if lock_out {
            "An administrator lost the cluster; if it was the last one, nobody can administer it."
        } else {
            "The principal can do less than before."
        },
    );
    hit.changes.push(Delta::Lost(format!("{who}: {policy}")));
    hit
}

fn pod_identity(call: &Call<'_>, asked: &Parameters) -> Hit {
    // With a target the pod gets that role's credentials, and the other one is only on the way.
    let lent = if asked.target_role_arn.is_empty() { &asked.role_arn } else { &asked.target_role_arn };
    let role = text::name(text::short(lent));
    let account_name = format!("{}/{}", text::name(&asked.namespace), text::name(&asked.service_account));
    let what = if lent.is_empty() {
        "changed the pod identity of a service account, not its IAM role".to_owned()
    } else if asked.service_account.is_empty() {
        format!("changed the IAM role of a service account to {role}")
    } else {
        format!("gave ServiceAccount {account_name} the IAM role {role}")
    };
    let foreign = call.is_foreign(account(&asked.role_arn)) || call.is_foreign(account(lent));
    let mut hit = Hit::new(
        if foreign { Severity::High } else { Severity::Medium },
        what,
        "Every pod that runs as this account, and whoever can start one, can now use the IAM role in AWS.",
    );
    if !lent.is_empty() && !asked.service_account.is_empty() {
        hit.changes.push(Delta::Now(format!("{account_name}: IAM role {}", text::name(lent))));
    }
    if !asked.target_role_arn.is_empty() && !asked.role_arn.is_empty() {
        hit.changes.push(Delta::Note(format!("by way of {}", text::name(&asked.role_arn))));
    }
    if !asked.service_account.is_empty() {
        hit.objects.push(Object {
            kind: "ServiceAccount",
            namespace: text::name(&asked.namespace),
            name: text::name(&asked.service_account),
        });
    }
    hit
}

/// EKS makes an access entry for the role of a capability by itself (EKS user guide, "Amazon EKS capability IAM role").
fn capability(call: &Call<'_>, asked: &Parameters) -> Option<Hit> {
    let name = text::name(&asked.capability);
    let role = text::name(text::short(&asked.role_arn));
    let what = match (asked.role_arn.is_empty(), asked.capability_admins) {
        (false, _) => format!("let {role} into the cluster as the capability {name}"),
        (true, true) => format!("made people administrators of the capability {name}"),
        (true, false) => return None,
    };
    let strong = asked.capability_admins || call.is_foreign(account(&asked.role_arn));
    let mut hit = Hit::new(
        if strong { Severity::High } else { Severity::Medium },
        what,
        "EKS itself makes the access entry of a capability's role; whoever steers the capability changes the cluster and AWS with it.",
    );
    if !asked.role_arn.is_empty() {
        hit.changes.push(Delta::Now(format!("{name}: IAM role {}", text::name(&asked.role_arn))));
    }
    if asked.capability_admins {
        hit.changes.push(Delta::Now(format!("{name}: administrators")));
    }
    Some(hit)
}

/// The IAM roles of an add-on's service accounts; an add-on without them is told by what it does in the cluster.
fn addon(call: &Call<'_>, asked: &Parameters) -> Option<Hit> {
    let name = text::name(&asked.addon);
    let first = asked.addon_roles.first()?;
    let foreign = asked.addon_roles.iter().any(|role| call.is_foreign(account(role)));
    let mut hit = Hit::new(
        if foreign { Severity::High } else { Severity::Medium },
        format!("gave the add-on {name} the IAM role {}", text::name(text::short(first))),
        "The pods of the add-on, and whoever can start one under its service account, can use the IAM role in AWS.",
    );
    let roles = asked.addon_roles.iter().take(ROLES_SHOWN);
    hit.changes.extend(roles.map(|role| Delta::Now(format!("{name}: IAM role {}", text::name(role)))));
    Some(hit)
}

/// Access withdrawn within this time of being given was probably meant to be short: an hour, in seconds.
const SOON_SECONDS: i64 = 3_600;
/// IAM roles of an add-on that are listed.
const ROLES_SHOWN: usize = 20;
/// Namespaces named in a headline.
const NAMESPACES_SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use super::may_be;

    #[test]
    fn a_pattern_may_be_a_namespace_when_its_parts_are_there_in_order() {
        for pattern in ["kube-system", "*", "kube-*", "*system", "k*-*m", "*be*sys*", "**"] {
            assert!(may_be(pattern, "kube-system"), "{pattern}");
        }
        for pattern in ["", "kube", "system", "kube-*x", "*sys", "system*", "kube-system*m", "*sys*be*"] {
            assert!(!may_be(pattern, "kube-system"), "{pattern}");
        }
    }
}
