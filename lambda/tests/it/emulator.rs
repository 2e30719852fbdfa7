//! SNS topics with SQS queues behind them, emulated by moto: <https://docs.getmoto.org>.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::http::{Request, Response, encode_form};

/// One emulator for all tests of this binary; each test has topics of its own.
static EMULATOR: LazyLock<Result<Emulator, &str>> = LazyLock::new(Emulator::start);

struct Emulator {
    address: String,
    /// Holds the pipe that keeps it running: it ends by itself when the pipe closes with this process.
    _process: Child,
}

impl Emulator {
    /// The emulator, or what to do to get it.
    fn start() -> Result<Self, &'static str> {
        let python = python();
        if !python.exists() {
            return Err("the tests need the emulator of AWS; run `make venv` once, or `make test`");
        }
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/emulator.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        if port.is_empty() {
            process.wait().unwrap();
            return Err("the emulator of AWS did not start; remove .cache and run `make venv`");
        }
        let emulator = Self { address: format!("127.0.0.1:{}", port.trim()), _process: process };
        // It makes each service with the first request, and two first ones at a time break it.
        for service in ["sns", "sqs", "events", "ssm", "s3", "dynamodb"] {
            let _ = Request::post("/", &[("authorization", &scope(service))], "").send(&emulator.address);
        }
        Ok(emulator)
    }
}

/// The Python of the virtual environment, or the one that `ROLEWATCH_TEST_PYTHON` names.
fn python() -> PathBuf {
    std::env::var_os("ROLEWATCH_TEST_PYTHON")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/venv/bin/python"), PathBuf::from)
}

/// Where the emulator listens.
pub(crate) fn address() -> String {
    match &*EMULATOR {
        Ok(emulator) => emulator.address.clone(),
        Err(remedy) => panic!("{remedy}"),
    }
}

/// A topic with one queue subscribed to it.
pub(crate) struct Inbox {
    pub(crate) topic: String,
    queue: String,
}

/// A message read from the queue.
#[derive(Debug)]
pub(crate) struct Received {
    /// The body, as JSON.
    pub(crate) body: Value,
    /// The message attributes as name and value.
    pub(crate) attributes: Vec<(String, String)>,
}

impl Received {
    /// The id of the alert.
    pub(crate) fn id(&self) -> String {
        self.body["finding_info"]["uid"].as_str().unwrap().to_owned()
    }

    /// The audit IDs of its evidence.
    pub(crate) fn audit_ids(&self) -> Vec<String> {
        let evidences = self.body["evidences"].as_array().unwrap().iter();
        evidences.filter_map(|it| it["api"]["request"]["uid"].as_str()).map(ToOwned::to_owned).collect()
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Inbox {
    /// A topic and a queue of this name. The queue gets messages as they are, attributes included (raw delivery).
    pub(crate) fn new(name: &str) -> Self {
        let fifo = Path::new(name).extension().is_some_and(|extension| extension == "fifo");
        let mut topic = vec![("Action", "CreateTopic"), ("Name", name)];
        let mut queue = json!({ "QueueName": name });
        if fifo {
            topic.extend([("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true")]);
            queue["Attributes"] = json!({ "FifoQueue": "true" });
        }
        sns(&topic);
        let topic = format!("arn:aws:sns:us-east-1:123456789012:{name}");
        let queue = sqs("CreateQueue", &queue)["QueueUrl"].as_str().unwrap().to_owned();
        sns(&[
            ("Action", "Subscribe"),
            ("TopicArn", &topic),
            ("Protocol", "sqs"),
            ("Endpoint", &format!("arn:aws:sqs:us-east-1:123456789012:{name}")),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
        ]);
        Self { topic, queue }
    }

    /// Takes everything out of the queue. SNS has delivered when it answers the publisher, so nothing is waited for.
    pub(crate) fn take(&self) -> Vec<Received> {
        drain(&self.queue).iter().map(received).collect()
    }
}

/// Takes every message out of a queue.
fn drain(queue: &str) -> Vec<Value> {
    let mut all = Vec::new();
    loop {
        let request = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
        let answer = sqs("ReceiveMessage", &request);
        let Some(messages) = answer["Messages"].as_array().filter(|messages| !messages.is_empty()) else {
            return all;
        };
        for message in messages {
            sqs("DeleteMessage", &json!({ "QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"] }));
            all.push(message.clone());
        }
    }
}

/// An event bus whose events all go to one queue.
pub(crate) struct Bus {
    pub(crate) arn: String,
    queue: String,
}

impl Bus {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("bus-{name}");
        let answer = json_call("events", "AWSEvents.CreateEventBus", &json!({ "Name": name }));
        let queue = sqs("CreateQueue", &json!({ "QueueName": name }))["QueueUrl"].as_str().unwrap().to_owned();
        let pattern = json!({ "source": ["rolewatch"] }).to_string();
        let rule = json!({ "Name": "all", "EventBusName": name, "EventPattern": pattern });
        json_call("events", "AWSEvents.PutRule", &rule);
        let target = json!({ "Id": "queue", "Arn": format!("arn:aws:sqs:us-east-1:123456789012:{name}") });
        let targets = json!({ "Rule": "all", "EventBusName": name, "Targets": [target] });
        json_call("events", "AWSEvents.PutTargets", &targets);
        Self { arn: answer["EventBusArn"].as_str().unwrap().to_owned(), queue }
    }

