//! What the command says when it stops, and what to do about it: the table in docs/operate.md is written from the sources.

use std::fmt::Write as _;
use std::fs;

use expect_test::expect_file;

/// The files whose errors a person sees.
const SOURCES: &[&str] = &["src/error.rs", "src/live/error.rs"];

/// Each message of `#[error("...")]` with the sentence that documents it.
fn messages(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices("#[error(") {
        let doc = source[..at].lines().rev().find_map(|line| line.trim().strip_prefix("/// ")).unwrap();
        let text = source[at..].split_once('"').unwrap().1;
        let text = text.split("\"\n").next().unwrap().split("\")]").next().unwrap().split("\", ").next().unwrap();
        let text = text.split("\",").next().unwrap();
        found.push((doc.to_owned(), text.replace("\\\"", "\"")));
    }
    found
}

/// The message with what is filled in written in capitals, or as an ellipsis where it has no name.
fn named(message: &str) -> String {
    let mut out = String::new();
    for (number, part) in message.split(['{', '}']).enumerate() {
        match (number % 2, part) {
            (0, text) => out.push_str(text),
            (_, "" | "0") => out.push('…'),
            (_, name) => out.push_str(&name.to_uppercase()),
        }
    }
    out
}

#[test]
fn the_operators_page_has_every_message_with_what_to_do() {
    let top = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let mut table = String::from("| Message | When | What to do |\n|---|---|---|\n");
    for source in SOURCES {
        for (doc, message) in messages(&fs::read_to_string(format!("{top}{source}")).unwrap()) {
            // One that only hands on what another says, and one that is not shown.
            let handed_on = message.split(['{', '}']).step_by(2).all(|text| !text.contains(char::is_alphabetic));
            if handed_on || doc.ends_with("Not shown.") {
                continue;
            }
            let message = named(&message);
            let (what, remedy) = message.split_once("; ").unwrap_or_else(|| panic!("no remedy: {message}"));
            assert!(!message.ends_with('.'), "{message}");
            writeln!(table, "| {what} | {doc} | {remedy} |").unwrap();
        }
    }
    assert!(table.lines().count() > 20, "{table}");
    let page = fs::read_to_string(format!("{top}../docs/operate.md")).unwrap();
    let (front, rest) = page.split_once("<!-- written by a test: messages -->\n").unwrap();
    let (_, back) = rest.split_once("<!-- end -->\n").unwrap();
    let page = format!("{front}<!-- written by a test: messages -->\n{table}<!-- end -->\n{back}");
    expect_file!["../../../docs/operate.md"].assert_eq(&page);
}
