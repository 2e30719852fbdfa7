//! Who gained what: from actors over objects to subjects, as a small picture and as a list.

use std::collections::HashMap;

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::detection::Delta;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::text::short;

use super::html::Html;
use crate::summary::grouped;

/// One way power went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Gain {
    /// Turned around, so that the gravest comes first.
    severity: std::cmp::Reverse<Severity>,
    actor: String,
    object: String,
    subject: Option<String>,
}

/// The picture and the list; `None` where nobody gained anything.
pub(super) fn draw(alerts: &[Alert]) -> Option<Html> {
    let mut gains: Vec<Gain> = alerts.iter().flat_map(gains).collect();
    gains.sort();
    gains.dedup_by(|one, other| {
        (&one.actor, &one.object, &one.subject) == (&other.actor, &other.object, &other.subject)
    });
    if gains.is_empty() {
        return None;
    }
    let all = gains.len();
    take_turns(&mut gains);
    // The columns are short; what does not fit is in the alerts.
    let mut columns: [Vec<String>; 3] = Default::default();
    gains.retain(|gain| takes(&mut columns, gain));
    let mut html = Html::default();
    picture(&mut html, &columns, &gains);
    list(&mut html, &gains);
    if all > gains.len() {
        let words = [gains.len(), all].map(|count| grouped(u64::try_from(count).unwrap_or(u64::MAX)));
        html.raw("<p>The gravest ").text(&words.join(" of ")).raw("; the others are among the alerts.</p>\n");
    }
    Some(html)
}

/// Puts the gravest gain of each actor before anybody's second, so that one busy actor does not fill the picture.
fn take_turns(gains: &mut [Gain]) {
    let mut turns: HashMap<(Severity, String), usize> = HashMap::new();
    gains.sort_by_cached_key(|gain| {
        let turn = turns.entry((gain.severity.0, gain.actor.clone())).or_default();
        *turn += 1;
        (gain.severity, *turn)
    });
}

fn gains(alert: &Alert) -> Vec<Gain> {
    let actor = alert.first().map(|first| first.actor.display.clone()).unwrap_or_default();
    let mut out = Vec::new();
    for hit in alert.findings.iter().map(|finding| &finding.hit) {
        let gave = hit.changes.iter().any(|change| matches!(change, Delta::Gained(_) | Delta::Now(_)));
        for object in hit.objects.iter().filter(|_| gave).take(GAINS_MAX) {
            let gain = |subject| Gain {
                severity: std::cmp::Reverse(hit.severity),
                actor: actor.clone(),
                object: object.to_string(),
                subject,
            };
            if hit.subjects.is_empty() {
                out.push(gain(None));
            }
            out.extend(hit.subjects.iter().take(GAINS_MAX).map(|subject| gain(Some(subject.clone()))));
        }
    }
    out
}

/// Makes room for the nodes of a gain; `false` where a column is full.
fn takes(columns: &mut [Vec<String>; 3], gain: &Gain) -> bool {
    let names = [Some(&gain.actor), Some(&gain.object), gain.subject.as_ref()];
    let fits = columns
        .iter()
        .zip(names)
        .all(|(column, name)| name.is_none_or(|name| column.contains(name) || column.len() < NODES_MAX));
    if fits {
        for (column, name) in columns.iter_mut().zip(names) {
            if let Some(name) = name.filter(|name| !column.contains(name)) {
                column.push(name.clone());
            }
        }
    }
    fits
}

fn picture(html: &mut Html, columns: &[Vec<String>; 3], gains: &[Gain]) {
    let rows = columns.iter().map(Vec::len).max().unwrap_or_default();
    let height = HEAD + number(rows) * ROW;
    html.raw("<div class=\"graph\" aria-hidden=\"true\">\n<svg viewBox=\"0 0 ").text(&WIDTH.to_string()).raw(" ");
    html.text(&height.to_string()).raw("\">\n");
    for gain in gains.iter().rev() {
        let [Some(actor), object, subject] = places(columns, gain) else { continue };
        let Some(object) = object else { continue };
        edge(html, gain, (0, actor), (1, object));
        if let Some(subject) = subject {
            edge(html, gain, (1, object), (2, subject));
        }
    }
    for ((at, column), title) in (0_u32..).zip(columns).zip(["who", "changed", "for"]) {
        if column.is_empty() {
            continue;
        }
        label(html, "<text class=\"head\" x=\"", at * STRIDE, 14, title);
        for (row, name) in (0_u32..).zip(column) {
            node(html, at * STRIDE, HEAD + row * ROW, name, at > 0);
        }
    }
    html.raw("</svg>\n</div>\n");
}

