use crate::audit::principal::Identity;
use crate::aws_auth::AwsAuth;
use crate::case::Case;
use crate::change::{self, Action, Change, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant::{self, LINE_CHARS_MAX};
use crate::kube::ObjectKind;
use crate::mapping;
use crate::memory::State;
use crate::severity::Severity;
use crate::text;

detection! {
    /// The aws-auth ConfigMap was changed
    ///
    /// ## Why it matters
    ///
    /// `aws-auth` decides which IAM role or user becomes whom in the cluster. One line maps a role to `system:masters`,
    /// which can do everything. One typing error locks every node and person out.
    ///
    /// The mappings are read as EKS reads them and compared with the last known version; without one the alert says who
    /// is mapped now.
    ///
    /// ## What it misses
    ///
    /// In authentication mode `API` the ConfigMap is ignored, so a change has no effect; the audit log does not tell the
    /// mode. Access entries are the successor and show in CloudTrail.
    ///
    /// ## Known benign causes
    ///
    /// eksctl and Terraform adding a node group or a team's role.
    ///
    /// ## What to do
    ///
    /// Ask the named person about each line with a `+`. If nobody knows it, take the line out at once: whoever it maps
    /// can log in now.
    "aws-auth-changed", [ADDITIONAL_CLOUD_ROLES, CLOUD_ACCOUNTS], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind == ObjectKind::AwsAuth
            && change.took_effect()
            && matches!(change.action, Action::Created | Action::Changed)
    })?;
    let object = grant::object(change);
    let mut hit = match &change.after {
        Content::Known(State::AwsAuth(after)) => {
            let before = before(case);
            let known = change.action == Action::Created || before.is_some() && !change.drifted;
            let mut hit = compared(case, after, before, if known { Shown::Change } else { Shown::Now });
            // EKS maps node roles into whatever is there; without the version before, what is there is not its doing.
            if before.is_none() && case.identity() == Identity::Eks {
                hit.severity = Severity::Low;
                "EKS wrote it, as it does for a new node group; what it said before is not known here.".clone_into(&mut hit.why);
            }
            hit
        }
        // A create is logged without content on EKS: `aws-auth-replaced-unseen` tells that story.
        Content::NotRecorded if change.action == Action::Created => return None,
        content => unshown(case, change, content),
    };
    hit.objects.push(object);
    Some(hit)
}

/// A change of which the log does not hold what it led to: what it asked for is told.
fn unshown(case: &Case<'_>, change: &Change, content: &Content) -> Hit {
    let nothing = AwsAuth::default();
    let before = before(case);
    if let Some(State::AwsAuth(asked)) = &change.asked {
        // The rest may be there as before.
        let mappings: Vec<_> = asked.without(before.unwrap_or(&nothing)).into_iter().cloned().collect();
        if !mappings.is_empty() {
            let asked = AwsAuth { mappings, pitfalls: asked.pitfalls.clone() };
            let mut hit = compared(case, &asked, None, Shown::Asked);
            hit.severity = hit.severity.max(Severity::High);
            hit.why = format!("{} {}", hit.why, grant::unseen(content));
            return hit;
        }
    }
    Hit::new(Severity::High, "changed aws-auth, content unknown", grant::unseen(content))
}

/// The version before, as far as it is remembered. What is created had none, even if it says what a deleted one said: who could log in
/// then can again.
fn before<'c>(case: &'c Case<'_>) -> Option<&'c AwsAuth> {
    let change = case.change().filter(|change| change.action != Action::Created)?;
    match &case.memory.last(&change.key(case.cluster())).filter(|last| !last.unseen)?.state {
        State::AwsAuth(map) => Some(map),
        State::Role { .. } | State::Binding { .. } | State::ServiceAccount(_) => None,
    }
}

/// What of a change the log shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// What was there before is known, even if that was nothing.
    Change,
    /// What is there now.
    Now,
    /// What was asked for.
    Asked,
}

