//! What an attacker writes into a log, or a Secret brings there, must stand in no log, metric or answer of the function.

use serde_json::{Value, json};

use crate::alerts::lambda_at;
use crate::delivery::{audit_id, event, grant, gzip, login, noise, pack};
use crate::emulator::Inbox;
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, MARKER};

/// A delivery of another stream than the audit stream, of one line.
fn of_stream(stream: &str, line: &str) -> String {
    let document = json!({
        "messageType": "DATA_MESSAGE",
        "owner": "111122223333",
        "logGroup": "/aws/eks/prod/cluster",
        "logStream": format!("{stream}-0123456789abcdef0123456789abcdef"),
        "logEvents": [{ "id": "0", "timestamp": 1_795_420_800_000_u64, "message": line }],
    });
    json!({ "awslogs": { "data": pack(document.to_string().as_bytes()) } }).to_string()
}

/// A grant whose every text that a client chooses is the same.
fn written_by_an_attacker() -> String {
    let mut event: Value = serde_json::from_str(&grant(7)).unwrap();
    for member in ["auditID", "requestURI", "userAgent"] {
        event[member] = json!(MARKER);
    }
    event["user"]["username"] = json!(MARKER);
    event["user"]["extra"]["sessionName"] = json!([MARKER]);
    event["responseStatus"]["message"] = json!(MARKER);
    for body in ["requestObject", "responseObject"] {
        event[body]["metadata"]["labels"] = json!({ MARKER: MARKER });
        event[body]["subjects"][0]["name"] = json!(MARKER);
        event[body]["data"] = json!({ "token": MARKER });
    }
    event.to_string()
}

#[test]
fn leaking_what_a_log_says_through_our_own_log_and_answers() {
    let inbox = Inbox::new("leaks");
    // The first request is refused in words of AWS that quote the message.
    let proxy = Proxy::start(|number| match number {
        0 => Fault::Answer(400, "Throttled"),
        1 => Fault::Poison(MARKER),
        _ => Fault::None,
    });
    let mut lambda = lambda_at(&inbox, &proxy.url, &[]);
    let lost = format!(
        "E1123 06:51:05.989157   30538 metrics.go:110] Error in audit plugin 'log' affecting 1 audit events: {MARKER}\n\
         Impacted events:\n2026-11-23T06:51:05.853328439Z AUDIT: id=\"{MARKER}\" stage=\"ResponseComplete\" \
         ip=\"198.51.100.7\" method=\"patch\" user=\"{MARKER}\" groups=\"<none>\" as=\"<self>\" asgroups=\"<lookup>\" \
         user-agent=\"{MARKER}\" namespace=\"<none>\" \
         uri=\"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{MARKER}\" response=\"200\""
    );
    let half = format!("{{\"kind\":\"Event\",\"auditID\":\"{MARKER}");
    let damaged = &gzip(json!({ "logEvents": [{ "message": MARKER }] }).to_string().as_bytes())[..30];
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, damaged);
    for delivery in [
        event(&[noise(1), grant(2), login(3), written_by_an_attacker(), half.clone(), half.replace('{', "")]),
        of_stream("kube-apiserver", &lost),
        of_stream("authenticator", &format!("time=\"x\" level=warning msg=\"{MARKER}\" arn=\"{MARKER}\"")),
        of_stream("kube-scheduler", MARKER),
        json!({ "awslogs": { "data": encoded } }).to_string(),
        json!({ "awslogs": { "data": MARKER } }).to_string(),
        json!({ "Records": [{ "kinesis": { "data": MARKER, "sequenceNumber": "1" }, "eventID": "shardId-0:1" }] })
            .to_string(),
        json!({ "detail-type": "AWS API Call via CloudTrail", "detail": { "eventName": MARKER } }).to_string(),
        json!({ "detail-type": MARKER, MARKER: MARKER }).to_string(),
        format!("[\"{MARKER}\"]"),
    ] {
        let answer = lambda.invoke(&delivery);
        if let Answer::Failure { message, .. } = &answer {
            assert!(message.len() < 300, "an answer says what is wrong, and no more: {message}");
        }
    }
    let told: String = inbox.take().iter().map(|message| message.body.to_string()).collect();
    assert!(told.contains("bob-2") && told.contains(&audit_id(2)), "alerts hold what was planted: {told}");
    assert!(lambda.metrics().len() >= 10);
    let printed = lambda.printed();
    assert!(printed.contains("delivery judged") && printed.contains("the invocation failed"), "{printed}");
    for planted in [MARKER, "bob-2", "alice", &audit_id(2), "198.51.100.7", "203.0.114.9", "deployer", "kubectl"] {
        assert!(!printed.contains(planted), "{planted} stands in the log of the function:\n{printed}");
    }
}
