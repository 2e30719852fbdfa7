//! What an exception covers: typed conditions that all have to hold.

use crate::alert::{Activity, Alert, Evidence};
use crate::detection::Finding;

use super::NEVER_HIDDEN;

/// The conditions of one exception. One that is absent holds always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) detections: Option<Vec<&'static str>>,
    pub(super) cluster: Option<Pattern>,
    pub(super) actor: Option<Pattern>,
    pub(super) verbs: Option<Vec<String>>,
    pub(super) namespace: Option<Pattern>,
    pub(super) object: Option<Pattern>,
}

/// A text, whole or up to a `*` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Whole(String),
    Beginning(String),
}

impl Pattern {
    /// Reads a pattern; none when it has a `*` anywhere but at its end, or would fit everything.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (stem, open) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
        if stem.is_empty() || stem.contains('*') {
            return None;
        }
        Some(if open { Self::Beginning(stem.to_owned()) } else { Self::Whole(stem.to_owned()) })
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Whole(whole) => whole == text,
            Self::Beginning(stem) => text.starts_with(stem.as_str()),
        }
    }
}

impl Matcher {
    /// Whether every condition holds for a finding and for every event of its alert.
    pub(super) fn covers(&self, alert: &Alert, finding: &Finding) -> bool {
        let id = finding.detection.id;
        if NEVER_HIDDEN.contains(&id) || self.detections.as_ref().is_some_and(|ids| !ids.contains(&id)) {
            return false;
        }
        let cluster = alert.source.cluster.as_deref().unwrap_or_default();
        if self.cluster.as_ref().is_some_and(|pattern| !pattern.fits(cluster)) {
            return false;
        }
        // Events that are only counted may be of another kind than those that are listed. All events of a session have
        // its actor, so what asks for no more than that covers its last word too.
        let listed = u64::try_from(alert.evidence.len()).is_ok_and(|listed| listed >= alert.events);
        let any_event = self.verbs.is_none() && self.namespace.is_none() && self.object.is_none();
        let known = listed || (any_event && alert.activity == Activity::Update);
        known && alert.evidence.iter().all(|evidence| self.covers_event(evidence))
    }

    fn covers_event(&self, evidence: &Evidence) -> bool {
        let actor = self.actor.as_ref().is_none_or(|pattern| is_actor(pattern, evidence));
        let verb = self.verbs.as_ref().is_none_or(|verbs| verbs.contains(&evidence.verb));
        let namespace = self.namespace.as_ref().is_none_or(|pattern| pattern.fits(&evidence.namespace));
        let object = self.object.as_ref().is_none_or(|pattern| is_object(pattern, evidence));
        actor && verb && namespace && object
    }
}

/// By ARN or username, unless the identity is not what its name says.
fn is_actor(pattern: &Pattern, evidence: &Evidence) -> bool {
    let actor = &evidence.actor;
    let proven = !matches!(actor.kind, "forged" | "anonymous" | "nobody");
    proven && (actor.arn.as_deref().is_some_and(|arn| pattern.fits(arn)) || pattern.fits(&actor.username))
}

/// By name, or by resource and name: `clusterrolebindings/argocd-*`. Kubernetes names hold no slash.
fn is_object(pattern: &Pattern, evidence: &Evidence) -> bool {
    if evidence.name.is_empty() {
        return false;
    }
    let (Pattern::Whole(text) | Pattern::Beginning(text)) = pattern;
    if !text.contains('/') {
        return pattern.fits(&evidence.name);
    }
    let whole = format!("{}/{}", evidence.resource, evidence.name);
    let without_group = whole.split_once('/').filter(|(group, _)| group.contains('.')).map_or("", |(_, rest)| rest);
    pattern.fits(&whole) || pattern.fits(without_group)
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_stands_at_the_end_or_not_at_all() {
        for text in ["", "*", "a*b", "*a", "a**"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
        let open = Pattern::parse("team-*").unwrap();
        assert!(open.fits("team-a") && open.fits("team-") && !open.fits("team"));
        let whole = Pattern::parse("team").unwrap();
        assert!(whole.fits("team") && !whole.fits("team-a") && !whole.fits("Team"));
    }
}
