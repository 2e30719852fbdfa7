//! One event with all that a detection may look at.

use crate::audit::AuditEvent;

/// One event with all that a detection may look at.
#[derive(Debug)]
pub struct Case<'a> {
    /// The event.
    pub event: &'a AuditEvent<'a>,
}
