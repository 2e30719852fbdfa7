//! The words of ours that stand in what is remembered.

use crate::detections;
use crate::session::HUMAN_CLIENTS;

/// The word that a text says, if it is one.
pub(super) fn known(text: &str) -> Option<&'static str> {
    let of_detections = detections::ALL.iter().map(|detection| detection.id);
    of_detections.chain(HUMAN_CLIENTS.iter().copied()).chain(WORDS.iter().copied()).find(|word| *word == text)
}

/// Stages, outcomes, kinds of identity, and what was missing of an event, each as it stands in evidence.
const WORDS: &[&str] = &[
    "",
    "RequestReceived",
    "ResponseStarted",
    "ResponseComplete",
    "Panic",
    "success",
    "unauthenticated",
    "denied",
    "escalation-refused",
    "failed",
    "unknown",
    "nobody",
    "anonymous",
    "service-account",
    "node",
    "control-plane",
    "eks",
    "iam",
    "forged",
    "other",
    "the log line was cut",
    "the API server left the bodies out as too large",
    "the audit event was lost",
];
