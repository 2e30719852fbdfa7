//! Alerts to a chat channel: a topic of its own that Amazon Q Developer in chat applications reads.

use std::time::Instant;

use aws_config::SdkConfig;
use rolewatch_analyzer::alert::Alert;

use super::sns::{Form, SnsSink};
use super::{SendError, Sent, Sink};
use crate::config::TopicArn;

/// The topic of a chat channel. It must hold nothing else: what is not a notification is dropped without an error.
#[derive(Debug)]
pub struct ChatSink(SnsSink);

impl ChatSink {
    /// A client for the topic. No request is made yet.
    #[must_use]
    pub fn connect(aws: &SdkConfig, topic: TopicArn) -> Self {
        Self(SnsSink::connect_as(aws, topic, Form::Chat))
    }
}

impl Sink for ChatSink {
    async fn send(&self, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
        self.0.send(alerts, deadline).await
    }
}