fn compared(case: &Case<'_>, after: &AwsAuth, before: Option<&AwsAuth>, shown: Shown) -> Hit {
    let nothing = AwsAuth::default();
    let gained = after.without(before.unwrap_or(&nothing));
    let lost = before.map(|before| before.without(after)).unwrap_or_default();
    let principals = gained.iter().map(|mapping| mapping.principal.to_string());
    let mut grades: Vec<(mapping::Grade, String)> =
        mapping::grades(case, &gained).into_iter().zip(principals).collect();
    grades.sort_by_key(|(grade, _)| std::cmp::Reverse(grade.severity));
    let dangers = mapping::dangers(after, before);
    let severity = grades
        .iter()
        .map(|(grade, _)| grade.severity)
        .chain(dangers.iter().map(|(severity, _)| *severity))
        .max()
        .unwrap_or(Severity::Low);
    let mut reasons: Vec<String> = dangers.into_iter().map(|(_, reason)| reason).collect();
    reasons.extend(grades.iter().flat_map(|(grade, _)| grade.reasons.clone()));
    reasons.dedup();
    reasons.truncate(REASONS_MAX);
    if reasons.is_empty() {
        reasons.push("Mappings were taken away or only rewritten; nobody gained anything.".to_owned());
    }
    let worst = grades.first().map(|(grade, principal)| (grade.severity, principal.as_str()));
    let mut hit = Hit::new(severity, what(after, worst, shown, gained.len(), lost.len()), reasons.join(" "));
    let make: fn(String) -> Delta = if shown == Shown::Change { Delta::Gained } else { Delta::Now };
    hit.subjects = grades.iter().take(LISTED).map(|(_, principal)| text::name(principal)).collect();
    hit.changes.extend(gained.iter().take(LISTED).map(|mapping| make(line(mapping))));
    hit.changes.extend(lost.iter().take(LISTED).map(|mapping| Delta::Lost(line(mapping))));
    for (count, what) in [(gained.len(), "gained"), (lost.len(), "lost")] {
        if count > LISTED {
            hit.changes.push(Delta::Note(format!("and {} more mappings {what}", count - LISTED)));
        }
    }
    hit
}

fn line(mapping: &crate::aws_auth::Mapping) -> String {
    text::printable(&mapping.to_string(), LINE_CHARS_MAX)
}

fn what(after: &AwsAuth, worst: Option<(Severity, &str)>, shown: Shown, gained: usize, lost: usize) -> String {
    let broken = after.pitfalls.iter().any(|pitfall| matches!(pitfall, crate::aws_auth::Pitfall::Broken(_)));
    if broken {
        return "left aws-auth with broken YAML".to_owned();
    }
    let Some((_, principal)) = worst else {
        return match lost {
            0 => "rewrote aws-auth".to_owned(),
            1 => "took a mapping out of aws-auth".to_owned(),
            lost => format!("took {lost} mappings out of aws-auth"),
        };
    };
    let groups = after
        .mappings
        .iter()
        .find(|mapping| mapping.principal.to_string() == principal)
        .map(|mapping| mapping.groups.join(", "))
        .filter(|groups| !groups.is_empty())
        .map(|groups| format!(" to {}", text::name(&groups)))
        .unwrap_or_default();
    let principal = text::name(short(principal));
    match (shown, gained) {
        (Shown::Change, 1) => format!("mapped {principal}{groups} in aws-auth"),
        (Shown::Change, _) => format!("mapped {principal}{groups} and {} more in aws-auth", gained - 1),
        (Shown::Now, _) => format!("changed aws-auth, which now maps {principal}{groups}"),
        (Shown::Asked, _) => format!("changed aws-auth, asking to map {principal}{groups}"),
    }
}

/// An ARN without the part that every ARN has.
fn short(principal: &str) -> &str {
    principal.strip_prefix("arn:aws:iam::").unwrap_or(principal)
}

/// Mappings listed line by line.
const LISTED: usize = 20;
/// Reasons given.
const REASONS_MAX: usize = 6;
