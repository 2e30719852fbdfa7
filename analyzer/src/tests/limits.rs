//! Every limit in one table of ARCHITECTURE.md, written from the constants, and each held at its edge and one past it.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

use expect_test::expect_file;
use serde_json::json;

use super::harness::{cases, judge, top};
use crate::alert::{Alert, EVIDENCE_MAX};
use crate::aws_auth::{self, AwsAuth, Pitfall};
use crate::envelope::{Envelope, EnvelopeError, INFLATED_BYTES_MAX};
use crate::exceptions::Exceptions;
use crate::gather::{ALERTS_MAX, gather};
use crate::memory::Memory;

/// What a limit bounds, its constant, the file of it, and the test at its edge with that test's file.
struct Limit(&'static str, &'static str, &'static str, &'static str, &'static str);

const HERE: &str = "analyzer/src/tests/limits.rs";

const LIMITS: &[Limit] = &[
    Limit(
        "a delivery, inflated; with it the ratio of inflation and the number of lines",
        "INFLATED_BYTES_MAX",
        "analyzer/src/envelope.rs",
        "a_delivery_at_its_limit_is_read_and_one_past_it_is_not",
        HERE,
    ),
    Limit(
        "one line",
        "LINE_BYTES_MAX",
        "analyzer/src/envelope.rs",
        "a_line_at_the_limit_is_read_and_one_past_it_is_not",
        "analyzer/src/envelope.rs",
    ),
    Limit(
        "lines of one entry of the api stream",
        "ENTRY_LINES_MAX",
        "analyzer/src/klog.rs",
        "entries_are_bounded_and_no_line_is_lost",
        "analyzer/src/klog.rs",
    ),
    Limit(
        "a section of `aws-auth`",
        "SECTION_BYTES_MAX",
        "analyzer/src/aws_auth.rs",
        "a_section_at_its_limit_is_read_and_one_past_it_is_broken",
        HERE,
    ),
    Limit(
        "YAML aliases of a section",
        "ALIASES_MAX",
        "analyzer/src/aws_auth.rs",
        "aliases_and_depth_at_their_limits_are_read_and_past_them_are_broken",
        HERE,
    ),
    Limit(
        "YAML depth of a section",
        "DEPTH_MAX",
        "analyzer/src/aws_auth.rs",
        "aliases_and_depth_at_their_limits_are_read_and_past_them_are_broken",
        HERE,
    ),
    Limit(
        "a file of exceptions",
        "FILE_BYTES_MAX",
        "analyzer/src/exceptions/file.rs",
        "exceptions_at_their_limits_are_read_and_past_them_are_refused",
        HERE,
    ),
    Limit(
        "exceptions",
        "EXCEPTIONS_MAX",
        "analyzer/src/exceptions/file.rs",
        "exceptions_at_their_limits_are_read_and_past_them_are_refused",
        HERE,
    ),
    Limit(
        "remembered objects",
        "OBJECT_BYTES_MAX",
        "analyzer/src/memory/objects.rs",
        "objects_with_long_names_keep_to_their_limit",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "remembered sessions",
        "SESSION_BYTES_MAX",
        "analyzer/src/memory/sessions.rs",
        "sessions_with_long_names_keep_to_their_limit",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "events of a session that are known again",
        "SEEN_MAX",
        "analyzer/src/memory/sessions.rs",
        "a_session_knows_its_last_events_again_and_no_more",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "each table of tokens",
        "TOKEN_BYTES_MAX",
        "analyzer/src/memory/tokens.rs",
        "tokens_with_long_names_keep_to_their_limit",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "events listed in an alert",
        "EVIDENCE_MAX",
        "analyzer/src/alert.rs",
        "an_alert_lists_as_many_events_as_its_limit_and_counts_the_rest",
        HERE,
    ),
    Limit(
        "the lines of an alert's text",
        "SCREEN_LINES",
        "analyzer/src/alert/text.rs",
        "an_alert_fits_a_screen_however_much_it_stands_for_and_however_long_the_names_are",
        "analyzer/src/tests/laws.rs",
    ),
    Limit(
        "a name in an alert",
        "NAME_CHARS_MAX",
        "analyzer/src/text.rs",
        "text_is_cut_at_its_limit",
        "analyzer/src/text.rs",
    ),
    Limit(
        "alerts of one batch",
        "ALERTS_MAX",
        "analyzer/src/gather.rs",
        "alerts_at_their_limit_are_sent_and_past_it_are_gathered",
        HERE,
    ),
    Limit(
        "an SNS message",
        "MESSAGE_BYTES_MAX",
        "lambda/src/sink/sns/message.rs",
        "what_is_too_long_is_cut_by_bytes_not_characters",
        "lambda/src/sink/sns/message.rs",
    ),
];

/// The text of the constant: its expression and what its comment says.
fn constant(file: &str, name: &str) -> (String, String) {
    let source = fs::read_to_string(top().join(file)).unwrap();
    let lines: Vec<&str> = source.lines().collect();
    let at = lines.iter().position(|line| line.contains(&format!("const {name}: "))).unwrap_or_else(|| {
        panic!("{file} has no constant {name}");
    });
    let expression = lines[at].split_once(" = ").unwrap().1.trim_end_matches(';').to_owned();
    let mut reason: Vec<&str> = lines[..at].iter().rev().map_while(|line| line.trim().strip_prefix("/// ")).collect();
    reason.reverse();
    assert!(!reason.is_empty(), "{name} of {file} has no reason");
    (expression, reason.join(" "))
}

/// The value as a person says it.
fn value(name: &str, expression: &str) -> String {
    let number = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    let value = match expression.split_once("<<") {
        Some((left, right)) => number(left) << number(right),
        None => number(expression),
    };
    match (name.contains("BYTES"), value) {
        (true, bytes) if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        (true, bytes) if bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        (true, bytes) => format!("{bytes} bytes"),
        (false, number) if name.contains("CHARS") => format!("{number} characters"),
        (false, number) => number.to_string(),
    }
}

#[test]
fn the_table_of_limits_is_current_and_each_limit_has_a_test() {
    let mut table = String::from("| Of | Limit | Why | Constant |\n|---|---|---|---|\n");
    for Limit(of, name, file, test, test_file) in LIMITS {
        let (expression, reason) = constant(file, name);
        let source = fs::read_to_string(top().join(test_file)).unwrap();
        assert!(source.contains(&format!("fn {test}(")), "{test_file} has no test {test}");
        writeln!(table, "| {of} | {} | {reason} | `{name}` of `{file}` |", value(name, &expression)).unwrap();
    }
    let path = top().join("ARCHITECTURE.md");
    let page = fs::read_to_string(&path).unwrap();
    let (front, rest) = page.split_once("<!-- written by a test: limits -->\n").unwrap();
    let (_, back) = rest.split_once("<!-- end -->\n").unwrap();
    let page = format!("{front}<!-- written by a test: limits -->\n{table}<!-- end -->\n{back}");
    expect_file![path].assert_eq(&page);
}

#[test]
fn a_delivery_at_its_limit_is_read_and_one_past_it_is_not() {
    let document = br#"{"logEvents":[{"message":"x"}]}"#;
    for (length, expected) in [(INFLATED_BYTES_MAX, Ok(1)), (INFLATED_BYTES_MAX + 1, Err(EnvelopeError::TooLarge))] {
        let mut text = document.to_vec();
        text.resize(length, b' ');
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&text).unwrap();
        let opened = Envelope::open_gzip(&encoder.finish().unwrap());
        assert_eq!(opened.map(|envelope| envelope.lines().len()), expected, "{length}");
    }
}

