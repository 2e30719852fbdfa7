//! The template and the code agree. What CloudFormation thinks of the template is tested in `infra/tests`.

use std::collections::BTreeSet;
use std::path::Path;

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::envelope::LogLine;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::analyze;
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Source;
use rolewatch_lambda::config::VARIABLES;

use crate::delivery::{grant, noise};

fn infra(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra").join(file)).unwrap()
}

#[test]
fn the_template_sets_exactly_the_variables_of_the_function() {
    let template = infra("template.yaml");
    let set: BTreeSet<&str> = template
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with("ROLEWATCH_"))
        .collect();
    assert_eq!(set, VARIABLES.iter().map(|variable| variable.name).collect());
}

#[test]
fn the_narrow_filter_pattern_passes_every_line_that_matters() {
    let readme = infra("README.md");
    let (_, rest) = readme.split_once("```text\n").unwrap();
    let (pattern, _) = rest.split_once("\n```").unwrap();
    let terms: Vec<&str> = pattern.split('"').skip(1).step_by(2).collect();
    assert_eq!(terms.len(), pattern.matches('?').count());
    let passes = |line: &&str| terms.iter().any(|term| line.contains(term));

    let own = [grant(1), noise(2)].join("\n");
    assert_eq!(own.lines().filter(passes).count(), 1);
    let mut stories = vec![own];
    stories.extend(recorded_logs());
    for story in stories {
        let lines: Vec<&str> = story.lines().collect();
        let narrowed: Vec<&str> = lines.iter().copied().filter(passes).collect();
        let (all, some) = (ids(&lines), ids(&narrowed));
        let lost: Vec<&String> = all.difference(&some).collect();
        assert!(lost.is_empty(), "the pattern in infra/README.md must also pass what these alert on: {lost:?}");
    }
}

/// The ids of the alerts that these lines give, and of their detections, from low upwards.
fn ids(lines: &[&str]) -> BTreeSet<String> {
    let lines = lines.iter().map(|line| Ok(LogLine { timestamp_ms: None, log_stream: None, message: (*line).into() }));
    let report = analyze(&Source::default(), lines, &Settings::default(), &mut Memory::default());
    let alerts = report.alerts.iter().filter(|alert| alert.severity >= Severity::Low);
    let of = |alert: &Alert| -> BTreeSet<&str> {
        let findings = alert.findings.iter().filter(|finding| finding.hit.severity >= Severity::Low);
        findings.map(|finding| finding.detection.id).collect()
    };
    alerts.map(|alert| format!("{} {:?}", alert.id.as_str(), of(alert))).collect()
}

/// What was recorded of each scenario, where the recordings are at hand.
fn recorded_logs() -> Vec<String> {
    let Some(folder) = crate::corpus::recordings("scenarios") else { return Vec::new() };
    let files = std::fs::read_dir(folder).unwrap().flat_map(|scenario| {
        let scenario = scenario.unwrap().path();
        [scenario.join("events.ndjson"), scenario.join("kube-apiserver.log")]
    });
    files.filter_map(|file| std::fs::read_to_string(file).ok()).filter(|text| !text.is_empty()).collect()
}
