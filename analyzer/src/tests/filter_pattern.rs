//! The filter patterns and the detections agree: what a detection needs passes, in every mode that promises it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use expect_test::expect_file;
use serde_json::Value;

use super::harness::{cases, is_call, judge, top};
use crate::detections;
use crate::filter_pattern::{Mode, PATTERN_CHARS_MAX};
use crate::memory::Memory;
use crate::report::Report;
use crate::settings::Settings;

/// A pattern of text, read by the published syntax (CloudWatch Logs user guide, "Filter pattern syntax", unstructured log
/// events): terms apart by white space; case counts; a term with anything but letters and digits stands in double quotes; `?`
/// before a term makes it one of several of which one is enough, `-` one that must not be there. Optional terms beside others
/// are ignored.
struct Pattern {
    optional: Vec<String>,
    required: Vec<String>,
    excluded: Vec<String>,
}

impl Pattern {
    fn read(pattern: &str) -> Self {
        let mut read = Self { optional: Vec::new(), required: Vec::new(), excluded: Vec::new() };
        let mut rest = pattern.trim_start();
        while !rest.is_empty() {
            let sign = rest.chars().next().filter(|sign| ['?', '-'].contains(sign));
            rest = rest.strip_prefix(['?', '-']).unwrap_or(rest);
            let (term, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').expect("a quotation ends"),
                None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
            };
            assert!(!term.is_empty() && !term.contains('\\'), "{term:?} in {pattern}");
            assert!(rest.starts_with('"') || term.chars().all(char::is_alphanumeric), "{term} must be quoted");
            assert!(after.is_empty() || after.starts_with(char::is_whitespace), "{after:?} follows {term}");
            match sign {
                Some('?') => read.optional.push(term.to_owned()),
                Some(_) => read.excluded.push(term.to_owned()),
                None => read.required.push(term.to_owned()),
            }
            rest = after.trim_start();
        }
        read
    }

    fn passes(&self, line: &str) -> bool {
        let one = self.optional.is_empty() || !self.required.is_empty() || !self.excluded.is_empty();
        (one || self.optional.iter().any(|term| holds(line, term)))
            && self.required.iter().all(|term| holds(line, term))
            && !self.excluded.iter().any(|term| holds(line, term))
    }
}

/// Whether a line holds a term as whole words. CloudWatch may be more generous and find it inside words; no pattern relies on
/// that.
fn holds(line: &str, term: &str) -> bool {
    let joins = |one: Option<char>, other: Option<char>| {
        one.is_some_and(char::is_alphanumeric) && other.is_some_and(char::is_alphanumeric)
    };
    line.match_indices(term).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + term.len()..).and_then(|after| after.chars().next());
        !joins(before, term.chars().next()) && !joins(term.chars().next_back(), after)
    })
}

#[test]
fn the_evaluator_reads_patterns_as_published() {
    let passes = |pattern: &str, line: &str| Pattern::read(pattern).passes(line);
    let line = "[ERROR 401] UNAUTHORIZED REQUEST for \"aws-auth\"";
    for pattern in
        ["", "ERROR", "ERROR REQUEST", "ERROR -WARN", "?WARN ?ERROR", "\"aws-auth\"", "\"401] UNAUTHORIZED\""]
    {
        assert!(passes(pattern, line), "{pattern}");
    }
    for pattern in ["error", "ERR", "ERROR WARN", "-ERROR", "ERROR -REQUEST", "?WARN ?INFO", "\"aws-auth \""] {
        assert!(!passes(pattern, line), "{pattern}");
    }
    // What is optional beside what is required counts for nothing.
    assert!(passes("ERROR ?WARN", line) && !passes("WARN ?ERROR", line));
}

#[test]
fn patterns_are_short_enough_and_narrow_step_by_step() {
    let patterns = Mode::ALL.map(|mode| (mode, Pattern::read(&mode.pattern()), mode.pattern()));
    for (mode, read, text) in &patterns {
        assert!(text.chars().count() <= PATTERN_CHARS_MAX && text.is_ascii(), "{}", mode.as_str());
        assert!(read.required.is_empty() && read.excluded.is_empty(), "{}", mode.as_str());
        assert_eq!(read.optional.iter().collect::<BTreeSet<_>>().len(), read.optional.len(), "a term twice");
        assert_eq!(Mode::parse(mode.as_str()), Some(*mode));
    }
    let [(_, everything, _), (_, logins, _), (_, changes, _)] = &patterns;
    assert!(everything.optional.is_empty() && logins.optional.starts_with(&changes.optional));
    for mode in Mode::ALL {
        assert!(mode.misses().iter().all(|id| detections::by_id(id).is_some()), "{}", mode.as_str());
    }
}

/// How many alerts of each detection there are, and how many events they stand for.
fn counted(report: &Report) -> BTreeMap<&'static str, (usize, u64)> {
    let mut counts = BTreeMap::new();
    for alert in &report.alerts {
        for finding in &alert.findings {
            let (alerts, events): &mut (usize, u64) = counts.entry(finding.detection.id).or_default();
            *alerts += 1;
            *events += alert.events;
        }
    }
    counts
}

/// Lines as they are delivered, and what is told of all of them.
struct Story {
    before: Vec<String>,
    lines: Vec<String>,
    settings: Settings,
    all: BTreeMap<&'static str, (usize, u64)>,
}

impl Story {
    fn new(before: Vec<String>, lines: Vec<String>, settings: Settings) -> Self {
        let mut story = Self { before, lines, settings, all: BTreeMap::new() };
        story.all = story.judged(|_| true);
        story
    }

