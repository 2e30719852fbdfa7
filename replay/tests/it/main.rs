//! The real binary: what it prints, how it exits, what it needs.

mod command;
mod corpus;
mod envelopes;
mod forms;
mod limits;
mod support;
