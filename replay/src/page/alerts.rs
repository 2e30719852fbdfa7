//! The alerts of a page, in full.

use rolewatch_analyzer::alert::{Alert, Evidence};
use rolewatch_analyzer::detection::Delta;
use rolewatch_analyzer::severity::Severity;

use super::chart::moment;
use super::html::Html;
use super::plural;
use crate::summary::grouped;

/// Writes the section of the alerts, the gravest first.
pub(super) fn write(page: &mut Html, alerts: &[Alert], dropped: u64) {
    if alerts.is_empty() {
        return;
    }
    page.raw("<section aria-labelledby=\"alerts\">\n<h2 id=\"alerts\" tabindex=\"-1\">Alerts</h2>\n");
    page.raw("<div class=\"tools\" hidden>\n<label class=\"find\">Find <input type=\"search\" id=\"find\" autocomplete=\"off\" spellcheck=\"false\"></label>\n");
    for severity in Severity::ALL.into_iter().rev() {
        if alerts.iter().any(|alert| alert.severity == severity) {
            page.raw("<label><input type=\"checkbox\" checked value=\"").text(severity.as_str()).raw("\"> ");
            page.text(severity.as_str()).raw("</label>\n");
        }
    }
    page.raw("<button type=\"button\" id=\"open\">Open all</button>\n<p id=\"shown\" role=\"status\"></p>\n</div>\n");
    for (at, alert) in alerts.iter().enumerate() {
        // A page with one alert hides nothing.
        one(page, alert, at == 0);
    }
    if dropped > 0 {
        page.raw("<p>")
            .text(&grouped(dropped))
            .raw(" less urgent alerts found no room on this page; <code>--format ocsf</code> has them all.</p>\n");
    }
    page.raw("</section>\n");
}

fn one(page: &mut Html, alert: &Alert, open: bool) {
    let severity = alert.severity.as_str();
    page.raw("<details class=\"alert ").text(severity).raw("\" data-severity=\"").text(severity).raw("\"");
    page.raw(if open { " open" } else { "" })
        .raw(">\n<summary><b class=\"badge ")
        .text(severity)
        .raw("\">")
        .text(severity);
    page.raw("</b> <span class=\"what\">").text(&alert.summary).raw("</span>");
    if let Some(time) = alert.first().and_then(|first| first.time) {
        page.raw(" <time>").text(&moment(time)).raw("</time>");
    }
    page.raw("</summary>\n<div class=\"body\">\n");
    why(page, alert);
    changes(page, alert);
    if let Some(first) = alert.first() {
        facts(page, alert, first);
    }
    page.raw("<h3>What to do</h3>\n").element("<p>", &alert.advice(), "</p>\n");
    evidence(page, alert);
    page.raw("</div>\n</details>\n");
}

fn why(page: &mut Html, alert: &Alert) {
    page.raw("<h3>Why it matters</h3>\n");
    let mut told: Vec<&str> = Vec::new();
    for finding in &alert.findings {
        if !told.contains(&finding.hit.why.as_str()) {
            told.push(&finding.hit.why);
            page.element("<p>", &finding.hit.why, "</p>\n");
        }
    }
}

fn changes(page: &mut Html, alert: &Alert) {
    let mut told: Vec<&Delta> = Vec::new();
    let mut items = Html::default();
    for change in alert.findings.iter().flat_map(|finding| &finding.hit.changes) {
        let better =
            |told: &&Delta| matches!(change, Delta::Now(now) if matches!(told, Delta::Gained(gained) if gained == now));
        if told.contains(&change) || told.iter().any(better) || told.len() >= CHANGES_MAX {
            continue;
        }
        told.push(change);
        let (class, word) = match change {
            Delta::Gained(_) => ("gained", "gained"),
            Delta::Lost(_) => ("lost", "lost"),
            Delta::Now(_) => ("now", "holds now"),
            Delta::Note(_) => ("note", "note"),
        };
        items.raw("<li class=\"").raw(class).raw("\"><i>").raw(word).raw("</i> <span>");
        items.text(change.text()).raw("</span></li>\n");
    }
    if told.is_empty() {
        return;
    }
    page.raw("<h3>What changed</h3>\n<ul class=\"changes\">\n").piece(&items).raw("</ul>\n");
}

fn facts(page: &mut Html, alert: &Alert, first: &Evidence) {
    page.raw("<dl>\n");
    let mut row = |name: &'static str, text: &str| {
        if !text.is_empty() {
            page.raw("<dt>").raw(name).raw("</dt>").element("<dd>", text, "</dd>\n");
        }
    };
    let actor = &first.actor;
    row("Who", &actor.display);
    row("Username", if actor.username == actor.display { "" } else { &actor.username });
    row("ARN", actor.arn.as_deref().filter(|arn| *arn != actor.username).unwrap_or_default());
    row("Access key", actor.access_key_id.as_deref().unwrap_or_default());
    row("Pod", actor.pod.as_deref().unwrap_or_default());
    if let Some((name, groups)) = &actor.acting_as {
        row("Acting as", &[std::slice::from_ref(name), groups].concat().join(", "));
    }
    row("From", first.peer.as_deref().unwrap_or_default());
    row("Claimed", &first.claimed.join(", "));
    row("With", &first.user_agent);
    for (name, value) in
        [("Cluster", &alert.source.cluster), ("Account", &alert.source.account), ("Region", &alert.source.region)]
    {
        row(name, value.as_deref().unwrap_or_default());
    }
    row("Detections", &alert.detection_ids().join(", "));
    row("Alert", alert.id.as_str());
    page.raw("</dl>\n");
}

fn evidence(page: &mut Html, alert: &Alert) {
    page.raw("<h3>Evidence</h3>\n<ul class=\"evidence\">\n");
    for event in &alert.evidence {
        page.raw("<li>");
        if let Some(time) = event.time {
            page.raw("<time>").text(&time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).raw("</time> ");
        }
        let target = if event.resource.is_empty() { &event.request_uri } else { &event.resource };
        let parts = [target, &event.namespace, &event.name].map(String::as_str);
        let target = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        page.text(&event.verb).raw(" ").text(&target);
        if event.code > 0 {
            page.raw(" \u{2192} ").number(u64::from(event.code));
        }
        if !event.audit_id.is_empty() {
            page.raw(" <code>").text(&event.audit_id).raw("</code>");
        }
        page.raw("</li>\n");
    }
    let shown = u64::try_from(alert.evidence.len()).unwrap_or(u64::MAX);
    if alert.events > shown {
        let more = alert.events - shown;
        page.raw("<li>and ").text(&grouped(more)).raw(" more ").text(&plural(more, "event")).raw("</li>\n");
    }
    page.raw("</ul>\n");
    if let Some(query) = alert.insights_query() {
        page.raw("<p>CloudWatch Logs Insights:</p>\n<pre tabindex=\"0\">").text(&query).raw("</pre>\n");
    }
}

/// Changes shown of one alert.
const CHANGES_MAX: usize = 200;
