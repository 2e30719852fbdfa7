//! The interest of the detections, held against what they see.

use super::callers::{of_identity, of_session};
use super::head::{of_object, of_verb};
use super::{Entries, Sifted, Sifter, What, interest};
use crate::audit::AuditEvent;
use crate::audit::open_path::is_open;
use crate::audit::outcome::Outcome;
use crate::case::Case;
use crate::detections;
use crate::envelope::LogLine;
use crate::interest::Facts;
use crate::lesson::Visit;
use crate::memory::Memory;
use crate::reason::ACCESS_POLICY;
use crate::report::Judge;
use crate::settings::Settings;
use crate::stream::Source;
use crate::tests::harness::cases;

/// The facts of an event, told without the scanner.
fn facts(case: &Case<'_>) -> Facts {
    let event = case.event;
    let principal = &event.caller.authenticated;
    let visit = Visit::of(event, case.session.as_ref(), case.source);
    let mut facts = of_identity(case.identity())
        .and_if(principal.in_group("system:masters"), Facts::MASTERS)
        .and_if(event.caller.acting_as.is_some(), Facts::ACTING)
        .and_if(event.outcome() == Outcome::Unauthenticated, Facts::UNAUTHENTICATED)
        .and_if(event.status.as_ref().is_some_and(|status| status.code == 403), Facts::REFUSED)
        .and_if(event.annotations.decision().is_none(), Facts::UNDECIDED)
        .and_if(event.annotations.legacy_token().is_some(), Facts::LEGACY_TOKEN)
        .and_if(event.annotations.stale_seconds().is_some(), Facts::STALE_TOKEN)
        .and_if(event.annotations.truncated_by_server(), Facts::SERVER_CUT)
        .and_if(event.annotations.reason().is_some_and(|why| why.starts_with(ACCESS_POLICY)), Facts::ACCESS_POLICY)
        .and_if(!is_open(&event.verb, &event.request_uri), Facts::CLOSED_PATH)
        .and_if(visit.is_remembered(case.memory), Facts::REMEMBERED);
    facts = of_verb(&event.verb, facts);
    if let Some(object) = &event.object {
        facts = of_object(object, &event.verb, facts.and(Facts::OBJECT));
    }
    case.session.as_ref().map_or(facts, |session| of_session(session, facts))
}

#[test]
fn whatever_a_detection_sees_it_is_interested_in() {
    let mut held = 0;
    for (file, case) in cases() {
        let (settings, mut memory) = (case.settings(), case.memory());
        let mut judge = Judge::new(&Source::default(), &settings);
        for line in case.lines() {
            let before = memory.clone();
            let text = LogLine { timestamp_ms: None, log_stream: None, message: line.as_str().into() };
            let Some(event) = judge.explain(Ok(text), &settings, &mut memory).and_then(|explanation| explanation.event)
            else {
                continue;
            };
            let read = AuditEvent::read(&line).unwrap();
            if read.cut.is_some() && !read.annotations.truncated_by_server() {
                // A cut line never comes to the scanner's end.
                continue;
            }
            let facts = facts(&Case::new(&read, &settings.source, &settings, &before));
            for finding in event.findings {
                let interest = finding.detection.check.interest().unwrap();
                assert!(facts.meet_any(interest), "{file}, `{}`: {}", case.name(), finding.detection.id);
                held += 1;
            }
        }
    }
    assert!(held > 200, "{held}");
}

#[test]
fn every_detection_of_audit_events_is_interested_in_something_but_not_in_everything() {
    for detection in detections::ALL {
        if let Some(interest) = detection.check.interest() {
            assert!(!interest.is_empty(), "{} would never be asked", detection.id);
            assert!(!interest.contains(&Facts::NONE), "{} would have every line read", detection.id);
        }
    }
    // Each mask is a comparison per line.
    assert!(interest().len() <= 64);
}

impl Sifter {
    /// How many lines of a document would be read, and how many there are.
    pub(crate) fn count_read(&mut self, document: &[u8]) -> (usize, usize) {
        let entries = document.windows(13).position(|bytes| bytes == br#""logEvents":["#).unwrap() + 13;
        let (settings, mut sifted) = (Settings::default(), Sifted::default());
        let source =
            Source { cluster: Some("prod".to_owned()), account: Some("111122223333".to_owned()), ..Source::default() };
        Entries::default().sift(&document[entries..], (&source, &settings), self, &mut sifted);
        let read = sifted.steps.iter().filter(|step| step.what == What::Read).count();
        let quiet: u64 = sifted.quiet.iter().sum();
        (read, sifted.steps.len() + usize::try_from(quiet).unwrap())
    }
}

#[test]
fn a_memory_that_learns_makes_a_visit_worth_asking_again() {
    let mut memory = Memory::default();
    let before = memory.taught();
    memory.note_node(&("prod".to_owned(), "10.0.0.1".parse().unwrap()), "one");
    assert_ne!(memory.taught(), before);
    let taught = memory.taught();
    memory.note_node(&("prod".to_owned(), "10.0.0.1".parse().unwrap()), "one");
    assert_eq!(memory.taught(), taught, "nothing new");
}
