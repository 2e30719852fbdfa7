//! A session is told once an hour, however many events it has and however they are delivered.

use serde_json::json;

use super::adversary::grant;
use super::harness::judge;
use crate::alert::{Alert, AlertId, EVIDENCE_MAX};
use crate::exceptions::Exceptions;
use crate::gather::gather;
use crate::memory::Memory;
use crate::report::{Quiet, close_all};
use crate::settings::Settings;
use crate::severity::Severity;

/// One request with a stolen pod token, `number` milliseconds after eight o'clock plus `hour`.
fn request(number: usize, hour: usize) -> String {
    let (minute, second, milli) = (number / 60_000, number / 1_000 % 60, number % 1_000);
    format!(
        r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{hour}-{number}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/payments/secrets","verb":"list","user":{{"username":"system:serviceaccount:payments:api","uid":"u","groups":["system:serviceaccounts","system:serviceaccounts:payments","system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["JTI=7e6d1f0a"],"authentication.kubernetes.io/pod-name":["api-1"],"authentication.kubernetes.io/pod-uid":["p"]}}}},"sourceIPs":["198.51.100.23"],"userAgent":"kubectl/v1.33.1","objectRef":{{"resource":"secrets","namespace":"payments","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"stageTimestamp":"2026-11-23T{:02}:{minute:02}:{second:02}.{milli:03}000Z","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":""}}}}"#,
        8 + hour
    )
}

/// What was said last under each id.
fn last_words(alerts: &[Alert]) -> Vec<(AlertId, u64, Vec<String>)> {
    let mut words: Vec<(AlertId, u64, Vec<String>)> = Vec::new();
    for alert in alerts {
        words.retain(|(id, ..)| *id != alert.id);
        let done = alert.text().lines().filter(|line| line.contains("secrets")).map(ToOwned::to_owned).collect();
        words.push((alert.id.clone(), alert.events, done));
    }
    words
}

#[test]
fn ten_thousand_requests_with_one_stolen_token_are_one_alert_with_one_count_however_they_are_split() {
    let lines: Vec<String> = (0..10_000).map(|number| request(number, 0)).collect();
    let mut told = Vec::new();
    for deliveries in [1, 10, 1_000] {
        let mut memory = Memory::default();
        let (mut alerts, mut counted) = (Vec::new(), 0);
        for delivery in lines.chunks(lines.len() / deliveries) {
            let report = judge(delivery, &Settings::default(), &mut memory);
            counted += report.alerted + report.quiet.get(&Quiet::SessionTold).copied().unwrap_or_default();
            alerts.extend(report.alerts);
        }
        assert_eq!(counted, 10_000, "no event is lost");
        assert_eq!(alerts.len(), 1, "in {deliveries} deliveries, while the hour lasts");
        // Any later event of the cluster ends the hour.
        alerts.extend(judge(&[ordinary(2)], &Settings::default(), &mut memory).alerts);
        let words = last_words(&alerts);
        assert_eq!(words.len(), 1, "one id in {deliveries} deliveries");
        told.push((words[0].0.clone(), words[0].1));
        assert!(alerts.len() == 1 || alerts[1].text().contains("list secrets 10000 times"), "{}", alerts[1].text());
        assert_eq!(alerts.len(), if deliveries == 1 { 1 } else { 2 }, "what was told whole is not told again");
        let quiet = judge(&[ordinary(3)], &Settings::default(), &mut memory).alerts;
        assert!(quiet.is_empty(), "a session is closed once");
    }
    told.dedup();
    assert_eq!(told.len(), 1, "the same alert with the same count every time: {told:?}");
    assert_eq!(told[0].1, 10_000);
}

/// A request of the same cluster that has nothing to tell.
fn ordinary(hour: usize) -> String {
    request(0, hour).replace("kubectl/v1.33.1", "api/v1").replace("198.51.100.23", "10.0.0.7")
}

