//! One invocation: recognise, open, judge, send; and only then remember.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_runtime::{LambdaEvent, tracing};
use rolewatch_analyzer::alert::Alert;
use rolewatch_analyzer::detection::Delta;
use rolewatch_analyzer::envelope::{self, EnvelopeError, EnvelopeKind};
use rolewatch_analyzer::gather::gather_at_most;
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::report::{Delivered, Report, analyze_cloudtrail, analyze_delivery};
use rolewatch_analyzer::settings::Settings;
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::sift::Sifter;
use rolewatch_analyzer::text::name;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::HandlerError;
use crate::event::{Event, KinesisRecord, account_of};
use crate::exceptions::Book;
use crate::memory::{Store, Trouble};
use crate::sink::{SendError, Sent, Sink};
use crate::telemetry::{Tally, millis};

/// What lives as long as the process: choices, the sink, and what is remembered of earlier events.
#[derive(Debug)]
pub struct Handler<S> {
    settings: Settings,
    min_severity: Severity,
    alert_cap: usize,
    sink: S,
    book: Book,
    store: Store,
    /// Buffers, and callers met before. It changes nothing of what is found, so nobody minds which invocation it served.
    sifter: Mutex<Sifter>,
    cold: AtomicBool,
}

/// What is judged together.
#[derive(Clone, Copy)]
enum Delivery<'a> {
    /// Documents of CloudWatch Logs: one, or those of a record of a stream.
    Logs(envelope::Delivery<'a>),
    /// A call of the AWS API, as EventBridge brings it.
    Call(&'a str),
}

/// What became of it.
enum Judged {
    Logs(Vec<Delivered>),
    Call(Report),
}

/// What one invocation gave us besides the event.
#[derive(Clone, Copy)]
struct Invocation<'a> {
    request_id: &'a str,
    deadline: Instant,
}

impl<S: Sink> Handler<S> {
    /// A handler that remembers what the store does.
    pub fn new(config: Config, sink: S, book: Book, store: Store) -> Self {
        Self {
            settings: Settings { source: config.source, trusted_networks: config.trusted_networks },
            min_severity: config.min_severity,
            alert_cap: config.alert_cap,
            sink,
            book,
            store,
            sifter: Mutex::default(),
            cold: AtomicBool::new(true),
        }
    }

    /// Answers one invocation. Success means that every alert was accepted; for Kinesis, that the record from which on
    /// they were not is named in the answer.
    pub async fn handle(&self, event: &LambdaEvent<Box<RawValue>>) -> Result<Value, HandlerError> {
        let result = self.answer(event).await;
        if let Err(error) = &result {
            // The runtime logs it as text, where nobody can filter by its code.
            tracing::error!(error_type = error.code(), "the invocation failed: {error}");
        }
        result
    }

    async fn answer(&self, event: &LambdaEvent<Box<RawValue>>) -> Result<Value, HandlerError> {
        let context = &event.context;
        let invocation = Invocation { request_id: &context.request_id, deadline: deadline(context.deadline) };
        let delivery = match Event::recognise(event.payload.get()) {
            Ok(Event::Logs(data)) => {
                self.delivery(Delivery::Logs(envelope::Delivery::base64(&data)), None, invocation).await
            }
            Ok(Event::EventBridge(call)) => self.delivery(Delivery::Call(call), None, invocation).await,
            Ok(Event::Kinesis(records)) => return Ok(self.records(&records, invocation).await),
            Err(error) => {
                let mut tally = Tally::default();
                tally.set("DeliveriesRefused", 1);
                tally.emit(invocation.request_id);
                Err(error.into())
            }
        };
        delivery.map(|()| Value::Null)
    }

