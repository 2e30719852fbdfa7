//! Processes that share a table judge as one process would, and ordinary traffic does not cost a request.

use std::collections::{BTreeMap, BTreeSet};

use rolewatch_analyzer::envelope::Delivery;
use serde_json::{Value, json};

use crate::alerts::lambda_at;
use crate::delivery::{data, data_of, event, event_of, grant, login, noise, role, rule};
use crate::emulator::{self, Inbox, Received, Table};
use crate::proxy::{Fault, Proxy};
use crate::runtime::{Answer, Lambda};

const SUCCESS: Answer = Answer::Success(Value::Null);

/// A process that shares a table.
pub(crate) fn sharing(inbox: &Inbox, table: &Table, dynamodb: &str) -> Lambda {
    let sns = format!("http://{}", emulator::address());
    let variables = [("ROLEWATCH_MEMORY_TABLE", table.name.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)];
    lambda_at(inbox, &sns, &variables)
}

fn two(inbox: &Inbox, table: &Table) -> [Lambda; 2] {
    let url = format!("http://{}", emulator::address());
    [sharing(inbox, table, &url), sharing(inbox, table, &url)]
}

/// What an alert says changed: gained, lost, now, notes.
pub(crate) fn change(message: &Received) -> &Value {
    &message.body["evidences"][0]["data"]
}

fn pods() -> Value {
    json!([rule(&["get", "list"], "pods")])
}

fn pods_and_secrets() -> Value {
    json!([rule(&["get", "list"], "pods"), rule(&["get", "list"], "secrets")])
}

/// An event of this line in the next hour.
fn an_hour_later(line: &str) -> String {
    line.replace("T08:", "T09:")
}

#[test]
fn what_one_process_learnt_another_one_tells() {
    let (inbox, table) = (Inbox::new("shared"), Table::new("shared"));
    let [mut one, mut other] = two(&inbox, &table);
    assert_eq!(one.invoke(&event(&[role(1, &pods())])), SUCCESS);
    inbox.take();
    assert_eq!(other.invoke(&event(&[role(2, &pods_and_secrets())])), SUCCESS);
    let [message] = inbox.take().try_into().unwrap();
    assert!(change(&message)["gained"].to_string().contains("secrets"), "{}", change(&message));
    assert!(!change(&message).to_string().contains("pods"), "only what is new: {}", change(&message));
    let metrics = other.metrics();
    assert_eq!((&metrics[0]["MemoryFailed"], &metrics[0]["MemoryUnsaved"]), (&json!(0), &json!(0)), "{metrics:?}");
    assert_eq!(metrics[0]["memory"]["written"], 1, "{metrics:?}");
    // An event that comes late changes nothing, for no process.
    assert_eq!(other.invoke(&event(&[role(1, &pods())])), SUCCESS);
    inbox.take();
    let [mut third, _] = two(&inbox, &table);
    let gone = json!([rule(&["get", "list"], "secrets")]);
    assert_eq!(third.invoke(&event(&[role(3, &gone)])), SUCCESS);
    let [message] = inbox.take().try_into().unwrap();
    assert!(change(&message)["lost"].to_string().contains("pods"), "{}", change(&message));
    assert!(change(&message)["gained"].is_null(), "held against version 2, not 1: {}", change(&message));
}

#[test]
fn clusters_of_one_name_in_two_accounts_do_not_know_each_other() {
    let (inbox, table) = (Inbox::new("accounts"), Table::new("accounts"));
    let [mut one, mut other] = two(&inbox, &table);
    assert_eq!(one.invoke(&event(&[role(1, &pods_and_secrets())])), SUCCESS);
    inbox.take();
    // Were the first account believed, the second one's grant of Secrets would be nothing new.
    for lambda in [&mut one, &mut other] {
        assert_eq!(lambda.invoke(&event_of("444455556666", &[role(2, &pods_and_secrets())])), SUCCESS);
        let [message] = inbox.take().try_into().unwrap();
        assert!(change(&message).to_string().contains("secrets"), "{}", change(&message));
        table.change(|item| {
            if item["pk"]["S"].as_str().unwrap().starts_with("444455556666/") {
                item["exp"] = json!({ "N": "1" });
            }
        });
    }
}

