//! `filter-pattern` and `cost`, word for word.

use expect_test::{ExpectFile, expect_file};
use rolewatch_analyzer::filter_pattern::Mode;

use crate::support::{Folder, events, gzip, lambda_event, ndjson, rolewatch, rolewatch_in, subscription};

fn check(args: &[&str], expected: &ExpectFile) {
    expected.assert_eq(&rolewatch(args).transcript());
}

/// In a folder that holds a quarter of an hour of log, less than ten minutes of it, and no log.
fn check_files(args: &[&str], expected: &ExpectFile) {
    let folder = Folder::new();
    folder.write("short.ndjson", ndjson());
    let day = (0..90).flat_map(|minute| {
        events().map(|event| event.replace("T10:00:", &format!("T{:02}:{:02}:", 10 + minute / 60, minute % 60)) + "\n")
    });
    folder.write("ninety-minutes.ndjson", day.collect::<String>());
    folder.write("delivery.json", lambda_event(&subscription(&events())));
    folder.write("notes.txt", "Dear diary,\n\nno log today.\n");
    expected.assert_eq(&rolewatch_in(folder.path(), args, |_| Ok(())).transcript());
}

#[test]
fn filter_patterns_are_listed_and_printed_alone() {
    check(&["filter-pattern", "--help"], &expect_file!["../golden/help-filter-pattern.txt"]);
    check(&["filter-pattern"], &expect_file!["../golden/filter-pattern.txt"]);
    for mode in Mode::ALL {
        let run = rolewatch(&["filter-pattern", "--mode", mode.as_str()]);
        assert_eq!((run.status, run.stdout.as_str()), (0, format!("{}\n", mode.pattern()).as_str()));
    }
    check(&["filter-pattern", "--mode", "some"], &expect_file!["../golden/error-filter-mode.txt"]);
}

#[test]
fn the_cost_of_a_log_is_estimated() {
    check(&["cost", "--help"], &expect_file!["../golden/help-cost.txt"]);
    check(&["cost", "--assumptions"], &expect_file!["../golden/cost-assumptions.txt"]);
    check_files(&["cost", "ninety-minutes.ndjson"], &expect_file!["../golden/cost.txt"]);
    check_files(
        &["cost", "--set", "sns-email=0", "--set", "metric=0", "--set", "lambda-request=2000", "ninety-minutes.ndjson"],
        &expect_file!["../golden/cost-set.txt"],
    );
    check_files(&["cost", "short.ndjson"], &expect_file!["../golden/cost-short.txt"]);
}

#[test]
fn lines_are_measured_in_every_wrapping() {
    let folder = Folder::new();
    folder.write("plain.ndjson", ndjson());
    folder.write("zipped.gz", gzip(ndjson()));
    folder.write("delivery.json", lambda_event(&subscription(&events())));
    let lines = |file: &str| {
        let run = rolewatch_in(folder.path(), &["cost", file], |_| Ok(()));
        run.stdout.lines().find(|line| line.trim_start().starts_with("lines")).unwrap().to_owned()
    };
    let plain = lines("plain.ndjson");
    assert!(plain.ends_with(" 4"), "{plain}");
    assert_eq!((lines("zipped.gz"), lines("delivery.json")), (plain.clone(), plain));
}

#[test]
fn what_cannot_be_measured_is_an_error() {
    check_files(&["cost", "notes.txt"], &expect_file!["../golden/error-cost-no-log.txt"]);
    check_files(&["cost", "--set", "price", "short.ndjson"], &expect_file!["../golden/error-cost-set.txt"]);
    check_files(&["cost", "--set", "coffee=1", "short.ndjson"], &expect_file!["../golden/error-cost-name.txt"]);
    check_files(&["cost", "--set", "log-gb=-1", "short.ndjson"], &expect_file!["../golden/error-cost-number.txt"]);
}
