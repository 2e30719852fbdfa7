//! What arrives when a delivery holds something to alert on.

use serde_json::{Value, json};

use crate::delivery::{audit_id, data, event, grant, noise};
use crate::emulator::{self, Inbox};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, Lambda, MARKER};

/// The function, publishing to the emulator.
pub(crate) fn lambda(inbox: &Inbox) -> Lambda {
    lambda_at(inbox, &format!("http://{}", emulator::address()), &[])
}

/// The function, publishing to SNS at this address.
pub(crate) fn lambda_at(inbox: &Inbox, sns: &str, variables: &[(&str, &str)]) -> Lambda {
    let mut all = vec![("ROLEWATCH_ALERT_TOPIC_ARN", inbox.topic.as_str()), ("AWS_ENDPOINT_URL_SNS", sns)];
    all.extend(variables);
    Lambda::start(&all)
}

#[test]
fn a_cluster_admin_grant_arrives_as_ocsf_with_attributes() {
    let inbox = Inbox::new("grant");
    let mut lambda = lambda(&inbox);
    let answer = lambda.invoke(&event(&[noise(1), grant(2), noise(3)]));
    assert_eq!(answer, Answer::Success(Value::Null));
    let [message] = inbox.take().try_into().unwrap();
    assert_eq!(message.body["class_uid"], 2004);
    assert_eq!(message.audit_ids(), [audit_id(2)]);
    assert_eq!(message.body["cloud"]["account"]["uid"], "111122223333");
    assert_eq!(message.body["cloud"]["region"], "us-east-1");
    for (name, value) in [
        ("severity", "critical"),
        ("severity_number", "5"),
        ("detection", "rbac-binding-changed"),
        ("category", "rbac"),
        ("cluster", "prod"),
        ("account", "111122223333"),
        ("region", "us-east-1"),
        ("actor_type", "iam"),
    ] {
        assert_eq!(message.attribute(name), Some(value), "{name}");
    }
    assert!(message.attributes.len() <= 10 && message.attribute("outcome").is_some());
    let metrics = lambda.metrics();
    assert_eq!(metrics.len(), 1);
    for (name, value) in [("Lines", 3), ("LinesAlerted", 1), ("LinesQuiet", 2), ("LinesSkipped", 0), ("AlertsSent", 1)]
    {
        assert_eq!(metrics[0][name], value, "{name}");
    }
    assert_eq!((&metrics[0]["Cluster"], &metrics[0]["ColdStarts"]), (&json!("prod"), &json!(1)));
    assert_eq!(metrics[0]["alerts"], json!({ "critical": 1 }));
    assert!(metrics[0]["PublishTime"].is_u64() && metrics[0]["DeliveryAge"].is_u64());
}