/// A stream brings the logs of many accounts in turn: each record asks for what is known of its own.
#[test]
fn each_record_of_a_stream_is_judged_by_the_memory_of_its_account() {
    let (inbox, table) = (Inbox::new("stream-accounts"), Table::new("stream-accounts"));
    let [mut one, mut other] = two(&inbox, &table);
    // Were the accounts mixed up, the first would seem to lose a right and the second to gain none.
    assert_eq!(one.invoke(&event(&[role(1, &pods())])), SUCCESS);
    assert_eq!(one.invoke(&event_of("444455556666", &[role(2, &pods_and_secrets())])), SUCCESS);
    inbox.take();
    let record = |number: &str, account: &str, line: String| json!({ "kinesis": { "sequenceNumber": number, "data": data_of(account, &[line]) } });
    let first = record("1", "111122223333", role(3, &pods_and_secrets()));
    let second = record("2", "444455556666", role(4, &pods()));
    let taken = Answer::Success(json!({ "batchItemFailures": [] }));
    assert_eq!(other.invoke(&json!({ "Records": [first, second] }).to_string()), taken);
    let [gained, lost] = inbox.take().try_into().unwrap();
    assert!(change(&gained)["gained"].to_string().contains("secrets"), "{}", change(&gained));
    assert!(change(&lost)["lost"].to_string().contains("secrets"), "{}", change(&lost));
    assert!(change(&gained)["lost"].is_null() && change(&lost)["gained"].is_null(), "{}", change(&lost));
}

/// So that the memory of the right account is there when its lines are judged, and they are not judged twice.
#[test]
fn the_first_bytes_of_a_record_tell_its_account() {
    let lines: Vec<String> = (0..500).map(noise).collect();
    let whole = data_of("444455556666", &lines);
    // A record may break off, and may hold several documents.
    let (half, _) = whole.split_at(whole.len() / 8 * 4);
    let account = |data: &str| Delivery::base64(data).several().account();
    assert_eq!((account(&whole).as_deref(), account(half).as_deref()), (Some("444455556666"), Some("444455556666")));
    assert_eq!(Delivery::base64(&whole).account(), account(&whole));
    for nothing in ["", "damaged", "H4sIAAAAAAAAAwMAAAAAAAAAAAA="] {
        assert_eq!(account(nothing), None, "{nothing}");
    }
}

#[test]
fn what_has_expired_or_is_damaged_is_not_believed() {
    type Spoil = fn(&mut Value);
    let rows: [(&str, Spoil, bool); 3] = [
        ("expired", |item| item["exp"] = json!({ "N": "1" }), false),
        ("damaged", |item| item["body"] = json!({ "B": "AQBkYW1hZ2U=" }), true),
        ("newer", |item| item["body"] = json!({ "B": "YwA=" }), true),
    ];
    for (name, spoil, ignored) in rows {
        let (inbox, table) = (Inbox::new(name), Table::new(name));
        let [mut one, mut other] = two(&inbox, &table);
        assert_eq!(one.invoke(&event(&[role(1, &pods())])), SUCCESS);
        inbox.take();
        table.change(spoil);
        assert_eq!(other.invoke(&event(&[role(2, &pods_and_secrets())])), SUCCESS);
        let [message] = inbox.take().try_into().unwrap();
        assert!(change(&message)["gained"].is_null(), "{name}: {}", change(&message));
        let metrics = &other.metrics()[0];
        assert_eq!(metrics["memory"]["ignored"].is_u64(), ignored, "{name}: {metrics}");
        // It was written over, so the next process knows again.
        let [mut third, _] = two(&inbox, &table);
        assert_eq!(third.invoke(&event(&[role(3, &pods())])), SUCCESS);
        let [message] = inbox.take().try_into().unwrap();
        assert!(change(&message)["lost"].to_string().contains("secrets"), "{name}: {}", change(&message));
    }
}

#[test]
fn what_was_too_large_for_the_table_is_known_by_its_version() {
    let (inbox, table) = (Inbox::new("large"), Table::new("large"));
    let [mut one, mut other] = two(&inbox, &table);
    assert_eq!(one.invoke(&event(&[role(5, &pods())])), SUCCESS);
    table.change(|item| {
        item.as_object_mut().unwrap().remove("body");
    });
    let kept =
        || table.items().iter().map(|item| (item["ver"]["N"].clone(), item["body"].is_object())).collect::<Vec<_>>();
    assert_eq!(kept(), [(json!("1005"), false)]);
    inbox.take();
    assert_eq!(other.invoke(&event(&[role(2, &pods_and_secrets())])), SUCCESS);
    let [message] = inbox.take().try_into().unwrap();
    assert!(change(&message)["gained"].is_null(), "nobody knows what was before: {}", change(&message));
    assert_eq!(kept(), [(json!("1005"), false)], "an older version does not replace it");
    assert_eq!(other.invoke(&event(&[role(9, &pods())])), SUCCESS);
    assert_eq!(kept(), [(json!("1009"), true)]);
}

