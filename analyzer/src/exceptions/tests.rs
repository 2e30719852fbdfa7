//! What exceptions silence, and what they never do.

use super::Exceptions;
use super::file::{EXCEPTIONS_MAX, FILE_BYTES_MAX, TEXT_BYTES_MAX};
use crate::alert::Alert;
use crate::report::{Quiet, Report};
use crate::severity::Severity;
use crate::tests::harness;

fn file(fields: &str) -> String {
    format!("exceptions:\n- id: a\n  reason: r\n  owner: o\n  expires: 2030-01-01\n{fields}")
}

fn read(fields: &str) -> Exceptions {
    Exceptions::read(&file(fields)).unwrap()
}

/// The report of a sample of which a severity and a single detection are known.
fn sample(id: &str, severity: Severity) -> Report {
    let path = harness::sample_path(&id.replace('-', "_"));
    let cases = harness::read(&path);
    let reports = cases.iter().map(harness::Case::report);
    let fits = |report: &Report| {
        report.alerts.len() == 1 && report.alerts[0].severity == severity && report.alerts[0].detection_ids() == [id]
    };
    reports.into_iter().find(fits).unwrap()
}

fn silences(exceptions: &Exceptions, alert: &Alert) -> bool {
    !exceptions.apply(vec![alert.clone()]).silenced.is_empty()
}

#[test]
fn a_silenced_alert_is_counted_and_its_lines_are_quiet() {
    let mut report = sample("rbac-role-changed", Severity::Low);
    let lines = report.lines;
    let applied = read("  detections: [rbac-role-changed]\n").apply_to(&mut report);
    assert_eq!((report.alerts.len(), applied.silenced.len(), applied.used["a"]), (0, 1, 1));
    assert_eq!(report.quiet[&Quiet::Exception], 1);
    assert_eq!(report.alerted + report.quiet_total() + report.skipped_total(), lines);
}

#[test]
fn every_matcher_has_to_fit() {
    let report = sample("rbac-role-changed", Severity::Low);
    let alert = &report.alerts[0];
    let first = alert.first().unwrap();
    let object = format!("{}/{}", first.resource.rsplit('/').next().unwrap(), first.name);
    let actor = first.actor.arn.clone().unwrap_or_else(|| first.actor.username.clone());
    let rows = [
        (format!("  actor: '{actor}'\n"), true),
        (format!("  actor: '{}*'\n", actor.get(..4).unwrap()), true),
        ("  actor: somebody-else\n".to_owned(), false),
        (format!("  actor: '{actor}'\n  cluster: pro*\n"), true),
        (format!("  actor: '{actor}'\n  cluster: dev\n"), false),
        (format!("  verbs: [{}, watch]\n", first.verb), true),
        ("  verbs: [watch]\n".to_owned(), false),
        (format!("  object: '{}'\n", first.name), true),
        (format!("  object: '{object}'\n"), true),
        (format!("  object: '{}/{}'\n", first.resource, first.name), true),
        ("  object: pods/*\n".to_owned(), false),
        ("  namespace: no-such-*\n".to_owned(), false),
        ("  detections: [rbac-binding-changed]\n".to_owned(), false),
        ("  detections: [rbac-role-changed]\n  max_severity: informational\n".to_owned(), false),
    ];
    for (fields, expected) in rows {
        assert_eq!(silences(&read(&fields), alert), expected, "{fields}{first:?}");
    }
}

#[test]
fn nothing_above_medium_is_hidden_unless_it_is_asked_for() {
    let report = sample("rbac-binding-changed", Severity::High);
    assert!(!silences(&read("  detections: [rbac-binding-changed]\n"), &report.alerts[0]));
    assert!(silences(&read("  detections: [rbac-binding-changed]\n  max_severity: High\n"), &report.alerts[0]));
}

#[test]
fn an_alert_is_silenced_only_when_each_of_its_findings_is_covered() {
    let alerts = harness::cases().into_iter().flat_map(|(_, case)| case.report().alerts);
    let alert = alerts.into_iter().find(|alert| alert.detection_ids().len() > 1).unwrap();
    let one = |ids: &str| format!("  detections: [{ids}]\n  max_severity: critical\n");
    let ids = alert.detection_ids();
    assert!(!silences(&read(&one(ids[0])), &alert));
    assert!(silences(&read(&one(&ids.join(", "))), &alert));
    let two = format!(
        "{}- id: b\n  reason: r\n  owner: o\n  expires: 2030-01-01\n{}",
        file(&one(ids[0])),
        one(&ids[1..].join(", "))
    );
    let applied = Exceptions::read(&two).unwrap().apply(vec![alert]);
    assert_eq!(applied.used.keys().collect::<Vec<_>>(), ["a", "b"], "two exceptions together");
}

