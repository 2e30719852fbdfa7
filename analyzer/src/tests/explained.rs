//! An explanation says what would have been told without the reason that kept a change quiet, and only that.

use serde_json::json;

use super::adversary::grant;
use crate::envelope::LogLine;
use crate::memory::Memory;
use crate::report::{Decision, Explained, Quiet, explain};
use crate::settings::Settings;
use crate::stream::Source;

/// What came of a line, and how it is explained.
fn explained(line: &str) -> (Decision, Explained) {
    let line = LogLine { timestamp_ms: None, log_stream: None, message: line.into() };
    let mut told = Vec::new();
    let (settings, mut memory) = (Settings::default(), Memory::default());
    explain(&Source::default(), [Ok(line)], &settings, &mut memory, &mut |explanation| told.push(explanation));
    let [explanation] = told.try_into().unwrap();
    (explanation.decision, explanation.event.unwrap())
}

#[test]
fn what_was_held_back_is_what_was_not_told_besides() {
    let ids = |findings: &[crate::detection::Finding]| {
        findings.iter().map(|finding| finding.detection.id).collect::<Vec<_>>()
    };
    let mut event = grant();
    // To somebody else: a grant to oneself is another finding.
    for body in ["requestObject", "responseObject"] {
        event[body]["subjects"][0]["name"] = json!("eve");
    }
    let (_, done) = explained(&event.to_string());
    assert_eq!((ids(&done.findings), ids(&done.held_back)), (vec!["rbac-binding-changed"], vec![]));
    event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?dryRun=All");
    let (decision, tried) = explained(&event.to_string());
    assert_eq!(decision, Decision::Quiet(Quiet::DryRun));
    assert_eq!((ids(&tried.findings), ids(&tried.held_back)), (vec![], vec!["rbac-binding-changed"]));
    // What is told of the event in any case is not held back.
    event["impersonatedUser"] = json!({ "username": "boss", "groups": ["system:masters", "system:authenticated"] });
    let (_, acted) = explained(&event.to_string());
    assert_eq!(ids(&acted.findings), ["identity-impersonated"]);
    assert_eq!(ids(&acted.held_back), ["rbac-binding-changed"]);
}
