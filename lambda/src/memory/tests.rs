use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rolewatch_analyzer::kube::ObjectKind;
use rolewatch_analyzer::memory::{Ask, Fact, Grants, Key, Memory, ObjectKey, Remembered, State};
use serde_json::{Value, json};

use super::item::{self, Attributes};
use super::table::{ATTEMPTS_MAX, KEYS_MAX, PAGES_MAX, PAUSE_MAX, SAVES_MAX, Table, Unwritten, longer};
use super::writing::{Change, UNSAVED_MAX, Writing};
use super::{ASKS_MAX, Learnt, ROUNDS_MAX, Store, Trouble};
use crate::config::TableName;
use crate::served::{Request, Served};
use crate::sink::Refusal;

const HOME: &str = "111122223333";

fn key(number: usize) -> ObjectKey {
    ObjectKey {
        cluster: "prod".to_owned(),
        kind: ObjectKind::RoleBinding,
        namespace: "ci".to_owned(),
        name: number.to_string(),
    }
}

fn remembered() -> Remembered {
    let state = State::Binding { role_ref: None, subjects: Vec::new() };
    Remembered { state, version: Some(7), time: None, deleted: false, unseen: false, granted: Grants::default() }
}

fn name() -> TableName {
    TableName::parse("memory").unwrap()
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

fn nothing(_: usize, _: &Request) -> (u16, String) {
    (200, "{}".to_owned())
}

fn error(code: &str) -> (u16, String) {
    let status = if code == "InternalServerError" { 500 } else { 400 };
    (status, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}") }).to_string())
}

/// The keys that a request asks for.
fn keys(request: &Request) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["RequestItems"]["memory"]["Keys"].as_array().unwrap().clone()
}

/// How many keys each request has asked for.
fn asked(served: &Served) -> Vec<usize> {
    served.seen().iter().map(|request| keys(request).len()).collect()
}

/// An item in the JSON of `DynamoDB`.
fn written(attributes: &Attributes) -> Value {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        other => panic!("no item has {other:?}"),
    };
    attributes.iter().map(|(name, it)| (name.clone(), value(it))).collect::<serde_json::Map<_, _>>().into()
}

async fn table(served: &Served) -> Table {
    Table::connect(&served.aws().await, name())
}

/// What a delivery taught that is judged like this.
async fn judged(store: &Store, judge: impl Fn(&mut Memory)) -> Learnt {
    let judge = |memory: &mut Memory| {
        judge(memory);
        Ok::<_, ()>((Some(HOME.to_owned()), ()))
    };
    store.judge(Some(HOME.to_owned()), soon(), judge).await.unwrap().1
}

#[tokio::test]
async fn keys_at_their_limit_are_one_request_and_one_past_it_are_two() {
    for (count, requests) in [(KEYS_MAX, vec![KEYS_MAX]), (KEYS_MAX + 1, vec![KEYS_MAX, 1])] {
        let served = Served::start(nothing);
        let asks: Vec<Ask> = (0..count).map(|number| Ask::One(Key::Object(key(number)))).collect();
        let answer = table(&served).await.read(HOME, &asks, soon()).await;
        assert_eq!((answer.trouble, asked(&served)), (None, requests));
    }
}

#[tokio::test]
async fn pages_at_their_limit_are_read_and_one_past_it_are_told_to_be_too_much() {
    for (pages, trouble) in [(PAGES_MAX, None), (PAGES_MAX + 1, Some(Trouble::TooMuch))] {
        let served = Served::start(move |number, _| {
            let next = (number + 1 < pages).then(|| json!({ "pk": { "S": "p" }, "sk": { "S": "s" } }));
            (200, json!({ "Items": [], "LastEvaluatedKey": next }).to_string())
        });
        let ask = Ask::Objects { cluster: "prod".to_owned(), kind: ObjectKind::ClusterRole };
        let answer = table(&served).await.read(HOME, &[ask], soon()).await;
        assert_eq!((answer.trouble, served.seen().len()), (trouble, PAGES_MAX));
    }
}

