//! What the function says about itself: counts, times, codes and ids, never a word of the log.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::tracing;
use lambda_runtime::tracing::subscriber::EnvFilter;
use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::exceptions::Applied;
use rolewatch_analyzer::report::Report;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Stream;
use serde_json::{Map, Value, json};

use crate::memory::{Reading, Writing};

/// A metric: its name in CloudWatch, its unit, and what it tells.
#[derive(Debug)]
pub struct Metric {
    /// Name in CloudWatch.
    pub name: &'static str,
    /// Unit, as CloudWatch spells it.
    pub unit: &'static str,
    /// What it counts or measures, and what to do when it moves.
    pub meaning: &'static str,
}

/// The namespace of the metrics in CloudWatch.
pub const NAMESPACE: &str = "Rolewatch";

/// Every metric, in the order of the operator's table.
///
/// Each costs money per month and cluster, so reasons and severities are not metrics: they are members of the same log line, where
/// CloudWatch Logs Insights counts them for nothing.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "Lines",
        unit: "Count",
        meaning: "Log lines received. None for half an hour on a live cluster: logging or the subscription is off.",
    },
    Metric {
        name: "AuditLines",
        unit: "Count",
        meaning: "Those of the audit stream. None for 15 minutes raises the alarm AuditLogSilent.",
    },
    Metric {
        name: "ApiLines",
        unit: "Count",
        meaning: "Those of the API server's own log. None for an hour raises the alarm ApiLogSilent.",
    },
    Metric { name: "LinesAlerted", unit: "Count", meaning: "Lines that are evidence of an alert." },
    Metric {
        name: "LinesQuiet",
        unit: "Count",
        meaning: "Lines judged and found ordinary; `quiet` in the log line has the reasons.",
    },
    Metric {
        name: "LinesSkipped",
        unit: "Count",
        meaning: "Lines that could not be read; `skipped` in the log line has the reasons. Read them with \
                  `rolewatch replay --explain`.",
    },
    Metric {
        name: "AuditEventsLost",
        unit: "Count",
        meaning: "Alerts about audit events that the API server could not write. Any raises the alarm AuditEventsLost.",
    },
    Metric {
        name: "LinesTruncated",
        unit: "Count",
        meaning: "Alerts about audit events that were cut and may hide a change. Any raises the alarm LinesTruncated.",
    },
    Metric { name: "AlertsSent", unit: "Count", meaning: "Alerts that SNS accepted." },
    Metric {
        name: "AlertsFailed",
        unit: "Count",
        meaning: "Alerts that a topic or bus did not accept in this invocation. Lambda repeats the delivery; see Delivery promise.",
    },
    Metric {
        name: "AlertsBelowMinimum",
        unit: "Count",
        meaning: "Alerts less urgent than `ROLEWATCH_MIN_SEVERITY`, not sent.",
    },
    Metric {
        name: "AlertsExcepted",
        unit: "Count",
        meaning: "Alerts that exceptions cover, not sent; `exceptions` in the log line has their ids.",
    },
    Metric {
        name: "ExceptionsExpired",
        unit: "Count",
        meaning: "Alerts sent that only an expired exception would have covered. Renew it or remove it; \
                  `exceptions_expired` in the log line has its id.",
    },
    Metric {
        name: "ExceptionsFailed",
        unit: "Count",
        meaning: "Looks at the place of the exceptions that failed. The last good copy holds; the log line before \
                  says why.",
    },
    Metric {
        name: "MemoryFailed",
        unit: "Count",
        meaning: "Deliveries judged without an answer of the memory table to all they asked. Their alerts say so and may \
                  say less, and what only earlier events give away may be missing. The log line before says why, and \
                  Codes what to do.",
    },
    Metric {
        name: "MemoryUnsaved",
        unit: "Count",
        meaning: "Facts that could not be written to the memory table yet. They are tried again with the next delivery; \
                  if this stays above 0, do what the code in the log line before says.",
    },
    Metric {
        name: "DeliveriesRefused",
        unit: "Count",
        meaning: "Deliveries that could not be opened, or whose judging failed. They wait in the queue of failed \
                  deliveries; records of a stream do not, and raise the alarm DeliveriesRefused.",
    },
    Metric {
        name: "ControlMessages",
        unit: "Count",
        meaning: "Probes of CloudWatch Logs whether the function can be reached.",
    },
    Metric {
        name: "DeliveryAge",
        unit: "Milliseconds",
        meaning: "From the first line's time to now. It grows when CloudWatch Logs is late or Lambda repeats.",
    },
    Metric {
        name: "PublishTime",
        unit: "Milliseconds",
        meaning: "From the first request to SNS to the last answer, retries included.",
    },
    Metric {
        name: "ColdStarts",
        unit: "Count",
        meaning: "First deliveries of a new process. What it remembered of earlier events is gone with the old one.",
    },
];