#[test]
fn a_session_is_told_once_by_all_processes_and_counted_together() {
    let (inbox, table) = (Inbox::new("session"), Table::new("session"));
    let [mut one, mut other] = two(&inbox, &table);
    assert_eq!(one.invoke(&event(&[login(1)])), SUCCESS);
    let [told] = inbox.take().try_into().unwrap();
    assert_eq!(other.invoke(&event(&[login(2), login(3)])), SUCCESS);
    assert_eq!(one.invoke(&event(&[login(4)])), SUCCESS);
    assert_eq!(inbox.take().len(), 0, "told already");
    // Whoever sees the hour end tells what it came to, for all: also a process that saw nothing of it.
    let [mut third, _] = two(&inbox, &table);
    assert_eq!(third.invoke(&event(&[an_hour_later(&noise(700))])), SUCCESS);
    let [sum] = inbox.take().try_into().unwrap();
    assert_eq!((sum.id(), &sum.body["activity_id"]), (told.id(), &json!(2)));
    assert!(sum.body.to_string().contains("4 requests in that hour"), "{}", sum.body);
    for lambda in [&mut one, &mut other] {
        assert_eq!(lambda.invoke(&event(&[an_hour_later(&noise(701))])), SUCCESS);
    }
    assert_eq!(inbox.take().len(), 0, "and tells it once");
}

#[test]
fn processes_at_the_same_time_lose_no_count_and_give_the_same_ids() {
    let (inbox, table) = (Inbox::new("at-once"), Table::new("at-once"));
    let lambdas = two(&inbox, &table);
    std::thread::scope(|scope| {
        for (side, mut lambda) in lambdas.into_iter().enumerate() {
            scope.spawn(move || {
                for step in 0..10 {
                    let number = 2 * step + side;
                    let delivery = event(&[login(number), grant(number), role(number, &pods_and_secrets())]);
                    assert_eq!(lambda.invoke(&delivery), SUCCESS);
                    assert_eq!(lambda.metrics()[step]["MemoryUnsaved"], 0);
                }
            });
        }
    });
    let messages = inbox.take();
    let of = |detection: &str| -> Vec<String> {
        let alike = messages.iter().filter(|message| message.attribute("detection") == Some(detection));
        alike.map(Received::id).collect()
    };
    let grants = of("rbac-binding-changed");
    assert_eq!((grants.len(), grants.iter().collect::<BTreeSet<_>>().len()), (20, 20));
    let logins = messages.iter().filter(|message| message.body.to_string().contains("203.0.114.9"));
    let logins: BTreeSet<String> = logins.map(Received::id).collect();
    assert_eq!(logins.len(), 1, "told twice at most, and then with one id");
    let [mut third, _] = two(&inbox, &table);
    assert_eq!(third.invoke(&event(&[an_hour_later(&noise(700))])), SUCCESS);
    let [sum] = inbox.take().try_into().unwrap();
    assert!(sum.body.to_string().contains("20 requests in that hour"), "{}", sum.body);
}

/// Twelve deliveries of one story: a role that grows and shrinks, people who gain it, a login that goes on.
fn story() -> Vec<String> {
    let role = |number: usize| role(number, &if number.is_multiple_of(3) { pods_and_secrets() } else { pods() });
    (0..12).map(|number| event(&[noise(60 + number), role(number), login(20 + number), grant(40 + number)])).collect()
}

/// What was sent, and how often.
fn told(messages: &[Received]) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for message in messages {
        let finding = &message.body["finding_info"];
        let text = format!("{} {} {}", finding["uid"], finding["title"], change(message));
        *told.entry(text).or_default() += 1;
    }
    told
}

