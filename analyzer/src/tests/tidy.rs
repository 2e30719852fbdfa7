//! The tidiness of the house, checked by reading it.
#![expect(clippy::disallowed_types, reason = "one test asks cargo for the dependencies")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect_file;

use super::harness::top;
use crate::detections;

/// Floors of the house, lowest first. A file may use its own floor's rooms and any lower floor.
const FLOORS: &[&str] = &[
    "severity",
    "text",
    "few",
    "json",
    "pkcs10",
    "stream",
    "evidence",
    "settings",
    "attack",
    "interest",
    "filter_pattern",
    "envelope",
    "audit",
    "klog",
    "authenticator",
    "cloudtrail",
    "reason",
    "impersonation",
    "rbac",
    "aws_auth",
    "kube",
    "memory",
    "change",
    "snapshot",
    "token_request",
    "certificate",
    "session",
    "case",
    "access",
    "strength",
    "detection",
    "lesson",
    "grant",
    "mapping",
    "detections",
    "wire",
    "sift",
    "alert",
    "report",
    "exceptions",
    "gather",
];

fn sources() -> Vec<(String, PathBuf)> {
    fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                out.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            let floor = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
            (floor.trim_end_matches(".rs").to_owned(), path)
        })
        .filter(|(floor, _)| floor != "lib" && floor != "tests")
        .collect()
}