/// The metrics that CloudWatch also keeps for the function as a whole: those that an alarm watches for all clusters at once,
/// among them clusters of other accounts, whose names the template does not know.
///
/// The last two also because they are counted where no cluster is known.
pub const BY_FUNCTION: &[&str] =
    &["AuditEventsLost", "LinesTruncated", "AlertsFailed", "DeliveriesRefused", "ControlMessages"];

/// The metrics whose silence raises an alarm. They are kept by function, account and cluster, where all are known: a cluster of
/// this name in another account, or another function that judges the same log, must not make up for one that is silent.
pub const BY_LOG: &[&str] = &["AuditLines", "ApiLines"];

/// The counts of one delivery.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// The cluster that it came from, if known.
    pub cluster: Option<String>,
    /// The account of its log, if known.
    pub account: Option<String>,
    /// The name of the function, where Lambda tells it.
    pub function: Option<String>,
    counts: Map<String, Value>,
    reasons: Map<String, Value>,
    /// What the memory table was asked and told.
    memory: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// Sets a metric. A name that is not in [`METRICS`] is a slip that a test finds.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        debug_assert!(METRICS.iter().any(|metric| metric.name == name), "{name} is not a metric");
        self.counts.insert(name.to_owned(), value.into());
    }

    /// Counts lines of one stream, beside what else the delivery brings.
    pub fn stream(&mut self, stream: Option<Stream>, lines: u64) {
        let name = match stream {
            Some(Stream::Audit) => "AuditLines",
            Some(Stream::Api) => "ApiLines",
            _ => return,
        };
        let before = self.counts.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.set(name, before + lines);
    }

    /// Counts what became of the lines.
    pub fn report(&mut self, report: &Report) {
        self.set("Lines", report.lines);
        let told = |id: &str| {
            let tells = |alert: &&Alert| alert.findings.iter().any(|finding| finding.detection.id == id);
            report.alerts.iter().filter(tells).count()
        };
        self.set("AuditEventsLost", told("audit-event-lost"));
        self.set("LinesTruncated", told("audit-line-truncated"));
        self.set("LinesAlerted", report.alerted);
        self.set("LinesQuiet", report.quiet_total());
        self.set("LinesSkipped", report.skipped_total());
        self.by("quiet", report.quiet.iter().map(|(reason, count)| (reason.as_str(), *count)));
        self.by("skipped", report.skipped.iter().map(|(reason, count)| (reason.as_str(), *count)));
    }

    /// Counts the alerts to send by severity.
    pub fn alerts(&mut self, alerts: &[Alert]) {
        let of = |severity: Severity| alerts.iter().filter(|alert| alert.severity == severity).count() as u64;
        let counts = Severity::ALL.map(|severity| (severity.as_str(), of(severity)));
        self.by("alerts", counts.into_iter().filter(|(_, count)| *count > 0));
    }

    /// Counts what exceptions did, by their ids, which are the operator's own words.
    pub fn exceptions(&mut self, applied: &Applied) {
        self.set("AlertsExcepted", applied.silenced.len());
        self.set("ExceptionsExpired", applied.expired.values().sum::<u64>());
        for (what, counts) in [("exceptions", &applied.used), ("exceptions_expired", &applied.expired)] {
            if !counts.is_empty() {
                self.reasons.insert(what.to_owned(), json!(counts));
            }
        }
    }

    /// Says how many entries the memory of this process has dropped because it was full, if any: what comes later may be
    /// told with less to say, or a second time.
    pub fn memory_dropped(&mut self, entries: u64) {
        if entries > 0 {
            self.reasons.insert("memory_dropped".to_owned(), json!(entries));
        }
    }

    /// Counts what asking the memory table came to.
    pub fn reading(&mut self, reading: Reading) {
        self.set("MemoryFailed", u8::from(reading.trouble.is_some()));
        let Reading { keys, items, ignored, trouble: _ } = reading;
        for (what, count) in [("asked", keys), ("found", items), ("ignored", ignored)] {
            self.memory.insert(what, count);
        }
    }

    /// Counts what writing to the memory table came to.
    pub fn writing(&mut self, writing: Writing) {
        self.set("MemoryUnsaved", writing.unsaved);
        let Writing { written, too_large, unsaved: _, lost } = writing;
        for (what, count) in [("written", written), ("too_large", too_large), ("lost", lost)] {
            self.memory.insert(what, count);
        }
    }

    fn by(&mut self, what: &str, counts: impl Iterator<Item = (&'static str, u64)>) {
        let counts = counts.map(|(word, count)| (word.to_owned(), json!(count))).collect();
        self.reasons.insert(what.to_owned(), Value::Object(counts));
    }

    /// One line in CloudWatch embedded metric format (CloudWatch user guide, "Specification: Embedded metric format").
    #[must_use]
    pub fn embedded_metric_format(&self, request_id: &str, now: SystemTime) -> String {
        let by_log = self.cluster.is_some() && self.account.is_some() && self.function.is_some();
        let metrics = || METRICS.iter().filter(|metric| self.counts.contains_key(metric.name));
        let is_of_log = |metric: &&Metric| by_log && BY_LOG.contains(&metric.name);
        let directive = |dimensions: Value, metrics: &mut dyn Iterator<Item = &Metric>| {
            let units: Vec<Value> = metrics.map(|metric| json!({ "Name": metric.name, "Unit": metric.unit })).collect();
            json!({ "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": units })
        };
        let dimensions = if self.cluster.is_some() { json!([["Cluster"]]) } else { json!([[]]) };
        let mut directives = vec![directive(dimensions, &mut metrics().filter(|metric| !is_of_log(metric)))];
        let mut log = metrics().filter(is_of_log).peekable();
        if log.peek().is_some() {
            directives.push(directive(json!([["Function", "Account", "Cluster"]]), &mut log));
        }
        let mut whole = metrics().filter(|metric| BY_FUNCTION.contains(&metric.name)).peekable();
        if self.function.is_some() && whole.peek().is_some() {
            directives.push(directive(json!([["Function"]]), &mut whole));
        }
        let mut line = Map::new();
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": millis(now.duration_since(UNIX_EPOCH).unwrap_or_default()),
                "CloudWatchMetrics": directives,
            }),
        );
        line.insert("requestId".to_owned(), json!(request_id));
        for (name, value) in [("Cluster", &self.cluster), ("Account", &self.account), ("Function", &self.function)] {
            if let Some(value) = value {
                line.insert(name.to_owned(), json!(value));
            }
        }
        line.extend(self.reasons.clone());
        let memory: Map<String, Value> = self
            .memory
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(what, count)| ((*what).to_owned(), json!(count)))
            .collect();
        if !memory.is_empty() {
            line.insert("memory".to_owned(), Value::Object(memory));
        }
        line.extend(self.counts.clone());
        Value::Object(line).to_string()
    }

    /// Writes that line to standard output, where Lambda reads it.
    #[expect(clippy::print_stdout, reason = "the embedded metric format is a line of its own on standard output")]
    pub fn emit(mut self, request_id: &str) {
        self.function = self.function.or_else(|| std::env::var("AWS_LAMBDA_FUNCTION_NAME").ok());
        println!("{}", self.embedded_metric_format(request_id, SystemTime::now()));
    }
}

