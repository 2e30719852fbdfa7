//! What holds for the whole: every detection over every sample, the laws, the tidiness of the house, the docs.
#![expect(clippy::disallowed_methods, reason = "these tests read the sample files and the house's own sources")]

mod adversary;
mod claims;
mod contents;
mod deliveries;
mod docs;
mod exemptions;
mod explained;
mod filter_pattern;
pub(crate) mod harness;
mod laws;
mod learnt;
mod limits;
mod promises;
mod properties;
mod recordings;
mod repeats;
mod samples;
mod sessions;
mod sharing;
mod sifting;
mod streams;
mod tidy;