/// A client may send one audit ID twice; what the second answer makes graver is told under an id of its own.
#[test]
fn a_session_with_two_alerts_has_the_same_last_word_however_it_is_split() {
    let asked = |number: u8, code: u16| {
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": number.to_string(),
            "stage": "ResponseComplete", "requestURI": "/.env", "verb": "get",
            "user": { "username": "system:anonymous", "groups": ["nobodys"] },
            "sourceIPs": ["198.51.100.77"], "userAgent": "curl/8.5.0", "responseStatus": { "code": code },
            "stageTimestamp": format!("2026-11-23T08:00:0{number}.000000Z"),
        })
        .to_string()
    };
    for codes in [[403, 403, 200], [200, 200, 200], [403, 200, 200]] {
        for numbers in [[1, 2, 3], [1, 2, 2], [1, 1, 2], [1, 1, 1]] {
            let lines: Vec<String> = numbers.into_iter().zip(codes).map(|(number, code)| asked(number, code)).collect();
            let told = [3, 2, 1].map(|size| {
                let mut memory = Memory::default();
                let of = |lines: &[String]| judge(lines, &Settings::default(), &mut memory).alerts;
                let mut alerts: Vec<Alert> = lines.chunks(size).flat_map(of).collect();
                alerts.extend(close_all(&mut memory));
                let gravest = alerts.iter().map(|alert| alert.severity).max();
                alerts.retain(|alert| Some(alert.severity) == gravest);
                last_words(&alerts).into_iter().map(|(id, events, _)| (id, events)).collect::<Vec<_>>()
            });
            assert!(told[0] == told[1] && told[1] == told[2] && !told[0].is_empty(), "{codes:?} {numbers:?}: {told:?}");
        }
    }
}

#[test]
fn the_last_word_on_a_session_carries_its_id_and_closes_it() {
    let mut memory = Memory::default();
    let first = judge(&[request(0, 0)], &Settings::default(), &mut memory).alerts;
    judge(&[request(1, 0), request(2, 0)], &Settings::default(), &mut memory);
    let last = close_all(&mut memory);
    assert_eq!(last.len(), 1);
    assert_eq!((&last[0].id, last[0].severity, last[0].events), (&first[0].id, first[0].severity, 3));
    assert_ne!(last[0].message_id(), first[0].message_id(), "a FIFO topic must not take it for a repeat");
    let ocsf = last[0].ocsf();
    assert_eq!((&ocsf["activity_id"], &ocsf["type_uid"], &ocsf["count"]), (&json!(2), &json!(200_402), &json!(3)));
    assert_eq!(ocsf["finding_info"]["uid"], first[0].ocsf()["finding_info"]["uid"]);
    assert!(last[0].text().contains("3 requests in that hour"), "{}", last[0].text());
    assert!(close_all(&mut memory).is_empty(), "once");
    // A straggler makes it speak again, with the whole sum.
    judge(&[request(3, 0)], &Settings::default(), &mut memory);
    assert_eq!(close_all(&mut memory)[0].events, 4);
}

#[test]
fn a_session_that_goes_on_is_summed_up_by_its_next_alert_alone() {
    let mut memory = Memory::default();
    judge(&[request(0, 0)], &Settings::default(), &mut memory);
    judge(&[request(1, 0)], &Settings::default(), &mut memory);
    let next = judge(&[request(0, 1)], &Settings::default(), &mut memory).alerts;
    assert!(next[0].text().contains("the same session had 2 such events in the hour before"), "{}", next[0].text());
    assert!(judge(&[ordinary(3)], &Settings::default(), &mut memory).alerts.is_empty());
}

#[test]
fn many_last_words_are_one_digest_and_an_exception_covers_its_own() {
    let mut memory = Memory::default();
    let of = |number: usize, token: usize| request(number, 0).replace("7e6d1f0a", &format!("{token}"));
    for number in [0, 1] {
        let lines: Vec<String> = (0..5).map(|token| of(number, token)).collect();
        judge(&lines, &Settings::default(), &mut memory);
    }
    let last = close_all(&mut memory);
    assert_eq!(last.len(), 5);
    let digest = gather(last.clone());
    assert_eq!((digest.len(), digest[0].events, digest[0].severity), (1, 10, last[0].severity));
    assert!(digest[0].title().contains("5 sessions went quiet after 10 requests"), "{}", digest[0].title());
    let exception = |more: &str| {
        Exceptions::read(&format!(
            "exceptions:\n  - {{ id: a, reason: r, owner: o, expires: 2027-01-01, max_severity: critical, actor: 'system:serviceaccount:payments:api'{more} }}\n"
        ))
        .unwrap()
    };
    assert_eq!(exception("").apply(last.clone()).alerts.len(), 0, "its alert was silenced, so is its sum");
    assert_eq!(exception(", verbs: [list]").apply(last).alerts.len(), 5, "what the others did is not known");
}

