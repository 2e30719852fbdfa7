//! What is known from earlier events: a value handed in and handed back.

/// Memory of earlier events. In this form it lives in the process and is bounded.
#[derive(Debug, Clone, Default)]
pub struct Memory {}
