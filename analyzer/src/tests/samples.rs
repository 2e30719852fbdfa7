//! Every detection over every sample: a case states the complete set of what must be said.

use expect_test::expect_file;
use serde_json::{Map, Value, json};

use super::harness::{read, said, sample_path};
use crate::detections;

#[test]
fn every_sample_says_exactly_what_it_states() {
    for file in detections::FILES {
        let path = sample_path(file);
        let id = file.replace('_', "-");
        let (mut fires, mut near_misses) = (0, 0);
        let cases: Vec<Map<String, Value>> = read(&path)
            .into_iter()
            .map(|case| {
                let report = case.report();
                let expect = said(&report.alerts);
                if expect.contains_key(&id) {
                    fires += 1;
                } else {
                    near_misses += 1;
                }
                let mut json = case.json;
                json.insert("expect".to_owned(), Value::Object(expect));
                let counts = |counts: Vec<(&str, u64)>| -> Map<String, Value> {
                    counts.into_iter().map(|(reason, count)| (reason.to_owned(), json!(count))).collect()
                };
                let quiet = counts(report.quiet.iter().map(|(reason, count)| (reason.as_str(), *count)).collect());
                let skipped = counts(report.skipped.iter().map(|(reason, count)| (reason.as_str(), *count)).collect());
                for (member, counts) in [("quiet", quiet), ("skipped", skipped)] {
                    if counts.is_empty() {
                        json.shift_remove(member);
                    } else {
                        json.insert(member.to_owned(), Value::Object(counts));
                    }
                }
                json
            })
            .collect();
        assert!(fires > 0, "{file}: no case fires");
        assert!(near_misses > 0, "{file}: no near miss");
        expect_file![path].assert_eq(&(serde_json::to_string_pretty(&cases).unwrap() + "\n"));
    }
}
