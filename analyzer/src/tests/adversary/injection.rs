//! Injection into what people and machines read, and leaking what must not be told.

use serde_json::json;

use super::super::promises::{self, Schema};
use super::{alerts, grant_with, is_told};
use crate::analyze_envelope;
use crate::envelope::Envelope;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stream::Source;

#[test]
fn injection_into_what_people_and_machines_read() {
    let hostile = "\u{43e}\u{1b}[2J\r\n\r\nSubject: all is well\u{7}<!here> <script>alert(1)</script> [x](https://evil.example) `=cmd|' /C calc'!A0` \u{202e}\u{2028}@channel";
    let alerts = alerts(&[grant_with(|event| {
        event["userAgent"] = json!(hostile);
        event["auditID"] = json!(hostile);
        event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?{hostile}"));
        event["user"]["username"] = json!(hostile);
        event["user"]["extra"] = json!({ "sessionName": [hostile], "arn": [hostile], "accessKeyId": [hostile] });
        event["sourceIPs"] = json!([hostile, "203.0.113.24"]);
        event["objectRef"]["name"] = json!(hostile);
        for body in ["requestObject", "responseObject"] {
            event[body]["metadata"]["name"] = json!(hostile);
            event[body]["subjects"][0]["name"] = json!(hostile);
        }
    })]);
    assert!(is_told(&alerts));
    for alert in &alerts {
        let headline = alert.headline();
        assert!(headline.as_str().bytes().all(|byte| (b' '..=b'~').contains(&byte)), "e-mail subject: {headline}");
        let hidden = |character: char| character.is_control() || "\u{202e}\u{2028}".contains(character);
        let text = alert.text();
        assert!(!text.chars().any(|character| character != '\n' && hidden(character)), "terminal and e-mail: {text}");
        assert!(!text.lines().any(|line| line.starts_with("Subject:")), "no line of its own: {text}");
        let chat = alert.chat().to_string();
        assert!(!chat.contains(['<', '>', '@']) && !chat.contains("://"), "chat: {chat}");
        // One line, and every text in it printable: no field ends early and none begins.
        let ocsf = alert.ocsf().to_string();
        assert!(!ocsf.contains(hidden) && !ocsf.contains("\\u001b") && !ocsf.contains("\\r"), "OCSF: {ocsf}");
    }
}

/// Found by fuzzing: what the document around the lines says of itself went into OCSF as it was.
#[test]
fn injection_into_the_names_of_the_place() {
    let hostile = "prod\u{1b}[2J\r\n\u{202e}\u{0}";
    let document = json!({
        "owner": hostile,
        "logGroup": format!("/aws/eks/{hostile}/cluster"),
        "logStream": format!("kube-apiserver-audit-{hostile}"),
        "logEvents": [{ "timestamp": 1_795_416_561_478_u64, "message": grant_with(|_| ()).to_string() }],
    });
    let envelope = Envelope::open_document(document.to_string().into_bytes(), None).unwrap();
    let source = Source { region: Some(hostile.to_owned()), ..Source::default() };
    let settings = Settings { source, ..Settings::default() };
    let told = analyze_envelope(&envelope, &settings, &mut Memory::default()).alerts;
    assert!(is_told(&told));
    let schema = Schema::beside(&super::super::harness::top());
    for alert in &told {
        promises::hold(alert, &schema);
    }
}

#[test]
fn leaking_what_a_secret_or_a_token_holds() {
    const PLANTED: &str = "cGxhbnRlZC1zZWNyZXQ";
    let secret = grant_with(|event| {
        // The tokens controller fills the Secret.
        event["user"] = json!({
            "username": "system:kube-controller-manager",
            "groups": ["system:authenticated"],
            "extra": { "authentication.kubernetes.io/credential-id": ["X509SHA256=00"] },
        });
        event["sourceIPs"] = json!(["172.16.88.21"]);
        event["verb"] = json!("update");
        event["responseStatus"]["code"] = json!(200);
        event["requestURI"] = json!("/api/v1/namespaces/kube-system/secrets");
        event["objectRef"] =
            json!({ "resource": "secrets", "namespace": "kube-system", "name": "t", "apiVersion": "v1" });
        for body in ["requestObject", "responseObject"] {
            event[body] = json!({
                "kind": "Secret",
                "apiVersion": "v1",
                "type": "kubernetes.io/service-account-token",
                "metadata": {
                    "name": "t",
                    "namespace": "kube-system",
                    "annotations": { "kubernetes.io/service-account.name": "default", "x": PLANTED },
                },
                "data": { "token": PLANTED },
                "stringData": { "token": PLANTED },
            });
        }
    });
    let token = grant_with(|event| {
        event["requestURI"] = json!("/api/v1/namespaces/kube-system/serviceaccounts/default/token");
        event["objectRef"] = json!({ "resource": "serviceaccounts", "subresource": "token", "namespace": "kube-system", "name": "default", "apiVersion": "v1" });
        for body in ["requestObject", "responseObject"] {
            event[body] = json!({
                "kind": "TokenRequest",
                "apiVersion": "authentication.k8s.io/v1",
                "spec": { "audiences": ["https://kubernetes.default.svc"], "expirationSeconds": 86400 },
                "status": { "token": PLANTED },
            });
        }
    });
    for (event, detection) in [(secret, "sa-legacy-secret-created"), (token, "sa-token-minted")] {
        let alerts = alerts(&[event]);
        assert!(alerts.iter().any(|alert| alert.detection_ids().contains(&detection)), "{detection} is told");
        for alert in alerts {
            let all = format!("{alert:?} {} {} {}", alert.text(), alert.ocsf(), alert.chat());
            assert!(!all.contains(PLANTED), "{detection}");
        }
    }
}