fn is_broken(text: &str) -> bool {
    AwsAuth::read([("mapRoles", text)]).pitfalls.contains(&Pitfall::Broken("mapRoles".to_owned()))
}

#[test]
fn a_section_at_its_limit_is_read_and_one_past_it_is_broken() {
    let entry = "- rolearn: arn:aws:iam::111122223333:role/a\n";
    let padded = |length: usize| format!("{entry}#{}", "x".repeat(length - entry.len() - 1));
    assert!(!is_broken(&padded(aws_auth::SECTION_BYTES_MAX)));
    assert!(is_broken(&padded(aws_auth::SECTION_BYTES_MAX + 1)));
}

#[test]
fn aliases_and_depth_at_their_limits_are_read_and_past_them_are_broken() {
    // Ten groups, each used again and again: fewer anchors with as many aliases are taken for a bomb sooner.
    let aliases = |count: usize| {
        let names = (0..10).map(|number| format!("  - &g{number} group-{number}\n"));
        let uses = (0..count).map(|number| format!("  - *g{}\n", number % 10));
        let groups: Vec<String> = names.chain(uses).collect();
        format!("- rolearn: arn:aws:iam::111122223333:role/a\n  groups:\n{}", groups.concat())
    };
    assert!(!is_broken(&aliases(aws_auth::ALIASES_MAX)));
    assert!(is_broken(&aliases(aws_auth::ALIASES_MAX + 1)));
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(!is_broken(&nested(aws_auth::DEPTH_MAX)));
    assert!(is_broken(&nested(aws_auth::DEPTH_MAX + 1)));
}

#[test]
fn exceptions_at_their_limits_are_read_and_past_them_are_refused() {
    let of = |count: usize| {
        let mut text = String::from("exceptions:\n");
        for number in 0..count {
            let _ = writeln!(text, "- {{id: e{number}, reason: r, owner: o, expires: 2030-01-01, actor: ops}}");
        }
        text
    };
    assert_eq!(Exceptions::read(&of(500)).unwrap().all().len(), 500);
    assert!(Exceptions::read(&of(501)).is_err());
    let padded = |length: usize| {
        let text = of(1);
        format!("{text}#{}", "x".repeat(length - text.len() - 1))
    };
    assert!(Exceptions::read(&padded(256 << 10)).is_ok());
    assert!(Exceptions::read(&padded((256 << 10) + 1)).is_err());
}

/// Alerts that no burst takes in.
fn grave(count: usize) -> Vec<Alert> {
    let (_, case) = cases().into_iter().find(|(file, _)| file == "rbac_binding_changed").unwrap();
    let alert = judge(&case.lines(), &case.settings(), &mut Memory::default()).alerts.remove(0);
    vec![Alert { severity: crate::severity::Severity::Critical, ..alert }; count]
}

#[test]
fn alerts_at_their_limit_are_sent_and_past_it_are_gathered() {
    assert_eq!(gather(grave(ALERTS_MAX)).len(), ALERTS_MAX);
    let gathered = gather(grave(ALERTS_MAX + 1));
    assert_eq!(gathered.len(), ALERTS_MAX);
    let events: u64 = gathered.iter().map(|alert| alert.events).sum();
    assert_eq!(events, u64::try_from(ALERTS_MAX + 1).unwrap(), "none is dropped");
}

#[test]
fn an_alert_lists_as_many_events_as_its_limit_and_counts_the_rest() {
    for (count, listed) in [(EVIDENCE_MAX, EVIDENCE_MAX), (EVIDENCE_MAX + 1, EVIDENCE_MAX)] {
        let digest = crate::gather::gather_at_most(grave(count), 1);
        assert_eq!((digest.len(), digest[0].evidence.len()), (1, listed));
        assert_eq!(digest[0].ocsf()["count"], json!(count));
    }
}
