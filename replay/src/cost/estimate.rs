//! What a load comes to in dollars, from assumptions that can each be replaced.

/// A price, or a habit of a service, with where it was taken from.
#[derive(Debug)]
pub(crate) struct Assumption {
    /// How it is named in `--set`.
    pub(crate) name: &'static str,
    /// What is assumed.
    pub(crate) value: f64,
    /// What the number counts.
    pub(crate) unit: &'static str,
    /// Where to look it up.
    pub(crate) source: &'static str,
}

/// Everything that is assumed. Prices are those of us-east-1 as they were known in November 2026, none of them checked against a
/// bill.
pub(crate) const ASSUMPTIONS: &[Assumption] = &[
    assume("lambda-request", 0.20, "dollars for a million requests", "AWS Lambda pricing, Requests"),
    assume(
        "lambda-gb-second",
        0.000_013_333_4,
        "dollars for a GB-second on arm64",
        "AWS Lambda pricing, Duration, Arm",
    ),
    assume("sns-request", 0.50, "dollars for a million messages of 64 KB", "Amazon SNS pricing, API requests"),
    assume("sns-email", 2.00, "dollars for 100,000 e-mails", "Amazon SNS pricing, Notification deliveries"),
    assume("log-gb", 0.50, "dollars for a GB taken in", "Amazon CloudWatch pricing, Logs, Collect"),
    assume("metric", 0.30, "dollars a month for a custom metric", "Amazon CloudWatch pricing, Metrics"),
    assume("alarm", 0.10, "dollars a month for an alarm", "Amazon CloudWatch pricing, Alarms"),
    assume("key", 1.00, "dollars a month for a key", "AWS KMS pricing, Key storage"),
    assume("memory-mb", 256.0, "MB of the function", "the template's parameter MemorySize"),
    assume("delivery-kb", 300.0, "KB of log in a full delivery", "BytesIn / Invocations of your own function"),
    assume(
        "delivery-seconds",
        10.0,
        "seconds until one that is not full is sent",
        "a guess; Invocations of your own function",
    ),
    assume("delivery-ms", 5.0, "milliseconds for a delivery, however small", "Duration of your own function"),
    assume("mb-ms", 40.0, "milliseconds for a MB of log judged", "Duration of your own function"),
    assume(
        "delivery-log-bytes",
        1500.0,
        "bytes that the function logs for a delivery",
        "IncomingBytes of its log group",
    ),
    assume("metrics", 22.0, "metrics of one cluster", "docs/operate.md, Metrics"),
    assume("alarms", 14.0, "alarms of a stack for one cluster", "infra/README.md"),
    assume("emails", 1.0, "addresses that each alert is mailed to", "the topic's subscriptions"),
];

const fn assume(name: &'static str, value: f64, unit: &'static str, source: &'static str) -> Assumption {
    Assumption { name, value, unit, source }
}

/// The assumptions with some of them replaced.
#[derive(Debug, Clone, Default)]
pub(crate) struct Assumed {
    replaced: Vec<(&'static str, f64)>,
}

impl Assumed {
    /// Replaces assumptions by what was said instead.
    pub(crate) fn replacing(said: &[(&'static str, f64)]) -> Self {
        Self { replaced: said.to_vec() }
    }

    fn get(&self, name: &str) -> f64 {
        let said = self.replaced.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| *value);
        said.or_else(|| ASSUMPTIONS.iter().find(|known| known.name == name).map(|known| known.value))
            .unwrap_or_default()
    }
}

/// What is handed on to be judged in some time, and what comes of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) lines: f64,
    pub(crate) bytes: f64,
    pub(crate) alerts: f64,
    /// How long that takes, where it is known: then what a stack costs by the month is part of it.
    pub(crate) seconds: Option<f64>,
}

/// A row of the bill.
#[derive(Debug)]
pub(crate) struct Item {
    /// What is paid for.
    pub(crate) label: &'static str,
    pub(crate) dollars: f64,
}

/// What a load costs, item by item.
pub(crate) fn bill(load: &Load, assumed: &Assumed) -> Vec<Item> {
    let requests = requests(load, assumed);
    let milliseconds = requests * assumed.get("delivery-ms") + load.bytes / MB * assumed.get("mb-ms");
    let gb_seconds = milliseconds / 1_000.0 * assumed.get("memory-mb") / 1_024.0;
    let messages = load.alerts * assumed.get("sns-request") / 1e6;
    let mails = load.alerts * assumed.get("emails") * assumed.get("sns-email") / 1e5;
    let mut items = vec![
        Item { label: "Lambda, requests", dollars: requests * assumed.get("lambda-request") / 1e6 },
        Item { label: "Lambda, compute", dollars: gb_seconds * assumed.get("lambda-gb-second") },
        Item { label: "SNS", dollars: messages + mails },
        Item {
            label: "log of the function",
            dollars: requests * assumed.get("delivery-log-bytes") / GB * assumed.get("log-gb"),
        },
    ];
    if let Some(seconds) = load.seconds {
        let monthly = assumed.get("metrics") * assumed.get("metric")
            + assumed.get("alarms") * assumed.get("alarm")
            + assumed.get("key");
        items.push(Item { label: "metrics, alarms, key", dollars: monthly * seconds / MONTH_SECONDS });
    }
    items
}

/// How many deliveries a load comes in: full ones, or one every so often, but never more than it has lines.
fn requests(load: &Load, assumed: &Assumed) -> f64 {
    let full = load.bytes / (assumed.get("delivery-kb") * KB);
    let often = load.seconds.map_or(0.0, |seconds| seconds / assumed.get("delivery-seconds"));
    full.max(often).min(load.lines)
}

/// What CloudWatch Logs takes for the log itself, whether anybody reads it or not.
pub(crate) fn taken_in(bytes: f64, assumed: &Assumed) -> f64 {
    bytes / GB * assumed.get("log-gb")
}

/// As AWS counts what it bills: thousands of thousands.
pub(crate) const GB: f64 = 1e9;
pub(crate) const MB: f64 = 1e6;
pub(crate) const KB: f64 = 1e3;
/// Thirty days.
pub(crate) const MONTH_SECONDS: f64 = 30.0 * 86_400.0;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect_file;

