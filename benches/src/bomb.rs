//! Deliveries that are small until they are opened, and the largest one that is honest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::delivery::{Delivery, gzip};
use crate::traffic::{Line, Traffic};

/// What each is, and its base64.
#[must_use]
pub fn bombs() -> Vec<(&'static str, String)> {
    let filled = |head: &str, filler: &str| {
        let mut text = head.to_owned();
        text.extend(std::iter::repeat_n(filler, BOMB_BYTES / filler.len()));
        gzip(text.as_bytes())
    };
    let head = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"g","logStream":"kube-apiserver-audit-1","subscriptionFilters":[],"logEvents":["#;
    let endless = format!(r#"{head}{{"id":"1","timestamp":1,"message":""#);
    [
        ("one line without end", filled(&endless, "x")),
        ("lines without number", filled(head, r#"{"id":"1","timestamp":1,"message":"x"},"#)),
        ("nothing but zeros", filled("", "\0")),
        ("gzip of gzip", gzip(&filled("", "x"))),
    ]
    .into_iter()
    .map(|(name, gzip)| (name, STANDARD.encode(gzip)))
    .collect()
}

/// Quiet lines as CloudWatch Logs delivers them when there are many: about a megabyte of gzip.
#[must_use]
pub fn megabyte() -> Delivery {
    quiet(4_600)
}

/// The largest one that fits into a Lambda event, which has 6 MB, and into the limit of what may come of inflating.
#[must_use]
pub fn largest() -> Delivery {
    quiet(17_900)
}

fn quiet(lines: usize) -> Delivery {
    let lines: Vec<Line> = Traffic::quiet().take(lines).collect();
    Delivery::of("111122223333", &lines)
}

/// Four times what a delivery may inflate to.
const BOMB_BYTES: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_as_large_as_they_are_meant_to_be() {
        let (megabyte, largest) = (megabyte(), largest());
        assert!((900_000..1_200_000).contains(&megabyte.gzipped), "{}", megabyte.gzipped);
        assert!((5_000_000..6_000_000).contains(&largest.data.len()), "{}", largest.data.len());
        assert!(bombs().iter().all(|(_, data)| data.len() < 6_000_000), "a bomb that no event can hold");
    }
}
