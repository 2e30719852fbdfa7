//! The short way through an event: its members stand in the API server's order, and it is known who asked.
//!
//! Go writes the members of a structure in the order of its source (Kubernetes, `audit/v1/types.go`), so what comes next is
//! known, and comparing it is all that has to be done. Whatever is otherwise goes the long way, from the start.
//!
//! Bodies are not looked into. Their end is found from the end of the event ([`crate::audit::tail`]), and only where the whole
//! head was met before them: with a head that is still to come, half of it would decide. What is trusted here, and nowhere
//! else, is that the API server keeps its order behind the bodies, too, and puts nothing between them and its own times. A
//! body that is no JSON goes unseen, so whoever reads the line with care judges it by the same head and tail.

use std::borrow::Cow;

use super::{Draft, Stage, known};
use crate::audit::object::ObjectRef;
use crate::sift::callers::Callers;
use crate::sift::scanner::{Careful, Scan, Scanner};

/// Fixed text of an event, in both quotings.
macro_rules! text {
    ($plain:literal, $escaped:literal) => {
        if ESCAPED { $escaped.as_slice() } else { $plain.as_slice() }
    };
}

/// A comma, a key, a colon.
macro_rules! key {
    ($key:literal) => {
        if ESCAPED { concat!(",\\\"", $key, "\\\":").as_bytes() } else { concat!(",\"", $key, "\":").as_bytes() }
    };
}

/// A string.
macro_rules! word {
    ($word:literal) => {
        if ESCAPED { concat!("\\\"", $word, "\\\"").as_bytes() } else { concat!("\"", $word, "\"").as_bytes() }
    };
}

/// Reads the event at the scanner, and tells who asked.
pub(super) fn read<'a, const ESCAPED: bool>(
    scanner: &mut Scanner<'a, ESCAPED>,
    callers: &Callers,
    all: bool,
) -> Scan<(Draft<'a>, usize)> {
    let mut draft = Draft::default();
    scanner.literal(text!(
        br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"#,
        br#"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":"#
    ))?;
    let is_usual = scanner.has(word!("Metadata")) || scanner.has(word!("RequestResponse"));
    if !is_usual {
        scanner.string()?;
    }
    scanner.literal(key!("auditID"))?;
    scanner.string_of::<UUID_BYTES>()?;
    scanner.literal(key!("stage"))?;
    let is_complete = scanner.has(word!("ResponseComplete"));
    draft.stage = Some(if is_complete { Stage::Complete } else { Stage::of(scanner.plain()?)? });
    scanner.literal(key!("requestURI"))?;
    draft.uri = scanner.string()?;
    scanner.literal(key!("verb"))?;
    draft.verb = scanner.plain()?;
    scanner.byte(b',')?;
    let (end, caller) = callers.at(scanner, scanner.offset()).ok_or(Careful)?;
    scanner.jump(end);
    if scanner.has(key!("objectRef")) {
        draft.object = Some(object(scanner)?);
    }
    if scanner.has(key!("responseStatus")) {
        status(&mut draft, scanner)?;
    }
    if scanner.meets(key!("requestObject")) || scanner.meets(key!("responseObject")) {
        known(!all && draft.object.is_some() && draft.code.is_some())?;
        scanner.jump_to_tail()?;
    }
    scanner.literal(key!("requestReceivedTimestamp"))?;
    scanner.string_of::<TIME_BYTES>()?;
    scanner.literal(key!("stageTimestamp"))?;
    draft.time = scanner.string_of::<TIME_BYTES>()?;
    if scanner.has(key!("annotations")) {
        annotations(&mut draft, scanner)?;
    }
    scanner.byte(b'}')?;
    Ok((draft, caller))
}

fn object<'a, const ESCAPED: bool>(scanner: &mut Scanner<'a, ESCAPED>) -> Scan<ObjectRef<'a>> {
    let start = scanner.offset();
    let word = |scanner: &mut Scanner<'a, ESCAPED>| {
        let at = scanner.offset() - start + if ESCAPED { 2 } else { 1 };
        Ok(at..at + scanner.plain()?.len())
    };
    let (mut namespace, mut name, mut api_group, mut subresource) = (0..0, 0..0, 0..0, 0..0);
    scanner.literal(text!(br#"{"resource":"#, br#"{\"resource\":"#))?;
    let resource = word(scanner)?;
    if scanner.has(key!("namespace")) {
        namespace = word(scanner)?;
    }
    if scanner.has(key!("name")) {
        name = word(scanner)?;
    }
    if scanner.has(key!("uid")) {
        scanner.string_of::<UUID_BYTES>()?;
    }
    if scanner.has(key!("apiGroup")) {
        api_group = word(scanner)?;
    }
    if scanner.has(key!("apiVersion")) && !scanner.has(word!("v1")) {
        scanner.plain()?;
    }
    if scanner.has(key!("resourceVersion")) {
        scanner.plain()?;
    }
    if scanner.has(key!("subresource")) {
        subresource = word(scanner)?;
    }
    scanner.byte(b'}')?;
    // Looked at as a whole, for short texts are checked at the price of a long one.
    let text = std::str::from_utf8(scanner.since(start)?).map_err(|_| Careful)?;
    let word = |place| text.get(place).map(Cow::Borrowed).ok_or(Careful);
    Ok(ObjectRef {
        resource: word(resource)?,
        namespace: word(namespace)?,
        name: word(name)?,
        api_group: word(api_group)?,
        subresource: word(subresource)?,
        ..ObjectRef::default()
    })
}

fn status<'a, const ESCAPED: bool>(draft: &mut Draft<'a>, scanner: &mut Scanner<'a, ESCAPED>) -> Scan<()> {
    if !scanner.has(text!(br#"{"metadata":{},"code":"#, br#"{\"metadata\":{},\"code\":"#)) {
        return draft.status(scanner);
    }
    draft.code = Some(scanner.number()?);
    scanner.byte(b'}')
}

fn annotations<'a, const ESCAPED: bool>(draft: &mut Draft<'a>, scanner: &mut Scanner<'a, ESCAPED>) -> Scan<()> {
    let start = scanner.offset();
    if scanner.has(text!(
        br#"{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"#,
        br#"{\"authorization.k8s.io/decision\":\"allow\",\"authorization.k8s.io/reason\":"#
    )) {
        let reason = scanner.string()?;
        if scanner.takes(b'}') {
            draft.decided = true;
            draft.reason(reason);
            return Ok(());
        }
        scanner.jump(start);
    }
    draft.annotations(scanner)
}

/// A UUID, as the API server names events (RFC 9562 section 4).
const UUID_BYTES: usize = 36;
/// `2026-11-23T06:49:21.529555Z`
const TIME_BYTES: usize = 27;
