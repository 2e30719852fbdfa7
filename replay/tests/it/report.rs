//! The HTML page: what it says, that nothing breaks out of it, and that a browser agrees.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use expect_test::expect_file;
use serde_json::{Value, json};

use crate::support::{Folder, events, ndjson, rolewatch_in};

/// Names that try to leave their place in a page.
const HOSTILE: &[&str] = &[
    r#""><script>hacked=1</script>"#,
    "<img src=x onerror=hacked=1>",
    "</title><script>hacked=1</script>",
    "' onfocus=hacked=1 autofocus x='",
    "</style></script><svg onload=hacked=1>",
    "A\u{202e}B",
];

/// `count` bindings by several people, hour after hour.
fn many(count: usize) -> String {
    let [_, binding, ..] = events();
    let one = |n: usize| {
        let time = format!("2026-03-{:02}T{:02}:00:01", 1 + n / 24 % 31, n % 24);
        let id = format!("33333333-0000-4000-8000-{n:012}");
        let line = binding.replace("2026-03-01T10:00:01", &time).replace(crate::support::ALERTING[0], &id);
        line.replace("bob", &format!("bob-{n}")).replace("alice@", &format!("alice-{}@", n % 5)) + "\n"
    };
    (0..count).map(one).collect()
}

/// One binding for each hostile name, which stands in every place that a client chooses.
fn hostile() -> String {
    let [_, binding, ..] = events();
    let line = |name: &&str| {
        let mut event: Value = serde_json::from_str(&binding).unwrap();
        for body in ["requestObject", "responseObject"] {
            event[body]["subjects"][0]["name"] = json!(name);
            event[body]["metadata"]["name"] = json!(name);
        }
        event["objectRef"]["name"] = json!(name);
        event["userAgent"] = json!(name);
        event["auditID"] = json!(name);
        event["user"]["extra"]["sessionName"] = json!([name]);
        event["requestURI"] = json!(format!("/{name}"));
        event.to_string() + "\n"
    };
    HOSTILE.iter().map(line).collect()
}

/// Writes the page of a log.
fn page(folder: &Folder, name: &str, log: &str) -> String {
    folder.write("log", log);
    let args = ["replay", "--quiet", "--cluster", "prod", "--report", name, "log"];
    let run = rolewatch_in(folder.path(), &args, |_| Ok(()));
    assert_eq!(run.status, 0, "{}", run.stderr);
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

#[test]
fn the_page_says_what_the_run_found() {
    let folder = Folder::new();
    let mut page = page(&folder, "page.html", &ndjson());
    // The style and the script have files of their own; the golden file holds what the run wrote.
    for source in [include_str!("../../src/page/style.css"), include_str!("../../src/page/script.js")] {
        let whole = page.len();
        page = page.replacen(source, "", 1);
        assert_eq!(page.len(), whole - source.len(), "each stands in the page, once and as it is");
    }
    expect_file!["../golden/report.html"].assert_eq(&page);
}

#[test]
fn a_page_about_nothing_gives_no_comfort() {
    let folder = Folder::new();
    let [quiet, ..] = events();
    let nothing = "No line of a log could be read, so this says nothing about who gained power.";
    for (log, is_read) in [("", false), ("Dear diary,\n\nno log today.\n", false), (quiet.as_str(), true)] {
        let page = page(&folder, "page.html", log);
        assert_eq!((page.contains(nothing), page.contains("Nothing that was read gave")), (!is_read, is_read), "{log}");
    }
}

/// A page holds 2,000 alerts and a graph of a few.
#[test]
fn what_finds_no_room_on_the_page_is_counted() {
    let page = page(&Folder::new(), "page.html", &many(2_003));
    assert_eq!(page.matches("<details class=\"alert").count(), 2_000);
    let left = "<p>3 less urgent alerts found no room on this page; <code>--format ocsf</code> has them all.</p>";
    assert!(page.contains(left));
    assert!(page.contains("<p>The gravest 12 of 2,000; the others are among the alerts.</p>"));
}

#[test]
fn a_page_that_cannot_be_written_is_an_early_error() {
    let folder = Folder::new();
    folder.write("log", ndjson());
    let run = rolewatch_in(folder.path(), &["replay", "--report", "no/such/page.html", "log"], |_| Ok(()));
    expect_file!["../golden/error-report.txt"].assert_eq(&run.transcript());
}

#[test]
fn nothing_from_a_log_becomes_markup() {
    let page = page(&Folder::new(), "page.html", &hostile());
    for markup in ["<script>hacked", "<img", "<svg onload", "\" onfocus", "\u{202e}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;hacked=1&lt;/script&gt;"), "the names are shown");
    assert_eq!(page.matches("<script>").count(), 1);
    for source in ["http://", "https://", " src=\"", "<link", "@import", "url("] {
        assert!(!page.contains(source), "the page loads nothing: {source}");
    }
}

/// Clicks through a page; `None`, loudly, where there is no browser.
fn browse(folder: &Folder, page: &str) -> Option<Value> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()));
    let Some(chromium) = found else {
        // Past the capture of the test runner: a test that did not run must be seen.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: no Chromium is installed, so no browser looked at the report");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser.py");
    let output = Command::new("timeout")
        .args(["60", "python3"])
        .arg(script)
        .arg(chromium)
        .arg(page)
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Whatever the page holds.
    assert_eq!(found["hacked"], json!(false), "{found}");
    assert_eq!(
        (&found["requests"], &found["complaints"], &found["dialogs"]),
        (&json!([]), &json!([]), &json!(0)),
        "{found}"
    );
    assert_eq!(found["widths"], json!({"1280": 1280, "390": 390}), "nothing is wider than the screen: {found}");
    assert_eq!(found["first_tab"], json!("Skip to the alerts"), "{found}");
    Some(found)
}

#[test]
fn a_browser_clicks_through_the_page() {
    let folder = Folder::new();
    for (name, log, alerts) in [
        ("none.html", String::new(), 0),
        ("one.html", many(1), 1),
        ("many.html", many(500), 500),
        ("hostile.html", hostile(), HOSTILE.len()),
    ] {
        page(&folder, name, &log);
        let Some(found) = browse(&folder, name) else { return };
        assert_eq!(found["alerts"], json!(alerts), "{found}");
        if alerts > 0 {
            assert_eq!(
                (&found["open"], &found["open_after_click"], &found["open_after_enter"]),
                (&json!(1), &json!(0), &json!(1))
            );
            assert_eq!((&found["shown_without_first_severity"], &found["shown_for_nonsense"]), (&json!(0), &json!(0)));
            assert_eq!(found["open_after_all"], json!(alerts), "{found}");
        }
    }
}
