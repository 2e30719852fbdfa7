//! Reads the control-plane logs of Amazon EKS and says who gained what. Bytes in, alerts out.

pub mod rbac;
pub mod severity;