    /// Judges the records of a stream one by one. The answer names the first one whose alerts were not accepted, and
    /// Lambda brings it again with all that follow (Lambda developer guide, "Configuring partial batch response with
    /// Kinesis Data Streams and Lambda").
    async fn records(&self, records: &[KinesisRecord<'_>], invocation: Invocation<'_>) -> Value {
        for record in records {
            let delivery = envelope::Delivery::base64(&record.data).several();
            // A stream brings the logs of many accounts in turn.
            let account = delivery.account().as_deref().map(name);
            let Err(error) = self.delivery(Delivery::Logs(delivery), account, invocation).await else { continue };
            tracing::error!(
                error_type = error.code(),
                shard = %record.shard,
                sequence_number = %record.sequence_number,
                "a record failed: {error}"
            );
            // What cannot be opened will not open the next time either. Named in the answer, it would hold up its shard
            // and bring the alerts of those behind it again; so it is counted, and an alarm tells.
            if matches!(error, HandlerError::Sink(_)) {
                return json!({ "batchItemFailures": [{ "itemIdentifier": record.sequence_number }] });
            }
        }
        json!({ "batchItemFailures": [] })
    }

    /// Opens, judges and sends one delivery, and says in metrics what became of it. A panic is an error like others.
    async fn delivery(
        &self,
        delivery: Delivery<'_>,
        account: Option<String>,
        invocation: Invocation<'_>,
    ) -> Result<(), HandlerError> {
        let mut tally = Tally::default();
        let result = guarded(self.judge_and_send(delivery, account, &mut tally, invocation)).await;
        if let Err(HandlerError::Delivery(_) | HandlerError::Panicked) = &result {
            tally.set("DeliveriesRefused", 1);
        }
        if self.cold.swap(false, Ordering::Relaxed) {
            tally.set("ColdStarts", 1);
        }
        tally.emit(invocation.request_id);
        result
    }

    async fn judge_and_send(
        &self,
        delivery: Delivery<'_>,
        account: Option<String>,
        tally: &mut Tally,
        invocation: Invocation<'_>,
    ) -> Result<(), HandlerError> {
        let judge = |memory: &mut Memory| self.judge(delivery, memory);
        let (judged, learnt) = self.store.judge(account, invocation.deadline, judge).await?;
        let mut report = self.report(judged, tally);
        tally.memory_dropped(learnt.memory.dropped());
        if let Some(reading) = learnt.reading {
            tally.reading(reading);
        }
        if let Some(age) = report.first_ms.and_then(age) {
            tally.set("DeliveryAge", millis(age));
        }
        self.except(&mut report, tally, invocation).await;
        tally.report(&report);
        let judged = gather_at_most(std::mem::take(&mut report.alerts), self.alert_cap);
        let all = judged.len();
        let mut alerts: Vec<Alert> = judged.into_iter().filter(|alert| alert.severity >= self.min_severity).collect();
        if let Some(trouble) = learnt.reading.and_then(|reading| reading.trouble) {
            say_without_memory(&mut alerts, trouble);
        }
        tally.set("AlertsBelowMinimum", all - alerts.len());
        tally.alerts(&alerts);
        tracing::info!(
            lines = report.lines,
            alerted = report.alerted,
            skipped = report.skipped_total(),
            alerts = alerts.len(),
            "delivery judged"
        );
        if !alerts.is_empty() {
            let result = self.sink.send(&alerts, invocation.deadline).await;
            count_sent(tally, &result);
            result?;
        }
        // Every alert was accepted. A probe has no lines, teaches nothing and belongs to no account.
        if report.lines > 0
            && let Some(writing) = self.store.keep(learnt, invocation.deadline).await
        {
            tally.writing(writing);
        }
        Ok(())
    }

    /// Judges the lines of a delivery, or the call that it is, and tells whose account it is about, as CloudWatch Logs or
    /// EventBridge says.
    fn judge(&self, delivery: Delivery<'_>, memory: &mut Memory) -> Result<(Option<String>, Judged), EnvelopeError> {
        match delivery {
            Delivery::Logs(delivery) => {
                let mut sifter = self.sifter.lock().unwrap_or_else(PoisonError::into_inner);
                let documents = analyze_delivery(delivery, &self.settings, memory, &mut sifter)?;
                // The documents of one record are of one subscription, and so of one account.
                let account = documents.iter().find_map(|document| document.source.account.as_deref().map(name));
                Ok((account, Judged::Logs(documents)))
            }
            Delivery::Call(call) => {
                let account = account_of(call).map(|account| name(&account));
                Ok((account, Judged::Call(analyze_cloudtrail(call, &self.settings, memory))))
            }
        }
    }

    /// What became of all lines together; what the log and the metrics say of it.
    fn report(&self, judged: Judged, tally: &mut Tally) -> Report {
        let documents = match judged {
            Judged::Logs(documents) => documents,
            Judged::Call(report) => {
                tally.cluster = report.alerts.first().and_then(|alert| alert.source.cluster.as_deref()).map(name);
                return report;
            }
        };
        let mut report = Report::default();
        let mut probes = 0;
        for document in documents {
            if document.kind == EnvelopeKind::Control {
                probes += 1;
                tracing::info!("control message acknowledged");
                continue;
            }
            let source = document.source.or(&self.settings.source);
            tally.cluster = source.cluster.as_deref().map(name);
            tally.account = source.account.as_deref().map(name);
            tally.stream(source.stream(), document.report.lines);
            report.absorb(document.report);
            if let Some(damage) = document.damage {
                tracing::warn!(error_type = damage.code(), "the delivery was read up to its damage");
            }
        }
        if probes > 0 {
            tally.set("ControlMessages", probes);
        }
        report
    }

    /// Takes out what the operator does not want to be told. Only a delivery with alerts asks for it.
    async fn except(&self, report: &mut Report, tally: &mut Tally, invocation: Invocation<'_>) {
        if report.alerts.is_empty() {
            return;
        }
        let copy = self.book.current(invocation.deadline).await;
        tally.set("ExceptionsFailed", u8::from(copy.failed));
        tally.exceptions(&copy.exceptions.apply_to(report));
    }
}

/// Says in each alert that what was before may be missing.
fn say_without_memory(alerts: &mut [Alert], trouble: Trouble) {
    for worst in alerts.iter_mut().filter_map(|alert| alert.findings.first_mut()) {
        worst.hit.changes.insert(0, Delta::Note(trouble.note()));
    }
}

/// Says in the log and the metrics what was accepted: ids and counts only.
fn count_sent(tally: &mut Tally, result: &Result<Sent, SendError>) {
    let (sent, failed) = match result {
        Ok(sent) => (sent, 0),
        Err(error) => (&error.sent, error.failed),
    };
    tally.set("AlertsSent", sent.alerts);
    tally.set("AlertsFailed", failed);
    tally.set("PublishTime", millis(sent.took));
    if sent.reduced > 0 {
        tracing::warn!(alerts = sent.reduced, "alerts were cut to their headline because SNS refused the whole");
    }
    tracing::info!(sent = sent.alerts, failed, retries = sent.retries, took_ms = millis(sent.took), "alerts published");
}

/// Runs a future to its end or to its panic. The runtime would catch a panic too, but its answer repeats what the
/// panic said, and that may quote the log.
async fn guarded<T>(future: impl Future<Output = Result<T, HandlerError>>) -> Result<T, HandlerError> {
    let mut future = pin!(future);
    poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)))
            .unwrap_or(Poll::Ready(Err(HandlerError::Panicked)))
    })
    .await
}

