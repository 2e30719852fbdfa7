//! Runs that end in another way than by reading everything and telling it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use crate::support::{Folder, events, ndjson, rolewatch_in};

fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rolewatch"));
    command.args(args).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Standard output is closed before anything is written to it.
fn without_reader(folder: &Folder, args: &[&str]) -> (Option<i32>, String) {
    let mut child = command(folder, args).stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(ndjson().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_reader_that_is_gone_costs_nothing_that_others_wait_for() {
    let folder = Folder::new();
    let args = ["replay", "--fail-on", "low", "--report", "r.html", "--save-memory", "m.mem", "-"];
    let (status, stderr) = without_reader(&folder, &args);
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.contains("alerts   2  1 critical, 1 low"), "{stderr}");
    let page = std::fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(page.contains("bob-admin") && page.ends_with("</html>\n"));
    let known =
        rolewatch_in(folder.path(), &["replay", "--memory", "m.mem", "--save-memory", "n.mem", "-"], |_| Ok(()));
    assert_eq!(known.status, 0, "{}", known.stderr);
    // Nobody waits: the log need not be read to its end.
    assert_eq!(without_reader(&folder, &["replay", "-"]), (Some(0), String::new()));
}

#[test]
fn nothing_depends_on_who_reads_standard_error() {
    let folder = Folder::new();
    folder.write("log", ndjson());
    let mut child = command(&folder, &["replay", "--fail-on", "low", "log"]).spawn().unwrap();
    drop(child.stderr.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("[LOW]"));
    if cfg!(target_os = "linux") {
        let script = "exec \"$0\" replay --strict log missing 2>/dev/full";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_rolewatch")]).current_dir(folder.path()).stdout(Stdio::null());
        assert_eq!(shell.status().unwrap().code(), Some(2));
    }
}

#[test]
fn a_run_that_read_nothing_leaves_everything_as_it_was() {
    let folder = Folder::new();
    folder.write("good.mem", "old");
    folder.write("page.html", "old");
    let args = ["replay", "--save-memory", "good.mem", "--report", "page.html"];
    let source = ["--log-group", "/aws/eks/prod/cluster", "--region", "us-east-1"];
    let output = command(&folder, &[&args[..], &source].concat())
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    // No summary of zeros before it.
    assert_eq!(stderr, "error: no AWS credentials were found; use `--profile`, set AWS_PROFILE, or log in\n");
    if cfg!(target_os = "linux") {
        let run = rolewatch_in(folder.path(), &[&args[..], &["/proc/self/mem"]].concat(), |_| Ok(()));
        assert!(run.status == 2 && run.stderr.starts_with("error: cannot read"), "{}", run.stderr);
    }
    for name in ["good.mem", "page.html"] {
        assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), "old", "{name}");
    }
}

#[test]
fn strict_names_the_places_also_when_a_file_cannot_be_read() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = Folder::new();
    let [one, ..] = events();
    folder.write("log", format!("{one}\nno log line\n"));
    let run = rolewatch_in(folder.path(), &["replay", "--quiet", "--strict", "log", "/proc/self/mem"], |_| Ok(()));
    assert_eq!(run.status, 2);
    let mut lines = run.stderr.lines();
    assert!(lines.next().unwrap().starts_with("log:2: unknown-text"), "{}", run.stderr);
    assert!(lines.next().unwrap().starts_with("error: cannot read `/proc/self/mem`"), "{}", run.stderr);
}

