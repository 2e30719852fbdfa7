//! What lies on the desk, and what does not.

use std::fs;
use std::io::Read as _;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use super::{Ahead, AtWork, Desk, End, Next, PIECE_BYTES, PIECES_MAX, Piece, Reading};
use crate::input::Input;
use crate::progress::Progress;

/// A folder that goes with the test.
struct Files(PathBuf, Vec<Input>);

impl Files {
    fn new(name: &str, texts: &[String]) -> Self {
        let folder = std::env::temp_dir().join(format!("rolewatch-ahead-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = |(number, text): (usize, &String)| {
            let path = folder.join(number.to_string());
            fs::write(&path, text).unwrap();
            Input::File { path, bytes: text.len() as u64 }
        };
        let inputs = texts.iter().enumerate().map(file).collect();
        Self(folder, inputs)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn progress() -> Progress {
    Progress::new(None, false)
}

/// How many pieces lie on the desk, and how many of them of the first input, once nobody finds anything to do any more.
fn held(inputs: &[Input], readers: usize) -> (usize, usize) {
    let desk = Desk::new(inputs, progress());
    thread::scope(|scope| {
        let _end = End { desk: &desk, over: Arc::default() };
        for _ in 0..readers {
            scope.spawn(|| desk.read());
        }
        loop {
            let state = desk.state();
            if state.asleep == readers || state.inputs.iter().all(|pile| pile.ended) {
                let held = (state.held, state.inputs[0].ready.len());
                return held;
            }
            drop(state);
            thread::yield_now();
        }
    })
}

#[test]
fn what_waits_is_bounded_however_many_files_there_are() {
    // Of each file one piece says what it is, and one is its text.
    let small = |files: usize| held(&Files::new("small", &vec!["text".to_owned(); files]).1, 1).0;
    assert_eq!(small(PIECES_MAX / 2), PIECES_MAX, "all of them at the limit");
    assert_eq!(small(PIECES_MAX / 2 + 1), PIECES_MAX, "one past it waits");
    assert_eq!(small(1_000), PIECES_MAX);
    let large = "x".repeat((PIECES_MAX + 2) * PIECE_BYTES);
    let files = Files::new("large", &[large.clone(), large.clone(), large]);
    assert_eq!(held(&files.1[..1], 1), (PIECES_MAX, PIECES_MAX), "a file alone");
    let (all, of_first) = held(&files.1, 3);
    assert!(of_first == PIECES_MAX && all < 2 * PIECES_MAX, "what is judged has room of its own: {all}");
}

#[test]
fn every_input_comes_whole_and_in_order_however_many_read() {
    let text = |number: usize| format!("{number} ").repeat(number * 40_000);
    let files = Files::new("order", &(0..9).map(text).collect::<Vec<_>>());
    for readers in [1, 2, 5] {
        Ahead::run(&files.1, readers, &progress(), |ahead| {
            for number in 0..9 {
                let Ok(mut unpacked) = ahead.next() else { panic!("{number}") };
                // One is given up after its first bytes.
                let mut out = vec![0; if number == 4 { 10 } else { text(number).len() }];
                unpacked.reader.read_exact(&mut out).unwrap();
                assert!(text(number).as_bytes().starts_with(&out), "{number}");
                assert!(number == 4 || unpacked.reader.read(&mut [0]).unwrap() == 0, "{number}");
            }
        });
    }
}

#[test]
fn whoever_judges_reads_no_other_input_that_may_be_silent() {
    let inputs = [0, 1].map(|number| Input::File { path: PathBuf::from(number.to_string()), bytes: 0 });
    let desk = Desk::new(&inputs, progress());
    let mut state = desk.state();
    let job = state.job(false).unwrap();
    assert_eq!(job.at, 0);
    assert!(state.job(true).is_none() && state.job(false).is_none(), "and others only after those before it");
    state.inputs[0].ended = true;
    assert!(state.job(true).is_none());
    assert_eq!(state.job(false).unwrap().at, 1);
    assert!(matches!(job.reading, Reading::Unopened));
}

#[test]
fn a_panic_keeps_nobody_waiting() {
    let files = Files::new("panic", &vec!["x".repeat(40 * PIECE_BYTES); 3]);
    let judge = catch_unwind(|| Ahead::run(&files.1, 2, &progress(), |_| panic!("while judging")));
    assert!(judge.is_err(), "and the readers have ended");
    let desk = Desk::new(&files.1, progress());
    let job = desk.state().job(false).unwrap();
    drop(AtWork { desk: &desk, job: Some(job.at) });
    assert!(matches!(desk.next(0, &mut []), Next::Piece(Piece::CannotRead(_))), "a reader");
    assert!(matches!(desk.next(0, &mut []), Next::Read(0)));
}
