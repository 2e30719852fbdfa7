//! An alert as a person reads it: in an e-mail or at a terminal, at 3 a.m.

mod page;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use self::page::{CRAMPED, Page, ROOMY, Room, TIGHT};
use super::{Activity, Actor, Alert, Deeds, Evidence};
use crate::detection::Finding;
use crate::stream::Stream;

impl Alert {
    /// The alert as plain text, one screen long, without JSON. Every character is printable or a line break.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_within(WIDTH)
    }

    /// The same in lines of at most `columns`, where words allow it. The lines to be copied stay whole.
    #[must_use]
    pub fn text_within(&self, columns: usize) -> String {
        // Names as long as a client likes must not push what matters off the screen.
        let roomy = [&ROOMY, &TIGHT].into_iter().map(|room| self.page(columns, room));
        let fits = |text: &String| text.lines().count() <= SCREEN_LINES;
        roomy.into_iter().find(fits).unwrap_or_else(|| self.page(columns, &CRAMPED))
    }

    fn page(&self, columns: usize, room: &'static Room) -> String {
        let mut page = Page::new(columns, room);
        page.paragraph(&self.title());
        page.chapter("Why it matters");
        let mut reasons: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !reasons.contains(&finding.hit.why.as_str()) {
                reasons.push(&finding.hit.why);
            }
        }
        for reason in reasons.iter().take(room.reasons) {
            page.item("", reason);
        }
        more(&mut page, reasons.len(), room.reasons, "reason");
        self.changes(&mut page);
        if let Some(first) = self.first() {
            page.blank();
            who(&mut page, &first.actor);
            // A text line that names no request has no client either.
            if first.stream == Stream::Audit || first.peer.is_some() || !first.claimed.is_empty() {
                from(&mut page, first);
                let unnamed = "a client that does not name itself";
                page.field("With", if first.user_agent.is_empty() { unnamed } else { &first.user_agent });
            }
            page.field("When", &self.when());
        }
        if self.events > 1 && self.activity == Activity::Create {
            self.deeds(&mut page);
        }
        page.chapter("What to do");
        page.advice(&self.advice());
        self.evidence(&mut page);
        page.text
    }

    fn changes(&self, page: &mut Page) {
        let lines: Vec<(char, &str)> = self
            .findings
            .iter()
            .flat_map(|finding| &finding.hit.changes)
            .map(|change| (change.sign(), change.text()))
            .collect();
        // Two findings may tell the same; what was gained says more than what holds now.
        let mut shown: Vec<(char, &str)> = Vec::new();
        for line in &lines {
            let told_better = line.0 == '=' && lines.contains(&('+', line.1));
            if !shown.contains(line) && !told_better {
                shown.push(*line);
            }
        }
        let objects = self.objects();
        if shown.is_empty() && objects.is_empty() {
            return;
        }
        page.chapter(match self.activity {
            Activity::Create => "What changed",
            // There is no list of events to count: memory kept their sums.
            Activity::Update => "What was done",
        });
        if !objects.is_empty() {
            page.item("", &objects);
        }
        for (sign, text) in shown.iter().take(page.room.changes) {
            page.item(&format!("{sign} "), &crate::text::printable(text, CHANGE_CHARS_SHOWN));
        }
        more(page, shown.len(), page.room.changes, "line");
    }

    fn objects(&self) -> String {
        let mut names: Vec<String> = Vec::new();
        for object in self.findings.iter().flat_map(|finding| &finding.hit.objects) {
            let name = object.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let left = names.len().saturating_sub(OBJECTS_SHOWN);
        names.truncate(OBJECTS_SHOWN);
        let mut text = names.join(", ");
        if left > 0 {
            let _ = write!(text, " and {left} more");
        }
        text
    }

    /// What the events of the alert did, alike ones together.
    fn deeds(&self, page: &mut Page) {
        let mut deeds = Deeds::default();
        self.evidence.iter().for_each(|evidence| deeds.add(evidence));
        page.chapter("What was done");
        for line in deeds.lines(page.room.deeds) {
            page.item("", &line);
        }
    }

    /// What to do next: the advice of the worst finding.
    #[must_use]
    pub fn advice(&self) -> String {
        self.worst()
            .map(|Finding { detection, hit }| hit.next.clone().unwrap_or_else(|| detection.chapter("What to do")))
            .unwrap_or_default()
    }

    fn when(&self) -> String {
        let times = || self.evidence.iter().filter_map(|evidence| evidence.time);
        let seconds = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
        match (times().min(), times().max()) {
            (Some(start), Some(end)) if seconds(start) != seconds(end) => {
                format!("{} to {} UTC", seconds(start), end.strftime("%H:%M:%S"))
            }
            (Some(start), _) => format!("{} UTC", seconds(start)),
            _ => "time not recorded".to_owned(),
        }
    }

    fn evidence(&self, page: &mut Page) {
        page.chapter("Evidence");
        let mut place = Vec::new();
        for (word, value) in [
            ("cluster", &self.source.cluster),
            ("account", &self.source.account),
            ("region", &self.source.region),
            ("stream", &self.source.log_stream),
        ] {
            if let Some(value) = value {
                place.push(format!("{word} {}", crate::text::name(value)));
            }
        }
        if !place.is_empty() {
            page.item("", &place.join(", "));
        }
        for evidence in self.evidence.iter().take(page.room.events).filter(|evidence| !evidence.verb.is_empty()) {
            page.item("", &evidence.line());
        }
        let shown = u64::try_from(self.evidence.len().min(page.room.events)).unwrap_or(u64::MAX);
        if self.events > shown {
            page.item("", &format!("and {} more events", self.events - shown));
        }
        page.item(
            "",
            &format!("detections {}; ATT&CK {}", self.detection_ids().join(", "), self.technique_ids().join(", ")),
        );
        if let Some(query) = self.insights_query() {
            page.item("", "CloudWatch Logs Insights:");
            page.verbatim(&query);
        }
        if let Some(command) = self.lookup_command() {
            page.item("", "AWS command line:");
            page.verbatim(&command);
        }
    }

    /// The ids of its detections, worst first, each once.
    #[must_use]
    pub fn detection_ids(&self) -> Vec<&'static str> {
        let mut ids = Vec::new();
        for finding in &self.findings {
            if !ids.contains(&finding.detection.id) {
                ids.push(finding.detection.id);
            }
        }
        ids
    }

    fn technique_ids(&self) -> Vec<&'static str> {
        let mut ids: Vec<&'static str> = Vec::new();
        for technique in self.findings.iter().flat_map(|finding| finding.detection.attack) {
            if !ids.contains(&technique.id) {
                ids.push(technique.id);
            }
        }
        ids
    }

    /// A CloudWatch Logs Insights query that finds the first event; `None` when the record has no audit ID.
    #[must_use]
    pub fn insights_query(&self) -> Option<String> {
        let first = self
            .evidence
            .iter()
            .find(|evidence| !evidence.audit_id.is_empty() && evidence.stream != Stream::CloudTrail)?;
        // The client may choose the audit ID: nothing of it may end the string.
        let id: String = first.audit_id.chars().filter(|character| !matches!(character, '"' | '\\')).collect();
        Some(match first.stream {
            Stream::Audit => {
                format!("fields @timestamp, @message | filter auditID = \"{id}\" and verb = \"{}\"", first.verb)
            }
            _ => format!("fields @timestamp, @message | filter @message like \"{id}\""),
        })
    }

    /// The command that fetches the call of the AWS API that the alert is about; `None` for log lines.
    #[must_use]
    pub fn lookup_command(&self) -> Option<String> {
        let first = self.first().filter(|first| first.stream == Stream::CloudTrail)?;
        // Nothing that a shell could take for more than a word.
        let word =
            |text: &str| text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
        let (id, region): (String, String) = (word(&first.audit_id), word(self.source.region.as_deref()?));
        let attribute = format!("AttributeKey=EventId,AttributeValue={id}");
        (!id.is_empty())
            .then(|| format!("aws cloudtrail lookup-events --region {region} --lookup-attributes {attribute}"))
    }
}

