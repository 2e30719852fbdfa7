//! The AWS shell of Rolewatch: one delivery of control-plane logs in, alerts to SNS out.

pub mod config;
pub mod error;
pub mod event;
pub mod exceptions;
pub mod handler;
pub mod memory;
pub mod sink;
pub mod start;
pub mod telemetry;

#[cfg(test)]
mod served;