#[test]
fn deliveries_in_any_order_over_two_processes_give_what_one_process_gives() {
    let story = story();
    let mut ids = BTreeSet::new();
    // Multipliers that have no divisor in common with the length visit each delivery once.
    for (name, multiplier, offset) in [("in-turn", 1, 0), ("backwards", 11, 11), ("mixed", 5, 3), ("stirred", 7, 8)] {
        let order = || (0..story.len()).map(|step| &story[(step * multiplier + offset) % story.len()]);
        let alone = Inbox::new(&format!("alone-{name}"));
        let mut lambda = crate::alerts::lambda(&alone);
        for delivery in order() {
            assert_eq!(lambda.invoke(delivery), SUCCESS);
        }
        let (inbox, table) = (Inbox::new(&format!("two-{name}")), Table::new(&format!("two-{name}")));
        let mut lambdas = two(&inbox, &table);
        for (step, delivery) in order().enumerate() {
            // Not one after the other: two in a row for the first, one for the second.
            assert_eq!(lambdas[usize::from(step % 3 == 2)].invoke(delivery), SUCCESS);
        }
        let (expected, messages) = (alone.take(), inbox.take());
        assert!(expected.len() > 12, "{name}");
        assert_eq!(told(&messages), told(&expected), "{name}");
        let grants = messages.iter().filter(|message| message.attribute("detection") == Some("rbac-binding-changed"));
        ids.insert(grants.map(Received::id).collect::<BTreeSet<_>>());
    }
    assert_eq!(ids.len(), 1, "and the same ids in every order");
}

#[test]
fn ordinary_traffic_asks_once_for_a_token_and_then_no_more() {
    let (inbox, table) = (Inbox::new("quiet"), Table::new("quiet"));
    let proxy = Proxy::start(|_| Fault::None);
    let mut lambda = sharing(&inbox, &table, &proxy.url);
    let pod = |number| login(number).replace("203.0.114.9", "10.0.3.7").replace("kubectl/", "controller/");
    for round in 0..20 {
        assert_eq!(lambda.invoke(&event(&[noise(2 * round), pod(2 * round + 1)])), SUCCESS);
    }
    assert_eq!(inbox.take().len(), 0);
    let actions: Vec<String> = proxy.seen().iter().map(|request| request.header("x-amz-target").to_owned()).collect();
    // One for the token, one for sessions of hours that nobody has closed.
    assert_eq!(actions, ["DynamoDB_20120810.BatchGetItem", "DynamoDB_20120810.Query"]);
    assert_eq!(table.items().len(), 0, "and nothing is written");
}

#[test]
fn of_a_stream_what_was_accepted_is_kept_and_a_bad_record_between_changes_nothing() {
    let (inbox, table) = (Inbox::new("kept-stream"), Table::new("kept-stream"));
    let [mut lambda, _] = two(&inbox, &table);
    let record = |number: &str, data: &str| json!({ "kinesis": { "sequenceNumber": number, "data": data } });
    let of = |line: String| data(&[line]);
    let records =
        [record("1", &of(role(1, &pods()))), record("2", "damaged"), record("3", &of(role(2, &pods_and_secrets())))];
    let taken = Answer::Success(json!({ "batchItemFailures": [] }));
    assert_eq!(lambda.invoke(&json!({ "Records": records }).to_string()), taken);
    assert_eq!(inbox.take().len(), 2);
    let versions: Vec<Value> = table.items().iter().map(|item| item["ver"]["N"].clone()).collect();
    assert_eq!(versions, ["1002"]);
}

#[test]
fn a_delivery_that_failed_has_taught_the_table_nothing() {
    let (inbox, table) = (Inbox::new("unkept"), Table::new("unkept"));
    let url = format!("http://{}", emulator::address());
    let closed = Proxy::start(|_| Fault::Answer(403, "AuthorizationError"));
    let variables = [("ROLEWATCH_MEMORY_TABLE", table.name.as_str()), ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str())];
    let mut failing = lambda_at(&inbox, &closed.url, &variables);
    let delivery = event(&[login(1), role(1, &pods())]);
    assert_eq!(failing.invoke(&delivery).code(), "sns-access-denied");
    assert_eq!(table.items().len(), 0);
    let [mut other, _] = two(&inbox, &table);
    assert_eq!(other.invoke(&delivery), SUCCESS);
    assert_eq!(inbox.take().len(), 2, "both are news to the process that repeats it");
    assert_eq!(table.items().len(), 2);
}