/// The text of a file without its tests.
fn code(path: &Path) -> String {
    if path.ends_with("tests.rs") {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    text.split("\n#[cfg(test)]\n").next().unwrap().to_owned()
}

/// Whether a text names a room of the house: `crate::room` in whatever follows it, or among the rooms of `crate::{...}`.
fn names(text: &str, room: &str) -> bool {
    let continues = |rest: &str| rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let begins = |text: &str| text.trim_start().strip_prefix(room).is_some_and(|rest| !continues(rest));
    text.split("crate::").skip(1).any(|rest| match rest.strip_prefix('{') {
        Some(several) => outermost(several).any(begins),
        None => begins(rest),
    })
}

/// The parts of a list in braces, whose opening brace was passed, without looking into inner ones.
fn outermost(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let end = list.find(|character| {
        depth += usize::from(character == '{');
        let ends = character == '}' && depth == 0;
        depth -= usize::from(character == '}' && !ends);
        ends
    });
    let mut depth = 0_usize;
    end.and_then(|end| list.get(..end)).unwrap_or(list).split(move |character| {
        depth += usize::from(character == '{');
        depth -= usize::from(character == '}');
        character == ',' && depth == 0
    })
}

#[test]
fn an_import_is_seen_in_every_way_to_write_it() {
    for text in [
        "use crate::report;",
        "use crate::report::Judge;",
        "use crate::{report, text};",
        "use crate::{json::{Kind, Reader}, report::{Judge, Report}};",
        "use crate::{\n    text,\n    report as other,\n};",
        "let judge = crate::report::Judge::new();",
    ] {
        assert!(names(text, "report"), "{text}");
    }
    for text in ["use crate::reporter;", "use crate::{text, json::report};", "use crate::{json::{report}, text};"] {
        assert!(!names(text, "report"), "{text}");
    }
}

#[test]
fn the_page_tells_the_floors() {
    let page = fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    let (before, rest) = page.split_once("<!-- written by a test: floors -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    let mut list = String::new();
    let mut width = 0;
    for (number, floor) in FLOORS.iter().enumerate() {
        let end = if number + 1 == FLOORS.len() { "." } else { "," };
        let word = format!("`{floor}`{end}");
        let breaks = width + word.len() > 120;
        list += if breaks {
            "\n"
        } else if width > 0 {
            " "
        } else {
            ""
        };
        width = if breaks { word.len() } else { width + word.len() + 1 };
        list += &word;
    }
    let expected = format!("{before}<!-- written by a test: floors -->\n{list}\n<!-- end -->{after}");
    expect_file![top().join("ARCHITECTURE.md")].assert_eq(&expected);
}

#[test]
fn imports_only_go_down() {
    let mut wrong = Vec::new();
    // Tests may look at what is built on top of their room.
    let is_test = |path: &Path| path.file_name().is_some_and(|name| name == "tests.rs");
    for (floor, path) in sources().into_iter().filter(|(_, path)| !is_test(path)) {
        let Some(own) = FLOORS.iter().position(|name| *name == floor) else {
            wrong.push(format!("{}: `{floor}` has no floor", path.display()));
            continue;
        };
        let text = code(&path);
        for upper in FLOORS.iter().skip(own + 1) {
            if names(&text, upper) {
                wrong.push(format!("{} uses `{upper}`, which is above `{floor}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_small_rooms() {
    let mut large = Vec::new();
    for (_, path) in sources() {
        let lines = code(&path).lines().count();
        // Tables, and tables of tests, are as long as what they list.
        let is_data =
            path.components().any(|part| ["stock", "risk", "tests"].contains(&part.as_os_str().to_str().unwrap()));
        if lines > 420 && !is_data {
            large.push(format!("{}: {lines} lines", path.display()));
        }
    }
    assert!(large.is_empty(), "reaching 400 lines is a reason to think:\n{}", large.join("\n"));
}

#[test]
fn detections_are_written_alike() {
    let chapters = ["Why it matters", "What it misses", "Known benign causes", "What to do"];
    let mut ids = BTreeSet::new();
    for (detection, file) in detections::ALL.iter().zip(detections::FILES) {
        assert_eq!(detection.id.replace('-', "_"), *file, "the file is named after the id");
        assert!(ids.insert(detection.id), "{} is there twice", detection.id);
        assert!(!detection.title().ends_with('.') && !detection.title().is_empty(), "{}: title", detection.id);
        let found: Vec<&str> = detection.docs.lines().filter_map(|line| line.trim().strip_prefix("## ")).collect();
        assert_eq!(found, chapters, "{}: chapters", detection.id);
        for chapter in chapters {
            assert!(!detection.chapter(chapter).is_empty(), "{}: `{chapter}` is empty", detection.id);
        }
        assert_ne!(detection.category(), "other", "{}: no category", detection.id);
    }
}

#[test]
fn every_module_begins_with_one_sentence() {
    for (floor, path) in sources() {
        let text = fs::read_to_string(&path).unwrap();
        // A detection's prose is its own beginning.
        if floor != "detections" || path.file_name().unwrap() == "detections.rs" {
            assert!(text.starts_with("//! "), "{} has no module sentence", path.display());
        }
    }
}

/// What the core depends on, with the reason for each. A new line here is seen in review; none may do I/O.
#[test]
fn the_core_depends_on_nothing_that_does_io() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "-p", "rolewatch-analyzer", "-e", "normal", "--prefix", "none"])
        .args(["--format", "{lib}"])
        .current_dir(top())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: BTreeSet<String> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| line.trim_end_matches(" (*)").trim().to_owned())
        .filter(|line| !line.is_empty() && line != "rolewatch_analyzer")
        .collect();
    let forbidden =
        ["tokio", "hyper", "mio", "socket2", "reqwest", "ureq", "rustls", "aws_config", "log4rs", "tracing"];
    for name in forbidden {
        assert!(!names.contains(name), "the core must not depend on {name}");
    }
    let ledger: String = names.into_iter().map(|name| name + "\n").collect();
    expect_file![top().join("analyzer/deps.txt")].assert_eq(&ledger);
}

/// The manifests of every crate, by the name of its folder.
fn manifests() -> Vec<(String, String)> {
    let workspace = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    let members = workspace.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let members = members.split(',').map(|name| name.trim().trim_matches('"').to_owned());
    members
        .chain(["fuzz".to_owned()])
        .filter(|name| !name.is_empty())
        .map(|name| (name.clone(), fs::read_to_string(top().join(name).join("Cargo.toml")).unwrap()))
        .collect()
}

/// The names in one table of a manifest, for one target alone or for all.
fn dependencies(manifest: &str, table: &str) -> BTreeSet<String> {
    let (for_all, for_one) = (format!("[{table}]"), format!(".{table}]"));
    let mut names = BTreeSet::new();
    let mut wanted = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = line == for_all || line.starts_with("[target.") && line.ends_with(&for_one);
        } else if wanted && !line.starts_with('#') && line.contains('=') {
            names.insert(line.split(['.', ' ', '=']).next().unwrap().to_owned());
        }
    }
    names
}

#[test]
fn every_dependency_has_a_reason() {
    let page = fs::read_to_string(top().join("docs/dependencies.md")).unwrap();
    let listed = |chapter: &str| -> BTreeSet<String> {
        let text = page.split(&format!("\n## {chapter}\n")).nth(1).unwrap_or_else(|| panic!("no chapter {chapter}"));
        let rows = text.split("\n## ").next().unwrap().lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| {
            let (name, reason) = row.split_once("` | ").unwrap();
            assert!(reason.trim_end_matches(" |").ends_with('.'), "{chapter}: {name} has no reason");
            name.to_owned()
        })
        .collect()
    };
    let mut of_tests = BTreeSet::new();
    for (name, manifest) in manifests() {
        assert_eq!(listed(&name), dependencies(&manifest, "dependencies"), "docs/dependencies.md, {name}");
        of_tests.extend(dependencies(&manifest, "dev-dependencies"));
    }
    assert_eq!(listed("Tests"), of_tests, "docs/dependencies.md, Tests");
}

#[test]
fn no_crate_opts_out_of_the_lints_or_runs_code_at_build() {
    let workspace = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n"));
    for (name, manifest) in manifests().into_iter().filter(|(name, _)| name != "fuzz") {
        assert!(manifest.contains("\n[lints]\nworkspace = true\n"), "{name} has lints of its own");
        assert!(!top().join(&name).join("build.rs").exists(), "{name} has a build script");
    }
}
