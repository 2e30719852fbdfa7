//! What holds for input that nobody wrote down: samples changed at random, drowned in noise, written another way.
//!
//! `PROPTEST_CASES` asks for more than the few that an ordinary run takes; the fuzz targets go further.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::harness::{Case, cases, judge, top};
use super::laws::found;
use super::promises::{self, Schema};
use crate::alert::{Activity, Alert};
use crate::authenticator::AuthenticatorLine;
use crate::aws_auth::AwsAuth;
use crate::cloudtrail;
use crate::envelope::Envelope;
use crate::evidence::Deeds;
use crate::exceptions::Exceptions;
use crate::gather::gather;
use crate::memory::{Fact, Memory};
use crate::report::close_all;

fn config() -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { CASES };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// One change of a text.
#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, &'static str),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    /// A piece of the text, moved somewhere else.
    Graft(Index, Index, usize),
}

/// What clients play with, and what readers treat apart.
const TOKENS: &[&str] = &[
    "\n",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1e999",
    "\\ud800",
    "\\u0000",
    "\u{202e}",
    "\u{1b}[2J",
    "[Truncated...]",
    "\"verb\":\"get\",",
    "\"dryRun\":[\"All\"],",
    "?dryRun=All",
    "system:masters",
    "cluster-admin",
    "E1123 06:52:33.508056   30538 metrics.go:110] ",
    " AUDIT: id=\"x\" ",
    "time=\"2026-11-23T06:51:21Z\" ",
    "\"detail\":{",
    "&a *a",
    "- ",
    "é",
    "\u{fffd}",
];

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<Index>(), select(TOKENS)).prop_map(|(at, token)| Edit::Insert(at, token)),
        (any::<Index>(), 1..200_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
        (any::<Index>(), 1..40_usize, 2..60_usize).prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        (any::<Index>(), any::<Index>(), 1..300_usize).prop_map(|(from, to, length)| Edit::Graft(from, to, length)),
    ]
}

fn edited(text: &str, edits: &[Edit]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for edit in edits {
        let at = |index: &Index| index.index(text.len() + 1);
        let piece = |start: usize, length: usize| text[start..(start + length).min(text.len())].to_vec();
        match edit {
            Edit::Insert(index, token) => {
                let at = at(index);
                text.splice(at..at, token.chars());
            }
            Edit::Remove(index, length) => {
                let start = at(index);
                text.drain(start..(start + length).min(text.len()));
            }
            Edit::Repeat(index, length, times) => {
                let start = at(index);
                let repeated = piece(start, *length).repeat(*times);
                text.splice(start..start, repeated);
            }
            Edit::Graft(from, to, length) => {
                let (graft, to) = (piece(at(from), *length), at(to));
                text.splice(to..to, graft);
            }
        }
    }
    text.into_iter().collect()
}