/// Starts logging, and makes a panic say where it happened and not what it said.
///
/// The format follows `AWS_LAMBDA_LOG_FORMAT` and the level `AWS_LAMBDA_LOG_LEVEL` (Lambda developer guide, "Advanced
/// logging controls"), but only ours: at `DEBUG` and `TRACE` the runtime and the SDK would log whole events and
/// requests.
pub fn init() {
    let ours = match std::env::var("AWS_LAMBDA_LOG_LEVEL").as_deref() {
        // Lambda's name for a level that we do not have.
        Ok("FATAL") => LevelFilter::ERROR,
        Ok(level) => LevelFilter::from_str(level).unwrap_or(LevelFilter::INFO),
        Err(_) => LevelFilter::INFO,
    };
    let others = ours.min(LevelFilter::INFO);
    let filter = EnvFilter::builder().parse_lossy(format!("{others},rolewatch_lambda={ours}"));
    let logger = tracing::subscriber::fmt().with_env_filter(filter).with_target(false).with_ansi(false);
    if std::env::var("AWS_LAMBDA_LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("json")) {
        logger.json().flatten_event(true).with_span_list(false).init();
    } else {
        logger.init();
    }
    std::panic::set_hook(Box::new(|panic| tracing::error!(error_type = "panic", place = place(panic), "panicked")));
}

