//! Memory and time stay bounded, whatever comes in.

use std::io::Read;

use flate2::Compression;
use flate2::read::GzEncoder;

use crate::support::{ALERTING, Folder, events, gzip, ndjson, rolewatch_in};

/// Gzip of `start`, `mebibytes` of `filler`, and `end`, made without holding the text.
fn bomb(start: &[u8], filler: u8, mebibytes: u64, end: &[u8]) -> Vec<u8> {
    let text = start.chain(std::io::repeat(filler).take(mebibytes << 20)).chain(end);
    let mut bytes = Vec::new();
    GzEncoder::new(text, Compression::fast()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn bombs_do_not_grow_memory_and_do_not_cost_their_neighbours() {
    let folder = Folder::new();
    let good = ndjson();
    let behind = format!("\n{good}");
    for (name, bytes, neighbours) in [
        ("zeros", bomb(b"", 0, BOMB_MEBIBYTES, b""), false),
        ("blanks", bomb(b"", b' ', BOMB_MEBIBYTES, behind.as_bytes()), true),
        ("one line", bomb(b"", b'x', BOMB_MEBIBYTES, behind.as_bytes()), true),
        ("one object", bomb(b"{\"a\":\"", b' ', BOMB_MEBIBYTES, format!("\"}}{behind}").as_bytes()), true),
        (
            "one event",
            bomb(b"{\"kind\":\"Event\",\"a\":\"", b'x', BOMB_MEBIBYTES, format!("\"}}{behind}").as_bytes()),
            true,
        ),
        ("open brackets", bomb(b"{\"a\":", b'[', BOMB_MEBIBYTES, b""), false),
        ("open lists", bomb(b"", b'[', BOMB_MEBIBYTES, b""), false),
        ("one element", bomb(b"[{\"a\":", b' ', BOMB_MEBIBYTES, format!("1}},{}]", events()[1]).as_bytes()), false),
        ("empty lines", bomb(b"", b'\n', BOMB_MEBIBYTES, behind.as_bytes()), true),
        ("gzip of it", gzip(bomb(b"", b'x', BOMB_MEBIBYTES, behind.as_bytes())), true),
    ] {
        folder.write("bomb", bytes);
        let run = rolewatch_in(folder.path(), &["replay", "--format", "ocsf", "bomb"], |_| Ok(()));
        assert_eq!(run.status, 0, "{name}: {}", run.stderr);
        assert!(run.peak_bytes < BOMB_PEAK_BYTES, "{name}: {} MiB", run.peak_bytes >> 20);
        if neighbours {
            assert_eq!(run.audit_ids().into_iter().collect::<Vec<_>>(), ALERTING, "{name}: {}", run.stderr);
        }
    }
}

/// A long log needs as much memory as a short one.
#[test]
fn a_long_log_is_read_in_little_memory() {
    let folder = Folder::new();
    let [quiet, alerting, ..] = events();
    let block = format!("{quiet}\n").repeat(1_000);
    let run = rolewatch_in(folder.path(), &["replay", "--format", "ocsf", "-"], |stdin| {
        for _ in 0..LONG_LOG_BLOCKS {
            stdin.write_all(block.as_bytes())?;
        }
        stdin.write_all(alerting.as_bytes())
    });
    assert_eq!((run.status, run.audit_ids().len()), (0, 1), "{}", run.stderr);
    assert!(run.stderr.contains("lines    60,001\n"), "{}", run.stderr);
    assert!(run.peak_bytes < LONG_LOG_PEAK_BYTES, "{} MiB", run.peak_bytes >> 20);

    // One list of that length, too.
    let element = format!("{quiet},\n").repeat(1_000);
    let run = rolewatch_in(folder.path(), &["replay", "--format", "ocsf", "-"], |stdin| {
        stdin.write_all(br#"{"kind":"EventList","items":["#)?;
        for _ in 0..LONG_LOG_BLOCKS {
            stdin.write_all(element.as_bytes())?;
        }
        stdin.write_all(alerting.as_bytes())?;
        stdin.write_all(b"]}")
    });
    assert_eq!((run.status, run.audit_ids().len()), (0, 1), "{}", run.stderr);
    assert!(run.peak_bytes < LONG_LOG_PEAK_BYTES, "{} MiB", run.peak_bytes >> 20);
}

#[test]
fn a_damaged_gzip_gives_the_lines_before_the_damage() {
    let folder = Folder::new();
    let text: String = (0..300).map(|_| ndjson()).collect();
    let whole = gzip(&text);
    folder.write("log.gz", whole.clone());
    let told = rolewatch_in(folder.path(), &["replay", "--format", "ocsf", "log.gz"], |_| Ok(())).audit_ids();
    assert_eq!(told.len(), 2);
    let mut hurt = whole.clone();
    let middle = whole.len() / 2;
    hurt[middle..middle + 64].fill(0xff);
    for (name, bytes) in [("cut", whole[..middle].to_vec()), ("hurt", hurt)] {
        folder.write("log.gz", bytes);
        let run = rolewatch_in(folder.path(), &["replay", "--format", "ocsf", "log.gz"], |_| Ok(()));
        assert_eq!(run.status, 0, "{name}: {}", run.stderr);
        assert!(run.stderr.contains("gzip-damaged"), "{name}: {}", run.stderr);
        let ids = run.audit_ids();
        assert!(told.iter().all(|id| ids.contains(id)), "{name}: {}", run.stderr);
        // The line that the damage cut may be told too, when it ends before it says what it is about.
        assert!(ids.len() <= told.len() + 1, "{name}: {}", run.stderr);
    }
}

/// More than any memory that is allowed.
const BOMB_MEBIBYTES: u64 = 72;
/// The longest record that is read whole has 32 MiB; it is held once, and the rest is what the command needs anyway.
const BOMB_PEAK_BYTES: u64 = 64 << 20;
/// A batch, a window and the analyzer.
const LONG_LOG_PEAK_BYTES: u64 = 40 << 20;
/// Of 1,000 lines each, about 50 MB in all.
const LONG_LOG_BLOCKS: usize = 60;
