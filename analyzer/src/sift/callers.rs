//! Callers that were read before, known by their bytes.
//!
//! Who asked, from where and with what client stands side by side in an event, and the same few hundred callers send nearly
//! all of a cluster's requests. What such bytes mean depends on nothing else, so it is worked out once, by the careful
//! reader and the code that judges, and looked up from then on. Equal bytes have an equal meaning: the table changes how
//! long a line takes and nothing else, so it may forget whenever it likes.

use std::sync::Arc;

use memchr::memmem::Finder;

use super::scanner::{Careful, Scan, Scanner};
use crate::audit::AuditEvent;
use crate::audit::principal::Identity;
use crate::interest::Facts;
use crate::json;
use crate::lesson::Visit;
use crate::session::{Session, Token};
use crate::settings::Settings;
use crate::stream::Source;

/// Where lines come from, as far as it decides what a caller is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    source: Source,
    settings: Settings,
}

impl Place {
    /// Whether callers mean here what they mean at another place.
    fn is(&self, source: &Source, settings: &Settings) -> bool {
        self.settings == *settings && self.source.cluster == source.cluster && self.source.account == source.account
    }
}

/// What the bytes of a caller mean.
#[derive(Debug)]
pub(super) struct Caller {
    /// What is of interest in it.
    pub(super) facts: Facts,
    /// What its requests teach; `None` when that is nothing.
    pub(super) visit: Option<Arc<Visit>>,
    /// Where the visit was put last among those of a text. It may not be there any more.
    pub(super) noted: usize,
}

/// A table of callers.
#[derive(Debug)]
pub(super) struct Callers {
    place: Place,
    entries: Vec<Option<Entry>>,
    bytes: usize,
    agent: Finder<'static>,
}

impl Default for Callers {
    fn default() -> Self {
        Self { place: Place::default(), entries: Vec::new(), bytes: 0, agent: Finder::new("userAgent") }
    }
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    escaped: bool,
    key: Box<[u8]>,
    caller: Caller,
}

