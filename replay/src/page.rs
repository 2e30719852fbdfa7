//! `--report`: one page that holds everything of a run, to keep, to send and to print.

mod alerts;
mod chart;
mod graph;
mod html;

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::text;
use sha2::Digest as _;

use self::html::Html;
use crate::error::Error;
use crate::files::{self, Readers};
use crate::summary::{AlertCounts, explained, grouped};
use crate::tally::Tally;

/// A page in the making.
#[derive(Debug)]
pub(crate) struct Page {
    path: PathBuf,
    min: Severity,
    alerts: Vec<Alert>,
    /// Alerts that found no room.
    dropped: u64,
}

impl Page {
    /// A page at `path` with alerts that are at least `min`. Fails early where nothing can be written.
    pub(crate) fn create(path: &Path, min: Severity) -> Result<Self, Error> {
        let page = Self { path: path.to_owned(), min, alerts: Vec::new(), dropped: 0 };
        files::probe(path).map_err(|source| page.failed(source))?;
        Ok(page)
    }

    /// Keeps what the page shows. Of too many alerts, the gravest stay, and of these the first.
    pub(crate) fn add(&mut self, alerts: &[Alert]) {
        self.alerts.extend(alerts.iter().filter(|alert| alert.severity >= self.min).cloned());
        if self.alerts.len() > 2 * ALERTS_MAX {
            self.trim();
        }
    }

    fn trim(&mut self) {
        // The sort is stable, so the order in time holds within a severity.
        self.alerts.sort_by_key(|alert| std::cmp::Reverse(alert.severity));
        let more = self.alerts.len().saturating_sub(ALERTS_MAX);
        self.dropped += u64::try_from(more).unwrap_or(u64::MAX);
        self.alerts.truncate(ALERTS_MAX);
    }

    /// Writes the page.
    pub(crate) fn write(mut self, tally: &Tally, counts: &AlertCounts) -> Result<(), Error> {
        self.trim();
        let html = self.html(tally, counts);
        files::replace(&self.path, html.as_bytes(), Readers::Others).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Report { path: files::shown(&self.path), source }
    }

