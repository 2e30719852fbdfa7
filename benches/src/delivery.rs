//! Log lines as CloudWatch Logs delivers them: a document around some hundreds of lines, gzip, base64.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::random::Random;
use crate::traffic::Line;

/// One delivery: the `awslogs.data` string of a subscription event.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Base64 over gzip.
    pub data: String,
    /// Log lines inside.
    pub lines: usize,
    /// Bytes of the document inside.
    pub inflated: usize,
    /// Bytes of gzip.
    pub gzipped: usize,
}

impl Delivery {
    /// Packs these lines into one delivery of the log of this account.
    #[must_use]
    pub fn of(owner: &str, lines: &[Line]) -> Self {
        let document = document(owner, lines);
        let gzipped = gzip(document.as_bytes());
        Self { data: STANDARD.encode(&gzipped), lines: lines.len(), inflated: document.len(), gzipped: gzipped.len() }
    }

    /// A delivery whose contents are not known.
    #[must_use]
    pub fn of_data(data: &str) -> Self {
        Self { data: data.to_owned(), lines: 0, inflated: 0, gzipped: 0 }
    }

    /// Packs lines into deliveries of 100 to 500, which is what CloudWatch Logs was seen to send.
    #[must_use]
    pub fn all_of(owner: &str, lines: &[Line]) -> Vec<Self> {
        let mut random = Random::new(1);
        let (mut deliveries, mut rest) = (Vec::new(), lines);
        while !rest.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(100 + random.below(401)));
            deliveries.push(Self::of(owner, head));
            rest = tail;
        }
        deliveries
    }
}

/// The document that is compressed (Amazon CloudWatch Logs user guide, "Subscription filters with AWS Lambda").
#[must_use]
pub fn document(owner: &str, lines: &[Line]) -> String {
    let events: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            // 56 digits, of which the first ones grow with time.
            let id = format!("{:020}{number:036}", line.time_ms);
            json!({ "id": id, "timestamp": line.time_ms, "message": line.text })
        })
        .collect();
    json!({
        "messageType": "DATA_MESSAGE",
        "owner": owner,
        "logGroup": "/aws/eks/shop/cluster",
        "logStream": "kube-apiserver-audit-3f7a9d2c51b84e0f9c6d2ab8e1f05a77",
        "subscriptionFilters": ["rolewatch"],
        "logEvents": events,
    })
    .to_string()
}

/// Gzip at level 6, which comes nearest to what CloudWatch Logs sends.
#[must_use]
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).expect("a vector takes every byte");
    encoder.finish().expect("a vector takes every byte")
}
