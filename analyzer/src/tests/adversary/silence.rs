//! Silence: by what a client says of itself, by names, by noise, by memory, by exceptions.

use serde_json::{Value, json};

use super::super::harness::judge;
use super::{alerts, grant, grant_with, is_told, report, titles, told_in_spite_of};
use crate::alert::Alert;
use crate::exceptions::Exceptions;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::severity::Severity;
use crate::stream::Source;

#[test]
fn silence_by_what_the_client_says_of_itself() {
    told_in_spite_of(&[
        ("a load balancer's user agent", |event| event["userAgent"] = json!("ELB-HealthChecker/2.0")),
        ("a controller's user agent", |event| event["userAgent"] = json!("kube-controller-manager/v1.36.2")),
        ("no user agent", |event| event["userAgent"] = json!("")),
        ("a very long user agent", |event| event["userAgent"] = json!("x".repeat(1 << 20))),
        ("no address", |event| event["sourceIPs"] = json!([])),
        ("a thousand addresses", |event| event["sourceIPs"] = json!(vec!["10.0.0.1"; 1000])),
        ("no audit ID", |event| event["auditID"] = json!("")),
        ("dry-run words in its name", |event| {
            event["objectRef"]["name"] = json!("dryRun=All");
            event["responseObject"]["metadata"]["name"] = json!("dryRun=All");
        }),
        ("dry-run words in its user agent", |event| event["userAgent"] = json!("kubectl?dryRun=All")),
        ("a field manager that says dry run", |event| {
            event["requestURI"] =
                json!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?fieldManager=dryRun%3DAll");
        }),
        ("labels of the defaults", |event| {
            for body in ["requestObject", "responseObject"] {
                event[body]["metadata"]["labels"] = json!({ "kubernetes.io/bootstrapping": "rbac-defaults" });
                event[body]["metadata"]["annotations"] =
                    json!({ "rbac.authorization.kubernetes.io/autoupdate": "true" });
            }
        }),
        ("an owner", |event| {
            event["responseObject"]["metadata"]["ownerReferences"] =
                json!([{ "kind": "Namespace", "name": "default" }]);
        }),
    ]);
}

/// A stock binding, as the API server writes it at every start, with one subject more.
fn as_the_api_server(event: &mut Value) {
    event["user"] = json!({ "username": "system:apiserver", "groups": ["system:masters"], "extra": {} });
    event["objectRef"]["name"] = json!("system:kube-scheduler");
    for body in ["requestObject", "responseObject"] {
        event[body]["metadata"]["name"] = json!("system:kube-scheduler");
        event[body]["metadata"]["labels"] = json!({ "kubernetes.io/bootstrapping": "rbac-defaults" });
    }
}

#[test]
fn silence_by_a_forged_first_address() {
    let with = |addresses: Value| {
        alerts(&[grant_with(|event| {
            as_the_api_server(event);
            event["sourceIPs"] = addresses;
        })])
    };
    assert!(!is_told(&with(json!(["::1"]))), "the API server itself, over its loopback");
    for addresses in [
        json!(["127.0.0.1", "203.0.113.24"]),
        json!(["::1", "127.0.0.1", "203.0.113.24"]),
        json!(["::1", "localhost"]),
        json!([]),
    ] {
        assert!(is_told(&with(addresses.clone())), "{addresses}");
    }
}

#[test]
fn silence_by_labels_that_imitate_the_control_plane() {
    let told = alerts(&[grant_with(|event| {
        let (user, addresses) = (event["user"].clone(), event["sourceIPs"].clone());
        as_the_api_server(event);
        (event["user"], event["sourceIPs"]) = (user, addresses);
        for body in ["requestObject", "responseObject"] {
            event[body]["metadata"]["labels"]["eks.amazonaws.com/component"] = json!("aws-node");
            event[body]["metadata"]["labels"]["app.kubernetes.io/managed-by"] = json!("eks");
            event[body]["metadata"]["annotations"] = json!({ "rbac.authorization.kubernetes.io/autoupdate": "true" });
        }
    })]);
    assert!(is_told(&told));
}

#[test]
fn silence_by_a_reused_audit_id() {
    let harmless = |number: usize| {
        grant_with(|event| {
            event["verb"] = json!("get");
            event["requestObject"] = Value::Null;
            event["stageTimestamp"] = json!(format!("2026-11-23T08:00:01.{number:06}Z"));
        })
    };
    let mut events: Vec<Value> = (0..50).map(harmless).collect();
    events.push(grant());
    assert!(is_told(&alerts(&events)));
    // Two grants under one audit ID are two alerts.
    let other = grant_with(|event| event["stageTimestamp"] = json!("2026-11-23T08:00:09.000000Z"));
    assert_eq!(alerts(&[grant(), other]).iter().filter(|alert| is_told(std::slice::from_ref(alert))).count(), 2);
}

