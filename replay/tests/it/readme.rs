//! What the README shows is what the command prints.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;

use crate::shells::subcommands;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rolewatch(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_rolewatch")).args(arguments).current_dir(top()).output().unwrap();
    String::from_utf8(run.stdout).unwrap()
}

/// The one alert of a run that names `needle`, without the lines that part alerts.
fn excerpt(printed: &str, needle: &str) -> String {
    let parts = |line: &str| line.starts_with("----") || line.starts_with("== ");
    let lines: Vec<&str> = printed.lines().collect();
    let alerts: Vec<String> = lines.split(|line| parts(line)).map(|alert| alert.join("\n").trim().to_owned()).collect();
    let found: Vec<&String> = alerts.iter().filter(|alert| alert.contains(needle)).collect();
    assert_eq!(found.len(), 1, "{needle}");
    assert!(printed.contains(found[0]), "in one piece");
    format!("{}\n", found[0])
}

#[test]
fn the_excerpt_is_what_the_command_above_it_prints() {
    const BEGIN: &str = "<!-- excerpt: ";
    const END: &str = "<!-- end of excerpt -->";
    let path = top().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, after) = readme.split_once(BEGIN).unwrap();
    let (of, rest) = after.split_once(" -->").unwrap();
    let (arguments, needle) = of.split_once(", the alert about ").unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    // It is the first command that anybody types.
    let shown = format!("```console\n$ cargo run --release -- {arguments}\n```\n\nprints, among others:\n\n");
    assert!(before.ends_with(&shown), "{before}");
    let printed = excerpt(&rolewatch(&arguments.split(' ').collect::<Vec<_>>()), needle);
    expect_file![path].assert_eq(&format!("{before}{BEGIN}{of} -->\n```text\n{printed}```\n{END}{after}"));
}

/// The table of subcommands is what the help says.
#[test]
fn the_table_of_commands_is_what_the_help_says() {
    const BEGIN: &str = "<!-- written by a test: commands -->\n";
    const END: &str = "<!-- end -->\n";
    let path = top().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = String::from("| Command | What it does |\n|---|---|\n");
    for name in subcommands() {
        // The first line of the help, before what it says at length.
        let help = rolewatch(&[&name, "-h"]);
        let _ = writeln!(table, "| `rolewatch {name}` | {} |", help.lines().next().unwrap());
    }
    expect_file![path].assert_eq(&format!("{before}{BEGIN}{table}{END}{after}"));
}

/// Everything that people read, and what the command itself tells them to type.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<PathBuf> = [
        "infra/README.md",
        "replay/src/error.rs",
        "replay/src/cli.rs",
        "replay/src/cli/words.rs",
        "replay/src/live/error.rs",
    ]
    .map(|name| top().join(name))
    .to_vec();
    for folder in ["", "docs", "docs/detections"] {
        let pages = fs::read_dir(top().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        documents.extend(pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    documents
}

/// The calls of the command in a text: between backquotes, in blocks for a shell, and behind a prompt in any other block.
fn calls(text: &str) -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    let mut fence = None;
    for line in text.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_none() { Some(language.trim()) } else { None };
            continue;
        }
        let pieces: Vec<&str> = match fence {
            None => line.split('`').skip(1).step_by(2).collect(),
            Some("sh" | "console") => vec![line],
            // What is printed, a table perhaps with a column called rolewatch.
            Some(_) => line.trim_start().strip_prefix("$ ").into_iter().collect(),
        };
        for piece in pieces {
            // A pipe and a prompt begin a command of its own.
            for part in piece.split('|') {
                let words: Vec<&str> = part.split_whitespace().skip_while(|word| *word == "$").collect();
                let own = words
                    .strip_prefix(&["rolewatch"])
                    .or_else(|| words.strip_prefix(&["cargo", "run", "--release", "--"]));
                let own = own.or_else(|| {
                    let option = words.get(1).is_some_and(|word| word.starts_with("--"));
                    (option && subcommands().contains(&words[0].to_owned())).then_some(&words[..])
                });
                if let Some(words) = own {
                    let words = words.iter().take_while(|word| ![">", "#", "<", ">>"].contains(word));
                    calls.push(words.map(|word| (*word).to_owned()).collect());
                }
            }
        }
    }
    calls
}

/// What is wrong with a call; nothing when the command knows it.
fn fault(call: &[String]) -> Option<String> {
    let mut path: Vec<&str> = Vec::new();
    let mut help = rolewatch(&["--help"]);
    let mut rest = call;
    while let Some((word, more)) = rest.split_first().filter(|_| help.contains("\nCommands:\n")) {
        if word.starts_with('-') {
            break;
        }
        path.push(word);
        help = rolewatch(&[&path[..], &["--help"]].concat());
        if !help.contains("Usage:") {
            return Some(format!("no such command: {word}"));
        }
        rest = more;
    }
    let known: Vec<&str> = help.split([' ', ',', '\n', '=', '`', ']', '[']).collect();
    let option = |word: &&String| word.starts_with('-') && word.len() > 1;
    let options =
        rest.iter().filter(option).map(|word| word.split('=').next().unwrap().trim_end_matches([',', '.', ';']));
    options
        .into_iter()
        .find(|word| !known.contains(word) && !["--version", "-V"].contains(word))
        .map(|word| format!("no such option: {word}"))
}

#[test]
fn every_command_in_the_docs_is_one_the_binary_knows() {
    let mut seen = 0;
    for document in documents() {
        for call in calls(&fs::read_to_string(&document).unwrap()) {
            assert_eq!(fault(&call), None, "{}: rolewatch {}", document.display(), call.join(" "));
            seen += 1;
        }
    }
    assert!(seen > 30, "the docs show commands: {seen}");
}

/// The check itself must be able to fail.
#[test]
fn a_command_that_does_not_exist_is_found() {
    let text = "Try `rolewatch reply logs`.\n```sh\ncat x | rolewatch replay --strikt - # all\n$ rolewatch exceptions verify x\n```\n\
                With `replay --repot x`, `rolewatch man replay` and `aws logs tail`.\n\
                ```text\nrolewatch 2.53 (2.48 to 2.56)\n$ rolewatch reply x\n```\n`rolewatch right x`";
    let faults: Vec<Option<String>> = calls(text).iter().map(|call| fault(call)).collect();
    let wrong = |text: &str| Some(text.to_owned());
    assert_eq!(
        faults,
        [
            wrong("no such command: reply"),
            wrong("no such option: --strikt"),
            wrong("no such command: verify"),
            wrong("no such option: --repot"),
            None,
            wrong("no such command: reply"),
            wrong("no such command: right"),
        ]
    );
}