    use super::{ASSUMPTIONS, Assumed, GB, Load, MONTH_SECONDS, bill, requests, taken_in};

    fn total(load: &Load) -> f64 {
        bill(load, &Assumed::default()).iter().map(|item| item.dollars).sum()
    }

    #[test]
    fn deliveries_are_full_or_now_and_then_but_never_empty() {
        let assumed = Assumed::default();
        let load = |lines, bytes, seconds| Load { lines, bytes, alerts: 0.0, seconds };
        for (load, wanted) in [
            (load(1e6, 3e9, None), 1e4),
            (load(1e6, 3e9, Some(1e5)), 1e4),
            (load(1e6, 3e9, Some(1e6)), 1e5),
            (load(10.0, 3e9, Some(1e6)), 10.0),
            (load(0.0, 0.0, Some(1e6)), 0.0),
        ] {
            let found = requests(&load, &assumed);
            assert!((found - wanted).abs() < 1e-6, "{load:?}: {found}");
        }
    }

    #[test]
    fn what_is_said_replaces_what_is_assumed() {
        let load = Load { lines: 1e6, bytes: 3e9, alerts: 1e5, seconds: None };
        let of = |said: &[(&'static str, f64)]| bill(&load, &Assumed::replacing(said));
        assert!((of(&[("sns-email", 0.0), ("sns-request", 0.0)])[2].dollars).abs() < 1e-9);
        assert!((of(&[("emails", 2.0)])[2].dollars - 4.05).abs() < 1e-9);
        assert!((taken_in(2.0 * GB, &Assumed::replacing(&[("log-gb", 9.0), ("log-gb", 1.0)])) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn every_assumption_counts() {
        let load = Load { lines: 1e9, bytes: 1e12, alerts: 1e5, seconds: Some(MONTH_SECONDS) };
        let quiet = Load { bytes: 1e6, ..load };
        for assumption in ASSUMPTIONS {
            let twice = Assumed::replacing(&[(assumption.name, assumption.value * 2.0)]);
            let sum = |load: &Load| bill(load, &twice).iter().map(|item| item.dollars).sum::<f64>();
            let moved = (sum(&load) - total(&load)).abs() > 1e-6 || (sum(&quiet) - total(&quiet)).abs() > 1e-6;
            assert!(moved, "{} decides nothing", assumption.name);
            assert_eq!(ASSUMPTIONS.iter().filter(|other| other.name == assumption.name).count(), 1);
        }
    }

    #[test]
    fn the_page_about_cost_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cost.md");
        let page = std::fs::read_to_string(path).unwrap();
        let mut assumptions = String::from("| Name | Assumed | Unit | Where to look it up |\n|---|---|---|---|\n");
        for it in ASSUMPTIONS {
            let _ = writeln!(assumptions, "| `{}` | {} | {} | {} |", it.name, it.value, it.unit, it.source);
        }
        let loads = [
            ("a million events", Load { lines: 1e6, bytes: 1.4e9, alerts: 1.0, seconds: None }),
            (
                "small cluster, `everything`",
                Load { lines: 73e6, bytes: 102e9, alerts: 300.0, seconds: Some(MONTH_SECONDS) },
            ),
            (
                "small cluster, `changes`",
                Load { lines: 5.3e6, bytes: 6.3e9, alerts: 300.0, seconds: Some(MONTH_SECONDS) },
            ),
            (
                "busy cluster, `everything`",
                Load { lines: 3.6e9, bytes: 5.1e12, alerts: 3_000.0, seconds: Some(MONTH_SECONDS) },
            ),
            (
                "busy cluster, `changes`",
                Load { lines: 263e6, bytes: 316e9, alerts: 3_000.0, seconds: Some(MONTH_SECONDS) },
            ),
        ];
        let mut examples = String::from(
            "| | events | log, GB | deliveries | Lambda | SNS | own log | metrics, alarms, key | together |\n|---|---|---|---|---|---|---|---|---|\n",
        );
        for (name, load) in loads {
            let items = bill(&load, &Assumed::default());
            let of = |label: &str| {
                items.iter().filter(|it| it.label.starts_with(label)).fold(0.0, |sum, it| sum + it.dollars)
            };
            let digits = if load.seconds.is_some() { 2 } else { 4 };
            let _ = writeln!(
                examples,
                "| {name} | {:.1} M | {:.1} | {:.0} | {:.digits$} | {:.digits$} | {:.digits$} | {:.2} | **{:.digits$}** |",
                load.lines / 1e6,
                load.bytes / GB,
                requests(&load, &Assumed::default()),
                of("Lambda"),
                of("SNS"),
                of("log"),
                of("metrics"),
                total(&load),
            );
        }
        let page = with_block(&with_block(&page, "assumptions", &assumptions), "examples", &examples);
        expect_file![path].assert_eq(&page);
    }

    /// The page with the text between the marks of a block replaced.
    fn with_block(page: &str, name: &str, text: &str) -> String {
        let start = format!("<!-- written by a test: {name} -->\n");
        let (front, rest) = page.split_once(&start).unwrap();
        let (_, back) = rest.split_once("<!-- end -->\n").unwrap();
        format!("{front}{start}{text}<!-- end -->\n{back}")
    }
}