impl Callers {
    /// From here on the lines come from `source`.
    pub(super) fn settle_at(&mut self, source: &Source, settings: &Settings) {
        if !self.place.is(source, settings) {
            let source =
                Source { cluster: source.cluster.clone(), account: source.account.clone(), ..Source::default() };
            self.place = Place { source, settings: settings.clone() };
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// Where the bytes of a known caller end that begin at `start`, and which it is.
    pub(super) fn at<const ESCAPED: bool>(
        &self,
        scanner: &Scanner<'_, ESCAPED>,
        start: usize,
    ) -> Option<(usize, usize)> {
        let mut ahead = scanner.clone();
        ahead.jump(start);
        let window = ahead.rest();
        let window = window.get(..KEY_BYTES_MAX).unwrap_or(window);
        // The user agent is the last of it. A value may hold the word, but not the quotes around it, which would have a
        // backslash of their own.
        let (before, behind): (&[u8], &[u8]) = if ESCAPED { (br#",\""#, br#"\":"#) } else { (br#",""#, br#"":"#) };
        let word = self.agent.needle().len();
        let is_key = |at: &usize| {
            window.get(..*at).is_some_and(|text| text.ends_with(before))
                && window.get(at + word..).is_some_and(|text| text.starts_with(behind))
        };
        let key = self.agent.find_iter(window).find(is_key)?;
        ahead.jump(start + key + word + behind.len());
        ahead.string().ok()?;
        let index = self.find::<ESCAPED>(ahead.since(start).ok()?)?;
        Some((ahead.offset(), index))
    }

    /// The caller that an entry is about.
    pub(super) fn get(&mut self, index: usize) -> Scan<&mut Caller> {
        self.entries.get_mut(index).and_then(Option::as_mut).map(|entry| &mut entry.caller).ok_or(Careful)
    }

    /// Works out who `bytes` are, members of an event that were found to be well-formed, and remembers it.
    pub(super) fn learn<const ESCAPED: bool>(&mut self, bytes: &[u8]) -> Scan<usize> {
        if let Some(known) = self.find::<ESCAPED>(bytes) {
            return Ok(known);
        }
        if bytes.len() > KEY_BYTES_MAX {
            return Err(Careful);
        }
        let caller = self.read::<ESCAPED>(bytes).ok_or(Careful)?;
        if self.bytes + bytes.len() > TABLE_BYTES_MAX || self.entries.is_empty() {
            self.forget();
            self.entries.resize_with(SLOTS, || None);
        }
        let hash = hash(bytes);
        let ways = ways(hash);
        let free = ways.into_iter().find(|way| matches!(self.entries.get(*way), Some(None)));
        let [first, second] = ways;
        // Which of the two goes does not matter, only that one does.
        let way = free.unwrap_or(if hash & 1 == 0 { first } else { second });
        let slot = self.entries.get_mut(way).ok_or(Careful)?;
        self.bytes += bytes.len();
        self.bytes -= slot.as_ref().map_or(0, |gone| gone.key.len());
        *slot = Some(Entry { hash, escaped: ESCAPED, key: bytes.into(), caller });
        Ok(way)
    }

    fn find<const ESCAPED: bool>(&self, bytes: &[u8]) -> Option<usize> {
        let hash = hash(bytes);
        ways(hash).into_iter().find(|way| {
            let entry = self.entries.get(*way).and_then(Option::as_ref);
            entry.is_some_and(|entry| entry.hash == hash && entry.escaped == ESCAPED && *entry.key == *bytes)
        })
    }

    /// Reads the members with the reader that reads every event, in an event that has no others.
    fn read<const ESCAPED: bool>(&self, bytes: &[u8]) -> Option<Caller> {
        let members = if ESCAPED { json::unescape(bytes)? } else { String::from_utf8_lossy(bytes).into_owned() };
        let line = format!(r#"{{"apiVersion":"audit.k8s.io/v1","auditID":"","verb":"",{members}}}"#);
        let event = AuditEvent::read(&line).ok().filter(|event| event.cut.is_none())?;
        let Place { source, settings } = &self.place;
        let principal = &event.caller.authenticated;
        let session = Session::of(&event, source.cluster.as_deref().unwrap_or_default(), settings);
        let identity = principal.identity(event.origin.peer, source.account.as_deref());
        let visit = Visit::of(&event, session.as_ref(), source);
        let facts = of_identity(identity)
            .and_if(principal.in_group("system:masters"), Facts::MASTERS)
            .and_if(event.caller.acting_as.is_some(), Facts::ACTING);
        Some(Caller {
            facts: session.as_ref().map_or(facts, |session| of_session(session, facts)),
            visit: (!visit.is_idle()).then(|| Arc::new(visit)),
            noted: 0,
        })
    }
}

/// The facts that a proven identity tells.
pub(super) fn of_identity(identity: Identity<'_>) -> Facts {
    match identity {
        Identity::Anonymous => Facts::ANONYMOUS,
        Identity::Forged => Facts::FORGED,
        Identity::ControlPlane => Facts::CONTROL_PLANE,
        Identity::Nobody | Identity::Eks => Facts::NONE,
        Identity::ServiceAccount(_) | Identity::Node | Identity::Iam | Identity::Other => Facts::SOMEBODY,
    }
}

/// The facts that a service account's session tells.
pub(super) fn of_session(session: &Session<'_>, facts: Facts) -> Facts {
    facts
        .and(Facts::SERVICE_ACCOUNT)
        .and_if(session.external.is_some(), Facts::EXTERNAL)
        .and_if(session.human_client.is_some(), Facts::HUMAN_CLIENT)
        .and_if(session.token == Token::Unbound { controller: false }, Facts::UNBOUND)
        .and_if(matches!(session.token, Token::Pod { controller: true, .. }), Facts::CONTROLLER_POD)
}

/// The two places of the table where a caller may be.
fn ways(hash: u64) -> [usize; 2] {
    let set = usize::try_from(hash >> 40).unwrap_or_default() % (SLOTS / 2);
    [2 * set, 2 * set + 1]
}

/// Mixes one word in four, and the last ones. Callers that differ differ in their credential, whose id is longer than four
/// words. It need not withstand an attacker: two callers that meet take each other's place, and that is all.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |all: u64, word: &[u8; 8]| (all.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
    let (words, _) = bytes.as_chunks::<8>();
    let mut all = u64::try_from(bytes.len()).unwrap_or_default();
    all = words.iter().step_by(4).fold(all, mix);
    all = words.iter().rev().take(4).fold(all, mix);
    all ^ (all >> 31)
}

/// Callers kept: a large cluster has some thousands of pods and nodes, each with a credential or two.
const SLOTS: usize = 4_096;
/// Longest bytes of a caller that is kept: ten times what a pod's take.
const KEY_BYTES_MAX: usize = 8 << 10;
/// Room for all of them: 3 MiB, about four thousand pods.
const TABLE_BYTES_MAX: usize = 3 << 20;
