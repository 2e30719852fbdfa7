//! What the README shows is what the command prints.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rolewatch(arguments: &[&str]) -> String {
    let run = Command::new(env!("CARGO_BIN_EXE_rolewatch")).args(arguments).current_dir(top()).output().unwrap();
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn the_transcript_is_what_the_command_prints() {
    const BEGIN: &str = "<!-- transcript: ";
    const END: &str = "<!-- end of transcript -->";
    let path = top().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let mut out = String::new();
    let mut rest = readme.as_str();
    let mut transcripts = 0;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (arguments, after) = after.split_once(" -->").unwrap();
        let (_, after) = after.split_once(END).unwrap();
        let printed = rolewatch(&arguments.split(' ').collect::<Vec<_>>());
        assert!(!printed.is_empty(), "`rolewatch {arguments}` prints nothing");
        let _ = write!(out, "{before}{BEGIN}{arguments} -->\n```text\n{printed}```\n{END}");
        rest = after;
        transcripts += 1;
    }
    out.push_str(rest);
    assert!(transcripts > 0);
    expect_file![path].assert_eq(&out);
}

#[test]
fn every_command_in_the_docs_is_one_the_binary_knows() {
    let mut seen = 0;
    for document in ["README.md", "CONTRIBUTING.md", "docs/operate.md", "docs/cost.md", "infra/README.md"] {
        let text = fs::read_to_string(top().join(document)).unwrap();
        for line in text.lines() {
            let Some((_, call)) = line.split_once("rolewatch ").or_else(|| line.split_once("cargo run --release -- "))
            else {
                continue;
            };
            if !line.trim_start().starts_with("$ ") {
                continue;
            }
            let words: Vec<&str> = call.split_whitespace().take_while(|word| !["|", ">", "#"].contains(word)).collect();
            let [command, arguments @ ..] = words.as_slice() else { continue };
            let help = rolewatch(&[command, "--help"]);
            assert!(help.contains("Usage:"), "{document}: no such command: {line}");
            for flag in arguments.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(flag), "{document}: `{command}` does not know {flag}");
            }
            seen += 1;
        }
    }
    assert!(seen > 2, "the docs show commands");
}
