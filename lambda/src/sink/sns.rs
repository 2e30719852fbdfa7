//! Alerts to an SNS topic.

mod message;

use std::time::Instant;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_sns::Client;
use aws_sdk_sns::error::BuildError;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use rolewatch_analyzer::alert::Alert;

use super::refusal;
use super::round::{CONNECT_TIMEOUT, Carrier, REQUEST_TIMEOUT, send_all};
use super::{Refusal, SendError, Sent, Service, Sink};
use crate::config::TopicArn;
use message::Message;

/// One SNS topic.
#[derive(Debug)]
pub struct SnsSink {
    client: Client,
    topic: TopicArn,
    form: Form,
}

/// What the topic's subscribers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text for people, OCSF for machines.
    Alerts,
    /// Notifications for chat channels, and nothing else.
    Chat,
}

impl SnsSink {
    /// A client for the topic, with the credentials and endpoints of the environment. No request is made yet.
    #[must_use]
    pub fn connect(aws: &SdkConfig, topic: TopicArn) -> Self {
        Self::connect_as(aws, topic, Form::Alerts)
    }

    pub(super) fn connect_as(aws: &SdkConfig, topic: TopicArn, form: Form) -> Self {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(REQUEST_TIMEOUT);
        let config = aws_sdk_sns::config::Builder::from(aws)
            .region(Region::new(topic.region().to_owned()))
            // Whoever knows the deadline and which entries failed does the retrying: the round.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.build());
        Self { client: Client::from_conf(config.build()), topic, form }
    }
}

impl Carrier for SnsSink {
    type Message = Message;
    const SERVICE: Service = Service::Sns;
    const ENTRIES_MAX: usize = ENTRIES_MAX;
    const BATCH_BYTES_MAX: usize = BATCH_BYTES_MAX;

    fn write(&self, alert: &Alert) -> Message {
        match self.form {
            Form::Alerts => Message::of(alert, self.topic.is_fifo()),
            Form::Chat => Message::chat(alert),
        }
    }

    fn reduce(&self, alert: &Alert) -> Option<Message> {
        // A notification for a chat channel is short already.
        (self.form == Form::Alerts).then(|| Message::reduced(alert, self.topic.is_fifo()))
    }

    fn bytes(message: &Message) -> usize {
        message.bytes()
    }

    async fn publish(&self, messages: &[&Message], deadline: Instant) -> Result<Vec<Option<Refusal>>, Refusal> {
        let batch: Result<Vec<_>, BuildError> =
            messages.iter().enumerate().map(|(index, message)| entry(index, message)).collect();
        let request = self
            .client
            .publish_batch()
            .topic_arn(self.topic.as_str())
            .set_publish_batch_request_entries(Some(batch.map_err(|_| Refusal::Refused)?));
        // Boxed, because the future of an SDK call is several KiB large and deeper than the compiler likes to look.
        let answer = match tokio::time::timeout_at(deadline.into(), Box::pin(request.send())).await {
            Err(_) => return Err(Refusal::Unreachable),
            Ok(Err(error)) => return Err(refusal::of_request(Self::SERVICE, &error)),
            Ok(Ok(answer)) => answer,
        };
        // SNS API reference, PublishBatch: some entries can fail although the request succeeded. An entry that the
        // answer does not name at all was not accepted either.
        let mut refusals = vec![Some(Refusal::Unavailable); messages.len()];
        for accepted in answer.successful() {
            if let Some(place) = accepted.id().and_then(|id| place_of(&mut refusals, id)) {
                *place = None;
            }
        }
        for failed in answer.failed() {
            if let Some(place) = place_of(&mut refusals, failed.id()) {
                *place = Some(refusal::of_entry(Self::SERVICE, failed.code(), failed.sender_fault()));
            }
        }
        Ok(refusals)
    }
}

impl Sink for SnsSink {
    async fn send(&self, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
        send_all(self, alerts, deadline).await
    }
}

fn entry(index: usize, message: &Message) -> Result<PublishBatchRequestEntry, BuildError> {
    let mut entry = PublishBatchRequestEntry::builder()
        .id(index.to_string())
        .subject(&message.subject)
        .message(&message.body)
        .set_message_structure(message.structure.map(ToOwned::to_owned))
        .set_message_group_id(message.group.clone())
        .set_message_deduplication_id(message.deduplication.clone());
    for attribute in &message.attributes {
        let value =
            MessageAttributeValue::builder().data_type(attribute.data_type).string_value(&attribute.value).build()?;
        entry = entry.message_attributes(attribute.name, value);
    }
    entry.build()
}

fn place_of<'r>(refusals: &'r mut [Option<Refusal>], id: &str) -> Option<&'r mut Option<Refusal>> {
    refusals.get_mut(id.parse::<usize>().ok()?)
}

/// SNS API reference, `PublishBatch`: up to ten messages.
const ENTRIES_MAX: usize = 10;
/// SNS API reference, `PublishBatch`: all messages together are at most 262,144 bytes.
const BATCH_BYTES_MAX: usize = 262_144;