/// A JSON text that means the same: members in another order, white space between, characters escaped.
fn rewritten(value: &Value, random: &mut impl FnMut(usize) -> usize) -> String {
    let mut blank = || ["", " ", "\t", "  \n"][random(4)];
    let (before, after) = (blank(), blank());
    let text = match value {
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            for last in (1..members.len()).rev() {
                members.swap(last, random(last + 1));
            }
            let members: Vec<String> = members
                .into_iter()
                .map(|(key, value)| format!("{}:{}", rewritten(&json!(key), random), rewritten(value, random)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(|value| rewritten(value, random)).collect();
            format!("[{}]", values.join(","))
        }
        Value::String(text) => {
            let escaped: String = text
                .encode_utf16()
                .map(|unit| match char::from_u32(u32::from(unit)) {
                    Some(plain @ (' ' | '!' | '#'..='[' | ']'..='~')) if random(8) > 0 => plain.to_string(),
                    _ => format!("\\u{unit:04x}"),
                })
                .collect();
            format!("\"{escaped}\"")
        }
        scalar => scalar.to_string(),
    };
    format!("{before}{text}{after}")
}

/// Cases of audit events alone: the entries of the api stream may go on over several lines.
fn of_events(case: &Case) -> bool {
    case.lines().iter().chain(&case.before()).all(|line| line.starts_with('{') && !line.contains("\"eventSource\""))
}

/// Alerts that are new, each with what it says.
fn told(alerts: &[Alert]) -> BTreeMap<String, (String, String)> {
    alerts
        .iter()
        .filter(|alert| alert.activity == Activity::Create)
        .map(|alert| {
            (
                alert.id.as_str().to_owned(),
                (alert.severity.to_string(), format!("{:?}", found(std::slice::from_ref(alert)))),
            )
        })
        .collect()
}

/// Lines that say nothing, and lines that cannot be read.
fn noise() -> Vec<String> {
    let recorded = std::fs::read_to_string(top().join("samples/recorded/quiet-cluster/audit.ndjson")).unwrap();
    let quiet =
        |line: &&str| judge(&[(*line).to_owned()], &cases()[0].1.settings(), &mut Memory::default()).alerts.is_empty();
    let bad = ["{", "}", "\u{0}", "{\"kind\":\"Event\",\"auditID\":\"", "[[[[[[", "\"", "{\"a\":1}{\"b\":2}", "null"];
    recorded.lines().step_by(7).filter(quiet).take(60).chain(bad).map(ToOwned::to_owned).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_lines_make_it_panic_and_every_alert_is_as_promised(
        case in select(cases().into_iter().map(|(_, case)| case).collect::<Vec<_>>()),
        edits in vec(edit(), 1..8),
    ) {
        let text = [case.before(), case.lines()].concat().join("\n");
        let lines: Vec<String> = edited(&text, &edits).split('\n').map(ToOwned::to_owned).collect();
        let mut memory = Memory::default();
        let report = judge(&lines, &case.settings(), &mut memory);
        prop_assert_eq!(report.alerted + report.quiet_total() + report.skipped_total(), report.lines);
        let schema = Schema::beside(&top());
        for alert in report.alerts.iter().chain(&close_all(&mut memory)).chain(&gather(report.alerts.clone())) {
            promises::hold(alert, &schema);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(
        text in prop_oneof![
            any::<String>(),
            vec(select(TOKENS), 0..80).prop_map(|tokens| tokens.concat()),
            (select(cases().into_iter().flat_map(|(_, case)| case.lines()).collect::<Vec<_>>()), vec(edit(), 0..6))
                .prop_map(|(text, edits)| edited(&text, &edits)),
        ],
    ) {
        let _ = Envelope::open(&text);
        let _ = Envelope::open_gzip(text.as_bytes());
        let opened = Envelope::open_document(text.clone().into_bytes(), None);
        let _ = opened.map(|envelope| envelope.lines().len());
        let _ = AuthenticatorLine::read(&text).map(|line| format!("{:?}", line.event()));
        let _ = cloudtrail::records(&text, |record| {
            let _ = cloudtrail::CloudTrailEvent::read(record).map(|event| event.parameters());
        });
        let _ = Exceptions::read(&text).map_err(|error| error.to_string());
        let map = AwsAuth::read([("mapRoles", text.as_str()), ("mapUsers", text.as_str()), (text.as_str(), "")]);
        prop_assert!(map.without(&map).is_empty());
        let entries = crate::klog::entries(text.lines().map(|line| (None, line)));
        prop_assert_eq!(entries.iter().map(|entry| entry.lines).sum::<u64>(), u64::try_from(text.lines().count()).unwrap());
        for entry in entries {
            let _ = entry.lost_events();
            let _ = entry.time(None);
        }
    }

    #[test]
    fn an_event_written_another_way_gives_the_same_alert(
        case in select(cases().into_iter().map(|(_, case)| case).collect::<Vec<_>>()),
        seed: u64,
    ) {
        // An xorshift: which way is taken matters little, only that it can be taken again.
        let mut state = seed | 1;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
        };
        let lines: Vec<String> = case.lines();
        let other = case.json["lines"].as_array().unwrap().iter().map(|line| match line {
            Value::String(text) => text.clone(),
            event => rewritten(event, &mut random).trim().to_owned(),
        });
        let other: Vec<String> = other.collect();
        let judged = |lines: &[String]| told(&judge(lines, &case.settings(), &mut case.memory()).alerts);
        prop_assert_eq!(judged(&lines), judged(&other), "{:?}", other);
    }

    #[test]
    fn memory_and_sessions_stay_within_their_limits(
        batches in vec((select(cases().into_iter().map(|(_, case)| case).collect::<Vec<_>>()), vec(edit(), 0..4)), 1..12),
        share in select(vec![1_usize, 1_000, 10_000, 100_000]),
    ) {
        let mut memory = Memory::default();
        memory.limit_to_share(share);
        for (case, edits) in batches {
            let text = [case.before(), case.lines()].concat().join("\n");
            let lines: Vec<String> = edited(&text, &edits).split('\n').map(ToOwned::to_owned).collect();
            // As the Lambda does: a copy learns, and takes the place of the original.
            let mut copy = memory.clone();
            judge(&lines, &case.settings(), &mut copy);
            memory = copy;
            memory.settle();
            for (part, weight, limit) in memory.weighed() {
                prop_assert!(weight <= limit, "{}: {} of {} bytes", part, weight, limit);
            }
            for fact in memory.facts() {
                let Fact::Session(key, mark) = fact else { continue };
                let deeds: u64 = mark.deeds.kinds.iter().map(|deed| deed.count).sum();
                prop_assert_eq!(deeds + mark.deeds.others, mark.events, "{:?}", key);
                prop_assert!(mark.deeds.kinds.len() <= Deeds::KINDS_MAX && mark.counted <= mark.events, "{:?}", mark);
            }
        }
    }

    #[test]
    fn more_noise_never_changes_the_alerts_of_the_signal(
        case in select(cases().into_iter().map(|(_, case)| case).filter(of_events).collect::<Vec<_>>()),
        places in vec((any::<Index>(), select(noise())), 1..60),
    ) {
        let mut lines = case.lines();
        let alone = told(&judge(&lines, &case.settings(), &mut case.memory()).alerts);
        for (place, line) in places {
            lines.insert(place.index(lines.len() + 1), line);
        }
        let among = told(&judge(&lines, &case.settings(), &mut case.memory()).alerts);
        for (id, said) in alone {
            prop_assert_eq!(among.get(&id), Some(&said));
        }
    }
}

/// Changes tried by an ordinary run: a second or two for each property.
const CASES: u32 = 48;