/// Where it happened. The message is left out: that of an out-of-range string index, for one, quotes the string.
fn place(panic: &std::panic::PanicHookInfo<'_>) -> String {
    panic.location().map_or_else(String::new, |place| format!("{}:{}", place.file(), place.line()))
}

/// Whole milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{BY_FUNCTION, BY_LOG, METRICS, Tally};
    use rolewatch_analyzer::report::{Quiet, Report};
    use rolewatch_analyzer::stream::Stream;
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_panic_says_where_it_happened_and_not_what_it_said() {
        let said = Arc::new(Mutex::new(String::new()));
        let log = Arc::clone(&said);
        std::panic::set_hook(Box::new(move |panic| log.lock().unwrap().push_str(&super::place(panic))));
        let result = std::panic::catch_unwind(|| panic!("secret of the log"));
        drop(std::panic::take_hook());
        assert!(result.is_err());
        let said = said.lock().unwrap();
        assert!(said.contains("telemetry.rs:") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn a_line_declares_the_metrics_it_holds_and_no_others() {
        let word = |word: &str| Some(word.to_owned());
        let mut tally = Tally { cluster: word("prod"), account: word("1"), function: word("rw"), ..Tally::default() };
        let mut report = Report { lines: 3, alerted: 1, ..Report::default() };
        report.quiet.insert(Quiet::NotOfInterest, 2);
        tally.report(&report);
        tally.stream(Some(Stream::Audit), 2);
        tally.stream(Some(Stream::Audit), 1);
        tally.stream(Some(Stream::Scheduler), 9);
        tally.set("AlertsSent", 1);
        tally.memory_dropped(7);
        let line = tally.embedded_metric_format("r-1", UNIX_EPOCH + Duration::from_millis(1_234));
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["_aws"]["Timestamp"], 1_234);
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(declared["Dimensions"], json!([["Cluster"]]));
        assert_eq!(declared["Metrics"].as_array().unwrap().len(), 7);
        let declared = |place: usize| {
            let directive = &line["_aws"]["CloudWatchMetrics"][place];
            let names = directive["Metrics"].as_array().unwrap().iter().map(|metric| metric["Name"].clone());
            (directive["Dimensions"].clone(), names.collect::<Vec<Value>>())
        };
        assert_eq!(declared(1), (json!([["Function", "Account", "Cluster"]]), vec![json!("AuditLines")]));
        assert_eq!(declared(2), (json!([["Function"]]), vec![json!("AuditEventsLost"), json!("LinesTruncated")]));
        assert_eq!((&line["Function"], &line["Account"]), (&json!("rw"), &json!("1")));
        assert_eq!((&line["AuditLines"], line.get("ApiLines")), (&json!(3), None));
        assert_eq!((&line["Lines"], &line["Cluster"], &line["requestId"]), (&json!(3), &json!("prod"), &json!("r-1")));
        assert_eq!(line["quiet"], json!({ "not-of-interest": 2 }));
        assert_eq!(line["memory_dropped"], 7);
        assert!(line.get("AlertsFailed").is_none());
    }

    #[test]
    fn what_is_not_known_is_no_dimension() {
        let mut tally = Tally { cluster: Some("prod".to_owned()), ..Tally::default() };
        tally.stream(Some(Stream::Audit), 2);
        let line: Value = serde_json::from_str(&tally.embedded_metric_format("r-1", UNIX_EPOCH)).unwrap();
        let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
        assert_eq!(directives.len(), 1);
        assert_eq!(
            (&directives[0]["Dimensions"], &directives[0]["Metrics"][0]["Name"]),
            (&json!([["Cluster"]]), &json!("AuditLines"))
        );
    }

    #[test]
    fn metrics_are_named_once_and_are_few_enough_for_one_line() {
        assert!(BY_FUNCTION.iter().chain(BY_LOG).all(|name| METRICS.iter().any(|metric| metric.name == *name)));
        for metric in METRICS {
            assert_eq!(METRICS.iter().filter(|other| other.name == metric.name).count(), 1);
        }
        // CloudWatch user guide, embedded metric format: at most 100 metrics in one line.
        assert!(METRICS.len() <= 100);
    }
}