#[test]
fn silence_by_names_that_look_like_others() {
    for name in [
        "system:kube-controller-manager\u{200b}",
        "system:\u{200d}masters",
        "System:Masters",
        "sys\u{202e}tem:admin",
        "system:node-proxier",
        "eks:addon-manager",
        "аdmin",
    ] {
        let alerts = alerts(&[grant_with(|event| {
            event["user"]["username"] = json!(name);
            for body in ["requestObject", "responseObject"] {
                event[body]["subjects"][0]["name"] = json!(name);
                event[body]["metadata"]["name"] = json!(name);
            }
            event["objectRef"]["name"] = json!(name);
        })]);
        assert!(is_told(&alerts), "{name:?}");
        let text = alerts[0].text();
        assert!(!text.contains(['\u{200b}', '\u{200d}', '\u{202e}']), "what cannot be seen is written out: {text}");
    }
}

#[test]
fn silence_by_ten_thousand_harmless_changes() {
    let harmless = {
        let event = grant_with(|event| {
            event["auditID"] = json!("NUMBER");
            event["objectRef"]["name"] = json!("team-NUMBER");
            for body in ["requestObject", "responseObject"] {
                event[body]["metadata"]["name"] = json!("team-NUMBER");
                event[body]["roleRef"]["name"] = json!("system:discovery");
                event[body]["subjects"] = json!([{ "kind": "User", "name": "nobody-yet" }]);
            }
        });
        event.to_string()
    };
    let mut lines: Vec<String> = (0..10_000).map(|number| harmless.replace("NUMBER", &number.to_string())).collect();
    lines.insert(5_000, grant().to_string());
    let found = report(&lines);
    assert!(is_told(&found.alerts));
    let mut gathered = crate::gather::gather(found.alerts);
    assert!(gathered.len() < 10, "{} messages", gathered.len());
    gathered.retain(|alert| is_told(std::slice::from_ref(alert)));
    assert!(matches!(gathered.as_slice(), [alone] if alone.events == 1), "and it stands alone among the digests");
}

#[test]
fn silence_by_breaking_the_neighbouring_lines() {
    let bad = ["{", "}", "\u{0}", "{\"kind\":\"Event\",\"auditID\":\"", "[[[[[[", "\"", "{\"a\":1}{\"b\":2}", ""];
    let mut lines: Vec<String> = bad.iter().map(ToString::to_string).collect();
    lines.insert(4, grant().to_string());
    let found = report(&lines);
    assert!(is_told(&found.alerts));
    assert_eq!(found.alerted + found.quiet_total() + found.skipped_total(), 9, "and every line is counted");
}

#[test]
fn silence_by_an_object_too_large_for_the_server() {
    // The server leaves the bodies out of an event that is too large, and says so (`plugin/buffered` and `truncate`).
    let told = alerts(&[grant_with(|event| {
        event["annotations"]["audit.k8s.io/truncated"] = json!("true");
        for body in ["requestObject", "responseObject"] {
            event.as_object_mut().unwrap().remove(body);
        }
    })]);
    assert!(told.iter().any(|alert| alert.severity >= Severity::High), "{:?}", titles(&told));
    assert!(told.iter().any(|alert| alert.detection_ids().contains(&"audit-line-truncated")), "{:?}", titles(&told));
}

#[test]
fn silence_by_a_record_without_bodies() {
    for level in ["Metadata", "None", "Request", ""] {
        let told = alerts(&[grant_with(|event| {
            event["level"] = json!(level);
            for body in ["requestObject", "responseObject"] {
                event.as_object_mut().unwrap().remove(body);
            }
        })]);
        assert!(told.iter().any(|alert| alert.severity >= Severity::High), "{level}: {:?}", titles(&told));
    }
}

#[test]
fn silence_by_a_name_that_the_server_makes_up() {
    // `generateName`: the name stands in the answer alone.
    let told = alerts(&[grant_with(|event| {
        event["objectRef"].as_object_mut().unwrap().remove("name");
        event["requestObject"]["metadata"] = json!({ "generateName": "backup-" });
        event["responseObject"]["metadata"]["name"] = json!("backup-x7k2p");
    })]);
    assert!(is_told(&told));
    assert!(told.iter().any(|alert| alert.text().contains("backup-x7k2p")), "{}", told[0].text());
}

