//! An audit event as far as it decides whether anybody wants to read it.
//!
//! An event as the API server writes it is read the short way ([`usual`]), which jumps over bodies. Any other is read here,
//! member by member, to its closing brace, with what stands behind the bodies: the annotations tell of legacy and stale
//! tokens and of access policies. Nothing is copied.

mod usual;

use std::borrow::Cow;

use super::callers::{Caller, Callers};
use super::scanner::{Careful, Scan, Scanner};
use crate::audit::object::{ObjectRef, Verb};
use crate::audit::open_path::is_open;
use crate::certificate::SigningRequest;
use crate::change;
use crate::interest::Facts;
use crate::reason::ACCESS_POLICY;
use crate::token_request::TokenRequest;

/// What the scanner found out about one event.
#[derive(Debug)]
pub(super) struct Head<'a, 'c> {
    /// What is of interest in it.
    pub(super) facts: Facts,
    /// Whether the request is done.
    pub(super) stage: Stage,
    /// When this stage was reached, as it is written.
    pub(super) time: &'a [u8],
    /// Who asked.
    pub(super) caller: &'c mut Caller,
}

/// `stage`, as far as it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Never judged.
    Received,
    /// Judged without the change that is not yet made.
    Started,
    /// Judged.
    Complete,
}

impl Stage {
    fn of(text: &[u8]) -> Scan<Self> {
        match text {
            b"ResponseComplete" => Ok(Self::Complete),
            b"ResponseStarted" => Ok(Self::Started),
            b"RequestReceived" => Ok(Self::Received),
            _ => Err(Careful),
        }
    }
}

/// What is collected on the way through the members.
#[derive(Default)]
struct Draft<'a> {
    seen: u32,
    stage: Option<Stage>,
    verb: &'a [u8],
    uri: &'a [u8],
    object: Option<ObjectRef<'a>>,
    code: Option<u64>,
    facts: Facts,
    decided: bool,
    time: &'a [u8],
    /// The bytes that tell who asked: from `user` to `userAgent`.
    caller: Option<(usize, usize)>,
}

/// Reads the event at the scanner. Unless `all` of it is to be looked at, bodies are jumped over where everything around them
/// is as usual.
pub(super) fn read<'a, 'c, const ESCAPED: bool>(
    scanner: &mut Scanner<'a, ESCAPED>,
    callers: &'c mut Callers,
    all: bool,
) -> Scan<Head<'a, 'c>> {
    let start = scanner.offset();
    let (mut draft, known) = if let Ok(usual) = usual::read(scanner, callers, all) {
        usual
    } else {
        scanner.jump(start);
        in_any_order(scanner, callers)?
    };
    let (stage, facts) = draft.facts()?;
    let caller = callers.get(known)?;
    Ok(Head { facts: facts.and(caller.facts), stage, time: draft.time, caller })
}

/// Reads an event whose members may stand in any order, and every byte of it.
fn in_any_order<'a, const ESCAPED: bool>(
    scanner: &mut Scanner<'a, ESCAPED>,
    callers: &mut Callers,
) -> Scan<(Draft<'a>, usize)> {
    let mut draft = Draft::default();
    scanner.byte(b'{')?;
    loop {
        let start = scanner.offset();
        let key = scanner.key()?;
        let member = Member::of(key).ok_or(Careful)?;
        draft.meet(member)?;
        draft.value(member, scanner)?;
        if member.is_of_caller() {
            draft.caller = Some((draft.caller.map_or(start, |(start, _)| start), scanner.offset()));
        }
        if !scanner.takes(b',') {
            scanner.byte(b'}')?;
            break;
        }
    }
    known(draft.seen & Member::NEEDED == Member::NEEDED)?;
    let (start, end) = draft.caller.ok_or(Careful)?;
    let mut again = scanner.clone();
    again.jump(end);
    let known = callers.learn::<ESCAPED>(again.since(start)?)?;
    Ok((draft, known))
}

impl<'a> Draft<'a> {
    /// Notes that a member was met: once, and those of the caller side by side.
    fn meet(&mut self, member: Member) -> Scan<()> {
        let bit = member.bit();
        let inside = self.caller.is_some() && self.seen & Member::UserAgent.bit() == 0;
        if self.seen & bit != 0 || (inside && !member.is_of_caller()) || (!inside && member.is_inner()) {
            return Err(Careful);
        }
        self.seen |= bit;
        Ok(())
    }

