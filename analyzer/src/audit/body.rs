//! The bodies of a request and its response, left as bytes until a detection asks.

use super::Cut;

/// A recorded body. What was not recorded is not empty: the two never look alike here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// The audit policy left it out, or there was none.
    NotRecorded,
    /// There was one, or may have been; it was cut off.
    Cut,
    /// There is one, or there are both, and what stands there is no JSON.
    Broken,
    /// The JSON text of it. Of a PATCH request these are the client's own bytes, shaped as it liked.
    Recorded(&'a [u8]),
}

impl<'a> Body<'a> {
    pub(super) fn new(bytes: Option<&'a [u8]>, cut: Option<Cut>) -> Self {
        match (bytes, cut) {
            (Some(bytes), _) if bytes != b"null" => Self::Recorded(bytes),
            (None, Some(_)) => Self::Cut,
            _ => Self::NotRecorded,
        }
    }

    /// The recorded bytes.
    #[must_use]
    pub fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Recorded(bytes) => Some(bytes),
            Self::NotRecorded | Self::Cut | Self::Broken => None,
        }
    }
}