#[test]
fn silence_by_another_version_of_the_api() {
    for version in ["v1beta1", "v1alpha1", "v2", ""] {
        let told = alerts(&[grant_with(|event| {
            event["objectRef"]["apiVersion"] = json!(version);
            event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/{version}/clusterrolebindings"));
            for body in ["requestObject", "responseObject"] {
                event[body]["apiVersion"] = json!(format!("rbac.authorization.k8s.io/{version}"));
            }
        })]);
        assert!(is_told(&told), "{version}");
    }
}

#[test]
fn silence_by_times_that_are_wrong() {
    for time in
        [json!(""), json!("yesterday"), json!("9999-12-31T23:59:59Z"), json!("1970-01-01T00:00:00Z"), Value::Null]
    {
        let told = alerts(&[grant_with(|event| {
            event["stageTimestamp"] = time.clone();
            event["requestReceivedTimestamp"] = time.clone();
        })]);
        assert!(is_told(&told), "{time}");
    }
}

#[test]
fn silence_by_a_key_of_the_event_said_twice() {
    for (first, twice) in [
        (r#""verb":"create""#, r#""verb":"create","verb":"get""#),
        (r#""verb":"create""#, r#""verb":"get","verb":"create""#),
        (r#""stage":"ResponseComplete""#, r#""stage":"ResponseComplete","stage":"RequestReceived""#),
        (r#""code":201"#, r#""code":201,"code":500"#),
        (r#""resource":"clusterrolebindings""#, r#""resource":"clusterrolebindings","resource":"pods""#),
    ] {
        let line = grant().to_string();
        assert!(line.contains(first), "{first}");
        let found = report(&[line.replacen(first, twice, 1)]);
        assert!(
            is_told(&found.alerts) || found.skipped_total() == 1,
            "{twice}: told, or counted as unreadable: {found:?}"
        );
    }
}

#[test]
fn silence_by_a_line_that_the_shipper_cuts() {
    let whole =
        grant_with(|event| event["requestObject"]["metadata"]["annotations"] = json!({ "pad": "x".repeat(5000) }));
    let line = whole.to_string();
    let cut = line.split_at(line.find("\"pad\"").unwrap() + 100).0.to_owned() + "[Truncated...]";
    let alerts = report(&[cut]).alerts;
    assert!(!alerts.is_empty() && alerts[0].severity >= Severity::High, "{:?}", alerts.first().map(Alert::title));
}

/// One version of the binding, seen in a cluster.
fn seen(version: &str, subject: &str, cluster: &str, memory: &mut Memory) -> Vec<Alert> {
    let event = grant_with(|event| {
        event["auditID"] = json!(format!("{version}-{subject}"));
        event["verb"] = json!("update");
        event["responseStatus"]["code"] = json!(200);
        // A PUT that names the version it ends with would have changed nothing.
        event["requestObject"]["metadata"]["resourceVersion"] = Value::Null;
        event["responseObject"]["metadata"]["resourceVersion"] = json!(version);
        for body in ["requestObject", "responseObject"] {
            event[body]["subjects"][0]["name"] = json!(subject);
        }
    });
    let source = Source { cluster: Some(cluster.to_owned()), ..Source::default() };
    judge(&[event.to_string()], &Settings { source, ..Settings::default() }, memory).alerts
}

fn told_as_gained(told: &[Alert]) {
    assert!(is_told(told), "{:?}", titles(told));
    assert!(told[0].text().contains("+ "), "as gained, not as what held before: {}", told[0].text());
}

#[test]
fn silence_by_a_memory_of_another_cluster() {
    let mut memory = Memory::default();
    seen("9", "ops", "prod", &mut memory);
    // A cluster of the attacker's own, in which the grant has always been there.
    seen("10", "mallory", "staging", &mut memory);
    told_as_gained(&seen("11", "mallory", "prod", &mut memory));
}

#[test]
fn silence_by_a_memory_of_old_versions() {
    let mut memory = Memory::default();
    seen("9", "ops", "prod", &mut memory);
    seen("3", "mallory", "prod", &mut memory);
    told_as_gained(&seen("11", "mallory", "prod", &mut memory));
}

#[test]
fn silence_by_a_memory_of_refused_writes() {
    // What was refused, or only tried as a dry run, is no state.
    for (code, uri) in [(403, ""), (422, ""), (200, "?dryRun=All")] {
        let mut memory = Memory::default();
        seen("9", "ops", "prod", &mut memory);
        let refused = grant_with(|event| {
            event["verb"] = json!("update");
            event["responseStatus"]["code"] = json!(code);
            event["requestURI"] = json!(format!("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/backup{uri}"));
            event["responseObject"]["metadata"]["resourceVersion"] = json!("10");
        });
        let source = Source { cluster: Some("prod".to_owned()), ..Source::default() };
        judge(&[refused.to_string()], &Settings { source, ..Settings::default() }, &mut memory);
        told_as_gained(&seen("11", "mallory", "prod", &mut memory));
    }
}

/// A write on the ClusterRole `backup`, and what the server answered.
fn role(answer: &Value, code: u16) -> Value {
    grant_with(|event| {
        event["verb"] = json!("patch");
        event["requestURI"] = json!("/apis/rbac.authorization.k8s.io/v1/clusterroles/backup");
        event["objectRef"]["resource"] = json!("clusterroles");
        event["responseStatus"]["code"] = json!(code);
        event["requestObject"] = json!({ "rules": answer["rules"] });
        event["responseObject"] = answer.clone();
    })
}

#[test]
fn silence_by_a_memory_that_missed_a_change() {
    let harmless = json!({
        "kind": "ClusterRole",
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "metadata": { "name": "backup", "resourceVersion": "5000" },
        "rules": [{ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"] }],
    });
    let bound = grant_with(|event| {
        event["stageTimestamp"] = json!("2026-11-23T08:00:09.000000Z");
        for body in ["requestObject", "responseObject"] {
            event[body]["roleRef"]["name"] = json!("backup");
        }
    });
    let graded = |writes: &[Value]| {
        let mut memory = Memory::default();
        let lines: Vec<String> = writes.iter().map(Value::to_string).collect();
        judge(&lines, &Settings::default(), &mut memory);
        let told = judge(&[bound.to_string()], &Settings::default(), &mut memory).alerts;
        let findings = told.iter().flat_map(|alert| &alert.findings);
        findings.filter(|finding| finding.detection.id == "rbac-binding-changed").map(|it| it.hit.severity).max()
    };
    let known = role(&harmless, 200);
    assert!(graded(std::slice::from_ref(&known)) < Some(Severity::High), "what is known to be harmless");
    for (trick, answer, code) in [
        ("an answer without rules", json!({ "kind": "Table", "rows": [] }), 200),
        ("an answer that did not come", json!({ "kind": "Status", "code": 504 }), 504),
        (
            "an answer of metadata alone",
            json!({ "kind": "PartialObjectMetadata", "metadata": { "name": "backup", "resourceVersion": "5001" } }),
            200,
        ),
    ] {
        let mut unseen = role(&answer, code);
        unseen["stageTimestamp"] = json!("2026-11-23T08:00:05.000000Z");
        unseen["auditID"] = json!("0b6f6f0e-5e55-4b7e-9d38-3a1fa3b8e002");
        // What one API server did last may be read first.
        for writes in [[known.clone(), unseen.clone()], [unseen.clone(), known.clone()]] {
            assert!(graded(&writes) >= Some(Severity::High), "{trick}");
        }
    }
}

#[test]
fn silence_by_an_exception_that_fits_too_much() {
    let told = || alerts(&[grant()]);
    let apply = |more: &str| {
        let text = format!("exceptions:\n  - {{ id: a, reason: r, owner: o, expires: 2027-01-01, {more} }}\n");
        Exceptions::read(&text).map(|exceptions| exceptions.apply(told()).alerts.len())
    };
    assert_eq!(apply("actor: mallory").unwrap(), told().len(), "above medium only when it says so");
    assert_eq!(
        apply("detections: [rbac-binding-changed], max_severity: critical").unwrap(),
        told().len(),
        "one of two"
    );
    for broad in ["actor: '*'", "object: '*'", "actor: 'a*b'", "max_severity: critical", "cluster: prod"] {
        assert!(apply(broad).is_err(), "{broad}");
    }
    for (name, groups) in [
        ("system:kube-scheduler", json!(["system:authenticated"])),
        ("system:anonymous", json!(["system:unauthenticated"])),
    ] {
        let unproven = grant_with(|event| {
            event["user"] = json!({ "username": name, "groups": groups });
        });
        let text = format!(
            "exceptions:\n  - {{ id: a, reason: r, owner: o, expires: 2027-01-01, actor: '{name}', max_severity: critical }}\n"
        );
        let left = Exceptions::read(&text).unwrap().apply(alerts(&[unproven])).alerts;
        assert!(!left.is_empty(), "an exception for {name} believes no name");
    }
}
