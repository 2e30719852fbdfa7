//! Documents that are computed are the same as what the code says. `make bless` rewrites them.

use std::fmt::Write as _;

use expect_test::expect_file;
use rolewatch_analyzer::report::{Quiet, Skip};
use rolewatch_lambda::config;
use rolewatch_lambda::error::CODES;
use rolewatch_lambda::telemetry::METRICS;

#[test]
fn the_reference_of_variables_is_current() {
    expect_file!["../../../docs/environment.md"].assert_eq(&config::reference());
}

#[test]
fn the_tables_of_the_operators_page_are_current() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operate.md")).unwrap();
    let mut codes = String::from("| Code | What happened | What to do |\n|---|---|---|\n");
    for code in CODES {
        writeln!(codes, "| `{}` | {} | {} |", code.code, code.meaning, code.remedy).unwrap();
    }
    let mut metrics = String::from("| Metric | Unit | What it tells |\n|---|---|---|\n");
    for metric in METRICS {
        writeln!(metrics, "| `{}` | {} | {} |", metric.name, metric.unit, metric.meaning).unwrap();
    }
    let page = with_block(&with_block(&page, "codes", &codes), "metrics", &metrics);
    let skipped: Vec<_> = Skip::ALL.iter().map(|reason| (reason.as_str(), reason.meaning())).collect();
    let quiet: Vec<_> = Quiet::ALL.iter().map(|reason| (reason.as_str(), reason.meaning())).collect();
    let page = with_block(&with_block(&page, "skipped", &reasons(&skipped)), "quiet", &reasons(&quiet));
    expect_file!["../../../docs/operate.md"].assert_eq(&page);
}

/// A table of why lines were skipped or quiet.
fn reasons(all: &[(&str, &str)]) -> String {
    let mut table = String::from("| Reason | What it means |\n|---|---|\n");
    for (reason, meaning) in all {
        writeln!(table, "| `{reason}` | {meaning} |").unwrap();
    }
    table
}

/// The page with the text between the marks of a block replaced.
fn with_block(page: &str, name: &str, text: &str) -> String {
    let start = format!("<!-- written by a test: {name} -->\n");
    let end = "<!-- end -->\n";
    let (front, rest) = page.split_once(&start).unwrap_or_else(|| panic!("docs/operate.md has no block {name}"));
    let (_, back) = rest.split_once(end).unwrap();
    format!("{front}{start}{text}{end}{back}")
}
