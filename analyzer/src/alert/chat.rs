//! An alert for a chat channel: a custom notification of Amazon Q Developer in chat applications.
//!
//! The channel shows Markdown, and names in a log are chosen by whoever made them: here they can neither call
//! people, nor hide a link behind words, nor leave their place.

use serde_json::{Value, json};

use super::Alert;
use crate::text::printable;

impl Alert {
    /// The notification (Amazon Q Developer in chat applications administrator guide, "Custom notifications"): version
    /// 1.0, source `custom`. Anything else that is published to the channel's topic is dropped without an error.
    #[must_use]
    pub fn chat(&self) -> Value {
        let mut reasons: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !reasons.contains(&finding.hit.why.as_str()) {
                reasons.push(&finding.hit.why);
            }
        }
        let mut lines: Vec<String> =
            reasons.iter().take(LINES_MAX).map(|reason| harmless(reason, LINE_CHARS)).collect();
        let changes = self.findings.iter().flat_map(|finding| &finding.hit.changes);
        lines.extend(changes.take(LINES_MAX).map(|change| {
            let text = format!("{} {}", change.sign(), change.text());
            format!("`{}`", harmless(&text, LINE_CHARS))
        }));
        if let Some(first) = self.first() {
            let who = first.actor.arn.as_deref().unwrap_or(&first.actor.username);
            let from = first.peer.as_deref().unwrap_or("an address that was not recorded");
            lines.push(format!("by `{}` from `{}`", harmless(who, LINE_CHARS), harmless(from, LINE_CHARS)));
            if !first.audit_id.is_empty() {
                lines.push(format!("audit ID `{}`", harmless(&first.audit_id, LINE_CHARS)));
            }
        }
        let cluster = self.source.cluster.as_deref().unwrap_or("unknown");
        json!({
            "version": "1.0",
            "source": "custom",
            "id": self.id.as_str(),
            "content": {
                "textType": "client-markdown",
                "title": harmless(&self.title(), TITLE_CHARS),
                "description": lines.join("\n"),
                "nextSteps": [harmless(&self.advice(), ADVICE_CHARS)],
                "keywords": [self.severity.as_str(), harmless(cluster, LINE_CHARS)],
            },
            "metadata": {
                "threadId": self.id.as_str(),
                "summary": harmless(&self.summary, TITLE_CHARS),
                "eventType": self.worst().map_or("", |finding| finding.detection.id),
            },
        })
    }
}

/// Text in which nothing is Markdown of Slack or Teams: no mention, no link, no way out of a code span.
fn harmless(text: &str, max: usize) -> String {
    let text = printable(text, max).replace("://", ":/\u{2215}").replace("www.", "www\u{2024}").replace("](", "] (");
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // Not as entities: a title has a limit, and entities would carry it over.
            '&' => out.push('\u{ff06}'),
            '<' => out.push('\u{2039}'),
            '>' => out.push('\u{203a}'),
            '`' => out.push('\''),
            // Looks the same and calls nobody.
            '@' => out.push('\u{ff20}'),
            // Emphasis, with what looks like it.
            '*' => out.push('\u{2217}'),
            '~' => out.push('\u{223c}'),
            other => out.push(other),
        }
    }
    out
}

/// Reasons, and changes, that are shown; the e-mail has them all.
const LINES_MAX: usize = 8;
/// Longest of them: with [`LINES_MAX`] the description stays under 8,000 characters.
const LINE_CHARS: usize = 220;
/// Longest title.
const TITLE_CHARS: usize = 200;
/// Longest advice.
const ADVICE_CHARS: usize = 600;

#[cfg(test)]
mod tests {
    use super::harmless;
    use crate::tests::harness;

    #[test]
    fn nothing_in_a_name_is_markdown() {
        for (text, shown) in [
            ("<!here> & <@U1>", "\u{2039}!here\u{203a} \u{ff06} \u{2039}\u{ff20}U1\u{203a}"),
            ("<https://evil.example|docs>", "\u{2039}https:/\u{2215}evil.example|docs\u{203a}"),
            ("[docs](https://evil.example)", "[docs] (https:/\u{2215}evil.example)"),
            ("a` *b* ~c~ @here", "a' \u{2217}b\u{2217} \u{223c}c\u{223c} \u{ff20}here"),
            ("www.evil.example", "www\u{2024}evil.example"),
            ("a\nb", "a\\u{a}b"),
        ] {
            assert_eq!(harmless(text, 100), shown);
        }
        assert!(harmless(&"<".repeat(500), 100).chars().count() <= 103);
    }

    #[test]
    fn every_sample_makes_a_notification_within_its_limits() {
        for (file, case) in harness::cases() {
            for alert in case.report().alerts {
                let chat = alert.chat();
                let text = |pointer: &str| chat.pointer(pointer).unwrap().as_str().unwrap().to_owned();
                assert_eq!((text("/version"), text("/source")), ("1.0".to_owned(), "custom".to_owned()));
                assert!(!text("/content/description").is_empty(), "{file}");
                assert!(text("/content/description").chars().count() < 8_000 && text("/content/title").len() < 1_000);
                let whole = chat.to_string();
                assert!(!whole.contains('<') && !whole.contains('@') && !whole.contains("://"), "{file}: {whole}");
                assert!(text("/content/title").chars().count() <= 250, "{file}");
            }
        }
    }
}
