//! Budgets in instructions, counted by callgrind: the same number on a busy and on an idle machine.
//!
//! The same program runs under callgrind with a little work and with more of it; what the difference costs is the work
//! itself, without start and set-up. A ratio of two such differences is held to a budget.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cold::{self, SCENARIOS, Scenario};
use crate::corpus::Corpus;
use crate::delivery::{Delivery, gzip};
use crate::work;

/// What was measured, and what it may be.
#[derive(Debug, Clone)]
pub struct Row {
    /// What it is.
    pub name: String,
    /// The ratio.
    pub used: f64,
    /// The most, or with `at_least` the least, that passes.
    pub budget: f64,
    /// More is better.
    pub at_least: bool,
}

impl Row {
    /// Within the budget.
    #[must_use]
    pub fn passes(&self) -> bool {
        if self.at_least { self.used >= self.budget } else { self.used <= self.budget }
    }
}

impl std::fmt::Display for Row {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = if self.passes() { "" } else { "  TOO MUCH" };
        if self.at_least {
            write!(out, "{}: {:.1}, at least {:.1}{verdict}", self.name, self.used, self.budget)
        } else {
            write!(out, "{}: used {:.2} of {:.2}{verdict}", self.name, self.used, self.budget)
        }
    }
}

/// Whether this machine can count instructions.
#[must_use]
pub fn available() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Counts everything that has a budget, and tells of each as it is known.
pub fn count(tell: &mut impl FnMut(&Row)) -> std::io::Result<()> {
    let folder = std::env::temp_dir().join(format!("rolewatch-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = [Ok(Corpus::generated(EVENTS)), Corpus::recorded()]
        .into_iter()
        .try_for_each(|corpus| judged(&corpus?, &folder, tell))
        .and_then(|()| {
            SCENARIOS.iter().try_for_each(|scenario| {
                tell(&growth(scenario, &folder)?);
                Ok(())
            })
        });
    fs::remove_dir_all(&folder)?;
    counted
}

/// What judging a log costs, over what it stands on.
fn judged(corpus: &Corpus, folder: &Path, tell: &mut impl FnMut(&Row)) -> std::io::Result<()> {
    let file = |name: &str, bytes: &[u8]| -> std::io::Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    };
    let data: Vec<&str> = corpus.deliveries.iter().take(DELIVERIES).map(|delivery| delivery.data.as_str()).collect();
    let deliveries = file("deliveries", data.join("\n").as_bytes())?;
    let cost = |work| difference(work, &deliveries, data.len() / 4, data.len());
    let row =
        |what: &str, used, budget, at_least| Row { name: format!("{}: {what}", corpus.name), used, budget, at_least };
    let (floor, product) = (cost("gunzip")?, cost("judge")?);
    tell(&row("a delivery over its gunzip", product / floor, DELIVERY_OVER_GUNZIP, false));
    tell(&row("the naive handler over us", cost("naive")? / product, NAIVE_OVER_US, true));
    let text: &[u8] = corpus.plain.get(..PLAIN_BYTES).unwrap_or(&corpus.plain);
    let floor = difference("inflate", &file("gzipped", &gzip(text))?, 1, 2)?;
    let product = difference("plain", &file("plain", text)?, 1, 2)?;
    tell(&row("plain lines over inflating them", product / floor, PLAIN_OVER_INFLATE, false));
    Ok(())
}

/// How much more a judgement costs each time that what it judges is doubled.
fn growth(scenario: &Scenario, folder: &Path) -> std::io::Result<Row> {
    let cost = |size: usize| -> std::io::Result<f64> {
        let lines = folder.join("lines");
        fs::write(&lines, scenario.lines(size).join("\n"))?;
        Ok(difference("cold", &lines, 1, 2)? / 1e6)
    };
    let sizes = [scenario.size, 2 * scenario.size, 4 * scenario.size];
    let [once, twice, four_times] = [cost(sizes[0])?, cost(sizes[1])?, cost(sizes[2])?];
    let name = format!(
        "{} {}, {} and {} ({once:.1}, {twice:.1} and {four_times:.1} million instructions): growth",
        scenario.name, sizes[0], sizes[1], sizes[2]
    );
    let used = (twice / once).max(four_times / twice);
    Ok(Row { name, used, budget: GROWTH_PER_DOUBLING, at_least: false })
}

/// Instructions for `many` pieces of work, less those for `few`.
fn difference(work: &str, input: &Path, few: usize, many: usize) -> std::io::Result<f64> {
    Ok(instructions(work, input, many)? - instructions(work, input, few)?)
}

fn instructions(work: &str, input: &Path, count: usize) -> std::io::Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["once", work, &count.to_string()])
        .arg(input)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    collected
        .and_then(|(_, number)| number.trim().parse().ok())
        .filter(|_| output.status.success())
        .ok_or_else(|| std::io::Error::other(format!("callgrind counted nothing for `{work}`:\n{said}")))
}

/// Does so much of one kind of work; this is what runs under callgrind.
pub fn once(work: &str, count: &str, input: &str) -> Result<(), String> {
    let count: usize = count.parse().map_err(|_| "a count is a number".to_owned())?;
    let input = PathBuf::from(input);
    let bytes = fs::read(&input).map_err(|error| format!("{}: {error}", input.display()))?;
    let text = || String::from_utf8_lossy(&bytes);
    let deliveries = || -> Vec<Delivery> { text().lines().take(count).map(Delivery::of_data).collect() };
    match work {
        "gunzip" => _ = black_box(work::gunzip(&deliveries())),
        "judge" => _ = black_box(work::judge(&deliveries())),
        "naive" => _ = black_box(work::judge_naively(&deliveries())),
        "inflate" => (0..count).for_each(|_| _ = black_box(work::inflate(&bytes))),
        "plain" => (0..count).for_each(|_| _ = black_box(work::judge_plain(&bytes))),
        "cold" => {
            let lines: Vec<String> = text().lines().map(ToOwned::to_owned).collect();
            (0..count).for_each(|_| _ = black_box(cold::judge(&lines)));
        }
        other => return Err(format!("there is no work called {other}")),
    }
    Ok(())
}

/// Judging a delivery whole over inflating it.
const DELIVERY_OVER_GUNZIP: f64 = 1.75;

/// What the obvious handler costs, over what we cost. Eight was hoped for; but that handler costs nine gunzips here, so it
/// would take judging for nothing. docs/performance.md says more.
const NAIVE_OVER_US: f64 = 4.5;

/// Judging lines that are there as text, over inflating the same text.
const PLAIN_OVER_INFLATE: f64 = 1.2;

/// Twice the work for twice the size, and a little for logarithms and tables that grow. 4 would be quadratic.
const GROWTH_PER_DOUBLING: f64 = 2.3;

/// Enough made-up lines for [`DELIVERIES`].
const EVENTS: usize = 8_000;

/// Under callgrind everything takes fifty times as long.
const DELIVERIES: usize = 20;

/// As [`DELIVERIES`].
const PLAIN_BYTES: usize = 4 << 20;