#[test]
fn what_is_left_behind_is_for_its_owner() {
    let folder = Folder::new();
    folder.write("log", ndjson());
    folder.write("m.mem.new", "mine");
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    let run = rolewatch_in(folder.path(), &["replay", "--save-memory", "m.mem", "log"], |_| Ok(()));
    assert_eq!(run.status, 0, "{}", run.stderr);
    let mode = std::fs::metadata(folder.path().join("m.mem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(folder.path().join("m.mem.new")).unwrap(), "mine");
    for option in ["--save-memory", "--report"] {
        let run = rolewatch_in(folder.path(), &["replay", option, "folder", "log"], |_| Ok(()));
        assert!(run.stdout.is_empty() && run.stderr.contains("`folder`: it is a folder;"), "{}", run.stderr);
    }
}

/// Waits for `child`, which must not need what is still to come.
fn ends_soon(mut child: Child) -> (Option<i32>, String) {
    for _ in 0..100 {
        if child.try_wait().unwrap().is_some() {
            let output = child.wait_with_output().unwrap();
            return (output.status.code(), String::from_utf8(output.stderr).unwrap());
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    child.kill().unwrap();
    (None, "it still waits after five seconds".to_owned())
}

fn end(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_silent_pipe_does_not_make_a_run_deaf() {
    let folder = Folder::new();
    for (signal, threads) in [("-INT", "1"), ("-TERM", "2")] {
        let args = ["replay", "--threads", threads, "--fail-on", "low", "-"];
        let mut child = command(&folder, &args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // More than is read at once to tell what it is, and enough that alerts are told: then silence.
        let [quiet, ..] = events();
        stdin.write_all((ndjson() + &format!("{quiet}\n").repeat(25_000)).as_bytes()).unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        end(&child, signal);
        let (status, stderr) = ends_soon(child);
        assert_eq!(status, Some(130), "{stderr}");
        assert!(stderr.starts_with("Stopped by Ctrl-C; this is what was read until then.\nSummary\n"), "{stderr}");
        drop(stdin);
    }
}

/// The same from a pipe that has a name: what came before the silence counts, and one that nobody opens to write is left.
#[test]
fn a_named_pipe_does_not_make_a_run_deaf() {
    for threads in ["1", "2"] {
        let folder = Folder::new();
        folder.write("log", ndjson());
        for name in ["silent", "unopened"] {
            assert!(Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
        }
        let args = ["replay", "--threads", threads, "log", "silent", "unopened"];
        let child = command(&folder, &args).spawn().unwrap();
        // Opens when the run does.
        let mut pipe = std::fs::OpenOptions::new().write(true).open(folder.path().join("silent")).unwrap();
        let [quiet, ..] = events();
        pipe.write_all(format!("{quiet}\n").repeat(3).as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        end(&child, "-INT");
        let (status, stderr) = ends_soon(child);
        assert_eq!(status, Some(130), "{stderr}");
        assert!(stderr.starts_with("Stopped by Ctrl-C; this is what was read until then.\nSummary\n"), "{stderr}");
        assert!(stderr.contains("alerts   2  1 critical, 1 low"), "{stderr}");
        drop(pipe);

        let child = command(&folder, &["replay", "--threads", threads, "log", "unopened"]).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        end(&child, "-INT");
        let (status, stderr) = ends_soon(child);
        assert!(status == Some(130) && stderr.contains("alerts   2  1 critical, 1 low"), "{stderr}");

        let child = command(&folder, &["replay", "--threads", threads, "unopened"]).spawn().unwrap();
        std::fs::write(folder.path().join("unopened"), ndjson()).unwrap();
        let (status, stderr) = ends_soon(child);
        assert!(status == Some(0) && stderr.contains("alerts   2  1 critical, 1 low"), "{stderr}");
    }
}

#[test]
fn nobody_waits_for_a_silent_pipe_when_the_reader_is_gone() {
    let folder = Folder::new();
    let [quiet, ..] = events();
    folder.write("log", ndjson() + &format!("{quiet}\n").repeat(25_000));
    assert!(Command::new("mkfifo").arg(folder.path().join("unopened")).status().unwrap().success());
    let mut child = command(&folder, &["replay", "--threads", "3", "log", "unopened"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(ends_soon(child), (Some(0), String::new()));
}

#[test]
fn a_file_that_cannot_be_read_does_not_cost_the_answer() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let folder = Folder::new();
    folder.write("log", ndjson() + "no log line\n");
    folder.write("exceptions.yaml", "exceptions: []\n");
    for args in [&["cost"][..], &["exceptions", "check", "exceptions.yaml"]] {
        let run = rolewatch_in(folder.path(), &[args, &["log", "/proc/self/mem"]].concat(), |_| Ok(()));
        assert!(run.status == 2 && run.stderr.contains("/proc/self/mem"), "{args:?}: {}", run.stderr);
        assert!(run.stdout.contains("1 could not be read, see `rolewatch replay`"), "{args:?}: {}", run.stdout);
    }
}

#[test]
fn the_page_that_another_refers_to_can_be_printed() {
    let folder = Folder::new();
    let page = |args: &[&str]| rolewatch_in(folder.path(), args, |_| Ok(()));
    assert!(page(&["man", "exceptions"]).stdout.contains("check(1)"));
    let check = page(&["man", "exceptions", "check"]);
    assert!(check.stdout.contains(".TH rolewatch-exceptions-check 1") && check.stdout.contains("strict"));
    assert_eq!(page(&["man", "exceptions-check"]).stdout, check.stdout);
}
