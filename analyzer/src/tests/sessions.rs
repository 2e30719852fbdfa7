//! A session is told once an hour, however many events it has and however they are delivered.

use super::harness::judge;
use crate::alert::AlertId;
use crate::memory::Memory;
use crate::report::Quiet;
use crate::settings::Settings;

/// One request with a stolen pod token, `number` milliseconds after eight o'clock plus `hour`.
fn request(number: usize, hour: usize) -> String {
    let (minute, second, milli) = (number / 60_000, number / 1_000 % 60, number % 1_000);
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{hour}-{number}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/payments/secrets","verb":"list","user":{{"username":"system:serviceaccount:payments:api","uid":"u","groups":["system:serviceaccounts","system:serviceaccounts:payments","system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["JTI=7e6d1f0a"],"authentication.kubernetes.io/pod-name":["api-1"],"authentication.kubernetes.io/pod-uid":["p"]}}}},"sourceIPs":["198.51.100.23"],"userAgent":"kubectl/v1.33.1","objectRef":{{"resource":"secrets","namespace":"payments","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"stageTimestamp":"2026-11-23T{:02}:{minute:02}:{second:02}.{milli:03}000Z","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}}}"#,
        8 + hour
    )
}

#[test]
fn ten_thousand_requests_with_one_stolen_token_are_one_alert_however_they_are_split() {
    let lines: Vec<String> = (0..10_000).map(|number| request(number, 0)).collect();
    let mut ids: Vec<AlertId> = Vec::new();
    for deliveries in [1, 10, 1_000] {
        let mut memory = Memory::default();
        let (mut alerts, mut counted) = (Vec::new(), 0);
        for delivery in lines.chunks(lines.len() / deliveries) {
            let report = judge(delivery, &Settings::default(), &mut memory);
            counted += report.alerted + report.quiet.get(&Quiet::SessionTold).copied().unwrap_or_default();
            alerts.extend(report.alerts);
        }
        assert_eq!(alerts.len(), 1, "in {deliveries} deliveries");
        assert_eq!(alerts[0].events, 10_000 / u64::try_from(deliveries).unwrap(), "those of its own delivery");
        assert_eq!(counted, 10_000, "no event is lost");
        ids.push(alerts[0].id.clone());
        // The next hour's alert says what the whole hour came to, and that is the same for every split.
        let next = judge(&[request(0, 1)], &Settings::default(), &mut memory).alerts;
        assert!(
            next[0].text().contains("the same session had 10000 such events in the hour before"),
            "{}",
            next[0].text()
        );
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same alert every time");
}

#[test]
fn what_a_session_did_is_told_with_its_refusals() {
    let refused = request(1, 0).replace("\"code\":200", "\"code\":403").replace("\"allow\"", "\"forbid\"");
    let report = judge(&[request(0, 0), refused], &Settings::default(), &mut Memory::default());
    assert!(report.alerts[0].text().contains("list secrets twice, refused once"), "{}", report.alerts[0].text());
}
