//! One small log in every form that logs come in: the alerts are the same.

use serde_json::{Value, json};

use crate::support::{
    ALERTING, AUDIT_STREAM, FIRST_MS, Folder, base64, events, gzip, lambda_event, ndjson, quoted, rolewatch_in,
    subscription,
};

const CONTROL: &str = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"","subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1772359200000,"message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#;

fn pretty(text: &str) -> String {
    serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap()
}

/// One entry as the AWS CLI prints it.
fn cli_event(event: &str, n: i64) -> String {
    let time = FIRST_MS + n * 1000;
    format!(
        r#"{{"logStreamName":"{AUDIT_STREAM}","timestamp":{time},"message":{},"ingestionTime":{time},"eventId":"{n}"}}"#,
        quoted(event)
    )
}

fn each_line(line: impl Fn(&str, i64) -> String) -> String {
    events().iter().zip(0..).map(|(event, n)| line(event, n) + "\n").collect()
}

fn list(element: impl Fn(&str, i64) -> String) -> String {
    events().iter().zip(0..).map(|(event, n)| element(event, n)).collect::<Vec<_>>().join(",")
}

fn plain() -> Vec<(&'static str, Vec<u8>)> {
    let lines = ndjson();
    let array = format!("[{}]", events().join(","));
    let (front, back) = lines.split_at(lines.len() / 2);
    let utf16 = format!("\u{feff}{lines}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let strings = format!("[{}]", list(|event, _| quoted(event)));
    let reversed = events().map(|event| {
        let object: serde_json::Map<String, Value> = serde_json::from_str(&event).unwrap();
        Value::Object(object.into_iter().rev().collect()).to_string() + "\n"
    });
    vec![
        ("lines", lines.clone().into()),
        ("lines with CRLF", lines.replace('\n', "\r\n").into()),
        ("byte order mark and no final line break", format!("\u{feff}{}", lines.trim_end()).into()),
        ("UTF-16", utf16),
        ("no line breaks at all", events().concat().into()),
        ("members in another order", reversed.concat().into()),
        ("laid out", events().map(|event| pretty(&event)).join("\n").into()),
        ("array", array.clone().into()),
        ("array laid out", pretty(&array).into()),
        ("array of strings", strings.into()),
        ("strings in lines", each_line(|event, _| quoted(event)).into()),
        (
            "EventList",
            format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":{array}}}"#).into(),
        ),
        ("gzip", gzip(&lines)),
        ("gzip of several members", [gzip(front), gzip(back)].concat()),
        ("gzip over gzip", gzip(gzip(&lines))),
    ]
}

fn deliveries() -> Vec<(&'static str, Vec<u8>)> {
    let [one, two, three, four] = events();
    let (first, second) = (subscription(&[one, two]), subscription(&[three, four]));
    let whole = subscription(&events());
    let lambda = lambda_event(&whole);
    let data = |document: &str| base64(gzip(document));
    let record = |document: &str| {
        format!(r#"{{"kinesis":{{"partitionKey":"x","data":"{}"}},"eventSource":"aws:kinesis"}}"#, data(document))
    };
    let kinesis = format!(r#"{{"Records":[{},{},{}]}}"#, record(CONTROL), record(&first), record(&second));
    let failure = |payload: &str| {
        format!(
            r#"{{"version":"1.0","timestamp":"2026-03-01T10:05:00.000Z","requestContext":{{"condition":"RetriesExhausted"}},"requestPayload":{payload},"responseContext":{{"statusCode":200}},"responsePayload":{{"errorMessage":"sink"}}}}"#
        )
    };
    let queue = format!(r#"{{"Messages":[{{"MessageId":"x","Body":{}}}]}}"#, quoted(&failure(&lambda)));
    let sqs =
        format!(r#"{{"Records":[{{"messageId":"x","body":{},"eventSource":"aws:sqs"}}]}}"#, quoted(&failure(&lambda)));
    let wrapped: Vec<String> =
        data(&whole).as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let transform = format!(
        r#"{{"invocationId":"x","deliveryStreamArn":"arn:aws:firehose:us-west-2:111122223333:deliverystream/x","records":[{{"recordId":"1","data":"{}"}},{{"recordId":"2","data":"{}"}}]}}"#,
        data(&first),
        data(&second)
    );
    vec![
        ("Lambda event", lambda.clone().into()),
        ("Lambda event laid out", pretty(&lambda).into()),
        ("base64", data(&whole).into()),
        ("base64 in lines", wrapped.join("\n").into()),
        ("base64 in quotes", format!("\"{}\"\n", data(&whole)).into()),
        ("base64, one delivery per line", format!("{}\n{}\n", data(&first), data(&second)).into()),
        ("subscription document", whole.clone().into()),
        ("subscription document laid out", pretty(&whole).into()),
        ("documents back to back", format!("{CONTROL}{first}{second}").into()),
        ("documents in lines", format!("{CONTROL}\n{first}\n{second}\n").into()),
        ("documents in gzip members", [gzip(CONTROL), gzip(&first), gzip(&second)].concat()),
        ("gzip over those", gzip([gzip(CONTROL), gzip(&first), gzip(&second)].concat())),
        ("Kinesis event", kinesis.clone().into()),
        ("Firehose transformation", transform.into()),
        ("on-failure record", failure(&lambda).into()),
        ("on-failure record of Kinesis", failure(&kinesis).into()),
        ("on-failure record in a queue's event", sqs.into()),
        ("on-failure record as read from a queue", queue.into()),
    ]
}

fn tools() -> Vec<(&'static str, Vec<u8>)> {
    let time = |n: i64| format!("2026-03-01T10:00:0{n}.100");
    let entries = list(cli_event);
    let bare =
        list(|event, n| format!(r#"{{"timestamp":{},"message":{},"ingestionTime":1}}"#, FIRST_MS + n, quoted(event)));
    let results = list(|event, n| {
        json!([{"field":"@timestamp","value":time(n).replace('T', " ")},{"field":"@message","value":event},{"field":"@ptr","value":"x"}])
            .to_string()
    });
    let rows = list(|event, n| format!(r#"{{"@timestamp":"{}","@message":{event}}}"#, time(n).replace('T', " ")));
    let id = "31795416561478911238730627840854845340916533673702520007";
    let marks = format!("b/{id}/s\tf/{id}/s\n");
    vec![
        ("export task", each_line(|event, n| format!("{}Z {event}", time(n))).into()),
        ("filter-log-events", pretty(&format!(r#"{{"events":[{entries}],"searchedLogStreams":[]}}"#)).into()),
        ("filter-log-events, the list alone", format!("[{entries}]").into()),
        ("filter-log-events, one event per line", each_line(cli_event).into()),
        (
            "filter-log-events as text",
            (each_line(|event, n| format!("EVENTS\t{id}\t{FIRST_MS}\t{AUDIT_STREAM}\t{event}\t{}", FIRST_MS + n))
                + "SEARCHEDLOGSTREAMS\tTrue\tx\n")
                .into(),
        ),
        ("get-log-events", pretty(&format!(r#"{{"events":[{bare}],"nextForwardToken":"f/1/s"}}"#)).into()),
        (
            "get-log-events as text",
            (marks + &each_line(|event, n| format!("EVENTS\t{FIRST_MS}\t{event}\t{}", FIRST_MS + n))).into(),
        ),
        ("tail", each_line(|event, n| format!("{}000+00:00 {AUDIT_STREAM} {event}", time(n))).into()),
        ("tail, short", each_line(|event, n| format!("{} {event}", &time(n)[..19])).into()),
        ("tail, JSON", each_line(|event, n| format!("{}000+00:00 {AUDIT_STREAM} {}", time(n), pretty(event))).into()),
        ("query results", pretty(&format!(r#"{{"results":[{results}],"status":"Complete"}}"#)).into()),
        (
            "query results of CLI v2",
            format!(r#"{{"queryLanguage":"CWLI","results":[{results}],"status":"Complete"}}"#).into(),
        ),
        ("query results as the console saves them", format!("[{rows}]").into()),
    ]
}

/// Each form as a file and from standard input.
#[test]
fn every_form_gives_the_same_alerts() {
    let folder = Folder::new();
    let args = ["replay", "--strict", "--format", "ocsf", "--cluster", "prod"];
    let told = |stdout: &str, stderr: &str| -> Vec<(String, String, String)> {
        let findings = stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let told: Vec<_> = findings
            .map(|finding| {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let info = &finding["finding_info"];
                let event = &finding["evidences"][0]["api"]["request"]["uid"];
                (text(&info["uid"]), text(&info["title"]), text(event))
            })
            .collect();
        let words: Vec<&str> = stderr.split_whitespace().collect();
        assert!(words.join(" ").contains("alerts 2 1 critical, 1 low; from 2 lines"), "{stderr}");
        told
    };
    let mut expected = None;
    for (form, bytes) in [plain(), deliveries(), tools()].concat() {
        folder.write("log", &bytes);
        let file = rolewatch_in(folder.path(), &[&args[..], &["log"]].concat(), |_| Ok(()));
        assert_eq!(file.status, 0, "{form}: {}", file.stderr);
        let alerts = told(&file.stdout, &file.stderr);
        assert_eq!(alerts.iter().map(|alert| alert.2.as_str()).collect::<Vec<_>>(), ALERTING, "{form}");
        assert_eq!(&alerts, expected.get_or_insert_with(|| alerts.clone()), "{form}");
        let piped = rolewatch_in(folder.path(), &args, |stdin| stdin.write_all(&bytes));
        assert_eq!((piped.status, &piped.stdout), (0, &file.stdout), "{form}: {}", piped.stderr);
        let counted = |stderr: &str| stderr.lines().find(|line| line.starts_with("  lines")).map(str::to_owned);
        assert_eq!(counted(&piped.stderr), counted(&file.stderr), "{form}");
    }
}

#[test]
fn a_folder_is_one_run_over_all_that_is_in_it() {
    let folder = Folder::new();
    let [one, two, three, four] = events();
    folder.write("logs/2026/03/01/b.gz", gzip(format!("{three}\n{four}\n")));
    folder.write("logs/2026/03/01/a", lambda_event(&subscription(&[one, two])));
    folder.write("logs/.part", "not finished");
    folder.write("logs/aws-logs-write-test", "Permission Check Successful");
    let run = rolewatch_in(folder.path(), &["replay", "--strict", "--format", "ocsf", "logs"], |_| Ok(()));
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(run.audit_ids().into_iter().collect::<Vec<_>>(), ALERTING);
    assert!(run.stderr.contains("files    3\n") && run.stderr.contains("export-write-test"), "{}", run.stderr);
}

/// An entry of the api stream that spans lines is one entry, wherever it stands.
#[test]
fn a_lost_audit_event_is_told_from_every_form_of_the_api_stream() {
    let header =
        "E0301 10:00:01.989157   10 metrics.go:110] Error in audit plugin 'log' affecting 1 audit events: json: error";
    let lost = r#"2026-03-01T10:00:01.853328439Z AUDIT: id="11111111-0000-4000-8000-000000000009" stage="ResponseComplete" ip="203.0.113.24" method="patch" user="alice" groups="\"system:authenticated\"" as="<self>" asgroups="<lookup>" user-agent="curl/8.5.0" uri="/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ghost" response="201""#;
    let ordinary = "I0301 10:00:02.000000   10 controller.go:1] nothing";
    let entry = format!("{header}\nImpacted events:\n{lost}");
    let stream = "kube-apiserver-0123456789abcdef0123456789abcdef";
    let log_events: Vec<String> = [ordinary, &entry, ordinary]
        .iter()
        .map(|text| format!(r#"{{"timestamp":1,"message":{}}}"#, quoted(text)))
        .collect();
    let line_each: Vec<String> = [ordinary, header, "Impacted events:", lost, ordinary]
        .iter()
        .map(|text| format!(r#"{{"logStreamName":"{stream}","timestamp":1,"message":{}}}"#, quoted(text)))
        .collect();
    let tabbed = |text: &str| {
        format!(
            "EVENTS\t31795416561478911238730627840854845340916533673702520007\t1772359200100\t{stream}\t{text}\t1772359200100\n"
        )
    };
    let folder = Folder::new();
    for (form, text) in [
        ("text", format!("{ordinary}\n{entry}\n{ordinary}\n")),
        ("text with CRLF", format!("{ordinary}\n{entry}\n{ordinary}\n").replace('\n', "\r\n")),
        ("export", [ordinary, &entry, ordinary].map(|text| format!("2026-03-01T10:00:02.000Z {text}\n")).concat()),
        ("tail", [ordinary, &entry].map(|text| format!("2026-03-01T10:00:02.000000+00:00 {stream} {text}\n")).concat()),
        ("columns", [ordinary, &entry, ordinary].map(tabbed).concat()),
        ("one log event", format!(r#"{{"events":[{}]}}"#, log_events.join(","))),
        ("one log event per line", format!(r#"{{"events":[{}]}}"#, line_each.join(","))),
        ("mixed with audit events", format!("{}{ordinary}\n{entry}\n{}", ndjson(), ndjson())),
    ] {
        folder.write("log", text);
        let run = rolewatch_in(folder.path(), &["replay", "--strict", "--format", "ocsf", "log"], |_| Ok(()));
        assert_eq!(run.status, 0, "{form}: {}", run.stderr);
        assert!(run.audit_ids().contains("11111111-0000-4000-8000-000000000009"), "{form}: {}", run.stderr);
    }
}
