//! Deliveries with nothing to alert on, and deliveries that are broken.

use serde_json::{Value, json};

use crate::alerts::lambda;
use crate::delivery::{audit_id, control_message, event, grant, gzip, noise, pack};
use crate::emulator::Inbox;
use crate::runtime::{Answer, MARKER};

#[test]
fn a_control_message_is_acknowledged_and_counted() {
    let inbox = Inbox::new("control");
    let mut lambda = lambda(&inbox);
    assert_eq!(lambda.invoke(&control_message()), Answer::Success(Value::Null));
    assert_eq!(lambda.metrics()[0]["ControlMessages"], 1);
    assert_eq!(inbox.take().len(), 0);
}

#[test]
fn broken_deliveries_are_answered_with_their_code_and_the_process_goes_on() {
    let inbox = Inbox::new("broken");
    let mut lambda = lambda(&inbox);
    let encode = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let logs = |data: &str| json!({ "awslogs": { "data": data } }).to_string();
    let bomb = vec![b' '; 200 << 20];
    let rows = [
        (logs(&format!("%%%{MARKER}")), "delivery-not-base64"),
        (logs(&encode(MARKER.as_bytes())), "delivery-not-gzip"),
        (logs(&encode(&gzip(MARKER.as_bytes())[..12])), "delivery-gzip-damaged"),
        (logs(&pack(MARKER.as_bytes())), "delivery-not-json"),
        (logs(&pack(json!({ "a": MARKER }).to_string().as_bytes())), "delivery-no-log-events"),
        (logs(&pack(&bomb)), "delivery-too-large"),
        (json!({ "awslogs": { "other": MARKER } }).to_string(), "event-no-data"),
        (json!({ "Records": [{ "Sns": { "Message": MARKER } }] }).to_string(), "event-unknown-shape"),
        (json!(MARKER).to_string(), "event-unknown-shape"),
        (json!({ "detail-type": "x", "detail": { "x": MARKER } }).to_string(), "event-unsupported"),
    ];
    for (event, code) in rows {
        assert_eq!(lambda.invoke(&event).code(), code);
    }
    assert_eq!(lambda.invoke(&event(&[grant(1)])), Answer::Success(Value::Null), "the process goes on");
    assert_eq!(inbox.take().len(), 1);
    assert!(lambda.peak_memory_kib() < 128 << 10, "{} KiB", lambda.peak_memory_kib());
}

#[test]
fn one_poisoned_line_among_500_costs_nothing_but_itself() {
    let inbox = Inbox::new("poisoned");
    let mut lambda = lambda(&inbox);
    let mut lines: Vec<String> = (0..500).map(noise).collect();
    lines[100] = grant(100);
    lines[250] = format!("{{\"kind\":\"Event\",\"user\":{{{MARKER}\u{0}");
    lines[400] = grant(400);
    assert_eq!(lambda.invoke(&event(&lines)), Answer::Success(Value::Null));
    let messages = inbox.take();
    for number in [100, 400] {
        assert_eq!(messages.iter().filter(|message| message.audit_ids() == [audit_id(number)]).count(), 1);
    }
    let metrics = lambda.metrics();
    assert_eq!(metrics[0]["Lines"], 500);
    let told = metrics[0]["LinesAlerted"].as_u64().unwrap();
    assert_eq!(told + metrics[0]["LinesSkipped"].as_u64().unwrap(), 3, "the line is told or counted: {metrics:?}");
}

#[test]
fn a_delivery_with_a_damaged_end_is_read_up_to_the_damage() {
    let inbox = Inbox::new("damaged");
    let mut lambda = lambda(&inbox);
    let document = json!({ "messageType": "DATA_MESSAGE", "logGroup": "/aws/eks/prod/cluster",
        "logStream": "kube-apiserver-audit-1", "logEvents": [{ "timestamp": 1, "message": grant(1) }] });
    let mut bytes = gzip(document.to_string().as_bytes());
    bytes.truncate(bytes.len() - 8);
    let data = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let answer = lambda.invoke(&json!({ "awslogs": { "data": data } }).to_string());
    assert_eq!(answer, Answer::Success(Value::Null));
    assert_eq!(inbox.take().len(), 1);
    assert_eq!(lambda.metrics()[0]["LinesSkipped"], 1, "the damage is counted");
}
