//! Every detection, one file each.

use crate::detection::Detection;

/// Every detection, in the order `rolewatch detections` prints them.
pub static ALL: &[&Detection] = &[];
