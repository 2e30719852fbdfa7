//! What only happens in a terminal: colour, width, progress, Ctrl-C, and nobody to read from.

use std::process::Command;

use crate::support::{Folder, ndjson};

/// Runs the binary in a terminal of its own; `None` where there is no Python to open one.
fn in_terminal(folder: &Folder, args: &[&str]) -> Option<(i32, String)> {
    in_terminal_of(folder, 80, args)
}

/// The same in a terminal of so many columns.
fn in_terminal_of(folder: &Folder, columns: u16, args: &[&str]) -> Option<(i32, String)> {
    in_terminal_with(folder, columns, args, &[])
}

/// The same with more in the environment.
pub(crate) fn in_terminal_with(
    folder: &Folder,
    columns: u16,
    args: &[&str],
    environment: &[(&str, &str)],
) -> Option<(i32, String)> {
    // Ends the binary after 60 seconds: one that waits for itself must not hold up the tests.
    const SCRIPT: &str = "
import fcntl, os, pty, signal, struct, sys, termios, time
out = b''
def read(fd):
    global out
    data = os.read(fd, 65536)
    out += data
    return data
pid, fd = pty.fork()
if pid == 0:
    size = struct.pack('HHHH', 24, int(os.environ['TEST_COLUMNS']), 0, 0)
    fcntl.ioctl(1, termios.TIOCSWINSZ, size)
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(60)
try:
    pressed = False
    while read(fd):
        # As a person does who has seen enough: once progress is shown.
        if 'TEST_CTRL_C' in os.environ and b'lines' in out and not pressed:
            pressed = True
            os.write(fd, b'\\x03')
except OSError:
    pass
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(out)
sys.stdout.buffer.flush()
os._exit(status if status >= 0 else 99)
";
    let run = Command::new("python3")
        .args(["-c", SCRIPT, env!("CARGO_BIN_EXE_rolewatch")])
        .args(args.iter().filter(|arg| **arg != CTRL_C))
        .current_dir(folder.path())
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .envs(environment.iter().copied())
        .env("TEST_COLUMNS", columns.to_string())
        .envs(args.contains(&CTRL_C).then_some(("TEST_CTRL_C", "1")))
        .output()
        .ok()?;
    Some((run.status.code().unwrap_or(-1), String::from_utf8_lossy(&run.stdout).into_owned()))
}

/// Stands among arguments for the key that is pressed once lines are counted.
const CTRL_C: &str = "<Ctrl-C>";

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

/// `text` without colours and line ends of a terminal.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.replace('\r', "").split('\u{1b}').enumerate() {
        // `ESC [ digits letter`
        let rest = part.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        out.push_str(if at == 0 { part } else { rest.get(1..).unwrap_or_default() });
    }
    out
}

#[test]
fn alerts_are_as_wide_as_the_terminal_within_reason() {
    let folder = Folder::new();
    folder.write("log", ndjson());
    for (columns, widest, headlines) in [(20, 40, 3), (60, 60, 2), (100, 100, 2), (400, 120, 1)] {
        let Some((status, text)) = in_terminal_of(&folder, columns, &["replay", "log"]) else { return };
        assert_eq!(status, 0, "{text}");
        let text = plain(&text);
        let rule = text.lines().find(|line| line.starts_with("----")).unwrap();
        assert_eq!(rule.len(), widest, "{columns}");
        let is_whole = |line: &&str| line.contains("fields @timestamp") || !line.trim().contains(' ');
        for line in text.lines().filter(|line| !is_whole(line)) {
            assert!(line.chars().count() <= widest, "{columns}: {line}");
        }
        let headline = text.lines().position(|line| line.starts_with("[LOW]")).unwrap();
        let lines = text.lines().skip(headline).take_while(|line| !line.is_empty()).count();
        assert_eq!(lines, headlines, "{columns}: {text}");
    }
}

#[test]
fn ctrl_c_tells_what_was_read_until_then() {
    let folder = Folder::new();
    let [quiet, ..] = crate::support::events();
    folder.write("log", ndjson() + &format!("{quiet}\n").repeat(100_000));
    let Some((status, text)) = in_terminal(&folder, &["replay", "log", CTRL_C]) else { return };
    let text = plain(&text);
    assert_eq!(status, 130, "{text}");
    let (_, summary) = text.split_once("Stopped by Ctrl-C; this is what was read until then.\nSummary\n").unwrap();
    let lines = summary.lines().find_map(|line| line.trim_start().strip_prefix("lines ")).unwrap();
    let lines: u32 = lines.trim().replace(',', "").parse().unwrap();
    assert!(lines > 0 && lines < 100_004, "{lines}");
    assert!(text.contains("[CRITICAL] alice@example.com") && summary.contains("\nWho\n"), "{text}");
    assert!(!text.contains("error:"), "{text}");
}