/// When to stop sending, from the end of the invocation in milliseconds since 1970.
fn deadline(invocation_ends_ms: u64) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Instant::now() + Duration::from_millis(invocation_ends_ms).saturating_sub(now).saturating_sub(MARGIN)
}

/// How long ago the first line was written, from its time in milliseconds since 1970. It is the oldest: lines come in
/// order (CloudWatch Logs user guide, "Real-time processing of log data with subscriptions").
fn age(written_ms: i64) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(now.saturating_sub(Duration::from_millis(u64::try_from(written_ms).ok()?)))
}

/// Kept back from the time of an invocation for writing the metrics and the answer. A function that runs out of time
/// is killed, and its answer says nothing of what was wrong.
const MARGIN: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::{Handler, deadline, guarded};
    use crate::config::Config;
    use crate::error::HandlerError;
    use crate::exceptions::Book;
    use crate::memory::Store;
    use crate::sink::{SendError, Sent, Sink};
    use base64::Engine as _;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use lambda_runtime::{Context, LambdaEvent};
    use rolewatch_analyzer::alert::Alert;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};
    use std::io::Write as _;
    use std::time::{Duration, Instant};

    /// A sink that must not be needed.
    struct Nowhere;

    impl Sink for Nowhere {
        async fn send(&self, _alerts: &[Alert], _deadline: Instant) -> Result<Sent, SendError> {
            panic!("nothing to send was expected")
        }
    }

    fn data(document: &str) -> String {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(document.as_bytes()).unwrap();
        base64::engine::general_purpose::STANDARD.encode(encoder.finish().unwrap())
    }

    fn handle(event: &Value) -> Result<Value, HandlerError> {
        let topic = ("ROLEWATCH_ALERT_TOPIC_ARN".into(), "arn:aws:sns:eu-west-1:111122223333:alerts".into());
        let handler = Handler::new(Config::from_variables([topic]).unwrap(), Nowhere, Book::empty(), Store::local());
        let payload = RawValue::from_string(event.to_string()).unwrap();
        let mut context = Context::default();
        context.deadline = u64::MAX;
        let event = LambdaEvent::new(payload, context);
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(handler.handle(&event))
    }

    #[test]
    fn a_control_message_is_a_success() {
        let data = data(r#"{"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"CWL CONTROL MESSAGE"}]}"#);
        assert_eq!(handle(&json!({ "awslogs": { "data": data } })).unwrap(), Value::Null);
    }

    #[test]
    fn what_cannot_be_opened_fails_with_its_code() {
        let error = handle(&json!({ "awslogs": { "data": "%%%" } })).unwrap_err();
        assert_eq!(error.code(), "delivery-not-base64");
        assert_eq!(handle(&json!({ "Records": [] })).unwrap_err().code(), "event-unknown-shape");
        let bridge = json!({ "detail-type": "Scheduled Event", "detail": {} });
        assert_eq!(handle(&bridge).unwrap_err().code(), "event-unsupported");
    }

    #[test]
    fn a_bad_record_of_a_stream_is_passed_over() {
        let record = |number: &str, data: &str| json!({ "kinesis": { "sequenceNumber": number, "data": data } });
        let good = data(r#"{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/prod/cluster","logEvents":[]}"#);
        let answer = handle(&json!({ "Records": [record("1", &good), record("2", "%"), record("3", &good)] })).unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }

    #[test]
    fn a_panic_is_an_error_that_does_not_repeat_what_it_said() {
        let work = async { if true { panic!("secret of the log") } else { Ok(()) } };
        let result = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(guarded(work));
        let error = result.unwrap_err();
        assert_eq!(error.code(), "analysis-panicked");
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn a_deadline_that_has_passed_is_now() {
        assert!(deadline(0) <= Instant::now());
        assert!(deadline(u64::MAX / 2) > Instant::now() + Duration::from_hours(1));
    }
}
