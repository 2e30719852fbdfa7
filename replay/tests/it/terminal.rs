//! What only happens in a terminal: colour, progress, and nobody to read from.

use std::process::Command;

use crate::support::{Folder, ndjson};

/// Runs the binary in a terminal of its own; `None` where there is no Python to open one.
fn in_terminal(folder: &Folder, args: &[&str]) -> Option<(i32, String)> {
    // Ends the binary after 60 seconds: one that waits for itself must not hold up the tests.
    const SCRIPT: &str = "
import os, pty, signal, sys
out = b''
def read(fd):
    global out
    data = os.read(fd, 65536)
    out += data
    return data
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(60)
try:
    while read(fd):
        pass
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(out)
sys.stdout.buffer.flush()
os._exit(status if status >= 0 else 99)
";
    let run = Command::new("python3")
        .args(["-c", SCRIPT, env!("CARGO_BIN_EXE_rolewatch")])
        .args(args)
        .current_dir(folder.path())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .output()
        .ok()?;
    Some((run.status.code().unwrap_or(-1), String::from_utf8_lossy(&run.stdout).into_owned()))
}

#[test]
fn without_a_path_in_a_terminal_it_says_what_to_do() {
    let Some((status, text)) = in_terminal(&Folder::new(), &["replay"]) else { return };
    assert_eq!(text, "error: no input; name files or folders, or pipe a log into `rolewatch replay -`\r\n");
    assert_eq!(status, 2);
}

#[test]
fn alerts_are_coloured_in_a_terminal() {
    let folder = Folder::new();
    folder.write("log", ndjson());
    let Some((status, text)) = in_terminal(&folder, &["replay", "log"]) else { return };
    assert!(status == 0 && text.contains("\u{1b}[41m[CRITICAL] alice@example.com gave"), "{status}: {text}");
    let Some((_, plain)) = in_terminal(&folder, &["replay", "--color", "never", "log"]) else { return };
    assert!(!plain.contains('\u{1b}') && plain.contains("[CRITICAL]"), "{plain}");
}

#[test]
fn a_long_run_shows_progress_and_takes_it_away() {
    let folder = Folder::new();
    // Blank lines are read at once and count as bytes like any other.
    folder.write("log", "\n".repeat(40 << 20) + &ndjson());
    let Some((status, text)) = in_terminal(&folder, &["replay", "log"]) else { return };
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("of 40.00 MiB") && text.contains("\r\u{1b}[2K"), "{text}");
    let (_, end) = text.rsplit_once("\r\u{1b}[2K").unwrap();
    assert!(end.contains("Summary\r\n") && !end.contains("MiB"), "{end}");
    let Some((_, quiet)) = in_terminal(&folder, &["replay", "--quiet", "log"]) else { return };
    assert!(!quiet.contains("MiB") && !quiet.contains("Summary"), "{quiet}");
}
