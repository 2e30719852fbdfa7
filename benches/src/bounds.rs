//! What the largest deliveries and bombs cost: memory, and time.

use std::fs;
use std::process::Command;

use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::analyze_delivery;
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::sift::Sifter;

use crate::bomb;
use crate::paired::{Contender, run};
use crate::targets::{BOMB, MEGABYTE, Outcome, WORST};

/// What came of it, to read and as rows.
pub fn measure() -> Result<(String, Vec<Outcome>), String> {
    let (megabyte, largest, bombs) = (bomb::megabyte(), bomb::largest(), bomb::bombs());
    let describe = |name: &str, delivery: &crate::delivery::Delivery| {
        format!(
            "{name}: {} lines, {} bytes of gzip, {} inflated\n",
            delivery.lines, delivery.gzipped, delivery.inflated
        )
    };
    let told = describe("a delivery of 1 MB", &megabyte) + &describe("the largest event", &largest);
    let mut worst = vec![("largest event".to_owned(), peak(&largest.data)?)];
    for (name, data) in &bombs {
        worst.push(((*name).to_owned(), peak(data)?));
    }
    let mut contenders = vec![Contender::new("the largest event", || judge(&largest.data))];
    contenders.extend(bombs.iter().map(|(name, data)| Contender::new(name, || judge(data))));
    let refused = run(ROUNDS, contenders).into_iter().skip(1);
    let rows = vec![
        Outcome { target: MEGABYTE, measured: vec![("generated".to_owned(), peak(&megabyte.data)?)] },
        Outcome { target: WORST, measured: worst },
        Outcome { target: BOMB, measured: refused.map(|one| (one.name.to_owned(), one.ratio)).collect() },
    ];
    Ok((told, rows))
}

fn judge(data: &str) -> bool {
    let (settings, mut memory, mut sifter) = (Settings::default(), Memory::default(), Sifter::new());
    let delivery = rolewatch_analyzer::envelope::Delivery::base64(data);
    analyze_delivery(delivery, &settings, &mut memory, &mut sifter).is_ok()
}

/// MiB that a process needs which judges this and nothing else.
fn peak(data: &str) -> Result<f64, String> {
    let input = std::env::temp_dir().join(format!("rolewatch-bench-{}.base64", std::process::id()));
    let output = fs::write(&input, data)
        .and_then(|()| Command::new(std::env::current_exe()?).arg("peak").arg(&input).output())
        .map_err(|error| error.to_string());
    fs::remove_file(&input).map_err(|error| error.to_string())?;
    let kibibytes = String::from_utf8_lossy(&output?.stdout).trim().parse::<f64>();
    kibibytes.map(|kibibytes| kibibytes / 1024.0).map_err(|error| format!("the memory of a process: {error}"))
}

/// Judges a file of base64, and prints how many KiB the process held at most (proc(5), `VmHWM`).
#[expect(clippy::print_stdout, reason = "it answers the process that started it")]
pub fn peak_of_this_process(input: &str) -> Result<(), String> {
    let data = fs::read_to_string(input).map_err(|error| error.to_string())?;
    judge(&data);
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("only Linux tells of its memory")?;
    println!("{}", line.trim().trim_end_matches(" kB"));
    Ok(())
}

/// Fewer than for lines: these differ by a factor, not by a tenth.
const ROUNDS: usize = 5;