impl Evidence {
    /// One line that says which event this is.
    fn line(&self) -> String {
        if self.audit_id.is_empty() && self.verb.is_empty() {
            let time = self.time.map(|time| time.strftime(", %Y-%m-%d %H:%M:%S UTC").to_string());
            return format!("a line of the {} log{}", self.stream.as_str(), time.unwrap_or_default());
        }
        let mut text = String::new();
        if !self.audit_id.is_empty() {
            let word = if self.stream == Stream::CloudTrail { "event ID" } else { "audit ID" };
            let _ = write!(text, "{word} {}: ", self.audit_id);
        }
        let object = match (self.namespace.as_str(), self.name.as_str()) {
            ("", "") => String::new(),
            ("", name) => format!("/{name}"),
            (namespace, "") => format!(" in {namespace}"),
            (namespace, name) => format!("/{namespace}/{name}"),
        };
        let what = if self.resource.is_empty() { self.request_uri.as_str() } else { self.resource.as_str() };
        let _ = write!(text, "{} {what}{object}", self.verb);
        if self.code > 0 {
            let _ = write!(text, " -> {}", self.code);
        }
        if !self.missing.is_empty() {
            let _ = write!(text, " ({})", self.missing);
        }
        text
    }
}

/// Who did it. However little room there is, each of these facts is told.
fn who(page: &mut Page, actor: &Actor) {
    page.identity("Who", &actor.display);
    // EKS makes the username of the session's ARN, with `-` for `@`: then the ARN alone says it.
    let arn = actor.arn.as_deref().unwrap_or_default();
    let says_more = ![actor.display.as_str(), arn, &arn.replace('@', "-"), ""].contains(&actor.username.as_str());
    let username = says_more.then(|| actor.username.clone());
    let words = [
        (!arn.is_empty()).then(|| arn.to_owned()),
        actor.access_key_id.as_ref().map(|key| format!("access key {key}")),
        actor.pod.as_ref().map(|pod| format!("token of pod {pod}")),
    ];
    let together = username.iter().chain(words.iter().flatten()).map(String::as_str).collect::<Vec<_>>().join(", ");
    if !page.fits(&together) {
        // A long one does not stand in front of the others.
        if let Some(username) = username {
            page.identity("", &username);
        }
        for word in words.iter().flatten() {
            page.word(word);
        }
    } else if !together.is_empty() {
        page.field("", &together);
    }
    if let Some((name, groups)) = &actor.acting_as {
        acting(page, name, groups);
    }
}

