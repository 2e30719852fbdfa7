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
use crate::targets::{self, DELIVERY_COUNTED, GROWTH_PER_DOUBLING, NAIVE_COUNTED, Outcome, PLAIN_COUNTED};
use crate::work;

/// Everything that was counted.
#[derive(Debug, Default)]
pub struct Counted {
    /// What judging a log costs, over what it stands on.
    pub judged: Vec<Outcome>,
    /// How the cost of large changes grows.
    pub growth: Vec<Growth>,
}

/// What a large change costs at three sizes.
#[derive(Debug)]
pub struct Growth {
    scenario: &'static str,
    size: usize,
    /// Million instructions at the size, at twice and at four times that.
    cost: [f64; 3],
}

impl Growth {
    /// How many times as much the worse of the two doublings costs.
    #[must_use]
    pub fn per_doubling(&self) -> f64 {
        let [once, twice, four_times] = self.cost;
        (twice / once).max(four_times / twice)
    }
}

/// A row of the table.
impl std::fmt::Display for Growth {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scenario, size, cost: [once, twice, four_times] } = self;
        let grows = self.per_doubling();
        let verdict = if grows <= GROWTH_PER_DOUBLING { "met" } else { "**missed**" };
        write!(out, "| {scenario} {size} | {once:.1} | {twice:.1} | {four_times:.1} | {grows:.2} | {verdict} |")
    }
}

impl Counted {
    /// How many budgets are overrun.
    #[must_use]
    pub fn over(&self) -> usize {
        let grown = self.growth.iter().filter(|growth| growth.per_doubling() > GROWTH_PER_DOUBLING).count();
        self.judged.iter().filter(|outcome| !outcome.is_met()).count() + grown
    }

    /// The growth, as the page has it.
    #[must_use]
    pub fn growth_table(&self) -> String {
        let head = "| millions of instructions, judging and writing the alert | n | 2n | 4n | most per doubling | |\n\
                    |---|---|---|---|---|---|";
        self.growth.iter().fold(head.to_owned(), |table, growth| format!("{table}\n{growth}"))
    }
}

/// Whether this machine can count instructions.
#[must_use]
pub fn available() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Counts everything that has a budget, and tells of each as it is known.
pub fn count(tell: &mut impl FnMut(String)) -> std::io::Result<Counted> {
    let folder = std::env::temp_dir().join(format!("rolewatch-bench-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let counted = count_in(&folder, tell);
    fs::remove_dir_all(&folder)?;
    counted
}

fn count_in(folder: &Path, tell: &mut impl FnMut(String)) -> std::io::Result<Counted> {
    let mut counted = Counted::default();
    for corpus in [Ok(Corpus::generated(EVENTS)), Corpus::recorded()] {
        let judged = judged(&corpus?, folder)?;
        for outcome in &judged {
            tell(outcome.to_string());
        }
        targets::join(&mut counted.judged, judged);
    }
    for scenario in SCENARIOS {
        let growth = growth(scenario, folder)?;
        tell(growth.to_string());
        counted.growth.push(growth);
    }
    Ok(counted)
}

/// What judging a log costs, over what it stands on.
fn judged(corpus: &Corpus, folder: &Path) -> std::io::Result<Vec<Outcome>> {
    let file = |name: &str, bytes: &[u8]| -> std::io::Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    };
    let data: Vec<&str> = corpus.deliveries.iter().take(DELIVERIES).map(|delivery| delivery.data.as_str()).collect();
    let deliveries = file("deliveries", data.join("\n").as_bytes())?;
    let cost = |work| difference(work, &deliveries, data.len() / 4, data.len());
    let row = |target, used| Outcome { target, measured: vec![(corpus.name.clone(), used)] };
    let (floor, product, naive) = (cost("gunzip")?, cost("judge")?, cost("naive")?);
    let text: &[u8] = corpus.plain.get(..PLAIN_BYTES).unwrap_or(&corpus.plain);
    let inflated = difference("inflate", &file("gzipped", &gzip(text))?, 1, 2)?;
    let plain = difference("plain", &file("plain", text)?, 1, 2)?;
    Ok(vec![
        row(DELIVERY_COUNTED, product / floor),
        row(NAIVE_COUNTED, naive / product),
        row(PLAIN_COUNTED, plain / inflated),
    ])
}

/// The same change as small as it can be stands for start and set-up: one run for each size.
fn growth(scenario: &Scenario, folder: &Path) -> std::io::Result<Growth> {
    let judged = |size: usize| -> std::io::Result<f64> {
        let lines = folder.join("lines");
        fs::write(&lines, scenario.lines(size).join("\n"))?;
        Ok(instructions("cold", &lines, 1)? / 1e6)
    };
    let (size, smallest) = (scenario.size, judged(1)?);
    let cost = |times: usize| Ok::<_, std::io::Error>(judged(times * size)? - smallest);
    Ok(Growth { scenario: scenario.name, size, cost: [cost(1)?, cost(2)?, cost(4)?] })
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

/// Enough made-up lines for [`DELIVERIES`].
const EVENTS: usize = 8_000;

/// Under callgrind everything takes fifty times as long.
const DELIVERIES: usize = 20;

/// As [`DELIVERIES`].
const PLAIN_BYTES: usize = 4 << 20;
