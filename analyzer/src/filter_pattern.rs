//! The CloudWatch Logs filter patterns that fit the detections, one for each mode of cost.

use std::fmt::Write as _;

/// How much of the control-plane log is handed on to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Every line.
    Everything,
    /// What [`Mode::Changes`] hands on, and what service accounts, members of `system:masters` and principals with access
    /// policies do.
    Logins,
    /// What gives or takes rights, what was refused, and what was lost.
    Changes,
}

impl Mode {
    /// Every mode, the most complete first.
    pub const ALL: [Self; 3] = [Self::Everything, Self::Logins, Self::Changes];

    /// The word for it in the template and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Logins => "logins",
            Self::Changes => "changes",
        }
    }

    /// The mode of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// What it hands on, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Everything => "every line",
            Self::Logins => {
                "what `changes` hands on, and what service accounts, members of `system:masters` and principals with \
                 access policies do"
            }
            Self::Changes => {
                "roles, bindings, aws-auth, tokens and certificates asked for, Secrets, impersonation, callers without \
                 credentials; what was refused; what was lost or cut"
            }
        }
    }

    /// The lines that are handed on hold one of these; `None` where all are.
    fn terms(self) -> Option<impl Iterator<Item = &'static str>> {
        let of_logins = match self {
            Self::Everything => return None,
            Self::Logins => LOGINS,
            Self::Changes => &[],
        };
        Some(CHANGES.iter().chain(of_logins).copied())
    }

    /// The filter pattern for a subscription: at most [`PATTERN_CHARS_MAX`] characters, empty where every line is handed on.
    ///
    /// It is a pattern of text and not of JSON: one of JSON drops whatever is not JSON, such as the API server's own log,
    /// where lost audit events show, and every audit event that was cut.
    #[must_use]
    pub fn pattern(self) -> String {
        let mut pattern = String::new();
        for term in self.terms().into_iter().flatten() {
            // Writing to a String cannot fail.
            let _ = write!(pattern, "{}?\"{term}\"", if pattern.is_empty() { "" } else { " " });
        }
        pattern
    }

    /// Whether the pattern passes a line.
    #[must_use]
    pub fn passes(self, line: &str) -> bool {
        self.terms().is_none_or(|mut terms| terms.any(|term| line.contains(term)))
    }

    /// The ids of the detections that see only a part in this mode, or nothing: a line that they need is not handed on.
    #[must_use]
    pub const fn misses(self) -> &'static [&'static str] {
        match self {
            Self::Everything => &[],
            Self::Logins => LOGINS_MISSES,
            Self::Changes => CHANGES_MISSES,
        }
    }
}

/// What gives or takes rights, what was refused, what was lost.
///
/// It is not published whether a term may match inside a word, so each of these is found where letters and digits end. None
/// has a double quote, whose escaping in patterns is not published either.
const CHANGES: &[&str] = &[
    // Changes of rights: the path, the group of the object, the message of a refusal.
    "rbac.authorization.k8s.io",
    "aws-auth",
    "deletecollection",
    "certificatesigningrequests",
    // Ways to somebody else's rights.
    "TokenRequest",
    "issued-credential-id",
    "serviceaccounts/token",
    "eks.amazonaws.com/role-arn",
    "/secrets",
    "impersonate",
    "impersonatedUser",
    "system:unauthenticated",
    // Refused before it was known who asked, in both streams.
    "Unauthorized",
    "Unable to authenticate the request",
    "unable to match the audience",
    // Lost or cut.
    "Error in audit plugin",
    "Impacted events",
    "AUDIT",
    "[Truncated...]",
    "audit.k8s.io/truncated",
    // The API server about itself.
    "FLAG",
    "unable to initialize",
    // The authenticator: who was let in before, who is not any more, and a map that it cannot read.
    "access granted",
    "access denied",
    "Errors parsing configmap",
    "Resetting configmap on delete",
    "level=error",
];

/// What is done by those whose every request matters.
const LOGINS: &[&str] = &["system:serviceaccount", "system:serviceaccounts", "system:masters", "EKS Access Policy"];

/// See [`Mode::misses`]; a test finds them out.
const LOGINS_MISSES: &[&str] = &["identity-forged", "sa-iam-role-changed", "sa-token-moved"];

/// See [`Mode::misses`]; a test finds them out.
const CHANGES_MISSES: &[&str] = &[
    "access-policy-used",
    "identity-forged",
    "masters-used",
    "sa-controller-in-pod",
    "sa-iam-role-changed",
    "sa-self-review",
    "sa-token-external-login",
    "sa-token-interactive-login",
    "sa-token-legacy-login",
    "sa-token-minted-used",
    "sa-token-moved",
    "sa-token-stale-login",
    "sa-token-unbound-login",
];

/// The longest pattern that a subscription takes (CloudWatch Logs API reference, `PutSubscriptionFilter`).
pub const PATTERN_CHARS_MAX: usize = 1024;
