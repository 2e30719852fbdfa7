//! Stands between the function and the emulator, keeps what passes, and spoils what a test tells it to.

use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator;
use crate::http::{Answer, Listener, Request, Response, encode_form};
use crate::runtime::MARKER;

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It reaches the service, and the answer comes back.
    None,
    /// An error answer instead: status and AWS error code. Its text is what must not be printed.
    Answer(u16, &'static str),
    /// No answer.
    Silence,
    /// The connection closes.
    Close,
    /// It reaches the service, and the answer is lost on the way back.
    LostAnswer,
    /// These entries are refused, counted from 0; the others reach the service.
    Entries { refused: &'static [usize], code: &'static str, sender_fault: bool },
    /// `DynamoDB` gives every key of the request back as not processed.
    Unprocessed,
    /// Every entry that holds this text is refused as the sender's fault, alone or in a batch.
    Poison(&'static str),
}

/// A proxy with the requests that it has seen.
pub(crate) struct Proxy {
    pub(crate) url: String,
    listener: Listener,
}

impl Proxy {
    /// A proxy to the emulator; `script` gives the fate of each request by its number, from 0.
    pub(crate) fn start(script: impl Fn(usize) -> Fault + Send + Sync + 'static) -> Self {
        Self::watching(move |number, _| script(number))
    }

    /// The same for a script that looks at the request, too.
    pub(crate) fn watching(script: impl Fn(usize, &Request) -> Fault + Send + Sync + 'static) -> Self {
        let listener = Listener::start(move |number, request| answer(request, &script(number, request)));
        Self { url: listener.url.clone(), listener }
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.listener.seen()
    }
}

/// What becomes of a request: media type and answer, or nothing.
fn answer(request: &Request, fate: &Fault) -> Answer {
    // The query protocol of SNS answers in XML, the others in JSON.
    let is_json = !request.header("x-amz-target").is_empty();
    let refuse = if is_json { refuse_events } else { refuse };
    let answer = match *fate {
        Fault::None => forward(request),
        Fault::Answer(status, code) => {
            let body = if is_json { json!({ "__type": code, "message": MARKER }).to_string() } else { error(code) };
            Response { status, body }
        }
        Fault::Silence => {
            thread::sleep(Duration::from_mins(2));
            return None;
        }
        Fault::Close => return None,
        Fault::LostAnswer => {
            forward(request);
            return None;
        }
        Fault::Entries { refused, code, sender_fault } => {
            refuse(request, &|index, _| refused.contains(&index), code, sender_fault)
        }
        Fault::Unprocessed => {
            let asked: Value = serde_json::from_slice(&request.body).unwrap();
            let body = json!({ "Responses": {}, "UnprocessedKeys": asked["RequestItems"] }).to_string();
            Response { status: 200, body }
        }
        Fault::Poison(text) => refuse(request, &|_, message| message.contains(text), "InvalidParameter", true),
    };
    Some((if is_json { "application/x-amz-json-1.1" } else { "text/xml" }, answer))
}

fn forward(request: &Request) -> Response {
    request.send(&emulator::address()).unwrap()
}

/// Forwards the entries of a batch that are not refused, and adds the others to `Failed` of the answer.
fn refuse(request: &Request, refused: &dyn Fn(usize, &str) -> bool, code: &str, sender_fault: bool) -> Response {
    let (mut kept, mut failed, mut next) = (Vec::new(), String::new(), 1);
    let pairs = request.form();
    let entry = |number: usize| format!("{ENTRY}{number}.");
    kept.extend(pairs.iter().filter(|(name, _)| !name.starts_with(ENTRY)).cloned());
    for number in (1..).take_while(|number| pairs.iter().any(|(name, _)| name.starts_with(&entry(*number)))) {
        let members: Vec<_> =
            pairs.iter().filter_map(|(name, value)| Some((name.strip_prefix(&entry(number))?, value))).collect();
        let value = |key: &str| members.iter().find(|(name, _)| *name == key).unwrap().1;
        if refused(number - 1, value("Message")) {
            let id = value("Id");
            write!(
                failed,
                "<member><Id>{id}</Id><Code>{code}</Code><Message>{MARKER}</Message>\
                 <SenderFault>{sender_fault}</SenderFault></member>"
            )
            .unwrap();
        } else {
            kept.extend(members.into_iter().map(|(name, value)| (format!("{}{name}", entry(next)), value.clone())));
            next += 1;
        }
    }
    let mut body = "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
                    <Successful></Successful></PublishBatchResult></PublishBatchResponse>"
        .to_owned();
    if next > 1 {
        let request = Request { body: encode_form(&kept).into_bytes(), ..request.clone() };
        body = forward(&request).body;
    }
    let body = body.replace("<Failed></Failed>", "").replace("<Failed/>", "");
    let (front, back) = body.split_once("</Successful>").unwrap();
    Response { status: 200, body: format!("{front}</Successful><Failed>{failed}</Failed>{back}") }
}

/// The same for the entries of `PutEvents`.
fn refuse_events(request: &Request, refused: &dyn Fn(usize, &str) -> bool, code: &str, _: bool) -> Response {
    let mut body: Value = serde_json::from_slice(&request.body).unwrap();
    let entries: Vec<Value> = body["Entries"].as_array().unwrap().clone();
    let is_refused: Vec<bool> =
        entries.iter().enumerate().map(|(at, entry)| refused(at, entry["Detail"].as_str().unwrap())).collect();
    let kept: Vec<&Value> =
        entries.iter().zip(&is_refused).filter(|(_, refused)| !**refused).map(|(it, _)| it).collect();
    let mut accepted = Vec::new();
    if !kept.is_empty() {
        body["Entries"] = json!(kept);
        let request = Request { body: body.to_string().into_bytes(), ..request.clone() };
        let answer: Value = serde_json::from_str(&forward(&request).body).unwrap();
        accepted.clone_from(answer["Entries"].as_array().unwrap());
    }
    let mut accepted = accepted.into_iter();
    let entries: Vec<Value> = is_refused
        .iter()
        .map(
            |refused| {
                if *refused { json!({ "ErrorCode": code, "ErrorMessage": "m" }) } else { accepted.next().unwrap() }
            },
        )
        .collect();
    let failed = is_refused.iter().filter(|refused| **refused).count();
    Response { status: 200, body: json!({ "FailedEntryCount": failed, "Entries": entries }).to_string() }
}

fn error(code: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{MARKER}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

/// How the query protocol names the entries of a batch, numbered from 1.
const ENTRY: &str = "PublishBatchRequestEntries.member.";
