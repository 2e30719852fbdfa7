//! Why a change is not worth telling: what it asked for, what was stored, and what is remembered.

use super::content::Read;
use super::request::is_apply;
use super::{AUTOUPDATE, Action, BOOTSTRAPPING, Change, routine};
use crate::audit::AuditEvent;
use crate::audit::object::Verb;
use crate::audit::outcome::Outcome;
use crate::kube::ObjectKind;
use crate::kube::patch::Touches;
use crate::memory::{Memory, State};

/// Why a change is ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ordinary {
    /// `dryRun=All`: nothing was stored.
    DryRun,
    /// Nothing was written: the object has the same version as before, the patch is empty, no field was set, or there was nothing to
    /// delete.
    NoOp,
    /// Only metadata that grants nothing.
    MetadataOnly,
    /// The request failed; nothing changed.
    Failed,
    /// A proven part of the control plane did what it always does.
    Routine,
}

impl Change {
    /// Why a write that went through is ordinary, if it is.
    pub(super) fn ordinary_write(
        &self,
        event: &AuditEvent<'_>,
        response: &Read,
        request: &Read,
        cluster: &str,
        memory: &Memory,
    ) -> Option<Ordinary> {
        if event.outcome() != Outcome::Allowed {
            return None;
        }
        // Nothing was there to be deleted. A page of a list may be empty and the next one not.
        if self.action == Action::DeletedMany
            && matches!(response, Read::List(items) if items.is_empty())
            && !["limit", "continue"].iter().any(|paged| event.mentions(paged))
        {
            return Some(Ordinary::NoOp);
        }
        if self.action != Action::Changed {
            return None;
        }
        // The server answers with a new version whenever it stored anything.
        if let (Verb::Update, Read::Object(sent), Read::Object(stored)) = (&event.verb, request, response)
            && !stored.meta.resource_version.is_empty()
            && sent.meta.resource_version == stored.meta.resource_version
        {
            return Some(Ordinary::NoOp);
        }
        if self.touches == Touches::Ownership || self.meta_grants() {
            return None;
        }
        if let (Some(known), Some(version)) = (memory.object(&self.key(cluster)), self.version()) {
            // What a snapshot says, or a later write that changed nothing, may come from this very one.
            if known.version == Some(version) && known.time.is_some() && known.time <= event.time() {
                return Some(Ordinary::NoOp);
            }
            // Newer, and says the same: labels, annotations, owners of fields.
            if Some(version) > known.version && self.after.known() == Some(&known.state) {
                return Some(Ordinary::MetadataOnly);
            }
        }
        if self.drifted {
            return None;
        }
        match self.touches {
            Touches::Nothing if !is_apply(event) => Some(Ordinary::NoOp),
            Touches::MetadataOnly => {
                (!self.label_may_aggregate(request, cluster, memory)).then_some(Ordinary::MetadataOnly)
            }
            _ if self.set_nothing(event) && memory.last(&self.key(cluster)).is_none() => Some(Ordinary::NoOp),
            _ => None,
        }
    }

    /// Whether the answer shows that no field was set since before the request came, in whole seconds as the times are. Taking fields
    /// away leaves no trace there, which can only make less of a role or a binding, and of `aws-auth` a trap.
    fn set_nothing(&self, event: &AuditEvent<'_>) -> bool {
        let (Some(set), Some(received)) = (self.meta.fields_set, event.received) else {
            return false;
        };
        let gives = match self.after.known() {
            Some(State::Role { rules, .. }) => !rules.is_empty(),
            Some(State::Binding { subjects, .. }) => !subjects.is_empty(),
            _ => false,
        };
        gives && set.as_second() < received.as_second()
    }

    /// Whether the object wears metadata that is never ordinary: reconciliation switched off, or the label of the
    /// defaults on what is none of them.
    fn meta_grants(&self) -> bool {
        self.kind.is_rbac()
            && (self.meta.annotation(AUTOUPDATE) == Some("false")
                || (self.meta.label(BOOTSTRAPPING).is_some() && !routine::is_stock(self)))
    }

    /// Whether a remembered aggregated role collects roles by labels that this one has now.
    fn label_may_aggregate(&self, request: &Read, cluster: &str, memory: &Memory) -> bool {
        let mut labels = self.meta.labels.clone();
        if let Read::Object(patch) | Read::Partial(patch) | Read::Other(patch) = request {
            labels.extend(patch.meta.labels.iter().cloned());
        }
        self.kind == ObjectKind::ClusterRole
            && memory.objects(cluster, ObjectKind::ClusterRole).any(|(_, state)| match state {
                State::Role { aggregation: Some(selectors), .. } => {
                    selectors.iter().any(|selector| selector.may_match(&labels))
                }
                _ => false,
            })
    }
}
