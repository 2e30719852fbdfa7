//! Who the alerts of a run are about: the end of the summary, for whoever opens a ticket.

use std::collections::HashMap;
use std::io::{self, Write};

use rolewatch_analyzer::alert::{Alert, Evidence};
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::text::{short, wrap};

use crate::summary::{AlertCounts, grouped};

/// What tells one actor from another: the name to show, and the ARN or username behind it.
pub(crate) type ActorKey = (String, String);

/// The actor of an alert.
pub(crate) fn actor(alert: &Alert) -> ActorKey {
    alert.first().map(|first| (first.actor.display.clone(), name(first).to_owned())).unwrap_or_default()
}

fn name(evidence: &Evidence) -> &str {
    evidence.actor.arn.as_deref().unwrap_or(&evidence.actor.username)
}

/// How an actor is shown: its name, and what is behind it where the name does not say.
pub(crate) fn shown((display, name): &ActorKey) -> String {
    let (display, name) = (short(display), short(name));
    // `ServiceAccount team/robot` says all of `system:serviceaccount:team:robot`.
    let says_all = name.ends_with(display) || display.starts_with("ServiceAccount ");
    match (display, name) {
        ("", "") => "somebody whom the log does not name".to_owned(),
        ("", name) => name.to_owned(),
        (display, "") => display.to_owned(),
        (display, _) if says_all => display.to_owned(),
        (display, name) => format!("{display} ({name})"),
    }
}

/// Every actor of the alerts that are shown, with the gravest that it did.
#[derive(Debug, Default)]
pub(crate) struct People {
    all: HashMap<ActorKey, Person>,
    /// Alerts of actors that found no room.
    left_out: u64,
}

#[derive(Debug, Default)]
struct Person {
    /// Number of the first alert, to keep the order of a run.
    first: usize,
    counts: AlertCounts,
    /// The gravest, at most [`DEEDS_SHOWN`], with severity and time.
    deeds: Vec<(Severity, String)>,
}

impl People {
    /// Counts an alert for its actor.
    pub(crate) fn add(&mut self, alert: &Alert) {
        let (key, first) = (actor(alert), self.all.len());
        if first >= PEOPLE_MAX && !self.all.contains_key(&key) {
            self.left_out += 1;
            return;
        }
        let person = self.all.entry(key).or_insert_with(|| Person { first, ..Person::default() });
        person.counts.add(alert.severity);
        if person.deeds.len() < DEEDS_SHOWN || person.deeds.iter().any(|(severity, _)| *severity < alert.severity) {
            person.deeds.push((alert.severity, deed(alert)));
            // The sort is stable: of equal severity, the earlier stay.
            person.deeds.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
            person.deeds.truncate(DEEDS_SHOWN);
        }
    }

    /// Writes them in lines of at most `columns`, whoever did the gravest first.
    pub(crate) fn write(&self, out: &mut dyn Write, columns: usize) -> io::Result<()> {
        let mut people: Vec<(&ActorKey, &Person)> = self.all.iter().collect();
        people.sort_by_key(|(_, person)| {
            let worst = person.deeds.first().map(|(severity, _)| *severity);
            (std::cmp::Reverse(worst), std::cmp::Reverse(person.counts.total()), person.first)
        });
        for (at, (key, person)) in people.iter().take(PEOPLE_SHOWN).enumerate() {
            if at == 0 {
                writeln!(out, "\nWho")?;
            }
            writeln!(out, "  {}: {}", shown(key), person.counts.words(|_| true))?;
            for (severity, deed) in &person.deeds {
                let mut label = severity.as_str();
                for line in wrap(deed, columns.saturating_sub(INDENT)) {
                    writeln!(out, "    {label:<14}{line}")?;
                    label = "";
                }
            }
            let told = u64::try_from(person.deeds.len()).unwrap_or(u64::MAX);
            let more = person.counts.total().saturating_sub(told);
            if more > 0 {
                writeln!(out, "    {:<14}and {} more", "", grouped(more))?;
            }
        }
        let rest: u64 = people.iter().skip(PEOPLE_SHOWN).map(|(_, person)| person.counts.total()).sum();
        if rest + self.left_out > 0 {
            writeln!(out, "  others: {} alerts", grouped(rest + self.left_out))?;
        }
        Ok(())
    }
}