fn acting(page: &mut Page, name: &str, groups: &[String]) {
    let of = if groups.is_empty() { String::new() } else { format!(" in {}", groups.join(", ")) };
    let whole = format!("acting as {name}{of} (impersonation)");
    if page.fits(&whole) {
        return page.field("", &whole);
    }
    page.identity("", &format!("acting as {name} (impersonation)"));
    // The client chooses their names and their order: long ones must not hide those that give something.
    let mut groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    groups.sort_by_key(|group| (!group.starts_with("system:"), group.len()));
    if !groups.is_empty() {
        page.identity("", &format!("in {}", groups.join(", ")));
    }
}

fn from(page: &mut Page, evidence: &Evidence) {
    let mut text = evidence.peer.clone().unwrap_or_else(|| "an address that was not recorded".to_owned());
    if !evidence.claimed.is_empty() {
        let _ = write!(text, "; the client also claimed {}", evidence.claimed.join(", "));
    }
    page.field("From", &text);
}

fn plural(what: &str, count: usize) -> String {
    match (count, what.split_once(' ')) {
        (1, _) => what.to_owned(),
        (_, Some((first, rest))) => format!("{first}s {rest}"),
        (_, None) => format!("{what}s"),
    }
}

fn more(page: &mut Page, total: usize, shown: usize, what: &str) {
    if let Some(left) = total.checked_sub(shown).filter(|left| *left > 0) {
        page.item("", &format!("and {left} more {}", plural(what, left)));
    }
}

/// Most lines of a text: what a tall terminal, or a mail before it is scrolled, shows at once.
const SCREEN_LINES: usize = 60;
/// Columns of a line where nothing is said: what an 80-column terminal or a mail client shows unbroken is 78, as RFC 5322
/// section 2.1.1 says.
const WIDTH: usize = 78;
/// Longest change shown, in characters: three lines.
const CHANGE_CHARS_SHOWN: usize = 220;
/// Changed objects shown in one text.
const OBJECTS_SHOWN: usize = 5;