    fn html(&self, tally: &Tally, counts: &AlertCounts) -> Html {
        let mut page = Html::default();
        page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"").text(&policy()).raw("\">\n");
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        page.raw(
            "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n",
        );
        page.element("<title>", &self.title(), "</title>\n");
        page.raw("<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
        page.raw(
            "<a class=\"skip\" href=\"#alerts\">Skip to the alerts</a>\n<header>\n<p class=\"brand\">Rolewatch</p>\n",
        );
        page.element("<h1>", &self.title(), "</h1>\n");
        page.element("<p class=\"lead\">", &self.lead(tally), "</p>\n");
        page.raw("</header>\n<main>\n");
        self.summary(&mut page, tally, counts);
        if !self.alerts.is_empty() {
            page.raw("<section aria-labelledby=\"h-when\">\n<h2 id=\"h-when\">When</h2>\n");
            page.piece(&chart::draw(&self.alerts)).raw("</section>\n");
            if let Some(graph) = graph::draw(&self.alerts) {
                page.raw("<section aria-labelledby=\"h-who\">\n<h2 id=\"h-who\">Who gained what</h2>\n");
                page.piece(&graph).raw("</section>\n");
            }
        }
        alerts::write(&mut page, &self.alerts, self.dropped);
        coverage(&mut page, tally);
        page.raw("</main>\n<footer><p>Written by rolewatch ").text(env!("CARGO_PKG_VERSION"));
        page.raw(". This page loads nothing and sends nothing. Names in it come from the log: whoever made a request may have chosen them.</p></footer>\n");
        page.raw("<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
        page
    }

    /// The clusters that the alerts are about.
    fn title(&self) -> String {
        let mut clusters: Vec<&str> = self.alerts.iter().filter_map(|alert| alert.source.cluster.as_deref()).collect();
        clusters.sort_unstable();
        clusters.dedup();
        match clusters.as_slice() {
            [] => "Who gained power".to_owned(),
            [one] => format!("Who gained power in {}", text::name(one)),
            several => format!("Who gained power in {} clusters", several.len()),
        }
    }

    /// What was read, and from when to when the alerts are.
    fn lead(&self, tally: &Tally) -> String {
        let lines = format!("{} {} read.", grouped(tally.lines), plural(tally.lines, "line"));
        let times = || self.alerts.iter().flat_map(|alert| &alert.evidence).filter_map(|evidence| evidence.time);
        match (times().min(), times().max()) {
            (Some(first), Some(last)) if first != last => {
                format!("{lines} Alerts from {} to {}.", chart::moment(first), chart::moment(last))
            }
            (Some(first), _) => format!("{lines} Alerts at {}.", chart::moment(first)),
            _ => lines,
        }
    }

    fn summary(&self, page: &mut Html, tally: &Tally, counts: &AlertCounts) {
        page.raw("<section aria-labelledby=\"h-summary\">\n<h2 id=\"h-summary\">Summary</h2>\n<ul class=\"tiles\">\n");
        for severity in Severity::ALL.into_iter().rev() {
            let count = counts.of(severity);
            page.raw("<li class=\"tile ").text(severity.as_str()).raw(if count == 0 { " none" } else { "" });
            page.element("\"><b>", &grouped(count), "</b> ").element("<span>", severity.as_str(), "</span>");
            if severity < self.min && count > 0 {
                page.raw(" <small>not shown</small>");
            }
            page.raw("</li>\n");
        }
        page.raw("</ul>\n");
        if tally.lines == tally.skipped_lines() {
            // No comfort from a log that was not there.
            page.raw("<p><strong>No line of a log could be read, so this says nothing about who gained power.</strong> See <a href=\"#coverage\">coverage</a>.</p>\n");
        } else if counts.reaching(Severity::Informational) == 0 {
            page.raw("<p>Nothing that was read gave anybody a right or used one in an unusual way. See <a href=\"#coverage\">coverage</a> for what was read.</p>\n");
        }
        page.raw("</section>\n");
    }
}

fn coverage(page: &mut Html, tally: &Tally) {
    page.raw("<section aria-labelledby=\"coverage\">\n<h2 id=\"coverage\">Coverage</h2>\n<p>Every line ends as part of an alert, as quiet for a reason, or as skipped for a reason.</p>\n");
    page.raw("<table><caption>What became of each line</caption>\n<thead><tr><th scope=\"col\">Lines</th><th scope=\"col\">What became of them</th></tr></thead>\n<tbody>\n");
    let mut row = |count: u64, class: &'static str, words: &str| {
        page.raw("<tr class=\"").raw(class).raw("\">").element("<td>", &grouped(count), "</td>");
        page.element("<td>", words, "</td></tr>\n");
    };
    row(tally.lines, "total", &format!("read from {} {}", grouped(tally.files), plural(tally.files, "file")));
    row(tally.alerted, "total", "part of an alert");
    row(tally.quiet.values().map(|quiet| quiet.count).sum(), "total", "quiet");
    let mut quiet: Vec<_> = tally.quiet.iter().collect();
    quiet.sort_by_key(|(reason, quiet)| (std::cmp::Reverse(quiet.count), **reason));
    for (reason, quiet) in quiet {
        row(quiet.count, "part", &explained(reason, quiet.meaning));
    }
    row(tally.skipped_total(), "total", "skipped: they could not be read");
    for (reason, skipped) in &tally.skipped {
        let places =
            if skipped.places.is_empty() { String::new() } else { format!(" ({})", skipped.places.join(", ")) };
        row(skipped.count, "part", &(explained(reason, skipped.hint) + &places));
    }
    page.raw("</tbody></table>\n");
    if tally.memory_dropped > 0 {
        page.raw("<p>").text(&grouped(tally.memory_dropped)).raw(" entries of memory were dropped to make room: what came later may be told with less to say, or twice.</p>\n");
    }
    page.raw("</section>\n");
}

fn plural(count: u64, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// Nothing may be loaded, sent or run but the style and the script of this page, named by their hashes.
fn policy() -> String {
    let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// Alerts shown in full. A page of 2,000 is 10 MB and still opens; nobody reads more.
const ALERTS_MAX: usize = 2_000;
