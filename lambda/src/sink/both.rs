//! Alerts to one sink, and to another where there is one.

use std::time::Instant;

use rolewatch_analyzer::alert::Alert;

use super::{SendError, Sent, Sink};

/// A sink that every alert goes to, and perhaps one more.
#[derive(Debug)]
pub struct Both<A, B>(pub A, pub Option<B>);

impl<A: Sink, B: Sink> Sink for Both<A, B> {
    /// Both are served side by side: one that is down takes none of the other's time. Success means that both accepted
    /// every alert; what is counted is what the first one took, because each alert is one alert however many read it.
    async fn send(&self, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
        let Self(first, second) = self;
        let Some(second) = second else { return first.send(alerts, deadline).await };
        let (one, two) = tokio::join!(first.send(alerts, deadline), second.send(alerts, deadline));
        let mut sent = one?;
        match two {
            Ok(other) => {
                sent.retries = sent.retries.saturating_add(other.retries);
                sent.took = sent.took.max(other.took);
                Ok(sent)
            }
            Err(error) => Err(SendError { sent, ..error }),
        }
    }
}
