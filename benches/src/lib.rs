//! What judging costs, and what it may cost: made-up traffic of a cluster, the yardsticks that the product is measured
//! against, and the budgets that it is held to. `make bench` and `make bench-gate` run it; docs/performance.md tells what
//! came of it.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    clippy::string_slice,
    clippy::missing_panics_doc,
    reason = "a benchmark fails by panicking, as a test does"
)]

pub mod bomb;
pub mod bounds;
pub mod cluster;
pub mod cold;
pub mod corpus;
pub mod delivery;
pub mod gate;
pub mod naive;
pub mod page;
pub mod paired;
pub mod random;
pub mod targets;
mod template;
pub mod traffic;
pub mod work;
