//! The facts that leave the analyzer: who did what, chosen from a log record, printable and bounded.

use jiff::Timestamp;

use crate::stream::Stream;

/// Stable identity of an alert: 32 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(String);

impl AlertId {
    /// The id of what these parts say, in this order.
    #[must_use]
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        Self(crate::text::digest(parts))
    }

    /// The id that these digits are; none when they are not 32 lower-case hex digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (digits.len() == 32 && digits.bytes().all(is_digit)).then(|| Self(digits.to_owned()))
    }

    /// A number made of the first half of the digits.
    #[must_use]
    pub fn number(&self) -> u64 {
        let half = self.0.get(..16).unwrap_or_default();
        u64::from_str_radix(half, 16).unwrap_or_default()
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The chosen facts of one log record, made printable and bounded. Nothing else of a log line ever leaves the analyzer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Which log.
    pub stream: Stream,
    /// The log stream's name, if known.
    pub log_stream: Option<String>,
    /// `auditID`; empty for text lines that name none.
    pub audit_id: String,
    /// The stage in the life of the request; empty for text lines.
    pub stage: &'static str,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The request verb; empty when unknown.
    pub verb: String,
    /// Path and query; empty when unknown.
    pub request_uri: String,
    /// Resource as RBAC writes it, `rbac.authorization.k8s.io/clusterroles`; empty when unknown.
    pub resource: String,
    /// Namespace of the object; empty when it has none.
    pub namespace: String,
    /// Name of the object; empty when not known.
    pub name: String,
    /// HTTP status; 0 when unknown.
    pub code: u16,
    /// What came of it, as a word.
    pub outcome: &'static str,
    /// Who asked.
    pub actor: Actor,
    /// The address that connected.
    pub peer: Option<String>,
    /// The addresses the client claimed.
    pub claimed: Vec<String>,
    /// What the client calls itself.
    pub user_agent: String,
    /// How much of the event was missing, in words; empty when whole.
    pub missing: &'static str,
}

/// Who did it, as far as the log says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The name to show first: the human behind an IAM session, else role, user or username.
    pub display: String,
    /// `user.username`
    pub username: String,
    /// `user.uid`
    pub uid: String,
    /// `user.groups`
    pub groups: Vec<String>,
    /// What kind of identity it proved to be, as a word: `iam`, `service-account`, `node`, ...
    pub kind: &'static str,
    /// IAM ARN of the session.
    pub arn: Option<String>,
    /// IAM session name.
    pub session: Option<String>,
    /// AWS access key id of the session.
    pub access_key_id: Option<String>,
    /// AWS account of the principal.
    pub account: Option<String>,
    /// Token or certificate id.
    pub credential_id: Option<String>,
    /// The pod a service-account token is bound to.
    pub pod: Option<String>,
    /// The identity acted as: username and groups.
    pub acting_as: Option<(String, Vec<String>)>,
}

impl Evidence {
    /// What was asked for, without its object: `list secrets`.
    #[must_use]
    pub fn deed(&self) -> String {
        let what = if self.resource.is_empty() {
            self.request_uri.split('?').next().unwrap_or_default()
        } else {
            &self.resource
        };
        format!("{} {what}", self.verb)
    }

    /// Room it takes in memory, in bytes, roughly.
    #[must_use]
    pub fn weight(&self) -> usize {
        let actor = &self.actor;
        let texts = [&self.audit_id, &self.verb, &self.request_uri, &self.resource, &self.namespace, &self.name];
        let of_actor = [&actor.display, &actor.username, &actor.uid];
        let of_credential = [&actor.access_key_id, &actor.account, &actor.credential_id, &actor.pod];
        let optional = [&actor.arn, &actor.session, &self.log_stream, &self.peer].into_iter().chain(of_credential);
        let acting_as = actor.acting_as.iter().flat_map(|(name, groups)| groups.iter().chain([name]));
        600 + self.user_agent.len()
            + texts.iter().chain(&of_actor).map(|text| text.len()).sum::<usize>()
            + optional.flatten().map(String::len).sum::<usize>()
            + self.claimed.iter().chain(&actor.groups).chain(acting_as).map(|text| text.len() + 24).sum::<usize>()
    }

    /// Whether it was refused for who asked.
    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.code, 401 | 403)
    }
}

/// What many events did, alike ones together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deeds {
    pub(crate) kinds: Vec<Deed>,
    /// Events of kinds beyond [`Deeds::KINDS_MAX`].
    pub(crate) others: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deed {
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) refused: u64,
}

impl Deeds {
    /// Kinds of request kept apart; an alert shows fewer. Whoever walks through the API would fill the memory otherwise.
    pub const KINDS_MAX: usize = 16;

    /// Counts one event.
    pub fn add(&mut self, evidence: &Evidence) {
        self.count(Deed { name: evidence.deed(), count: 1, refused: u64::from(evidence.is_refused()) });
    }

    /// Counts what `now` has beyond `before`, which it grew from.
    pub(crate) fn add_since(&mut self, now: &Self, before: &Self) {
        for Deed { name, count, refused } in &now.kinds {
            let known = before.kinds.iter().find(|deed| deed.name == *name);
            let (counted, of_them) = known.map_or((0, 0), |deed| (deed.count, deed.refused));
            let (count, refused) = (count.saturating_sub(counted), refused.saturating_sub(of_them));
            if count > 0 {
                self.count(Deed { name: name.clone(), count, refused });
            }
        }
        self.others = self.others.saturating_add(now.others.saturating_sub(before.others));
    }

    fn count(&mut self, deed: Deed) {
        if let Some(known) = self.kinds.iter_mut().find(|known| known.name == deed.name) {
            known.count = known.count.saturating_add(deed.count);
            known.refused = known.refused.saturating_add(deed.refused);
        } else if self.kinds.len() < Self::KINDS_MAX {
            self.kinds.push(deed);
        } else {
            self.others = self.others.saturating_add(deed.count);
        }
    }

    /// The first `shown` kinds, a line each, and what is left out: `list secrets 3 times, refused once`.
    #[must_use]
    pub fn lines(&self, shown: usize) -> Vec<String> {
        let mut lines: Vec<String> = self.kinds.iter().take(shown).map(Deed::line).collect();
        let left: u64 = self.kinds.iter().skip(shown).map(|deed| deed.count).sum::<u64>() + self.others;
        if left > 0 {
            lines.push(format!("and {left} other request{}", if left == 1 { "" } else { "s" }));
        }
        lines
    }

    /// Room it takes in memory, in bytes, roughly.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.kinds.iter().map(|deed| deed.name.len() + 48).sum()
    }
}

impl Deed {
    fn line(&self) -> String {
        let Self { name, count, refused } = self;
        let refused = match refused {
            0 => String::new(),
            refused if refused == count => ", refused".to_owned(),
            refused => format!(", refused {}", times(*refused)),
        };
        let often = if *count == 1 { String::new() } else { format!(" {}", times(*count)) };
        format!("{name}{often}{refused}")
    }
}

fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        count => format!("{count} times"),
    }
}