/// What was done, when, and where to find it.
fn deed(alert: &Alert) -> String {
    let mut text = match &alert.source.cluster {
        Some(cluster) => format!("{}: {}", rolewatch_analyzer::text::name(cluster), alert.summary),
        None => alert.summary.clone(),
    };
    if let Some(first) = alert.first() {
        let time = first.time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        let id = (!first.audit_id.is_empty()).then(|| format!("audit ID {}", first.audit_id));
        let more: Vec<String> = time.into_iter().chain(id).collect();
        if !more.is_empty() {
            text = format!("{text} ({})", more.join(", "));
        }
    }
    text
}

/// Actors in the summary: a ticket is read to its end.
const PEOPLE_SHOWN: usize = 10;
/// Alerts of each.
const DEEDS_SHOWN: usize = 3;
/// Actors kept while a run goes on. Whoever forges more names than that is told of as others.
const PEOPLE_MAX: usize = 10_000;
const INDENT: usize = 18;

#[cfg(test)]
mod tests {
    use super::{PEOPLE_MAX, People, shown};
    use rolewatch_analyzer::alert::{Activity, Actor, Alert, AlertId, Evidence};
    use rolewatch_analyzer::severity::Severity;
    use rolewatch_analyzer::stream::{Source, Stream};

    /// An alert about somebody of this name.
    fn alert_of(display: String) -> Alert {
        let evidence = Evidence {
            stream: Stream::Audit,
            log_stream: None,
            audit_id: String::new(),
            stage: "ResponseComplete",
            time: None,
            verb: "create".to_owned(),
            request_uri: String::new(),
            resource: String::new(),
            namespace: String::new(),
            name: String::new(),
            code: 201,
            outcome: "allowed",
            actor: Actor { display, ..Actor::default() },
            peer: None,
            claimed: Vec::new(),
            user_agent: String::new(),
            missing: "",
        };
        Alert {
            id: AlertId::of(["x"]),
            activity: Activity::Create,
            severity: Severity::High,
            summary: "gave somebody cluster-admin".to_owned(),
            findings: Vec::new(),
            evidence: vec![evidence],
            events: 1,
            source: Source::default(),
        }
    }

    #[test]
    fn actors_at_the_limit_are_told_by_name_and_one_past_it_is_counted_with_the_others() {
        let mut people = People::default();
        let of = |number: usize| alert_of(format!("actor-{number}"));
        (0..PEOPLE_MAX).for_each(|number| people.add(&of(number)));
        assert_eq!((people.all.len(), people.left_out), (PEOPLE_MAX, 0));
        people.add(&of(PEOPLE_MAX + 1));
        people.add(&of(0));
        assert_eq!((people.all.len(), people.left_out), (PEOPLE_MAX, 1), "whoever is known is still counted");
    }

    #[test]
    fn an_actor_is_shown_by_name_and_by_what_the_name_leaves_out() {
        let arn = "arn:aws:sts::111122223333:assumed-role/admin/alice@example.com";
        for (display, name, text) in [
            ("alice@example.com", arn, "alice@example.com"),
            (arn, arn, "admin/alice@example.com"),
            ("kubernetes-admin", arn, "kubernetes-admin (admin/alice@example.com)"),
            ("ServiceAccount ci/robot", "system:serviceaccount:ci:robot", "ServiceAccount ci/robot"),
            ("", "bob", "bob"),
            ("bob", "", "bob"),
            ("", "", "somebody whom the log does not name"),
        ] {
            assert_eq!(shown(&(display.to_owned(), name.to_owned())), text);
        }
    }
}
