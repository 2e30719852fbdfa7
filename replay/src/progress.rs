//! How far a long run has come: on standard error, in a terminal only.

use std::fmt;
use std::io::{self, Read, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{BinaryBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::stop::Stop;

/// A line that shows bytes, rate, time left and lines, or how much of a time was read; or nothing.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: ProgressBar,
    shown: bool,
    stop: Stop,
    /// Nobody waits for what is read any more.
    over: Arc<AtomicBool>,
    /// Bytes that have come from elsewhere.
    fetched: Arc<AtomicU64>,
    /// Thousands of lines that were shown last.
    lines: Arc<AtomicU64>,
}

impl Progress {
    /// Progress over `total` bytes. Shown when `shown` and when it is worth it.
    pub(crate) fn new(total: Option<u64>, shown: bool) -> Self {
        let worth = shown && total.is_none_or(|total| total >= SHOWN_BYTES_MIN);
        let bar = match total {
            Some(total) => ProgressBar::new(total),
            None => ProgressBar::new_spinner(),
        };
        bar.set_draw_target(if worth { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        let template = match total {
            Some(_) => "{wide_bar}  {bytes} of {total_bytes}  {binary_bytes_per_sec}  {eta} left  {msg}",
            None => "{spinner} {bytes}  {binary_bytes_per_sec}  {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if worth {
            bar.enable_steady_tick(TICK);
        }
        Self {
            bar,
            shown: worth,
            stop: Stop::default(),
            over: Arc::default(),
            fetched: Arc::default(),
            lines: Arc::default(),
        }
    }

    /// The same, which also ends what is being read.
    pub(crate) fn stopping(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// The same for readers whom nobody waits for once the second value is set.
    pub(crate) fn until_over(&self) -> (Self, Arc<AtomicBool>) {
        let over = Arc::<AtomicBool>::default();
        (Self { over: Arc::clone(&over), ..self.clone() }, over)
    }

    /// Whether the run was asked to end.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.is_set()
    }

    /// Fails once the run was asked to end, or nobody waits.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.stop.check()?;
        if self.over.load(Ordering::Relaxed) { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// A reader that moves the line forward, and fails when the run is to end.
    pub(crate) fn watch<R: Read + Send>(&self, reader: R) -> impl Read + Send + use<R> {
        Watched { reader, bar: self.bar.clone(), stop: self.stop.clone() }
    }

    /// From now on shows how much of so many milliseconds of log was read: how many bytes they hold, nobody knows.
    pub(crate) fn spanning(&self, milliseconds: u64) {
        let fetched = Arc::clone(&self.fetched);
        let bytes = move |_: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{}", BinaryBytes(fetched.load(Ordering::Relaxed)));
        };
        // Nothing can be told from the first requests.
        let left = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = match state.pos() {
                0 => Ok(()),
                _ => write!(out, "about {:#} left  ", HumanDuration(state.eta())),
            };
        };
        let template = "{wide_bar}  {percent}% of the time  {left}{fetched}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.with_key("fetched", bytes).with_key("left", left));
            self.bar.set_length(milliseconds);
        }
    }

    /// Shows how many milliseconds of the span were read.
    pub(crate) fn covered(&self, milliseconds: u64) {
        if self.shown && self.bar.length().is_some() {
            self.bar.set_position(milliseconds);
        }
    }

    /// Shows how many bytes have come from elsewhere.
    pub(crate) fn fetched(&self, bytes: u64) {
        self.fetched.store(bytes, Ordering::Relaxed);
        // A span moves by time.
        if self.shown && self.bar.length().is_none() {
            self.bar.set_position(bytes);
        }
    }

    /// Shows how many lines were read.
    pub(crate) fn lines(&self, lines: u64) {
        if self.shown && self.lines.swap(lines / LINES_STEP, Ordering::Relaxed) != lines / LINES_STEP {
            self.bar.set_message(format!("{} lines", crate::summary::grouped(lines)));
        }
    }

    /// Says something on standard error that is no result and no reason to end.
    pub(crate) fn note(&self, text: &str) {
        // What the run is for goes elsewhere.
        let _ = self.aside(|| writeln!(io::stderr(), "note: {text}"));
    }

    /// Does something that writes to the terminal, with the line out of the way.
    pub(crate) fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        self.bar.suspend(work)
    }

    /// Takes the line away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

struct Watched<R> {
    reader: R,
    bar: ProgressBar,
    stop: Stop,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stop.check()?;
        let read = self.reader.read(out)?;
        self.stop.check()?;
        self.bar.inc(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// Below 32 MiB a run is over before anyone can read a line of progress.
const SHOWN_BYTES_MIN: u64 = 32 << 20;
/// Lines between two updates of their number, which costs more than most lines do.
const LINES_STEP: u64 = 1_000;
const TICK: Duration = Duration::from_millis(100);