#[test]
fn people_get_text_and_a_subject() {
    let inbox = Inbox::new("text");
    let proxy = Proxy::start(|_| Fault::None);
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    lambda.invoke(&event(&[grant(1)]));
    let form = proxy.seen()[0].form();
    let member = |name: &str| {
        let name = format!("PublishBatchRequestEntries.member.1.{name}");
        form.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    let body: Value = serde_json::from_str(member("Message")).unwrap();
    let text = body["email"].as_str().unwrap();
    assert!(text.starts_with("[CRITICAL] prod: alice@example.com gave"), "{text}");
    assert!(text.contains("bob-1") && text.contains(MARKER) && text.contains(&audit_id(1)), "{text}");
    assert!(!text.contains("{\""), "people do not read JSON: {text}");
    assert!(member("Subject").starts_with("[CRITICAL] prod: alice@example.com gave"));
    assert!(member("Subject").len() <= 99 && member("MessageStructure") == "json");
}

#[test]
fn a_fifo_topic_gets_its_group_and_drops_what_comes_twice() {
    let inbox = Inbox::new("ordered.fifo");
    let mut lambda = lambda(&inbox);
    for _ in 0..2 {
        assert_eq!(lambda.invoke(&event(&[grant(1), grant(2)])), Answer::Success(Value::Null));
    }
    let messages = inbox.take();
    assert_eq!(
        messages.iter().flat_map(crate::emulator::Received::audit_ids).collect::<Vec<_>>(),
        [audit_id(1), audit_id(2)]
    );
}

#[test]
fn alerts_below_the_minimum_are_counted_and_not_sent() {
    let inbox = Inbox::new("minimum");
    let mut line: Value = serde_json::from_str(&grant(1)).unwrap();
    line["requestObject"]["roleRef"]["name"] = json!("view");
    line["responseObject"]["roleRef"]["name"] = json!("view");
    let sns = format!("http://{}", emulator::address());
    let mut lambda = lambda_at(&inbox, &sns, &[("ROLEWATCH_MIN_SEVERITY", "critical")]);
    assert_eq!(lambda.invoke(&event(&[line.to_string()])), Answer::Success(Value::Null));
    assert_eq!(inbox.take().len(), 0);
    assert_eq!(lambda.metrics()[0]["AlertsBelowMinimum"], 1);
}

#[test]
fn fifty_alerts_are_sent_in_batches_of_ten() {
    let inbox = Inbox::new("fifty");
    let proxy = Proxy::start(|_| Fault::None);
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    let lines: Vec<String> = (0..50).map(grant).collect();
    assert_eq!(lambda.invoke(&event(&lines)), Answer::Success(Value::Null));
    assert_eq!(inbox.take().len(), 50);
    assert_eq!(proxy.seen().len(), 5);
}

#[test]
fn records_of_a_kinesis_stream_are_judged_one_by_one() {
    let inbox = Inbox::new("kinesis");
    let mut lambda = lambda(&inbox);
    let record = |number: &str, data: &str| json!({ "kinesis": { "sequenceNumber": number, "data": data } });
    let records = [record("1", &data(&[grant(1)])), record("2", "damaged"), record("3", &data(&[grant(3)]))];
    let answer = lambda.invoke(&json!({ "Records": records }).to_string());
    assert_eq!(answer, Answer::Success(json!({ "batchItemFailures": [] })));
    let mut seen: Vec<String> = inbox.take().iter().flat_map(crate::emulator::Received::audit_ids).collect();
    seen.sort();
    assert_eq!(seen, [audit_id(1), audit_id(3)], "a bad record does not cost its neighbours");
}

#[test]
fn a_record_of_a_stream_may_hold_several_documents() {
    let inbox = Inbox::new("documents");
    let mut lambda = lambda(&inbox);
    let unpack = |data: String| {
        let bytes = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
        text
    };
    let documents = [grant(1), noise(2), grant(3)].map(|line| unpack(data(&[line]))).concat();
    let record = json!({ "kinesis": { "sequenceNumber": "1", "data": crate::delivery::pack(documents.as_bytes()) } });
    let answer = lambda.invoke(&json!({ "Records": [record] }).to_string());
    assert_eq!(answer, Answer::Success(json!({ "batchItemFailures": [] })));
    let mut seen: Vec<String> = inbox.take().iter().flat_map(crate::emulator::Received::audit_ids).collect();
    seen.sort();
    assert_eq!(seen, [audit_id(1), audit_id(3)]);
    assert_eq!(lambda.metrics()[0]["Lines"], 3);
}

#[test]
fn a_call_of_the_aws_api_is_judged() {
    let samples = include_str!("../../../samples/detections/access_entry_changed.json");
    let samples: Value = serde_json::from_str(samples).unwrap();
    let event =
        json!({ "source": "aws.eks", "detail-type": "AWS API Call via CloudTrail", "detail": samples[0]["lines"][0] });
    let inbox = Inbox::new("call");
    let mut lambda = lambda(&inbox);
    assert_eq!(lambda.invoke(&event.to_string()), Answer::Success(Value::Null));
    let messages = inbox.take();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].attribute("detection"), Some("access-entry-changed"));
    assert_eq!((&lambda.metrics()[0]["Lines"], &lambda.metrics()[0]["Cluster"]), (&json!(1), &json!("prod")));
}

#[test]
fn a_chat_channel_gets_its_own_form_on_its_own_topic() {
    let (inbox, channel) = (Inbox::new("with-chat"), Inbox::new("chat"));
    let sns = format!("http://{}", emulator::address());
    let mut lambda = lambda_at(&inbox, &sns, &[("ROLEWATCH_CHAT_TOPIC_ARN", &channel.topic)]);
    let hostile = grant(1).replace("bob-1", "<!here> `rm` [x](https://evil.example) @all");
    assert_eq!(lambda.invoke(&event(&[hostile])), Answer::Success(Value::Null));
    assert_eq!(inbox.take()[0].body["class_uid"], 2004);
    let [message] = channel.take().try_into().unwrap();
    assert_eq!((&message.body["version"], &message.body["source"]), (&json!("1.0"), &json!("custom")));
    let content = message.body["content"].to_string();
    assert!(content.contains("[CRITICAL] prod: alice\u{ff20}example.com gave"), "{content}");
    for live in ["<!here>", "`rm`", "](", "://", "@"] {
        assert!(!content.contains(live), "{live} in {content}");
    }
    assert_eq!(lambda.metrics()[0]["AlertsSent"], 1, "an alert is one alert however many read it");
}

#[test]
fn a_chat_topic_that_is_missing_fails_the_delivery_and_holds_back_no_alert() {
    let inbox = Inbox::new("without-chat");
    let sns = format!("http://{}", emulator::address());
    let missing = "arn:aws:sns:us-east-1:123456789012:no-chat";
    let mut lambda = lambda_at(&inbox, &sns, &[("ROLEWATCH_CHAT_TOPIC_ARN", missing)]);
    assert_eq!(lambda.invoke(&event(&[grant(1)])).code(), "sns-topic-missing");
    assert_eq!(inbox.take().len(), 1);
    let metrics = &lambda.metrics()[0];
    assert_eq!((&metrics["AlertsSent"], &metrics["AlertsFailed"]), (&json!(1), &json!(1)), "by the one, not the other");
}
