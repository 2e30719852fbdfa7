//! Measures what judging costs. Without arguments: ratios on the made-up and the recorded log. With a file or folder:
//! on the audit logs in it.

#![expect(clippy::print_stdout, reason = "what it measured is what it prints")]
#![expect(clippy::indexing_slicing, reason = "as many contenders come back as went in")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use rolewatch_bench::corpus::Corpus;
use rolewatch_bench::delivery::Delivery;
use rolewatch_bench::naive::RULES;
use rolewatch_bench::paired::{Contender, Measured, cpu_seconds, run};
use rolewatch_bench::targets::{self, DELIVERY, HEAD, NAIVE, Outcome, PLAIN};
use rolewatch_bench::{bounds, gate, page, work};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_for_page = arguments.iter().any(|argument| argument == "--page");
    arguments.retain(|argument| argument != "--page");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => measure_all(is_for_page),
        ["gate"] => gate(is_for_page),
        ["fill", section] => fill(section),
        ["once", work, count, input] => gate::once(work, count, input),
        ["peak", input] => bounds::peak_of_this_process(input),
        ["write", folder] => write(Path::new(folder)),
        ["serve", deliveries] => serve(deliveries, |all| _ = black_box(work::judge(all))),
        ["serve-naive", deliveries] => serve(deliveries, |all| _ = black_box(work::judge_naively(all))),
        [path] => Corpus::of_folder(Path::new(path)).map_err(|error| error.to_string()).and_then(|corpus| {
            let (told, rows) = measure(&corpus)?;
            println!("{told}\n{}", table(&rows));
            Ok(())
        }),
        _ => Err("usage: rolewatch-bench [--page] [LOGS], or rolewatch-bench gate [--page]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Holds what can be counted to its budgets.
fn gate(is_for_page: bool) -> Result<(), String> {
    if !gate::available() {
        println!("SKIPPED: no budget was checked, for there is no valgrind; `apt-get install valgrind` brings it");
        return Ok(());
    }
    let counted = gate::count(&mut |told| println!("{told}")).map_err(|error| error.to_string())?;
    if is_for_page {
        page::fill("counted", &table(&counted.judged))?;
        page::fill("growth", &counted.growth_table())?;
    }
    match counted.over() {
        0 => Ok(()),
        over => Err(format!("{over} budgets were overrun")),
    }
}

/// Puts standard input into a section of the page, and prints it: for what other programs measured.
fn fill(section: &str) -> Result<(), String> {
    let text = std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?;
    println!("{text}");
    page::fill(section, &text)
}

/// Writes the made-up log as others read it, for `compare/run`.
fn write(folder: &Path) -> Result<(), String> {
    let corpus = Corpus::generated(EVENTS);
    let data = corpus.deliveries.iter().map(|delivery| delivery.data.as_str()).collect::<Vec<_>>().join("\n");
    let hits = work::judge_naively(&corpus.deliveries).map(|hits| hits.to_string()).join(" ");
    let files: [(&str, &[u8]); 3] =
        [("deliveries", data.as_bytes()), ("events.ndjson.gz", &corpus.gzipped), ("hits", hits.as_bytes())];
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes)).map_err(|error| error.to_string())
}

/// Judges all deliveries of a file each time a line comes in, and answers with the CPU seconds that took.
fn serve(file: &str, judge: impl Fn(&[Delivery])) -> Result<(), String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let deliveries: Vec<Delivery> = text.lines().map(Delivery::of_data).collect();
    for _ in std::io::stdin().lines() {
        let start = cpu_seconds();
        judge(&deliveries);
        println!("{}", cpu_seconds() - start);
    }
    Ok(())
}

fn measure_all(is_for_page: bool) -> Result<(), String> {
    let mut all = String::new();
    let mut rows: Vec<Outcome> = Vec::new();
    for corpus in [Ok(Corpus::generated(EVENTS)), Corpus::recorded()] {
        let (told, measured) = measure(&corpus.map_err(|error| error.to_string())?)?;
        println!("{told}");
        all += &told;
        targets::join(&mut rows, measured);
    }
    let (told, measured) = bounds::measure()?;
    println!("{told}");
    all += &told;
    rows.extend(measured);
    println!("{}", table(&rows));
    if is_for_page { page::fill("ratios", &format!("{}\n\n```\n{all}```", table(&rows))) } else { Ok(()) }
}

/// What came of one log, to read and as rows.
fn measure(corpus: &Corpus) -> Result<(String, Vec<Outcome>), String> {
    let mut told = format!("{}\n{}\n", corpus.describe(), check(corpus)?);
    let deliveries = &corpus.deliveries;
    let delivered = run(
        ROUNDS,
        vec![
            Contender::new("base64 and gunzip", || work::gunzip(deliveries)),
            Contender::new("rolewatch", || work::judge(deliveries)),
            Contender::new("naive Rust handler", || work::judge_naively(deliveries)),
        ],
    );
    let plain = run(
        ROUNDS,
        vec![
            Contender::new("inflating the same NDJSON", || work::inflate(&corpus.gzipped)),
            Contender::new("rolewatch on plain NDJSON", || work::judge_plain(&corpus.plain)),
        ],
    );
    for measured in delivered.iter().chain(&plain) {
        #[expect(clippy::cast_precision_loss, reason = "a number for people")]
        let rate = corpus.lines as f64 / measured.seconds / 1e6;
        let (least, most) = measured.spread;
        let Measured { name, ratio, .. } = measured;
        let _ = writeln!(
            told,
            "  {name:26} {ratio:6.2}  ({least:.2} to {most:.2})  {rate:.2} million events per CPU second"
        );
    }
    let row = |target, used| Outcome { target, measured: vec![(corpus.name.clone(), used)] };
    let rows = vec![
        row(DELIVERY, delivered[1].ratio),
        row(NAIVE, delivered[2].ratio / delivered[1].ratio),
        row(PLAIN, plain[1].ratio),
    ];
    Ok((told, rows))
}

/// The numbers are worth something only if the work was done.
fn check(corpus: &Corpus) -> Result<String, String> {
    let report = work::judge(&corpus.deliveries);
    let told = work::told(&report);
    let hits = work::judge_naively(&corpus.deliveries);
    let rules: Vec<String> =
        RULES.iter().zip(hits).filter(|(_, hits)| *hits > 0).map(|(rule, hits)| format!("{rule} {hits}")).collect();
    match corpus.planted {
        Some(planted) if told != planted => Err(format!("{planted} events must be told, and {told} were")),
        _ => Ok(format!(
            "  events told {told}, skipped {}; the ten checks: {}",
            report.skipped_total(),
            if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") },
        )),
    }
}

fn table(rows: &[Outcome]) -> String {
    rows.iter().fold(HEAD.to_owned(), |table, row| format!("{table}\n{row}"))
}

/// 40 MB of log, half an hour of a busy cluster.
const EVENTS: usize = 20_000;

/// The median of so many repeated to five per cent on a busy machine.
const ROUNDS: usize = 15;
