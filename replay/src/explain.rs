//! Why a line alerted or stayed quiet, for people: `rolewatch explain` and `replay --explain`.

use std::io::{self, Write};

use anstyle::Style;
use rolewatch_analyzer::alert::{Alert, Evidence};
use rolewatch_analyzer::detection::Finding;
use rolewatch_analyzer::report::{Decision, Explained, Explanation, Quiet};
use rolewatch_analyzer::text;

use crate::cli::ExplainArgs;
use crate::config::Choices;
use crate::error::Error;
use crate::intake::{Found, Intake, Wanted};
use crate::memory;
use crate::output::{style, width};
use crate::replay::{self, Outcome};
use crate::summary::explained;

/// Explains the event that `options` name.
pub(crate) fn run(options: &ExplainArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    let inputs = replay::inputs(&options.paths)?;
    let choices = Choices::read(&options.reviewed, &options.about)?;
    let cluster = choices.settings.source.cluster.as_deref().unwrap_or_default();
    let known = options.memory.as_deref().map(|path| memory::load(path, cluster, err)).transpose()?;
    let progress = replay::progress(&inputs, true);
    // The analyzer shows ids made printable and bounded, so that is how they are compared.
    let id = text::name(&options.audit_id);
    let mut written = 0_u64;
    let mut deliver = |found: Found| -> Result<(), Error> {
        for (place, explanation) in &found.explained {
            if written > 0 {
                writeln!(out)?;
            }
            write(out, place, explanation, &found.silenced)?;
            written += 1;
        }
        Ok(out.flush()?)
    };
    let intake = Intake::new(&choices.settings, &mut deliver)
        .excepting(&choices.exceptions)
        .explaining(Wanted::Event(id.clone()))
        .remembering(known.unwrap_or_default());
    replay::all_readable(replay::read(&inputs, replay::cores(), intake, &progress)?.unreadable, err)?;
    if written == 0 { Err(Error::NoEvent { id }) } else { Ok(Outcome::Done) }
}

/// Writes one explanation. An alert that is among the `silenced` was not told.
pub(crate) fn write(
    out: &mut dyn Write,
    place: &str,
    explanation: &Explanation,
    silenced: &[(Alert, Vec<String>)],
) -> io::Result<()> {
    let event = explanation.event.as_ref();
    let what = event.map(|event| request(&event.evidence)).unwrap_or_default();
    writeln!(out, "{BOLD}{place}{BOLD:#}{}{what}", if what.is_empty() { "" } else { "  " })?;
    match &explanation.decision {
        Decision::Alerted(id, severity) => {
            if let Some((_, exceptions)) = silenced.iter().find(|(alert, _)| alert.id == *id) {
                let ids = exceptions.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
                row(out, "decision", &format!("quiet, exception: covered by {ids}; it would be an alert, {severity}"))?;
                return event.map_or(Ok(()), |event| details(out, event, true));
            }
            let style = style(*severity);
            writeln!(out, "  {:<12}alert, {style}{severity}{style:#} ({})", "decision", id.as_str())?;
        }
        Decision::Counted => row(out, "decision", "counted on the alert that its session has already")?,
        Decision::Quiet(reason) => {
            row(out, "decision", &format!("quiet, {}", explained(reason.as_str(), reason.meaning())))?;
        }
        Decision::Skipped(reason) => {
            row(out, "decision", &format!("skipped, {}", explained(reason.as_str(), reason.meaning())))?;
        }
    }
    // A second time, nothing is gained: what was seen is said of the first.
    let first = explanation.decision != Decision::Quiet(Quiet::Repeated);
    event.map_or(Ok(()), |event| details(out, event, first))
}

fn details(out: &mut dyn Write, event: &Explained, first: bool) -> io::Result<()> {
    for (at, finding) in event.findings.iter().enumerate().filter(|_| first) {
        row(out, if at == 0 { "seen by" } else { "" }, &seen(finding))?;
    }
    if event.looked > 0 && first {
        let others = event.looked.saturating_sub(event.findings.len());
        let words = match (event.findings.is_empty(), others) {
            (true, _) => format!("no detection; {} looked", event.looked),
            (false, 1) => "1 other detection looked and saw nothing".to_owned(),
            (false, _) => format!("{others} other detections looked and saw nothing"),
        };
        row(out, if event.findings.is_empty() { "seen by" } else { "" }, &words)?;
    }
    if let Some(change) = &event.change {
        row(out, "change", &change.what)?;
        if let Some(reason) = change.ordinary {
            row(out, "ordinary", &explained(reason.as_str(), reason.meaning()))?;
        }
    }
    for (at, finding) in event.held_back.iter().enumerate() {
        row(out, if at == 0 { "without it" } else { "" }, &seen(finding))?;
    }
    if let Some(session) = &event.session {
        row(out, "session", session)?;
    }
    let evidence = &event.evidence;
    if !event.proven.is_empty() {
        row(out, "caller", &format!("{}: {}", evidence.actor.display, event.proven))?;
    }
    if !evidence.missing.is_empty() {
        row(out, "missing", evidence.missing)?;
    }
    if !evidence.audit_id.is_empty() {
        // CloudTrail knows no stages.
        let stage = if evidence.stage.is_empty() { String::new() } else { format!(" ({})", evidence.stage) };
        row(out, "audit ID", &format!("{}{stage}", evidence.audit_id))?;
    }
    Ok(())
}

/// `2026-03-01 10:00:01 UTC  alice@example.com create rbac.authorization.k8s.io/clusterroles/x -> 201`
fn request(evidence: &Evidence) -> String {
    let time = evidence.time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    let target = if evidence.resource.is_empty() {
        evidence.request_uri.clone()
    } else {
        let parts = [&evidence.resource, &evidence.namespace, &evidence.name];
        parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("/")
    };
    let code = if evidence.code == 0 { String::new() } else { format!("-> {}", evidence.code) };
    let words = [evidence.actor.display.as_str(), &evidence.verb, &target, &code];
    let words = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    time.into_iter().chain([words]).collect::<Vec<_>>().join("  ")
}

fn seen(finding: &Finding) -> String {
    format!("{}, {}: {}", finding.detection.id, finding.hit.severity, finding.hit.what)
}

fn row(out: &mut dyn Write, label: &str, words: &str) -> io::Result<()> {
    let mut label = label;
    for line in text::wrap(words, width().saturating_sub(INDENT)) {
        writeln!(out, "  {label:<12}{line}")?;
        label = "";
    }
    Ok(())
}

const BOLD: Style = Style::new().bold();
const INDENT: usize = 14;