    fn value<const ESCAPED: bool>(&mut self, member: Member, scanner: &mut Scanner<'a, ESCAPED>) -> Scan<()> {
        match member {
            Member::Kind => known(scanner.plain()? == b"Event"),
            Member::ApiVersion => known(scanner.plain()? == b"audit.k8s.io/v1"),
            Member::Level | Member::AuditId | Member::ReceivedTimestamp => scanner.string().map(|_| ()),
            Member::RequestUri => {
                self.uri = scanner.string()?;
                Ok(())
            }
            Member::Stage => {
                self.stage = Some(Stage::of(scanner.plain()?)?);
                Ok(())
            }
            Member::Verb => {
                self.verb = scanner.plain()?;
                Ok(())
            }
            Member::StageTimestamp => {
                self.time = scanner.plain()?;
                Ok(())
            }
            Member::ObjectRef => self.object(scanner),
            Member::ResponseStatus => self.status(scanner),
            Member::Annotations => self.annotations(scanner),
            // Bodies, and what is read with care by whoever asks who that is.
            Member::RequestObject
            | Member::ResponseObject
            | Member::ImpersonatedUser
            | Member::AuthenticationMetadata
            | Member::SourceIps
            | Member::UserAgent
            | Member::User => scanner.skip(),
        }
    }

    fn object<const ESCAPED: bool>(&mut self, scanner: &mut Scanner<'a, ESCAPED>) -> Scan<()> {
        let (mut object, mut seen) = (ObjectRef::default(), 0_u32);
        scanner.object(|key, scanner| {
            let (bit, slot) = match key {
                b"resource" => (1, Some(&mut object.resource)),
                b"namespace" => (2, Some(&mut object.namespace)),
                b"name" => (4, Some(&mut object.name)),
                b"apiGroup" => (8, Some(&mut object.api_group)),
                b"subresource" => (16, Some(&mut object.subresource)),
                b"uid" => (32, None),
                b"apiVersion" => (64, None),
                b"resourceVersion" => (128, None),
                _ => return Err(Careful),
            };
            known(seen & bit == 0)?;
            seen |= bit;
            let text = scanner.plain()?;
            if let Some(slot) = slot {
                *slot = Cow::Borrowed(std::str::from_utf8(text).map_err(|_| Careful)?);
            }
            Ok(())
        })?;
        self.object = Some(object);
        Ok(())
    }

    fn status<const ESCAPED: bool>(&mut self, scanner: &mut Scanner<'a, ESCAPED>) -> Scan<()> {
        let (mut code, mut seen) = (None, 0_u32);
        scanner.object(|key, scanner| {
            let bit = match key {
                b"code" => 1,
                b"message" => 2,
                b"reason" => 4,
                // Nobody reads the others.
                _ => return scanner.skip(),
            };
            known(seen & bit == 0)?;
            seen |= bit;
            if bit == 1 {
                code = Some(scanner.number()?);
                return Ok(());
            }
            scanner.string().map(|_| ())
        })?;
        self.code = Some(code.ok_or(Careful)?);
        Ok(())
    }

    fn annotations<const ESCAPED: bool>(&mut self, scanner: &mut Scanner<'a, ESCAPED>) -> Scan<()> {
        let mut seen = 0_u32;
        scanner.object(|key, scanner| {
            let value = scanner.string()?;
            let (bit, fact) = match key {
                b"authorization.k8s.io/decision" => {
                    // Any other word is no decision.
                    self.decided = matches!(value, b"allow" | b"forbid");
                    (1, Facts::NONE)
                }
                b"authorization.k8s.io/reason" => {
                    self.reason(value);
                    (2, Facts::NONE)
                }
                b"authentication.k8s.io/legacy-token" => (4, Facts::LEGACY_TOKEN),
                b"authentication.k8s.io/stale-token" => (8, Facts::STALE_TOKEN),
                b"audit.k8s.io/truncated" => (16, Facts::SERVER_CUT),
                _ => return Ok(()),
            };
            known(seen & bit == 0)?;
            seen |= bit;
            self.facts = self.facts.and(fact);
            Ok(())
        })
    }

    fn reason(&mut self, reason: &[u8]) {
        self.facts = self.facts.and_if(may_be(reason, ACCESS_POLICY.as_bytes()), Facts::ACCESS_POLICY);
    }