/// One box. An object and a subject begin with their kind, which gets a line of its own, so that the name finds room.
fn node(html: &mut Html, x: u32, y: u32, name: &str, has_kind: bool) {
    html.raw("<g><title>").text(name).raw("</title><rect class=\"node\" rx=\"6\" x=\"").text(&x.to_string());
    html.raw("\" y=\"").text(&y.to_string()).raw("\" width=\"").text(&NODE.to_string());
    html.raw("\" height=\"").text(&(ROW - GAP).to_string()).raw("\"/>");
    match name.split_once(' ').filter(|_| has_kind) {
        Some((kind, name)) => {
            label(html, "<text class=\"head\" x=\"", x + PAD, y + 16, kind);
            label(html, "<text x=\"", x + PAD, y + 32, &shortened(short(name)));
        }
        None => label(html, "<text x=\"", x + PAD, y + 24, &shortened(name)),
    }
    html.raw("</g>\n");
}

fn places(columns: &[Vec<String>; 3], gain: &Gain) -> [Option<usize>; 3] {
    let [actors, objects, subjects] = columns;
    let place = |column: &[String], name: &str| column.iter().position(|known| known == name);
    let subject = gain.subject.as_ref().and_then(|subject| place(subjects, subject));
    [place(actors, &gain.actor), place(objects, &gain.object), subject]
}

fn edge(html: &mut Html, gain: &Gain, from: (u32, usize), to: (u32, usize)) {
    let middle = |row: usize| HEAD + number(row) * ROW + (ROW - GAP) / 2;
    let (left, right) = (from.0 * STRIDE + NODE, to.0 * STRIDE);
    let bend = u32::midpoint(left, right);
    let (start, end) = (middle(from.1), middle(to.1));
    html.raw("<path class=\"edge ").text(gain.severity.0.as_str()).raw("\" d=\"");
    html.text(&format!("M{left} {start}C{bend} {start} {bend} {end} {right} {end}")).raw("\"/>\n");
}

fn label(html: &mut Html, open: &'static str, x: u32, y: u32, text: &str) {
    html.raw(open).text(&x.to_string()).raw("\" y=\"").text(&y.to_string()).raw("\">").text(text).raw("</text>");
}

/// The end of a long name says more than its beginning: ARNs end in the session.
fn shortened(name: &str) -> String {
    let count = name.chars().count();
    if count <= LABEL_MAX {
        return name.to_owned();
    }
    let head: String = name.chars().take(LABEL_MAX / 3).collect();
    let tail: String = name.chars().skip(count - (LABEL_MAX - LABEL_MAX / 3 - 1)).collect();
    format!("{head}\u{2026}{tail}")
}

/// The same for those who do not see the picture, and for small screens.
fn list(html: &mut Html, gains: &[Gain]) {
    html.raw("<ul class=\"gains\">\n");
    for gain in gains {
        html.raw("<li><b class=\"badge ").text(gain.severity.0.as_str()).raw("\">").text(gain.severity.0.as_str());
        html.raw("</b> ").text(&gain.actor).raw(" <span>changed</span> ").text(&gain.object);
        if let Some(subject) = &gain.subject {
            html.raw(" <span>for</span> ").text(subject);
        }
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// Nodes of one column: more and the lines between them cannot be told apart.
const NODES_MAX: usize = 12;
/// Objects and subjects taken of one finding.
const GAINS_MAX: usize = 50;
/// Letters that fit into a node.
const LABEL_MAX: usize = 34;
const WIDTH: u32 = 960;
const NODE: u32 = 260;
const STRIDE: u32 = 350;
const ROW: u32 = 48;
const GAP: u32 = 8;
const PAD: u32 = 10;
const HEAD: u32 = 26;