    fn judged(&self, keep: impl Fn(&String) -> bool) -> BTreeMap<&'static str, (usize, u64)> {
        let kept = |lines: &[String]| lines.iter().filter(|line| keep(line)).cloned().collect::<Vec<_>>();
        let mut memory = Memory::default();
        judge(&kept(&self.before), &self.settings, &mut memory);
        counted(&judge(&kept(&self.lines), &self.settings, &mut memory))
    }

    /// The detections that say less, or nothing, when only what passes is judged.
    fn lost(&self, mode: Mode) -> BTreeSet<&'static str> {
        let pattern = Pattern::read(&mode.pattern());
        // Calls of the AWS API come by EventBridge and meet no pattern.
        let filtered = self.judged(|line| {
            let passes = pattern.passes(line);
            assert!(!passes || mode.passes(line), "the code and the syntax disagree on {line}");
            passes || is_call(line)
        });
        self.all.iter().filter(|(id, all)| filtered.get(*id) != Some(*all)).map(|(id, _)| *id).collect()
    }
}

#[test]
fn every_event_that_alerts_in_a_mode_passes_its_pattern() {
    let stories: Vec<Story> =
        cases().iter().map(|(_, case)| Story::new(case.before(), case.lines(), case.settings())).collect();
    for mode in Mode::ALL {
        let found: BTreeSet<&str> = stories.iter().flat_map(|story| story.lost(mode)).collect();
        let declared: BTreeSet<&str> = mode.misses().iter().copied().collect();
        assert_eq!(found, declared, "what `{}` misses, found (left) and declared", mode.as_str());
    }
}

/// A folder of the recordings, which are too large to be part of the project. `None` on a clone that stands alone.
fn recordings(folder: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(top().join("..")).ok()?.filter_map(Result::ok);
    let mut corpora = entries.map(|entry| entry.path().join("corpus"));
    let found = corpora.find(|corpus| corpus.join("index.json").exists()).map(|corpus| corpus.join(folder));
    if found.is_none() {
        // Past the capture of the test runner: a test that did not run must be seen.
        let _ =
            writeln!(std::io::stderr(), "\nSKIPPED: no recordings lie beside the project, so none met the patterns");
    }
    found
}

#[test]
fn every_recorded_scenario_passes_the_patterns() {
    let Some(folder) = recordings("scenarios") else { return };
    let mut scenarios = 0;
    for scenario in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let read = |file: &str| -> Vec<String> {
            let text = fs::read_to_string(scenario.join(file)).unwrap_or_default();
            text.lines().map(ToOwned::to_owned).collect()
        };
        let events = read("events.ndjson");
        let lines = [events.clone(), read("kube-apiserver.log"), read("authenticator.log")].concat();
        let expected: Vec<Value> = serde_json::from_str(&read("expected.json").join("\n")).unwrap();
        let story = Story::new(Vec::new(), lines, Settings::default());
        // What passes everything passes.
        for mode in [Mode::Logins, Mode::Changes] {
            let mut missed = story.lost(mode);
            missed.retain(|id| !mode.misses().contains(id));
            assert!(missed.is_empty(), "{}: `{}` misses {missed:?}", scenario.display(), mode.as_str());
            let pattern = Pattern::read(&mode.pattern());
            for label in &expected {
                let of_change = |kind: &str| !kind.starts_with("sa_token.") || kind == "sa_token.issued";
                let line = usize::try_from(label["line"].as_u64().unwrap()).unwrap();
                let promised = mode != Mode::Changes || of_change(label["kind"].as_str().unwrap());
                assert!(!promised || pattern.passes(&events[line - 1]), "{}: {label}", scenario.display());
            }
        }
        scenarios += 1;
    }
    assert!(scenarios > 50, "only {scenarios} scenarios");
}

#[test]
fn the_page_says_what_each_mode_does_not_see() {
    let mut page = String::from(
        "<!-- Written by a test from the code. Change that, then `make bless`. -->\n# Filter patterns\n\n\
         What a subscription filter of CloudWatch Logs hands on is what Rolewatch can judge. The template's parameter \
         `FilterMode` chooses one of these; `rolewatch filter-pattern --mode MODE` prints the pattern for a subscription of \
         your own, and `rolewatch cost FILE` measures on your own log how much each hands on.\n\n\
         All are patterns of text. A pattern of JSON would drop the API server's own log, where lost audit events show, and \
         every audit event that was cut. A test runs every sample and every recording with each pattern and without it. None \
         has been tried against AWS: run yours through `aws logs test-metric-filter` with a few lines of your own first.\n",
    );
    for mode in Mode::ALL {
        let pattern = mode.pattern();
        let _ = write!(page, "\n## `{}`\n\nHands on: {}.\n\n", mode.as_str(), mode.meaning());
        if pattern.is_empty() {
            page.push_str("The pattern is empty. Nothing can be missed by it.\n");
        } else {
            let _ = writeln!(page, "{} of {PATTERN_CHARS_MAX} characters:\n\n```text\n{pattern}\n```", pattern.len());
        }
        if !mode.misses().is_empty() {
            page.push_str("\nSees nothing of these, or only a part:\n\n");
        }
        for id in mode.misses() {
            let title = detections::by_id(id).map(crate::detection::Detection::title).unwrap_or_default();
            let _ = writeln!(page, "- [`{id}`](detections/{id}.md): {title}");
        }
    }
    expect_file![top().join("docs/filter-patterns.md")].assert_eq(&page);
}
