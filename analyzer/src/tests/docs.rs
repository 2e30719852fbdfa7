//! The pages about detections, computed from the code and the samples.

use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;

use super::harness::{read, said, sample_path, top};
use crate::detection::Detection;
use crate::detections;

const NOTE: &str = "<!-- Written by a test from the code and its samples. Change those, then `make bless`. -->";

fn page(detection: &Detection) -> String {
    let file = detection.id.replace('-', "_");
    let (mut fires, mut quiet) = (String::new(), String::new());
    for case in read(&sample_path(&file)) {
        let said = said(&case.report().alerts);
        match said.get(detection.id) {
            Some(serde_json::Value::String(text)) => {
                let _ = writeln!(fires, "- {}: *{text}*", case.name());
            }
            Some(_) => {
                let _ = writeln!(fires, "- {}", case.name());
            }
            None => {
                let _ = writeln!(quiet, "- {}", case.name());
            }
        }
    }
    let mut prose = String::new();
    for line in detection.docs.lines().skip(1) {
        let _ = writeln!(prose, "{}", line.strip_prefix(' ').unwrap_or(line));
    }
    let attack: Vec<String> = detection
        .attack
        .iter()
        .map(|technique| {
            let path = technique.id.replace('.', "/");
            format!("[{} {}](https://attack.mitre.org/techniques/{path}/)", technique.id, technique.name)
        })
        .collect();
    format!(
        "{NOTE}\n# {}\n\n`{}`, since {}. ATT&CK: {}.\n{prose}\n## Fires on\n\n{fires}\n## Stays quiet on\n\n{quiet}",
        detection.title(),
        detection.id,
        detection.since,
        attack.join(", "),
    )
}

#[test]
fn every_detection_has_its_page() {
    let folder = top().join("docs/detections");
    for detection in detections::ALL {
        expect_file![folder.join(format!("{}.md", detection.id))].assert_eq(&page(detection));
    }
    let mut strays: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !detections::ALL.iter().any(|detection| *name == format!("{}.md", detection.id)))
        .collect();
    strays.sort();
    assert!(strays.is_empty(), "pages without a detection: {strays:?}");
}

#[test]
fn the_table_lists_every_detection() {
    let mut table = format!("{NOTE}\n# Detections\n\n| detection | sees |\n|---|---|\n");
    for detection in detections::ALL {
        let _ = writeln!(table, "| [`{id}`](detections/{id}.md) | {} |", detection.title(), id = detection.id);
    }
    expect_file![top().join("docs/detections.md")].assert_eq(&table);
}