#[tokio::test]
async fn a_fact_is_tried_to_its_limit_and_one_past_it_is_left_for_the_next_delivery() {
    for (lost, is_written) in [(SAVES_MAX - 1, true), (SAVES_MAX, false)] {
        let served = Served::start(move |number, request| {
            let is_lost = number < usize::try_from(lost).unwrap();
            if is_lost { error("ConditionalCheckFailedException") } else { nothing(number, request) }
        });
        let now = Fact::Object(key(0), remembered());
        let change = Change { key: now.key(), before: None, now, revision: None };
        let saved = table(&served).await.save(HOME, &change, soon()).await;
        assert_eq!(saved.as_ref().is_ok_and(|saved| saved.written), is_written, "{saved:?}");
        assert!(is_written || matches!(saved, Err(Unwritten::Contended)), "one past it: {saved:?}");
        assert_eq!(served.seen().len(), usize::try_from(SAVES_MAX).unwrap());
    }
}

#[tokio::test]
async fn a_request_is_tried_to_its_limit_and_not_once_past_it() {
    for (failed, trouble) in [(ATTEMPTS_MAX - 1, None), (ATTEMPTS_MAX, Some(Trouble::Refused(Refusal::Unavailable)))] {
        let served = Served::start(move |number, request| {
            let has_failed = number < usize::try_from(failed).unwrap();
            if has_failed { error("InternalServerError") } else { nothing(number, request) }
        });
        let answer = table(&served).await.read(HOME, &[Ask::One(Key::Object(key(0)))], soon()).await;
        assert_eq!(answer.trouble, trouble);
        assert_eq!(served.seen().len(), usize::try_from(ATTEMPTS_MAX).unwrap(), "and not one past it");
    }
}

#[test]
fn a_pause_doubles_to_its_limit_and_not_past_it() {
    assert!(longer(PAUSE_MAX / 4) < PAUSE_MAX);
    let at = PAUSE_MAX / 2;
    for pause in [at, at + Duration::from_millis(1), PAUSE_MAX, Duration::MAX] {
        assert_eq!(longer(pause), PAUSE_MAX, "never past it: {pause:?}");
    }
}

/// Each object that is known is a reason to ask for the next one.
#[tokio::test]
async fn what_leads_to_more_is_followed_to_its_limit_and_one_past_it_is_told_to_be_too_much() {
    let items: HashMap<Value, Value> = (0..=ROUNDS_MAX)
        .map(|number| written(&item::write(HOME, &Fact::Object(key(number), remembered())).attributes))
        .map(|item| (item["sk"].clone(), item))
        .collect();
    for (links, trouble) in [(ROUNDS_MAX, None), (ROUNDS_MAX + 1, Some(Trouble::TooMuch))] {
        let items = items.clone();
        let served = Served::start(move |_, request| {
            let found: Vec<&Value> = keys(request).iter().map(|key| &items[&key["sk"]]).collect();
            (200, json!({ "Responses": { "memory": found } }).to_string())
        });
        let store = Store::open(&served.aws().await, Some(name()));
        let learnt = judged(&store, |memory| {
            let known = (0..links).take_while(|number| memory.object(&key(*number)).is_some()).count();
            assert!(known <= ROUNDS_MAX);
        });
        let reading = learnt.await.reading.unwrap();
        assert_eq!((reading.trouble, reading.items), (trouble, ROUNDS_MAX));
        assert_eq!(asked(&served), [1; ROUNDS_MAX]);
    }
}

#[tokio::test]
async fn questions_at_their_limit_are_put_and_those_past_it_wait_for_the_next_delivery() {
    for (count, trouble) in [(ASKS_MAX, None), (ASKS_MAX + 1, Some(Trouble::TooMuch))] {
        let served = Served::start(nothing);
        let store = Store::open(&served.aws().await, Some(name()));
        let learnt = judged(&store, |memory| assert!((0..count).all(|number| memory.object(&key(number)).is_none())));
        assert_eq!(learnt.await.reading.unwrap().trouble, trouble);
        assert_eq!(asked(&served).iter().sum::<usize>(), ASKS_MAX);
    }
}

#[tokio::test]
async fn what_cannot_be_written_waits_to_its_limit_and_one_past_it_is_counted_as_lost() {
    for (count, lost) in [(UNSAVED_MAX, 0), (UNSAVED_MAX + 1, 1)] {
        let served = Served::start(|_, _| error("ResourceNotFoundException"));
        let store = Store::open(&served.aws().await, Some(name()));
        let learnt = judged(&store, |memory| (0..count).for_each(|number| memory.keep(key(number), remembered())));
        let writing = store.keep(learnt.await, soon()).await.unwrap();
        assert_eq!(writing, Writing { written: 0, too_large: 0, unsaved: count, lost });
        let kept = super::lock(&store.shared.as_ref().unwrap().unsaved).len();
        assert_eq!(kept, UNSAVED_MAX, "and none past it");
    }
}
