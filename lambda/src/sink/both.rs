//! Alerts to one sink, and then to another where there is one.

use std::time::Instant;

use rolewatch_analyzer::alert::Alert;

use super::{SendError, Sent, Sink};

/// A sink that every alert goes to first, and perhaps one more.
#[derive(Debug)]
pub struct Both<A, B>(pub A, pub Option<B>);

impl<A: Sink, B: Sink> Sink for Both<A, B> {
    /// The second sink is served even if the first one failed. Success means that both accepted every alert; what is
    /// counted is what the first one took, because each alert is one alert however many read it.
    async fn send(&self, alerts: &[Alert], deadline: Instant) -> Result<Sent, SendError> {
        let Self(first, second) = self;
        let one = first.send(alerts, deadline).await;
        let Some(second) = second else { return one };
        let two = second.send(alerts, deadline).await;
        let mut sent = one?;
        match two {
            Ok(other) => {
                sent.retries = sent.retries.saturating_add(other.retries);
                sent.took += other.took;
                Ok(sent)
            }
            Err(error) => Err(SendError { sent, ..error }),
        }
    }
}
