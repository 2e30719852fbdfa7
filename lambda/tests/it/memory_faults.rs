//! The table of the memory in trouble: every alert arrives once, says what it could not know, and no delivery fails.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::delivery::{event, login, role, rule};
use crate::emulator::{self, Inbox, Table};
use crate::memory::{change, sharing};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, MARKER};

const SUCCESS: Answer = Answer::Success(Value::Null);
const NOTE: &str = "judged without the shared memory";

/// What happens to the requests of one delivery, read and written after another process has filled the table.
struct Row {
    name: &'static str,
    /// What happens to each request in turn, and to all after the last.
    faults: &'static [Fault],
    /// The code that the log says; `None` where trying again was enough.
    code: Option<&'static str>,
}

const THROTTLED: Fault = Fault::Answer(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException");
const FAILED: Fault = Fault::Answer(500, "com.amazonaws.dynamodb.v20120810#InternalServerError");
const ROWS: &[Row] = &[
    Row { name: "table-throttles-twice", faults: &[THROTTLED, THROTTLED, Fault::None], code: None },
    Row { name: "table-throttles", faults: &[THROTTLED], code: Some("memory-throttled") },
    Row { name: "table-answers-500-once", faults: &[FAILED, Fault::None], code: None },
    Row { name: "table-answers-500", faults: &[FAILED], code: Some("memory-unavailable") },
    Row { name: "table-answers-later", faults: &[Fault::Silence, Fault::None], code: None },
    Row { name: "table-is-silent", faults: &[Fault::Silence], code: Some("memory-unreachable") },
    Row { name: "table-closes-once", faults: &[Fault::Close, Fault::None], code: None },
    Row { name: "table-closes", faults: &[Fault::Close], code: Some("memory-unreachable") },
    Row { name: "table-loses-an-answer", faults: &[Fault::LostAnswer, Fault::None], code: None },
    Row { name: "table-leaves-keys-once", faults: &[Fault::Unprocessed, Fault::None], code: None },
    Row { name: "table-leaves-keys", faults: &[Fault::Unprocessed], code: Some("memory-throttled") },
    Row {
        name: "table-denies-access",
        faults: &[Fault::Answer(400, "com.amazon.coral.service#AccessDeniedException")],
        code: Some("memory-access-denied"),
    },
    Row {
        name: "table-is-being-made",
        faults: &[Fault::Answer(400, "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException")],
        code: Some("memory-table-missing"),
    },
    Row {
        name: "table-has-another-key",
        faults: &[Fault::Answer(400, "com.amazon.coral.validate#ValidationException")],
        code: Some("memory-refused"),
    },
];

fn pods() -> Value {
    json!([rule(&["get", "list"], "pods")])
}

fn pods_and_secrets() -> Value {
    json!([rule(&["get", "list"], "pods"), rule(&["get", "list"], "secrets")])
}

#[test]
fn each_fault_of_the_table_leaves_every_alert_sent_once_and_the_invocation_a_success() {
    // Rows wait for time-outs, not for the processor, so they run side by side.
    std::thread::scope(|scope| {
        let threads: Vec<_> = ROWS.iter().map(|row| (row.name, scope.spawn(|| run(row)))).collect();
        for (name, thread) in threads {
            assert!(thread.join().is_ok(), "row {name} failed");
        }
    });
}

fn run(row: &Row) {
    let (inbox, table) = (Inbox::new(row.name), Table::new(row.name));
    let healthy = format!("http://{}", emulator::address());
    assert_eq!(sharing(&inbox, &table, &healthy).invoke(&event(&[role(1, &pods())])), SUCCESS);
    inbox.take();
    let proxy = Proxy::start(|number| row.faults.get(number).or(row.faults.last()).unwrap().clone());
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    let delivery = event(&[role(2, &pods_and_secrets()), login(3)]);
    assert_eq!(lambda.invoke_within(&delivery, Duration::from_secs(20)), SUCCESS, "{}", row.name);
    let messages = inbox.take();
    assert_eq!(messages.len(), 2, "{}: each once", row.name);
    let metrics = &lambda.metrics()[0];
    assert_eq!(metrics["AlertsSent"], 2, "{}: {metrics}", row.name);
    let role = messages.iter().find(|message| message.body.to_string().contains(&format!("{MARKER}-role"))).unwrap();
    for message in &messages {
        let says = message.body.to_string().contains(NOTE);
        assert_eq!(says, row.code.is_some(), "{}: {}", row.name, change(message));
    }
    match row.code {
        None => {
            assert!(change(role)["gained"].to_string().contains("secrets"), "{}: {}", row.name, change(role));
            assert_eq!((&metrics["MemoryFailed"], &metrics["MemoryUnsaved"]), (&json!(0), &json!(0)), "{metrics}");
        }
        Some(code) => {
            assert!(change(role)["gained"].is_null(), "{}: {}", row.name, change(role));
            assert_eq!(metrics["MemoryFailed"], 1, "{}: {metrics}", row.name);
            assert!(metrics["MemoryUnsaved"].as_u64() >= Some(2), "{}: {metrics}", row.name);
            assert!(lambda.printed().contains(code), "{}: {}", row.name, lambda.printed());
        }
    }
}

#[test]
fn a_table_that_is_not_there_costs_one_try_and_not_every_delivery_its_time() {
    let (inbox, table) = (Inbox::new("no-table"), Table { name: "memory-nowhere".to_owned() });
    let proxy = Proxy::start(|_| Fault::None);
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    for number in 1..4 {
        assert_eq!(lambda.invoke(&event(&[role(number, &pods())])), SUCCESS);
    }
    let messages = inbox.take();
    assert!(messages.iter().all(|message| message.body.to_string().contains("memory-table-missing")));
    assert_eq!((messages.is_empty(), proxy.seen().len()), (false, 1));
    assert_eq!(
        lambda.metrics().iter().map(|metrics| metrics["MemoryFailed"].as_u64()).collect::<Vec<_>>(),
        [Some(1); 3]
    );
}

#[test]
fn new_tokens_do_not_wait_for_a_table_that_was_just_seen_not_to_answer() {
    let (inbox, table) = (Inbox::new("silent-tokens"), Table::new("silent-tokens"));
    let proxy = Proxy::start(|_| Fault::Silence);
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    let token = |number: usize| {
        let line = login(number).replace("203.0.114.9", "10.0.3.7").replace("kubectl/", "controller/");
        event(&[line.replace("JTI=7d1f2c30-0000", &format!("JTI=7d1f2c30-{number:04}"))])
    };
    assert_eq!(lambda.invoke(&token(1)), SUCCESS);
    let asked = proxy.seen().len();
    assert!(asked > 0, "the first one asks");
    let since = Instant::now();
    for number in 2..4 {
        assert_eq!(lambda.invoke(&token(number)), SUCCESS);
    }
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    assert_eq!(proxy.seen().len(), asked);
    assert_eq!(inbox.take().len(), 0);
}

#[test]
fn a_fact_that_the_table_refuses_does_not_hold_up_the_others() {
    let (inbox, table) = (Inbox::new("refused-fact"), Table::new("refused-fact"));
    // The first write is refused: of the two facts, the one that goes first.
    let refused = std::sync::atomic::AtomicBool::new(false);
    let proxy = Proxy::watching(move |_, request| {
        let is_write = request.header("x-amz-target").ends_with("PutItem");
        if is_write && !refused.swap(true, std::sync::atomic::Ordering::Relaxed) {
            Fault::Answer(400, "com.amazon.coral.validate#ValidationException")
        } else {
            Fault::None
        }
    });
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    assert_eq!(lambda.invoke(&event(&[role(1, &pods()), login(1)])), SUCCESS);
    let metrics = &lambda.metrics()[0];
    assert_eq!((&metrics["MemoryUnsaved"], &metrics["memory"]["lost"]), (&json!(0), &json!(1)), "{metrics}");
    assert_eq!(table.items().len(), 1, "the other is written, and the table is not left alone");
}

#[test]
fn people_read_that_an_alert_was_judged_without_the_memory() {
    let (inbox, table) = (Inbox::new("unknowing"), Table { name: "memory-unknowing".to_owned() });
    let sns = Proxy::start(|_| Fault::None);
    let variables =
        [("ROLEWATCH_MEMORY_TABLE", table.name.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")];
    let mut lambda = crate::alerts::lambda_at(&inbox, &sns.url, &variables);
    assert_eq!(lambda.invoke(&event(&[role(1, &pods_and_secrets())])), SUCCESS);
    let form = sns.seen()[0].form();
    let (_, message) = form.iter().find(|(name, _)| name.ends_with("member.1.Message")).unwrap();
    let body: Value = serde_json::from_str(message).unwrap();
    let text = body["email"].as_str().unwrap();
    assert!(text.contains(&format!("{NOTE} (memory-unreachable)")), "{text}");
}

#[test]
fn what_could_not_be_written_is_written_when_the_table_is_back() {
    let (inbox, table) = (Inbox::new("outage"), Table::new("outage"));
    // Down for the first invocation, reading and writing alike.
    let since = Instant::now();
    let proxy = Proxy::start(move |_| if since.elapsed() < Duration::from_secs(4) { FAILED } else { Fault::None });
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    assert_eq!(lambda.invoke(&event(&[role(1, &pods()), login(1)])), SUCCESS);
    assert_eq!(lambda.invoke(&event(&[login(2)])), SUCCESS);
    assert_eq!(lambda.metrics()[1]["MemoryUnsaved"], 2);
    assert_eq!(table.items().len(), 0);
    inbox.take();
    // Meanwhile another process has seen the same session, and is reached by nothing of the first one.
    let healthy = format!("http://{}", emulator::address());
    let mut other = sharing(&inbox, &table, &healthy);
    assert_eq!(other.invoke(&event(&[login(3), login(4)])), SUCCESS);
    assert_eq!(inbox.take().len(), 1, "told again under the same id: nobody could know");
    std::thread::sleep(Duration::from_secs(8).saturating_sub(since.elapsed()));
    assert_eq!(lambda.invoke(&event(&[login(5)])), SUCCESS);
    assert_eq!((lambda.metrics()[2]["MemoryUnsaved"].as_u64(), table.items().len()), (Some(0), 2));
    assert_eq!(inbox.take().len(), 0);
    assert_eq!(other.invoke(&event(&[crate::delivery::noise(700).replace("T08:", "T09:")])), SUCCESS);
    let [sum] = inbox.take().try_into().unwrap();
    assert!(sum.body.to_string().contains("5 requests in that hour"), "{}", sum.body);
}

/// What waited was put together with what the table had; what is written there before that arrives is added, not what
/// it was put together with once more.
#[test]
fn what_waited_is_counted_once_whoever_writes_in_between() {
    let (inbox, table) = (Inbox::new("between"), Table::new("between"));
    let healthy = format!("http://{}", emulator::address());
    let other = Arc::new(Mutex::new(sharing(&inbox, &table, &healthy)));
    let (since, writer, has_written) = (Instant::now(), Arc::clone(&other), AtomicBool::new(false));
    let proxy = Proxy::watching(move |_, request| {
        if since.elapsed() < Duration::from_secs(4) {
            return FAILED;
        }
        let is_put = request.header("x-amz-target").ends_with(".PutItem");
        if is_put && !has_written.swap(true, Ordering::SeqCst) {
            assert_eq!(writer.lock().unwrap().invoke(&event(&[login(5)])), SUCCESS);
        }
        Fault::None
    });
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    assert_eq!(lambda.invoke(&event(&[login(1), login(2)])), SUCCESS);
    assert_eq!(other.lock().unwrap().invoke(&event(&[login(3)])), SUCCESS);
    std::thread::sleep(Duration::from_secs(8).saturating_sub(since.elapsed()));
    assert_eq!(lambda.invoke(&event(&[login(4)])), SUCCESS);
    assert_eq!(lambda.metrics()[1]["MemoryUnsaved"], 0);
    inbox.take();
    let mut third = sharing(&inbox, &table, &healthy);
    assert_eq!(third.invoke(&event(&[crate::delivery::noise(700).replace("T08:", "T09:")])), SUCCESS);
    let [sum] = inbox.take().try_into().unwrap();
    assert!(sum.body.to_string().contains("5 requests in that hour"), "{}", sum.body);
}