    /// Takes the events so far, as targets see them, by the time of their first event.
    pub(crate) fn take(&self) -> Vec<Value> {
        let mut events: Vec<Value> =
            drain(&self.queue).iter().map(|it| serde_json::from_str(it["Body"].as_str().unwrap()).unwrap()).collect();
        events.sort_by_key(|event| event["detail"]["time"].as_i64());
        events
    }
}

/// A table as the template makes it.
pub(crate) struct Table {
    pub(crate) name: String,
}

impl Table {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("memory-{name}");
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let table = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
        });
        dynamodb("CreateTable", &table);
        Self { name }
    }

    /// Every item.
    pub(crate) fn items(&self) -> Vec<Value> {
        let answer = dynamodb("Scan", &json!({ "TableName": self.name }));
        answer["Items"].as_array().unwrap().clone()
    }

    /// Changes every item.
    pub(crate) fn change(&self, change: impl Fn(&mut Value)) {
        for mut item in self.items() {
            change(&mut item);
            dynamodb("PutItem", &json!({ "TableName": self.name, "Item": item }));
        }
    }
}

fn dynamodb(action: &str, body: &Value) -> Value {
    json_call("dynamodb", &format!("DynamoDB_20120810.{action}"), body)
}

/// Sets an SSM parameter.
pub(crate) fn put_parameter(name: &str, value: &str) {
    json_call(
        "ssm",
        "AmazonSSM.PutParameter",
        &json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true }),
    );
}

/// Makes a bucket, and puts an object into it.
pub(crate) fn put_object(bucket: &str, key: &str, text: &str) {
    for (path, body) in [(format!("/{bucket}"), ""), (format!("/{bucket}/{key}"), text)] {
        let request = Request::post(&path, &[("authorization", &scope("s3"))], body);
        let answer = Request { method: "PUT".to_owned(), ..request }.send(&address()).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

fn received(message: &Value) -> Received {
    let body = message["Body"].as_str().unwrap();
    let attributes = message["MessageAttributes"].as_object().cloned().unwrap_or_default().into_iter();
    Received {
        // A message that was cut to its headline is text.
        body: serde_json::from_str(body).unwrap_or_else(|_| json!(body)),
        attributes: attributes
            .map(|(name, value)| (name, value["StringValue"].as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}

fn sns(pairs: &[(&str, &str)]) -> Response {
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    pairs.push(("Version".to_owned(), "2010-03-31".to_owned()));
    call("sns", &[("content-type", "application/x-www-form-urlencoded")], &encode_form(&pairs))
}

fn sqs(action: &str, body: &Value) -> Value {
    json_call("sqs", &format!("AmazonSQS.{action}"), body)
}

/// A request in the JSON protocol of AWS.
pub(crate) fn json_call(service: &str, target: &str, body: &Value) -> Value {
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target)];
    let answer = call(service, &headers, &body.to_string());
    if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body).unwrap() }
}

/// The emulator tells services apart by the scope of the signature, which it does not check.
fn call(service: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let scope = scope(service);
    let mut headers = headers.to_vec();
    headers.push(("authorization", &scope));
    let answer = Request::post("/", &headers, body).send(&address()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

fn scope(service: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/{service}/aws4_request")
}