#[test]
fn what_a_session_did_is_told_with_its_refusals() {
    let refused = request(1, 0).replace("\"code\":200", "\"code\":403").replace("\"allow\"", "\"forbid\"");
    let report = judge(&[request(0, 0), refused], &Settings::default(), &mut Memory::default());
    assert!(report.alerts[0].text().contains("list secrets twice, refused once"), "{}", report.alerts[0].text());
}

/// Found by fuzzing: the events of a session with two alerts were counted under the one or the other, as the deliveries
/// fell.
#[test]
fn a_session_that_becomes_graver_has_the_same_last_word_however_it_is_split() {
    let anonymous = |number: usize, verb: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{number}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/dev/pods","verb":"{verb}","user":{{"username":"system:anonymous","groups":["system:unauthenticated"]}},"sourceIPs":["198.51.100.77"],"userAgent":"curl/8.5.0","objectRef":{{"resource":"pods","namespace":"dev","apiVersion":"v1"}},"responseStatus":{{"metadata":{{}},"code":200}},"stageTimestamp":"2026-11-23T08:00:{number:02}.000000Z","annotations":{{"authorization.k8s.io/decision":"allow"}}}}"#
        )
    };
    let lines = [anonymous(1, "list"), anonymous(2, "list"), anonymous(3, "delete"), anonymous(4, "delete")];
    let mut words = Vec::new();
    for size in [1, 2, 3, 4] {
        let mut memory = Memory::default();
        let mut alerts = Vec::new();
        for delivery in lines.chunks(size) {
            alerts.extend(judge(delivery, &Settings::default(), &mut memory).alerts);
        }
        assert_eq!(alerts.len(), 2, "the first request, and the first that was worse");
        let last = close_all(&mut memory);
        assert_eq!(last.len(), 1, "in deliveries of {size}");
        assert_eq!(last[0].id, alerts[1].id, "the last word is about the worse one");
        words.push((last[0].id.clone(), last[0].events));
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
    assert_eq!(words[0].1, 4, "and tells every request");
}

/// Found by fuzzing: an event that was delivered again, in a batch of its own, counted as another request of its session.
#[test]
fn what_is_delivered_again_is_counted_once() {
    let lines: Vec<String> = (0..20).map(|number| request(number, 0)).collect();
    let once: Vec<&[String]> = vec![&lines];
    let twice: Vec<&[String]> = vec![&lines, &lines];
    let in_pieces: Vec<&[String]> = lines.chunks(3).chain(lines.chunks(7)).chain([&lines[5..9]]).collect();
    let within = [lines.clone(), lines.clone()].concat();
    let mut words = Vec::new();
    for deliveries in [once, twice, in_pieces, vec![&within]] {
        let mut memory = Memory::default();
        let (mut alerts, mut repeated, mut all) = (Vec::new(), 0, 0);
        for delivery in deliveries {
            let report = judge(delivery, &Settings::default(), &mut memory);
            repeated += report.quiet.get(&Quiet::Repeated).copied().unwrap_or_default();
            all += delivery.len() as u64;
            alerts.extend(report.alerts);
        }
        assert_eq!((alerts.len(), repeated), (1, all - 20), "told once, and every repeat is counted as one");
        alerts.extend(close_all(&mut memory));
        let last = last_words(&alerts).remove(0);
        words.push((last.0, last.1, alerts.last().unwrap().evidence[0].clone()));
    }
    words.dedup();
    assert_eq!(words.len(), 1, "{words:?}");
    assert_eq!(words[0].1, 20);
}

