//! How urgent a finding is.

use std::fmt;

/// How urgent a finding is, in the five words of Sigma levels; [`Severity::id`] is the OCSF `severity_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing, nothing to do.
    Informational,
    /// A change to glance at in working hours.
    Low,
    /// A change somebody should be able to explain.
    Medium,
    /// Somebody should look today.
    High,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// Every severity, least urgent first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The OCSF `severity_id`: 1 (informational) to 5 (critical).
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Informational => 1,
            Self::Low => 2,
            Self::Medium => 3,
            Self::High => 4,
            Self::Critical => 5,
        }
    }

    /// The word in lower case, as on the command line and in message attributes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// Reads the word that [`Severity::as_str`] writes, in any case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.as_str().eq_ignore_ascii_case(word))
    }

    /// `steps` more urgent, at most critical.
    #[must_use]
    pub fn raised(self, steps: u8) -> Self {
        Self::from_id(self.id().saturating_add(steps))
    }

    /// `steps` less urgent, at least informational.
    #[must_use]
    pub fn lowered(self, steps: u8) -> Self {
        Self::from_id(self.id().saturating_sub(steps))
    }

    fn from_id(id: u8) -> Self {
        match id {
            0 | 1 => Self::Informational,
            2 => Self::Low,
            3 => Self::Medium,
            4 => Self::High,
            _ => Self::Critical,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Severity;

    #[test]
    fn severities_are_ordered_named_and_numbered_alike() {
        for pair in Severity::ALL.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].id() + 1 == pair[1].id());
            assert_eq!(pair[0].raised(1), pair[1]);
            assert_eq!(pair[1].lowered(1), pair[0]);
        }
        assert_eq!(Severity::parse("HIGH"), Some(Severity::High));
        assert_eq!(Severity::parse("urgent"), None);
        assert_eq!(Severity::Critical.raised(9), Severity::Critical);
        assert_eq!(Severity::Low.lowered(9), Severity::Informational);
    }
}
