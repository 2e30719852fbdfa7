//! What was hoped for and what must be held, row by row, and how what was measured is told.

use std::fmt::{Display, Formatter, Result};

/// One thing that is measured, with its bounds. The numbers of the rows are those of docs/performance.md.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Number of the row.
    pub row: u8,
    /// What it is.
    pub what: &'static str,
    /// What must be held.
    pub must: Bound,
    /// What would be better still.
    pub stretch: Option<f64>,
}

/// Which side of a number is the good one.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// Less is better.
    AtMost(f64),
    /// More is better.
    AtLeast(f64),
}

impl Bound {
    /// Whether a number is on the good side.
    #[must_use]
    pub fn holds(self, used: f64) -> bool {
        match self {
            Self::AtMost(most) => used <= most,
            Self::AtLeast(least) => used >= least,
        }
    }

    /// The same side of another number.
    #[must_use]
    pub fn moved(self, to: f64) -> Self {
        match self {
            Self::AtMost(_) => Self::AtMost(to),
            Self::AtLeast(_) => Self::AtLeast(to),
        }
    }
}

impl Display for Bound {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::AtMost(most) => write!(out, "≤ {most}"),
            Self::AtLeast(least) => write!(out, "≥ {least}"),
        }
    }
}

/// What came of one row.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The row.
    pub target: Target,
    /// On what it was measured, and the number.
    pub measured: Vec<(String, f64)>,
}

impl Outcome {
    /// Whether every number holds.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.measured.iter().all(|(_, used)| self.target.must.holds(*used))
    }
}

/// A row of the table that [`HEAD`] begins.
impl Display for Outcome {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let Target { row, what, must, stretch } = self.target;
        let stretch = stretch.map(|stretch| must.moved(stretch).to_string()).unwrap_or_default();
        let measured: Vec<String> = self.measured.iter().map(|(on, used)| format!("{on} {used:.2}")).collect();
        let verdict = match (self.is_met(), self.measured.len()) {
            (_, 0) => "not measured",
            (true, _) => "met",
            (false, _) => "**missed**",
        };
        write!(out, "| {row} | {what} | {must} | {stretch} | {} | {verdict} |", measured.join(", "))
    }
}

/// Adds what was measured on another log to the rows of the first.
pub fn join(rows: &mut Vec<Outcome>, more: Vec<Outcome>) {
    if rows.is_empty() {
        *rows = more;
    } else {
        rows.iter_mut().zip(more).for_each(|(row, more)| row.measured.extend(more.measured));
    }
}

/// What stands above the rows.
pub const HEAD: &str = "| # | what | must | stretch | measured | |\n|---|---|---|---|---|---|";

/// In CPU time.
pub const DELIVERY: Target = Target {
    row: 1,
    what: "a delivery over its base64 and gunzip, CPU time",
    must: Bound::AtMost(1.9),
    stretch: Some(1.45),
};

/// The same, counted: a gate that a busy machine does not shake.
pub const DELIVERY_COUNTED: Target =
    Target { row: 2, what: "the same in instructions", must: Bound::AtMost(1.75), stretch: Some(1.35) };

/// The handler that one would write in an afternoon.
pub const NAIVE: Target =
    Target { row: 3, what: "the naive handler's CPU time over ours", must: Bound::AtLeast(8.0), stretch: Some(11.0) };

/// The same, counted. The bound is that of the time.
pub const NAIVE_COUNTED: Target = Target { what: "the naive handler's instructions over ours", ..NAIVE };

/// What the command does with a file.
pub const PLAIN: Target = Target {
    row: 9,
    what: "judging plain NDJSON over inflating the same text, CPU time",
    must: Bound::AtMost(1.2),
    stretch: Some(0.8),
};

/// The same, counted. The bound is that of the time.
pub const PLAIN_COUNTED: Target = Target { what: "judging plain NDJSON over inflating it, instructions", ..PLAIN };

/// What a large delivery may take.
pub const MEGABYTE: Target = Target {
    row: 13,
    what: "peak memory of judging a delivery of 1 MB, in MiB",
    must: Bound::AtMost(10.0),
    stretch: Some(7.0),
};

/// What any delivery may take.
pub const WORST: Target = Target {
    row: 13,
    what: "peak memory of judging the largest event and bombs, in MiB",
    must: Bound::AtMost(16.0),
    stretch: Some(12.0),
};

/// Refusing must not be what an attacker makes us do.
pub const BOMB: Target = Target {
    row: 19,
    what: "refusing a bomb over judging a delivery that is as large as may be, CPU time",
    must: Bound::AtMost(1.0),
    stretch: None,
};

/// Twice the work for twice the size, and a little for logarithms and tables that grow. 4 would be quadratic.
pub const GROWTH_PER_DOUBLING: f64 = 2.3;
