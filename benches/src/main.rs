//! Measures what judging costs. Without arguments: ratios on the made-up and the recorded log. With a file or folder:
//! on the audit logs in it.

#![expect(clippy::print_stdout, reason = "what it measured is what it prints")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;

use rolewatch_bench::corpus::Corpus;
use rolewatch_bench::delivery::Delivery;
use rolewatch_bench::gate;
use rolewatch_bench::naive::RULES;
use rolewatch_bench::paired::{Contender, Outcome, cpu_seconds, run};
use rolewatch_bench::work;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => measure(&[Ok(Corpus::generated(EVENTS)), Corpus::recorded()]),
        ["gate"] => gate(),
        ["once", work, count, input] => gate::once(work, count, input),
        ["write", folder] => write(Path::new(folder)),
        ["serve", deliveries] => serve(deliveries, |all| _ = black_box(work::judge(all))),
        ["serve-naive", deliveries] => serve(deliveries, |all| _ = black_box(work::judge_naively(all))),
        [path] => measure(&[Corpus::of_folder(Path::new(path))]),
        _ => Err("usage: rolewatch-bench [LOGS], or rolewatch-bench gate".to_owned()),
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
fn gate() -> Result<(), String> {
    if !gate::available() {
        println!("SKIPPED: no budget was checked, for there is no valgrind; `apt-get install valgrind` brings it");
        return Ok(());
    }
    let (mut rows, mut over) = (0, 0);
    let counted = gate::count(&mut |row| {
        println!("{row}");
        rows += 1;
        over += usize::from(!row.passes());
    });
    counted.map_err(|error| error.to_string())?;
    if over == 0 { Ok(()) } else { Err(format!("{over} of {rows} budgets were overrun")) }
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

fn measure(corpora: &[std::io::Result<Corpus>]) -> Result<(), String> {
    for corpus in corpora {
        let corpus = corpus.as_ref().map_err(ToString::to_string)?;
        println!("{}", corpus.describe());
        check(corpus)?;
        let deliveries = &corpus.deliveries;
        let outcomes = run(
            ROUNDS,
            vec![
                Contender::new("base64 and gunzip", || work::gunzip(deliveries)),
                Contender::new("rolewatch", || work::judge(deliveries)),
                Contender::new("naive Rust handler", || work::judge_naively(deliveries)),
            ],
        );
        table(&outcomes, corpus.lines);
        let outcomes = run(
            ROUNDS,
            vec![
                Contender::new("inflating the same NDJSON", || work::inflate(&corpus.gzipped)),
                Contender::new("rolewatch on plain NDJSON", || work::judge_plain(&corpus.plain)),
            ],
        );
        table(&outcomes, corpus.lines);
    }
    Ok(())
}

/// The numbers are worth something only if the work was done.
fn check(corpus: &Corpus) -> Result<(), String> {
    let report = work::judge(&corpus.deliveries);
    let told = work::told(&report);
    let hits = work::judge_naively(&corpus.deliveries);
    let rules: Vec<String> =
        RULES.iter().zip(hits).filter(|(_, hits)| *hits > 0).map(|(rule, hits)| format!("{rule} {hits}")).collect();
    println!(
        "  events told {told}, skipped {}; the ten rules: {}",
        report.skipped_total(),
        if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") },
    );
    match corpus.planted {
        Some(planted) if told != planted => Err(format!("{planted} events must be told, and {told} were")),
        _ => Ok(()),
    }
}

fn table(outcomes: &[Outcome], events: usize) {
    for outcome in outcomes {
        #[expect(clippy::cast_precision_loss, reason = "a number for people")]
        let rate = events as f64 / outcome.seconds / 1e6;
        println!(
            "  {:26} {:6.2}  ({:.2} to {:.2})  {rate:.2} million events per CPU second",
            outcome.name, outcome.ratio, outcome.spread.0, outcome.spread.1
        );
    }
}

/// 40 MB of log, half an hour of a busy cluster.
const EVENTS: usize = 20_000;

/// The median of so many repeated to five per cent on a busy machine.
const ROUNDS: usize = 15;
