//! The built function on real parts: a Lambda Runtime API, an emulated SNS, and SQS queues that are read back.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod delivery;
mod emulator;
mod http;
mod proxy;
mod runtime;

mod alerts;
mod corpus;
mod deliveries;
mod docs;
mod events;
mod exceptions;
mod faults;
mod footprint;
mod leaks;
mod memory;
mod memory_faults;
mod promise;
mod soak;
mod start;
mod template;
