//! Reads the control-plane logs of Amazon EKS and says who gained what. Bytes in, alerts out.
//!
//! ```
//! use rolewatch_analyzer::{analyze_envelope, envelope::Envelope, gather::gather, memory::Memory, settings::Settings};
//!
//! # fn main() -> Result<(), rolewatch_analyzer::envelope::EnvelopeError> {
//! let document = br#"{"logGroup":"/aws/eks/prod/cluster","logEvents":[]}"#;
//! let envelope = Envelope::open_document(document.to_vec(), None)?;
//! let report = analyze_envelope(&envelope, &Settings::default(), &mut Memory::default());
//! assert!(gather(report.alerts).is_empty());
//! # Ok(())
//! # }
//! ```

pub mod access;
pub mod alert;
pub mod attack;
pub mod audit;
pub mod authenticator;
pub mod aws_auth;
pub mod case;
pub mod certificate;
pub mod change;
pub mod cloudtrail;
pub mod detection;
pub mod detections;
pub mod envelope;
pub mod evidence;
pub mod exceptions;
pub mod few;
pub mod filter_pattern;
pub mod gather;
pub mod grant;
pub mod impersonation;
pub mod interest;
pub mod json;
pub mod klog;
pub mod kube;
pub mod lesson;
pub mod mapping;
pub mod memory;
pub mod pkcs10;
pub mod rbac;
pub mod reason;
pub mod report;
pub mod session;
pub mod settings;
pub mod severity;
pub mod sift;
pub mod snapshot;
pub mod stream;
pub mod strength;
pub mod text;
pub mod token_request;
pub mod wire;

pub use report::{Report, analyze, analyze_cloudtrail, analyze_delivery, analyze_envelope};

// Tests that the fuzz targets share name the crate as it is seen from outside.
#[cfg(test)]
extern crate self as rolewatch_analyzer;

#[cfg(test)]
mod tests;
