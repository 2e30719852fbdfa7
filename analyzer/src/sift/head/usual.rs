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
    scanner.string()?;
    scanner.literal(key!("auditID"))?;
    scanner.string()?;
    scanner.literal(key!("stage"))?;
    draft.stage = Some(Stage::of(scanner.plain()?)?);
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
    scanner.string()?;
    scanner.literal(key!("stageTimestamp"))?;
    draft.time = scanner.plain()?;
    if scanner.has(key!("annotations")) {
        annotations(&mut draft, scanner)?;
    }
    scanner.byte(b'}')?;
    Ok((draft, caller))
}

fn object<'a, const ESCAPED: bool>(scanner: &mut Scanner<'a, ESCAPED>) -> Scan<ObjectRef<'a>> {
    let mut object = ObjectRef::default();
    scanner.literal(text!(br#"{"resource":"#, br#"{\"resource\":"#))?;
    object.resource = word(scanner)?;
    if scanner.has(key!("namespace")) {
        object.namespace = word(scanner)?;
    }
    if scanner.has(key!("name")) {
        object.name = word(scanner)?;
    }
    if scanner.has(key!("uid")) {
        scanner.plain()?;
    }
    if scanner.has(key!("apiGroup")) {
        object.api_group = word(scanner)?;
    }
    if scanner.has(key!("apiVersion")) {
        scanner.plain()?;
    }
    if scanner.has(key!("resourceVersion")) {
        scanner.plain()?;
    }
    if scanner.has(key!("subresource")) {
        object.subresource = word(scanner)?;
    }
    scanner.byte(b'}')?;
    Ok(object)
}

fn word<'a, const ESCAPED: bool>(scanner: &mut Scanner<'a, ESCAPED>) -> Scan<Cow<'a, str>> {
    std::str::from_utf8(scanner.plain()?).map(Cow::Borrowed).map_err(|_| Careful)
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
