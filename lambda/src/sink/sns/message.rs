//! One alert as one SNS message, within the limits of SNS.
//!
//! The limits are counted here because an emulator does not hold all of them, and because a message that SNS refuses
//! costs an invocation.

use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::text::{Headline, name};

use crate::sink::fit::fit;

/// A message ready to be published with `MessageStructure` `json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sink) struct Message {
    /// At most 99 printable ASCII characters.
    pub(super) subject: String,
    /// A JSON object: one text per protocol, or a notification for a chat channel.
    pub(super) body: String,
    /// `MessageStructure`; none when every subscription gets the same.
    pub(super) structure: Option<&'static str>,
    /// What subscriptions filter on.
    pub(super) attributes: Vec<Attribute>,
    /// `MessageGroupId`, for a FIFO topic.
    pub(super) group: Option<String>,
    /// `MessageDeduplicationId`, for a FIFO topic.
    pub(super) deduplication: Option<String>,
}

/// A message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: &'static str,
    pub(super) data_type: &'static str,
    pub(super) value: String,
}

impl Message {
    /// The alert in full or, where that is more than SNS takes, with less evidence, and saying so.
    pub(super) fn of(alert: &Alert, fifo: bool) -> Self {
        let fits = |message: &Self| message.bytes() <= MESSAGE_BYTES_MAX;
        fit(alert, |alert| Self::written(alert, fifo), fits).unwrap_or_else(|| Self::reduced(alert, fifo))
    }

    /// The alert as a chat channel takes it. It is short already, so there is no other form of it.
    pub(super) fn chat(alert: &Alert) -> Self {
        let subject = alert.headline().as_str().to_owned();
        Self { body: alert.chat().to_string(), structure: None, ..Self::around(alert, false, subject) }
    }

    /// The headline and what finds the alert again: for when SNS refuses what the alert holds.
    pub(super) fn reduced(alert: &Alert, fifo: bool) -> Self {
        let subject = alert.headline().as_str().to_owned();
        let audit_id = alert.first().map_or("", |first| first.audit_id.as_str());
        let text = format!(
            "{subject}\n\nSNS did not take the whole alert. Find its first event in the control-plane log.\n\
             audit ID {}\nalert {}\n",
            Headline::new(audit_id).as_str(),
            alert.id.as_str()
        );
        let attributes = attributes(alert).into_iter().filter(|attribute| attribute.name.starts_with("severity"));
        Self {
            body: serde_json::json!({ "default": text }).to_string(),
            attributes: attributes.collect(),
            ..Self::around(alert, fifo, subject)
        }
    }

    /// The size as SNS counts it: bytes of the body with all its protocols, and name, type and value of each
    /// attribute (SNS developer guide, "Message attributes"). The subject is counted too, to be safe.
    pub(super) fn bytes(&self) -> usize {
        let attribute = |it: &Attribute| it.name.len() + it.data_type.len() + it.value.len();
        self.subject.len() + self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }

    fn written(alert: &Alert, fifo: bool) -> Self {
        let headline = alert.headline();
        // The machines' form is the default, so that it counts once and not once for each of sqs, lambda, http,
        // https and firehose: five copies of a digest would not fit. People read e-mail and SMS.
        let body = serde_json::json!({
            "default": alert.ocsf().to_string(),
            "email": alert.text(),
            "sms": headline.as_str(),
        });
        Self {
            body: body.to_string(),
            attributes: attributes(alert),
            ..Self::around(alert, fifo, headline.as_str().to_owned())
        }
    }

    fn around(alert: &Alert, fifo: bool, subject: String) -> Self {
        Self {
            subject,
            body: String::new(),
            structure: Some("json"),
            attributes: Vec::new(),
            group: fifo.then(|| group(alert.source.cluster.as_deref().unwrap_or_default())),
            deduplication: fifo.then(|| alert.message_id()),
        }
    }
}

/// Nine attributes; raw delivery to SQS carries at most ten. SNS refuses empty values, so what is not known is absent.
fn attributes(alert: &Alert) -> Vec<Attribute> {
    let worst = alert.worst().map(|finding| finding.detection);
    let first = alert.first();
    let texts = [
        ("severity", Some(alert.severity.as_str())),
        ("detection", worst.map(|detection| detection.id)),
        ("category", worst.map(rolewatch_analyzer::detection::Detection::category)),
        ("cluster", alert.source.cluster.as_deref()),
        ("account", alert.source.account.as_deref()),
        ("region", alert.source.region.as_deref()),
        ("actor_type", first.map(|first| first.actor.kind)),
        ("outcome", first.map(|first| first.outcome)),
    ];
    let mut attributes: Vec<Attribute> = texts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)))
        .map(|(key, value)| Attribute { name: key, data_type: "String", value: name(value) })
        .collect();
    attributes.push(Attribute { name: "severity_number", data_type: "Number", value: alert.severity.id().to_string() });
    attributes
}