/// Found by fuzzing: told once already, an event was not looked at again in one batch, and counted for its session in two.
#[test]
fn an_event_that_is_there_twice_and_not_alike_counts_for_its_session_however_it_is_split() {
    let event = |id: &str, group: &str| {
        let mut event = grant();
        event["auditID"] = json!(id);
        event["user"]["groups"] = json!([group, "system:authenticated"]);
        event.to_string()
    };
    let lines = [event("1", "devs"), event("1", "system:masters"), event("2", "system:masters")];
    let mut words = Vec::new();
    for size in [1, 2, 3] {
        let mut memory = Memory::default();
        lines.chunks(size).for_each(|lines| drop(judge(lines, &Settings::default(), &mut memory)));
        words.push(close_all(&mut memory).iter().map(|last| last.events).collect::<Vec<_>>());
    }
    words.dedup();
    assert_eq!(words, [vec![2]]);
}

/// What the session's first alert said comes again only where it makes a later event of it more urgent.
#[test]
fn what_was_told_of_a_session_does_not_come_again_with_an_event_that_is_as_grave() {
    let login: serde_json::Value = serde_json::from_str(&request(1, 0)).unwrap();
    let after_the_login = |role: &str| {
        let mut event = grant();
        for field in ["user", "sourceIPs", "userAgent"] {
            event[field] = login[field].clone();
        }
        event["stageTimestamp"] = json!("2026-11-23T08:00:07.000000Z");
        for body in ["requestObject", "responseObject"] {
            event[body]["roleRef"]["name"] = json!(role);
        }
        let mut memory = Memory::default();
        let [first] = judge(&[login.to_string()], &Settings::default(), &mut memory).alerts.try_into().unwrap();
        let [alert] = judge(&[event.to_string()], &Settings::default(), &mut memory).alerts.try_into().unwrap();
        let [last] = close_all(&mut memory).try_into().unwrap();
        assert_eq!(last.id, first.id, "of equals the first is referred to");
        alert.findings.iter().map(|finding| (finding.detection.id, finding.hit.severity)).collect::<Vec<_>>()
    };
    assert_eq!(after_the_login("cluster-admin"), [("rbac-binding-changed", Severity::Critical)]);
    let with_the_login = [("sa-token-external-login", Severity::Critical), ("rbac-binding-changed", Severity::Medium)];
    assert_eq!(after_the_login("view"), with_the_login);
}

#[test]
fn the_alert_of_a_session_lists_as_many_events_as_its_limit_and_counts_those_past_it() {
    for (count, listed) in [(EVIDENCE_MAX, EVIDENCE_MAX), (EVIDENCE_MAX + 1, EVIDENCE_MAX)] {
        let lines: Vec<String> = (0..count).map(|number| request(number, 0)).collect();
        let [alert] = judge(&lines, &Settings::default(), &mut Memory::default()).alerts.try_into().unwrap();
        assert_eq!((alert.evidence.len(), alert.events), (listed, u64::try_from(count).unwrap()));
    }
}

/// Found by the fuzz target `split`: a last word that was told stays; whoever comes late and is graver has one for all.
#[test]
fn a_session_that_becomes_graver_after_its_last_word_has_another_that_counts_all() {
    let member = |more: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"{more}","stage":"ResponseComplete","verb":"list","user":{{"username":"ann","groups":["system:masters"],"extra":{{"accessKeyId":["ASIA1"]{more}}}}},"sourceIPs":["203.0.113.24"],"objectRef":{{"resource":"pods","apiVersion":"v1"}},"responseStatus":{{"code":200}},"stageTimestamp":"2026-11-23T08:00:0{}.000000Z"}}"#,
            more.len() % 10
        )
        .replace(&format!("\"auditID\":\"{more}\""), &format!("\"auditID\":\"id-{}\"", more.len()))
    };
    // By its ARN a caller came through IAM; without one nothing shows that.
    let lines = [member(r#","arn":["a"]"#), member(r#","arn":["ab"]"#), ordinary(4), member("")];
    for size in [1, lines.len()] {
        let mut memory = Memory::default();
        let mut alerts: Vec<Alert> =
            lines.chunks(size).flat_map(|chunk| judge(chunk, &Settings::default(), &mut memory).alerts).collect();
        alerts.extend(close_all(&mut memory));
        let words = last_words(&alerts);
        let gravest = alerts.iter().max_by_key(|alert| alert.severity).unwrap();
        let count = words.iter().find(|(id, ..)| *id == gravest.id).map(|(_, count, _)| *count);
        assert_eq!((gravest.severity, count), (Severity::High, Some(3)), "in deliveries of {size}: {words:?}");
    }
}
