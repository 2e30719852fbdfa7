//! Which files are found, and what a file gives at the limits of reading and one past them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use rolewatch_analyzer::envelope::LogLine;
use rolewatch_analyzer::settings::Settings;
use serde_json::json;

use super::content::{self, ENTRY_LINES_MAX, STRANGE_LINE_BYTES_MAX, STRANGE_LINES_MAX};
use super::unpack::unpack;
use super::{FOLDER_DEPTH_MAX, Input, document, find};
use crate::error::Error;
use crate::intake::Intake;
use crate::progress::Progress;
use crate::tally::Reason;

/// The lines that a file gives, and how often something of it could not be read, by reason.
fn told(text: &str) -> (Vec<String>, BTreeMap<&'static str, u64>) {
    let settings = Settings::default();
    let mut lines = Vec::new();
    let mut measure = |line: &LogLine<'_>| lines.push(line.message.to_string());
    let mut deliver = |_| Ok(());
    let mut intake = Intake::new(&settings, &mut deliver).measuring(&mut measure);
    content::read(unpack(text.as_bytes()).unwrap(), &mut intake, &Progress::new(None, false)).unwrap();
    let (tally, _) = intake.leave().unwrap();
    (lines, tally.skipped.iter().map(|(reason, skipped)| (*reason, skipped.count)).collect())
}

#[test]
fn folders_give_their_files_sorted_and_without_hidden_ones() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["b/2", "b/1", "a", ".hidden", "b/.hidden/x", "c/d/e"] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let path = folder.path().to_owned();
    let inputs = find(&[PathBuf::from("-"), path.clone()]).unwrap();
    let names: Vec<String> = inputs.iter().map(|input| input.name().replace(&*path.to_string_lossy(), "")).collect();
    assert_eq!(names, ["standard input", "/a", "/b/1", "/b/2", "/c/d/e"]);
    assert_eq!(inputs[1].bytes(), Some(1));
    assert_eq!(inputs[0], Input::Stdin);
    folder.close().unwrap();
    assert!(find(&[path]).is_err());
}

#[test]
fn folders_are_walked_to_the_limit_and_one_past_it_is_told() {
    let files = |depth| {
        let folder = tempfile::tempdir().unwrap();
        let deepest = (0..depth).fold(folder.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(&deepest).unwrap();
        fs::write(deepest.join("log"), "x").unwrap();
        find(&[folder.path().to_owned()]).map(|files| files.len())
    };
    assert_eq!(files(FOLDER_DEPTH_MAX).ok(), Some(1));
    assert!(matches!(files(FOLDER_DEPTH_MAX + 1), Err(Error::TooDeep { max: FOLDER_DEPTH_MAX, .. })));
}

#[test]
fn an_entry_goes_on_to_its_limit_of_lines_and_one_past_it_is_a_line_of_its_own() {
    let entry = |lines: usize| format!("E1123 06:52:33.507897   30538 webhook.go:154] x{}", "\ny".repeat(lines - 1));
    assert_eq!(told(&entry(ENTRY_LINES_MAX)).0, [entry(ENTRY_LINES_MAX)]);
    assert_eq!(told(&entry(ENTRY_LINES_MAX + 1)).0, [entry(ENTRY_LINES_MAX), "y".to_owned()]);
}

#[test]
fn another_kind_of_file_is_told_once_to_the_limits_and_past_them_line_by_line() {
    let no_log = BTreeMap::from([(Reason::NoLog.as_str(), 1)]);
    let longest = "x".repeat(STRANGE_LINE_BYTES_MAX);
    assert_eq!(told(&"x\n".repeat(STRANGE_LINES_MAX)), (Vec::new(), no_log.clone()));
    assert_eq!(told(&format!("x\n{longest}")), (Vec::new(), no_log));
    assert_eq!(told(&"x\n".repeat(STRANGE_LINES_MAX + 1)).0.len(), STRANGE_LINES_MAX + 1);
    let one_past_it = longest + "x";
    assert_eq!(told(&format!("x\n{one_past_it}")).0, ["x".to_owned(), one_past_it]);
}

#[test]
fn documents_inside_each_other_are_opened_to_the_limit_and_one_past_it_is_told() {
    let event = json!({"kind": "Event", "auditID": "1"});
    let nested = BTreeMap::from([(Reason::Nested.as_str(), 1)]);
    // A document as text of another is a log inside it; one that stands in another is none.
    let as_text = |depth| (0..depth).fold(event.to_string(), |text, _| json!({"body": text}).to_string());
    let standing = |depth| (0..depth).fold(event.clone(), |event, _| json!({"requestPayload": event})).to_string();
    for (max, at, past) in [
        (content::DEPTH_MAX, as_text(content::DEPTH_MAX), as_text(content::DEPTH_MAX + 1)),
        (document::DEPTH_MAX, standing(document::DEPTH_MAX), standing(document::DEPTH_MAX + 1)),
    ] {
        assert_eq!(told(&at).0, [event.to_string()], "{max}");
        assert_eq!(told(&past), (Vec::new(), nested.clone()), "{max}");
    }
}
