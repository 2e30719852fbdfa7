//! Reads the control-plane logs of Amazon EKS and says who gained what. Bytes in, alerts out.

pub mod alert;
pub mod attack;
pub mod audit;
pub mod aws_auth;
pub mod case;
pub mod detection;
pub mod detections;
pub mod envelope;
pub mod gather;
pub mod json;
pub mod klog;
pub mod memory;
pub mod rbac;
pub mod report;
pub mod settings;
pub mod severity;
pub mod stream;
pub mod text;