    /// What the members that were read come to, once all are there that decide.
    fn facts(&mut self) -> Scan<(Stage, Facts)> {
        let stage = self.stage.ok_or(Careful)?;
        let verb = std::str::from_utf8(self.verb).map_err(|_| Careful)?;
        let verb = Verb::new(Cow::Borrowed(verb));
        let mut facts = of_verb(&verb, self.facts).and_if(!self.decided, Facts::UNDECIDED);
        if let Some(object) = &self.object {
            facts = of_object(object, &verb, facts.and(Facts::OBJECT));
        } else {
            // An escape may stand for anything, so with one in the path the line is read.
            let path = self.uri.split(|byte| *byte == b'?').next().unwrap_or_default();
            let plain = std::str::from_utf8(path).ok().filter(|path| !path.contains('\\'));
            let is_open = plain.is_some_and(|path| is_open(&verb, path));
            facts = facts.and_if(!is_open, Facts::CLOSED_PATH);
        }
        match self.code {
            Some(401) => facts = facts.and(Facts::UNAUTHENTICATED),
            Some(403) => facts = facts.and(Facts::REFUSED),
            Some(_) => {}
            None => known(stage == Stage::Received)?,
        }
        Ok((stage, facts))
    }
}

/// The facts that a verb tells.
pub(super) fn of_verb(verb: &Verb<'_>, facts: Facts) -> Facts {
    facts
        .and_if(!matches!(verb, Verb::Get | Verb::List | Verb::Watch | Verb::Other(_)), Facts::WRITES)
        .and_if(*verb == Verb::Create, Facts::CREATES)
        .and_if(matches!(verb, Verb::Update | Verb::Patch), Facts::CHANGES)
}

/// The facts that an object tells, each by the words of the module that asks for it.
pub(super) fn of_object(object: &ObjectRef<'_>, verb: &Verb<'_>, facts: Facts) -> Facts {
    let reviews = matches!(object.api_group.as_ref(), "authorization.k8s.io" | "authentication.k8s.io");
    facts
        .and_if(change::kind(object, verb).is_some(), Facts::WATCHED)
        .and_if(TokenRequest::is_about(object), Facts::TOKEN)
        .and_if(SigningRequest::is_about(object), Facts::CERTIFICATE)
        .and_if(object.is("", "secrets"), Facts::SECRET)
        .and_if(reviews && object.resource.starts_with("self"), Facts::SELF_REVIEW)
}

/// Whether a string that may hold escapes may begin with `words`.
fn may_be(text: &[u8], words: &[u8]) -> bool {
    text.starts_with(words) || text.get(..words.len()).unwrap_or(text).contains(&b'\\')
}

fn known(holds: bool) -> Scan<()> {
    if holds { Ok(()) } else { Err(Careful) }
}

macro_rules! members {
    ($($name:ident = $key:literal,)+) => {
        /// The members that the API server writes. Another one may come with the next Kubernetes release; until it is known
        /// here, its lines are read with care.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        enum Member { $($name,)+ }

        impl Member {
            fn of(key: &[u8]) -> Option<Self> {
                $(if key == $key { return Some(Self::$name); })+
                None
            }
        }
    };
}

members! {
    Kind = b"kind",
    ApiVersion = b"apiVersion",
    Level = b"level",
    AuditId = b"auditID",
    Stage = b"stage",
    RequestUri = b"requestURI",
    Verb = b"verb",
    User = b"user",
    ImpersonatedUser = b"impersonatedUser",
    AuthenticationMetadata = b"authenticationMetadata",
    SourceIps = b"sourceIPs",
    UserAgent = b"userAgent",
    ObjectRef = b"objectRef",
    ResponseStatus = b"responseStatus",
    RequestObject = b"requestObject",
    ResponseObject = b"responseObject",
    ReceivedTimestamp = b"requestReceivedTimestamp",
    StageTimestamp = b"stageTimestamp",
    Annotations = b"annotations",
}

impl Member {
    const CALLER: u32 = Self::User.bit()
        | Self::ImpersonatedUser.bit()
        | Self::AuthenticationMetadata.bit()
        | Self::SourceIps.bit()
        | Self::UserAgent.bit();
    const NEEDED: u32 = Self::ApiVersion.bit()
        | Self::AuditId.bit()
        | Self::Verb.bit()
        | Self::User.bit()
        | Self::SourceIps.bit()
        | Self::UserAgent.bit()
        | Self::StageTimestamp.bit();

    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Part of who asked.
    const fn is_of_caller(self) -> bool {
        self.bit() & Self::CALLER != 0
    }

    /// The same, and never the first of it.
    const fn is_inner(self) -> bool {
        self.is_of_caller() && !matches!(self, Self::User)
    }
}
