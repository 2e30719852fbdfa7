//! Entries of the api stream.

/// One entry.
#[derive(Debug)]
pub struct KlogEntry<'a> {
    /// Text.
    pub message: &'a str,
}
