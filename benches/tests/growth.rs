//! That a large change costs no more than its size, in CPU time: `make bench-gate` counts it exactly, and this is the part of
//! it that needs no valgrind. One test, so that nobody else uses the time of this process.

use std::hint::black_box;

use rolewatch_bench::cold::{self, SCENARIOS};
use rolewatch_bench::paired::cpu_seconds;

#[test]
fn judging_four_times_as_much_takes_four_times_as_long() {
    for scenario in SCENARIOS {
        let seconds = [1, 4].map(|times| {
            let lines = scenario.lines(times * scenario.size);
            let times = (0..ROUNDS).map(|_| {
                let start = cpu_seconds();
                _ = black_box(cold::judge(&lines));
                cpu_seconds() - start
            });
            times.fold(f64::INFINITY, f64::min)
        });
        let growth = seconds[1] / seconds[0];
        println!("{} {}: {seconds:.3?} s, {growth:.1}", scenario.name, scenario.size);
        assert!(growth <= GROWTH_MAX, "{} {}: {growth:.1} times, {seconds:.3?} s", scenario.name, scenario.size);
    }
}

/// In the middle between 4, which it should be, and 16, which would be quadratic: a busy machine shakes times.
const GROWTH_MAX: f64 = 8.0;

/// The least of so many: what a neighbour adds is never negative.
const ROUNDS: usize = 3;
