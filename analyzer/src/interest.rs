//! What a detection wants to see of a line, as facts that the head of an audit event tells.
//!
//! Most lines interest nobody. Which ones do is said by the detections themselves, each beside its function, and by the
//! modules that make something of ordinary lines. A line is read when it has all the facts of one of these masks. A fact
//! missing from a mask costs time; a fact too many costs a finding, so the tests hold every finding against the mask of its
//! detection.

/// A set of facts about one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts(u64);

/// The sets of facts of which one has to be met.
pub type Interest = &'static [Facts];

impl Facts {
    /// No fact.
    pub const NONE: Self = Self(0);

    /// These facts and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These facts, and those if `holds`.
    #[must_use]
    pub const fn and_if(self, holds: bool, other: Self) -> Self {
        if holds { self.and(other) } else { self }
    }

    /// Whether all of `wanted` are among these.
    #[must_use]
    pub const fn meet(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// Whether one of the masks of `interest` is met.
    #[must_use]
    pub fn meet_any(self, interest: &[Self]) -> bool {
        interest.iter().any(|wanted| self.meet(*wanted))
    }
}

macro_rules! facts {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "each is the place of the fact of this name")]
        #[repr(u8)]
        enum Place { $($name,)+ }

        impl Facts {
            $($(#[doc = $doc])+ pub const $name: Self = Self(1 << Place::$name as u8);)+
        }
    };
}

facts! {
    /// `create`, `update`, `patch`, `delete` or `deletecollection`.
    WRITES,
    /// `create`
    CREATES,
    /// `update` or `patch`
    CHANGES,
    /// The request is about an object.
    OBJECT,
    /// The request is about no object, and its path is not one of those that Kubernetes lets everybody ask.
    CLOSED_PATH,
    /// The object is one whose changes are followed: see the module `change`.
    WATCHED,
    /// `serviceaccounts/token`
    TOKEN,
    /// API group `certificates.k8s.io`
    CERTIFICATE,
    /// Secrets.
    SECRET,
    /// A review of the caller itself: what it may do, who it is.
    SELF_REVIEW,
    /// Status 401.
    UNAUTHENTICATED,
    /// Status 403.
    REFUSED,
    /// No decision of an authorizer is noted.
    UNDECIDED,
    /// Allowed by an EKS access policy.
    ACCESS_POLICY,
    /// The annotation of a token kept in a Secret.
    LEGACY_TOKEN,
    /// The annotation of a token past its intended life.
    STALE_TOKEN,
    /// The API server dropped the bodies.
    SERVER_CUT,
    /// `system:anonymous`
    ANONYMOUS,
    /// A name without its proof.
    FORGED,
    /// A proven component of the Kubernetes control plane.
    CONTROL_PLANE,
    /// Not the control plane, not EKS, not anonymous, not forged: somebody whose groups mean something.
    SOMEBODY,
    /// In the group `system:masters`.
    MASTERS,
    /// Acts as somebody else.
    ACTING,
    /// A proven service account.
    SERVICE_ACCOUNT,
    /// A service account from an address outside private and trusted networks.
    EXTERNAL,
    /// A service account with a client of people and scripts.
    HUMAN_CLIENT,
    /// A service account's token that is bound to no pod and of no controller.
    UNBOUND,
    /// A pod with the account of a controller.
    CONTROLLER_POD,
    /// The memory has something to say about the caller. Nobody knows that before the line is judged, so it is asked there:
    /// see `Visit` of the module `lesson`.
    REMEMBERED,
}

#[cfg(test)]
mod tests {
    use super::Facts;

    #[test]
    fn a_mask_is_met_by_all_of_its_facts() {
        let line = Facts::WRITES.and(Facts::CREATES).and_if(false, Facts::SECRET);
        assert!(line.meet(Facts::CREATES) && line.meet(Facts::NONE));
        assert!(!line.meet(Facts::CREATES.and(Facts::SECRET)));
        assert!(line.meet_any(&[Facts::SECRET, Facts::WRITES]) && !line.meet_any(&[]));
        assert_ne!(Facts::WRITES, Facts::REMEMBERED);
    }
}