/// A message group from a cluster's name: at most [`GROUP_CHARS_MAX`] letters, digits and punctuation.
fn group(cluster: &str) -> String {
    let fit: String = cluster
        .chars()
        .map(|character| if character.is_ascii_graphic() { character } else { '_' })
        .take(GROUP_CHARS_MAX)
        .collect();
    if fit.is_empty() { "rolewatch".to_owned() } else { fit }
}

/// SNS API reference, Publish: messages have at most 262,144 bytes, unless a topic's `MaximumMessageSize` allows
/// more, which rules out e-mail.
const MESSAGE_BYTES_MAX: usize = 262_144;
/// SNS API reference, Publish: `MessageGroupId`.
const GROUP_CHARS_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::{GROUP_CHARS_MAX, MESSAGE_BYTES_MAX, Message, group};
    use rolewatch_analyzer::alert::{Activity, Actor, Alert, AlertId, Evidence};
    use rolewatch_analyzer::detection::{Delta, Finding, Hit};
    use rolewatch_analyzer::detections;
    use rolewatch_analyzer::severity::Severity;
    use rolewatch_analyzer::stream::{Source, Stream};
    use serde_json::Value;

    fn evidence(user_agent: &str) -> Evidence {
        Evidence {
            stream: Stream::Audit,
            log_stream: None,
            audit_id: "8dc82530-03b6-4504-8ab0-08b8c9421006".to_owned(),
            stage: "ResponseComplete",
            time: None,
            verb: "create".to_owned(),
            request_uri: String::new(),
            resource: "rbac.authorization.k8s.io/clusterrolebindings".to_owned(),
            namespace: String::new(),
            name: "b".to_owned(),
            code: 201,
            outcome: "allowed",
            actor: Actor { display: "alice".to_owned(), kind: "iam", ..Actor::default() },
            peer: None,
            claimed: Vec::new(),
            user_agent: user_agent.to_owned(),
            missing: "",
        }
    }

    fn alert(events: usize, user_agent: &str) -> Alert {
        Alert {
            id: AlertId::of(["x"]),
            activity: Activity::Create,
            severity: Severity::High,
            summary: "alice gave bob cluster-admin".to_owned(),
            findings: vec![Finding {
                detection: detections::by_id("rbac-binding-changed").unwrap(),
                hit: Hit::new(Severity::High, "gave bob cluster-admin", "cluster-admin is everything"),
            }],
            evidence: vec![evidence(user_agent); events],
            events: u64::try_from(events).unwrap(),
            source: Source {
                account: Some("111122223333".to_owned()),
                cluster: Some("prod".to_owned()),
                ..Source::default()
            },
        }
    }

    fn attribute<'m>(message: &'m Message, name: &str) -> Option<&'m str> {
        message.attributes.iter().find(|it| it.name == name).map(|it| it.value.as_str())
    }

    #[test]
    fn machines_get_ocsf_people_get_text() {
        let message = Message::of(&alert(1, "kubectl"), false);
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let finding: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
        assert_eq!(finding["class_uid"], 2004);
        assert!(body["email"].as_str().unwrap().starts_with("[HIGH] prod: alice gave bob cluster-admin\n"));
        assert_eq!(body["sms"], "[HIGH] prod: alice gave bob cluster-admin");
        assert_eq!(message.subject, "[HIGH] prod: alice gave bob cluster-admin");
        assert_eq!((message.group, message.deduplication), (None, None));
    }

    #[test]
    fn attributes_tell_what_is_known_and_are_never_empty() {
        let message = Message::of(&alert(1, ""), false);
        for (name, value) in [
            ("severity", Some("high")),
            ("severity_number", Some("4")),
            ("detection", Some("rbac-binding-changed")),
            ("category", Some("rbac")),
            ("cluster", Some("prod")),
            ("account", Some("111122223333")),
            ("region", None),
            ("actor_type", Some("iam")),
            ("outcome", Some("allowed")),
        ] {
            assert_eq!(attribute(&message, name), value, "{name}");
        }
        assert!(message.attributes.iter().all(|attribute| !attribute.value.is_empty()));
    }

    #[test]
    fn a_fifo_message_is_grouped_by_cluster_and_told_apart_by_alert_id() {
        let alert = alert(1, "");
        let message = Message::of(&alert, true);
        assert_eq!(message.group.as_deref(), Some("prod"));
        assert_eq!(message.deduplication.as_deref(), Some(alert.id.as_str()));
        assert_eq!(group("a b\u{e9}"), "a_b_");
        assert_eq!(group(""), "rolewatch");
        assert_eq!(group(&"x".repeat(500)).len(), 128);
    }

    #[test]
    fn what_is_too_long_is_cut_by_bytes_not_characters() {
        // 100 events of 2,000 characters are 200,000 characters and 400,000 bytes.
        let long = alert(100, &"\u{e9}".repeat(2_000));
        let message = Message::of(&long, false);
        assert!(message.bytes() <= MESSAGE_BYTES_MAX, "{}", message.bytes());
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let finding: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
        let shown = finding["evidences"].as_array().unwrap().len();
        assert!((1..100).contains(&shown));
        assert_eq!(finding["count"], 100);
        let note = format!("cut to fit one message: evidence of {shown} of 100 events is shown");
        assert!(body["default"].as_str().unwrap().contains(&note), "machines are told");
        assert!(body["email"].as_str().unwrap().contains("cut to fit one message"), "people are told");
    }

    #[test]
    fn a_message_at_its_limit_is_sent_whole_and_one_past_it_is_cut() {
        let of = |length: usize| Message::of(&alert(2, &"x".repeat(length)), false);
        let is_whole = |length: usize| {
            let body: Value = serde_json::from_str(&of(length).body).unwrap();
            serde_json::from_str::<Value>(body["default"].as_str().unwrap())
                .is_ok_and(|finding| finding["evidences"].as_array().is_some_and(|events| events.len() == 2))
        };
        let (mut fits, mut past) = (1, MESSAGE_BYTES_MAX);
        while past - fits > 1 {
            let middle = usize::midpoint(fits, past);
            if is_whole(middle) { fits = middle } else { past = middle }
        }
        let (shorter, longest) = (of(fits - 1).bytes(), of(fits).bytes());
        assert!(longest <= MESSAGE_BYTES_MAX && longest + (longest - shorter) > MESSAGE_BYTES_MAX, "{longest}");
        assert!(of(fits + 1).bytes() <= MESSAGE_BYTES_MAX, "what is too long is cut");
    }

    #[test]
    fn changes_are_cut_only_when_cutting_the_evidence_is_not_enough() {
        let mut long = alert(2, "");
        long.findings[0].hit.changes =
            (0..10_000).map(|it| Delta::Gained(format!("{it} {}", "x".repeat(90)))).collect();
        let message = Message::of(&long, false);
        assert!((MESSAGE_BYTES_MAX / 4..=MESSAGE_BYTES_MAX).contains(&message.bytes()), "{}", message.bytes());
        assert!(message.body.contains("cut to fit one message: 1 event and at most"));
    }

    #[test]
    fn what_cannot_be_cut_far_enough_keeps_its_headline() {
        let message = Message::of(&alert(1, &"\u{e9}".repeat(200_000)), true);
        assert!(message.bytes() < 1_000);
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let text = body["default"].as_str().unwrap();
        assert!(text.starts_with("[HIGH] prod: alice") && text.contains("8dc82530-03b6-4504-8ab0-08b8c9421006"));
        assert_eq!(attribute(&message, "severity_number"), Some("4"));
        assert!(message.group.is_some());
    }

    #[test]
    fn a_digest_of_the_largest_size_fits_uncut() {
        let agent = "x".repeat(rolewatch_analyzer::text::AGENT_CHARS_MAX);
        let digest = alert(rolewatch_analyzer::alert::EVIDENCE_MAX, &agent);
        let body: Value = serde_json::from_str(&Message::of(&digest, false).body).unwrap();
        let finding: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
        assert_eq!(finding["evidences"].as_array().unwrap().len(), digest.evidence.len());
    }

    #[test]
    fn a_message_group_is_cut_at_its_limit() {
        let name = |length: usize| "x".repeat(length);
        assert_eq!(group(&name(GROUP_CHARS_MAX)), name(GROUP_CHARS_MAX));
        assert_eq!(group(&name(GROUP_CHARS_MAX + 1)), name(GROUP_CHARS_MAX));
    }
}