#[test]
fn an_expired_exception_silences_nothing_and_the_alert_says_so() {
    let report = sample("rbac-role-changed", Severity::Low);
    let time = super::time(&report.alerts[0]).unwrap();
    let at = |expires: String| {
        let text = format!(
            "exceptions: [{{id: a, reason: r, owner: o, expires: '{expires}', verbs: [create, update, patch, delete]}}]"
        );
        Exceptions::read(&text).unwrap().apply(report.alerts.clone())
    };
    let day = time.strftime("%Y-%m-%d").to_string();
    assert_eq!(at(day).silenced.len(), 1, "a date includes its day");
    let expired = at(time.to_string());
    assert_eq!((expired.silenced.len(), expired.expired["a"]), (0, 1));
    assert!(expired.alerts[0].text().contains("the exception `a` has expired"));
    assert_eq!(expired.alerts[0].id, report.alerts[0].id);
}

#[test]
fn what_means_that_the_log_cannot_be_believed_is_never_hidden() {
    let all = "exceptions: [{id: a, reason: r, owner: o, expires: 2030-01-01, max_severity: critical, actor: 'k*'},
        {id: b, reason: r, owner: o, expires: 2030-01-01, max_severity: critical, verbs: [create, update, patch, '']}]";
    let all = Exceptions::read(&all.replace(", ''", "")).unwrap();
    let mut seen = 0;
    for (_, case) in harness::cases() {
        for alert in case.report().alerts {
            if alert.detection_ids().iter().any(|id| super::NEVER_HIDDEN.contains(id)) {
                seen += 1;
                assert!(!silences(&all, &alert), "{}", alert.title());
            }
        }
    }
    assert!(seen > 0);
    for id in super::NEVER_HIDDEN {
        let error = Exceptions::read(&file(&format!("  detections: [{id}]\n"))).unwrap_err();
        assert_eq!((error.line, error.what), (6, format!("no exception hides `{id}`; remove it")));
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let rows = [
        (file("  actors: x\n"), 6, "unknown field"),
        ("exceptions: []\nmore: 1\n".to_owned(), 2, "unknown field"),
        ("exceptions:\n- id: a\n  reason: r\n  owner: o\n  verbs: [get]\n".to_owned(), 5, "missing field `expires`"),
        (file("  detections: [rbac-role-chnged]\n"), 6, "`rbac-role-chnged` is no detection; see"),
        (file("  actor: '*'\n"), 6, "`actor` cannot be used; write it out, or end it with one `*`"),
        (file("  object: 'a*b'\n"), 6, "`object` cannot be used"),
        (file("  max_severity: loud\n  verbs: [get]\n"), 6, "`max_severity` cannot be read; use one of informational"),
        (file(""), 2, "the exception `a` would cover everything; add"),
        (file("  cluster: prod\n"), 2, "the exception `a` would cover everything"),
        (file("  verbs: [get]\n").replace("2030-01-01", "soon"), 5, "`expires` cannot be read; write a date"),
        (file("  verbs: [get]\n").replace("id: a", "id: ''"), 2, "`id` is empty"),
        (file("  verbs: [get]\n").replace("id: a", "id: a b"), 2, "`id` may hold letters"),
        (
            file(&format!("  verbs: [get]\n{}", file("  verbs: [get]\n").split_once('\n').unwrap().1)),
            7,
            "the id `a` is there twice",
        ),
        ("exceptions: {".to_owned(), 1, ""),
        (String::new(), 1, ""),
    ];
    let mut wrong = Vec::new();
    for (text, line, what) in rows {
        let error = Exceptions::read(&text).unwrap_err();
        if !error.what.contains(what) || error.line != line || error.to_string().contains('\n') {
            wrong.push(format!("{text}\n{error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let large = format!("exceptions: [] #{}", "x".repeat(super::file::FILE_BYTES_MAX));
    assert!(Exceptions::read(&large).unwrap_err().what.contains("larger than"));
    assert_eq!(Exceptions::read("exceptions: []").unwrap(), Exceptions::default());
}

#[test]
fn files_at_their_limits_are_read_and_past_them_are_refused() {
    let of = |count: usize| {
        let one = |number| format!("- {{id: e{number}, reason: r, owner: o, expires: 2030-01-01, actor: ops}}\n");
        format!("exceptions:\n{}", (0..count).map(one).collect::<String>())
    };
    assert_eq!(Exceptions::read(&of(EXCEPTIONS_MAX)).unwrap().all().len(), EXCEPTIONS_MAX);
    assert!(Exceptions::read(&of(EXCEPTIONS_MAX + 1)).is_err());
    let padded = |length: usize| {
        let text = of(1);
        format!("{text}#{}", "x".repeat(length - text.len() - 1))
    };
    assert!(Exceptions::read(&padded(FILE_BYTES_MAX)).is_ok());
    assert!(Exceptions::read(&padded(FILE_BYTES_MAX + 1)).is_err());
    for field in ["actor", "object"] {
        let named = |length: usize| file(&format!("  {field}: {}\n", "x".repeat(length)));
        assert!(Exceptions::read(&named(TEXT_BYTES_MAX)).is_ok(), "{field}");
        assert!(Exceptions::read(&named(TEXT_BYTES_MAX + 1)).is_err(), "{field}");
    }
    let because =
        |length: usize| file("  actor: ops\n").replace("reason: r", &format!("reason: {}", "x".repeat(length)));
    assert!(Exceptions::read(&because(TEXT_BYTES_MAX)).is_ok());
    assert!(Exceptions::read(&because(TEXT_BYTES_MAX + 1)).is_err());
}
