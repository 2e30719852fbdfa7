use crate::case::Case;
use crate::change::{self, Change, Effect};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::rbac::{PolicyRule, assess, headline};
use crate::severity::Severity;
use crate::text;

detection! {
    /// Somebody tried to grant rights that they do not hold
    ///
    /// ## Why it matters
    ///
    /// Authorization allowed the write, but Kubernetes' escalation prevention refused it: the role or binding would have
    /// given more than the caller holds. This is the clearest single sign of an attempt to climb.
    ///
    /// ## What it misses
    ///
    /// Members of `system:masters`, and holders of `escalate` or `bind`, are not stopped by the check; what they write
    /// shows as an ordinary change. Rights from EKS access policies do not count in the check, so a powerful person can
    /// be refused too.
    ///
    /// ## Known benign causes
    ///
    /// A pipeline that installs a chart whose role is wider than the pipeline's own rights; an administrator by access
    /// policy.
    /// A workload that is refused the same again and again is told once in an hour.
    ///
    /// ## What to do
    ///
    /// Ask the named person what they wanted to do. Nothing was granted.
    "rbac-escalation-refused", [ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Repeating check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| change.effect == Effect::EscalationRefused)?;
    let object = grant::object(change);
    let message = case.event.status.as_ref().map_or("", |status| status.message.as_ref());
    let reached = reached_for(message);
    let scope = grant::scope(change.kind, &change.namespace);
    let phrase = if reached.is_empty() {
        "more than they hold".to_owned()
    } else {
        text::name(&headline(&assess(&reached, &scope), &reached, &scope))
    };
    let mut hit = Hit::new(
        Severity::High,
        format!("tried to {} {object} beyond their own rights and was refused: {phrase}", verb(change)),
        "The write would have granted rights that the caller does not hold; Kubernetes refused it and nothing changed.",
    );
    hit.changes = grant::lines(&reached, &scope, |line| Delta::Note(format!("reached for: {line}")));
    hit.objects.push(object);
    Some(hit)
}

fn verb(change: &Change) -> &'static str {
    match change.action {
        crate::change::Action::Created => "create",
        _ => "change",
    }
}

/// The rules that the message lists, one per line: `{APIGroups:["x"], Resources:["y"], Verbs:["z"]}`.
///
/// The text is Go's, from `k8s.io/kubernetes/pkg/apis/rbac/helpers.go` (compact string of a rule); each list holds
/// Go-quoted strings.
fn reached_for(message: &str) -> Vec<PolicyRule> {
    let mut rules = Vec::new();
    for line in message.lines().skip(1).take(RULES_READ) {
        // After the last rule the message may go on with resolution errors.
        let Some((inside, _)) = line.trim().strip_prefix('{').and_then(|line| line.rsplit_once('}')) else {
            continue;
        };
        let list = |key: &str| {
            inside
                .split_once(&format!("{key}:["))
                .map(|(_, rest)| strings(rest))
                .unwrap_or_default()
        };
        rules.push(PolicyRule {
            api_groups: list("APIGroups"),
            resources: list("Resources"),
            verbs: list("Verbs"),
            resource_names: list("ResourceNames"),
            non_resource_urls: list("NonResourceURLs"),
        });
    }
    rules
}

/// Go-quoted strings, separated by blanks or commas, up to the closing bracket.
fn strings(mut rest: &str) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(open) = rest.trim_start_matches([' ', ',']).strip_prefix('"') {
        let Some((text, after)) = crate::klog::unquote(open) else {
            break;
        };
        out.push(text);
        rest = after;
    }
    out
}

/// Rules read from one message.
const RULES_READ: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::reached_for;

    #[test]
    fn the_message_lists_the_rules_reached_for() {
        let message = "roles \"x\" is forbidden: user \"ci\" (groups=[\"a\"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"secrets\" \"pods\"], Verbs:[\"*\"]}\n{NonResourceURLs:[\"/metrics\"], Verbs:[\"get\"]}; resolution errors: []";
        let rules = reached_for(message);
        assert_eq!(rules[0].resources, ["secrets", "pods"]);
        assert_eq!(rules[0].api_groups, [""]);
        assert_eq!(rules[0].verbs, ["*"]);
        assert_eq!(rules[1].non_resource_urls, ["/metrics"]);
        assert_eq!(reached_for("no list"), []);
    }
}
