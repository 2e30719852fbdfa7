//! Alerts over time, by severity: a small bar chart.

use jiff::Timestamp;
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::severity::Severity;

use super::html::Html;
use crate::summary::counted;

/// One bar: alerts by severity, least urgent first.
type Bar = [u64; Severity::ALL.len()];

/// The chart of the alerts whose time is known.
pub(super) fn draw(alerts: &[Alert]) -> Html {
    let mut html = Html::default();
    let times: Vec<(i64, Severity)> =
        alerts.iter().filter_map(|alert| Some((alert.first()?.time?.as_second(), alert.severity))).collect();
    let (Some(first), Some(last)) = (times.iter().map(|at| at.0).min(), times.iter().map(|at| at.0).max()) else {
        html.raw("<p>The log does not say when.</p>\n");
        return html;
    };
    let (step, word) = step(last - first);
    let start = first.div_euclid(step) * step;
    // A single bar across the whole page looks like a mistake, and so does one at its edge.
    let missing = BARS_MIN.saturating_sub(usize::try_from((last - start) / step + 1).unwrap_or(BARS_MIN));
    let start = start - i64::try_from(missing / 2).unwrap_or_default() * step;
    let bars = bars(&times, start, step, last);
    let most = bars.iter().map(|bar| bar.iter().sum::<u64>()).max().unwrap_or(1).max(1);
    let width = coordinate(bars.len()) * BAR;
    html.raw("<figure class=\"when\">\n<svg viewBox=\"0 0 ").text(&width.to_string()).raw(" ");
    html.text(&HEIGHT.to_string())
        .raw("\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Alerts over time, one bar per ");
    html.text(word).raw("; the tallest has ").number(most).raw("\">\n");
    for (at, bar) in bars.iter().enumerate() {
        column(
            &mut html,
            coordinate(at) * BAR,
            bar,
            most,
            &moment_at(start + i64::try_from(at).unwrap_or_default() * step),
        );
    }
    html.raw("</svg>\n<div class=\"axis\"><span>").text(&moment_at(start)).raw("</span><span>one bar per ").text(word);
    html.raw(", up to ")
        .text(&counted(most, "alert", "alerts"))
        .raw("</span><span>")
        .text(&moment_at(start + step * i64::try_from(bars.len()).unwrap_or(1)));
    html.raw("</span></div>\n<figcaption class=\"key\">");
    for severity in Severity::ALL.into_iter().rev() {
        if times.iter().any(|at| at.1 == severity) {
            html.raw("<span class=\"")
                .text(severity.as_str())
                .raw("\"><i></i>")
                .text(severity.as_str())
                .raw("</span> ");
        }
    }
    html.raw("</figcaption>\n</figure>\n");
    html
}

fn bars(times: &[(i64, Severity)], start: i64, step: i64, last: i64) -> Vec<Bar> {
    let count = usize::try_from((last - start) / step + 1).unwrap_or(1).min(BARS_MAX + 1);
    let mut bars = vec![Bar::default(); count.max(BARS_MIN)];
    for (time, severity) in times {
        let at = usize::try_from((time - start) / step).unwrap_or_default();
        if let Some(cell) = bars.get_mut(at).and_then(|bar| bar.get_mut(usize::from(severity.id()) - 1)) {
            *cell += 1;
        }
    }
    bars
}

fn column(html: &mut Html, x: u32, bar: &Bar, most: u64, time: &str) {
    let mut below = 0;
    for (severity, count) in Severity::ALL.into_iter().zip(bar).rev().filter(|(_, count)| **count > 0) {
        let scaled = |count: u64| u32::try_from(count * u64::from(HEIGHT) / most).unwrap_or(HEIGHT);
        let (bottom, top) = (scaled(below), scaled(below + count));
        html.raw("<rect class=\"").text(severity.as_str()).raw("\" x=\"").text(&(x + 1).to_string());
        html.raw("\" y=\"").text(&(HEIGHT - top.max(bottom + 1).min(HEIGHT)).to_string());
        html.raw("\" width=\"")
            .text(&(BAR - 2).to_string())
            .raw("\" height=\"")
            .text(&(top - bottom).max(1).to_string());
        html.raw("\"><title>").text(&format!("{time}: {count} {severity}")).raw("</title></rect>\n");
        below += count;
    }
}

/// The shortest step of which few enough fit into `span` seconds, and its name.
fn step(span: i64) -> (i64, &'static str) {
    let limit = i64::try_from(BARS_MAX).unwrap_or(i64::MAX);
    STEPS.into_iter().find(|(step, _)| span / step < limit).unwrap_or((i64::MAX / 4, "age"))
}

/// A point in time as the page writes it.
pub(super) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

fn moment_at(second: i64) -> String {
    Timestamp::from_second(second).map(moment).unwrap_or_default()
}

fn coordinate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX / BAR)
}

/// Seconds of one bar.
const STEPS: [(i64, &str); 11] = [
    (60, "minute"),
    (300, "5 minutes"),
    (900, "15 minutes"),
    (3_600, "hour"),
    (10_800, "3 hours"),
    (21_600, "6 hours"),
    (43_200, "12 hours"),
    (86_400, "day"),
    (604_800, "week"),
    (2_592_000, "30 days"),
    (31_536_000, "365 days"),
];
/// Bars that can still be told apart on a phone.
const BARS_MAX: usize = 48;
const BARS_MIN: usize = 12;
const BAR: u32 = 16;
const HEIGHT: u32 = 100;

#[cfg(test)]
mod tests {
    use super::{BARS_MAX, step};

    #[test]
    fn bars_are_never_too_many() {
        for span in [0, 59, 3_000, 86_400, 400 * 86_400, 40 * 31_536_000] {
            let (step, _) = step(span);
            assert!(usize::try_from(span / step).unwrap() < BARS_MAX, "{span}");
        }
        assert_eq!(step(0), (60, "minute"));
    }
}
