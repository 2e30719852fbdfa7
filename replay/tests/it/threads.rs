//! How many threads work changes nothing of what is said, nor in which order.

use crate::support::{Folder, Run, events, gzip, rolewatch_in, subscription};

/// A folder of many forms: plain, packed, deliveries, text among events, something cut, something that is no log.
fn folder() -> Folder {
    let folder = Folder::new();
    let [quiet, alerting, ..] = events();
    let many = format!("{quiet}\n").repeat(3_000);
    let mixed = format!("{many}{alerting}\nnot a line of any log\n{many}{quiet}");
    folder.write("a.ndjson", &mixed);
    folder.write("b.ndjson.gz", gzip(&mixed));
    folder.write("c.gz", gzip(format!("{many}{}", &alerting[..alerting.len() / 2])));
    let whole = gzip(&mixed);
    folder.write("d.gz", &whole[..whole.len() / 2]);
    let deliveries = [&quiet, &alerting, &quiet].map(|event| subscription(std::slice::from_ref(event))).concat();
    folder.write("e", gzip(gzip(deliveries)));
    folder.write("f.bin", [0, 1, 2, 3, 0xff]);
    folder.write("g", format!("{alerting}\n{many}"));
    folder.write("h.empty", "");
    folder
}

fn replay(folder: &Folder, threads: &str, more: &[&str]) -> Run {
    let args = [&["replay", "--threads", threads], more].concat();
    rolewatch_in(folder.path(), &args, |_| Ok(()))
}

/// Runs with one thread and with more of them, which all say the same, and returns what that is.
fn replay_by_any(folder: &Folder, args: &[&str]) -> Run {
    let one = replay(folder, "1", args);
    for threads in ["2", "3", "16"] {
        let many = replay(folder, threads, args);
        assert!(many.stdout == one.stdout && many.stderr == one.stderr, "{args:?} {threads}: {}", many.stderr);
        assert_eq!(many.status, one.status, "{args:?}");
    }
    one
}

#[test]
fn one_thread_and_many_say_the_same() {
    let folder = folder();
    let one = replay_by_any(&folder, &["--format", "ocsf", "."]);
    assert!(!one.audit_ids().is_empty() && one.stderr.contains("gzip-damaged"), "{}", one.stderr);
    for args in
        [&["--format", "ocsf", "--strict", "."][..], &["."], &["--explain", "."], &["a.ndjson"], &["b.ndjson.gz"]]
    {
        assert!(!replay_by_any(&folder, args).stdout.is_empty(), "{args:?}");
    }
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/recorded");
    assert!(!replay_by_any(&folder, &["--format", "chat", samples]).stdout.is_empty());
    // Whoever wants to know why has every line read, and the counts are the same.
    let explained = rolewatch_in(folder.path(), &["replay", "--explain", "."], |_| Ok(()));
    let counts =
        |text: &str| text.lines().filter(|line| line.contains("lines ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(counts(&explained.stderr), counts(&one.stderr));
}

#[test]
fn a_file_that_is_given_up_does_not_keep_the_others_waiting() {
    let folder = Folder::new();
    let [quiet, alerting, ..] = events();
    // More than waits for its turn, behind bytes that are no text.
    let text = format!("{quiet}\n").repeat(20_000);
    for number in 0..6 {
        folder.write(&format!("{number}"), [&[0_u8, 1][..], text.as_bytes()].concat());
    }
    folder.write("7", &alerting);
    let run = replay(&folder, "2", &["--format", "ocsf", "."]);
    assert_eq!(run.audit_ids().len(), 1, "{}", run.stderr);
    let strict = replay(&folder, "2", &["--strict", "."]);
    assert_eq!(strict.status, 2, "{}", strict.stderr);
}

#[test]
fn the_number_of_threads_is_checked() {
    for wrong in ["0", "257", "many"] {
        let run = rolewatch_in(folder().path(), &["replay", "--threads", wrong, "."], |_| Ok(()));
        assert_eq!(run.status, 2);
        assert!(run.stderr.contains("write one from 1 to 256"), "{}", run.stderr);
    }
}
