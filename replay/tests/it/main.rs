//! The real binary: what it prints, how it exits, what it needs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers too"
)]

mod command;
mod corpus;
mod cost;
mod ends;
mod envelopes;
mod errors;
mod explain;
mod forms;
mod limits;
mod live;
mod live_errors;
mod messages;
mod operate;
mod proxy;
mod readme;
mod report;
mod settings;
mod shells;
mod snapshot;
mod support;
mod terminal;
mod threads;
