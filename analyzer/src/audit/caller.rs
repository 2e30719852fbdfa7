//! Who asked, and as whom.

use super::principal::Principal;

/// The two identities of a request. Nobody can read one and forget the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    /// Who showed a credential: `user`.
    pub authenticated: Principal<'a>,
    /// Whom it acted as: `impersonatedUser`. Rights were judged for this one.
    pub acting_as: Option<Box<Principal<'a>>>,
}

impl<'a> Caller<'a> {
    /// The identity whose rights counted.
    #[must_use]
    pub fn effective(&self) -> &Principal<'a> {
        self.acting_as.as_deref().unwrap_or(&self.authenticated)
    }

    /// Every group of either identity.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.authenticated.groups.iter().chain(self.acting_as.iter().flat_map(|other| &other.groups)).map(AsRef::as_ref)
    }
}
