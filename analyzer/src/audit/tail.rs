//! What the API server writes of an event behind its bodies, found from the event's end.
//!
//! Bodies are bulky and may be shaped by a client; what stands behind them is short and the server's own:
//! `requestReceivedTimestamp`, `stageTimestamp` and most often `annotations`. No string can hold the bytes that are looked
//! for, as its quotes would have a backslash of their own. An object inside a body can, but it cannot be followed by just
//! these members, one closing brace and the end.

/// Where the comma before the first of these members stands, if it is there, in a text that ends where the event ends. With
/// `ESCAPED` the event is a string of another document, and its quotes are written `\"`.
///
/// What follows has to be read to the end of the text before it is believed.
pub(crate) fn start<const ESCAPED: bool>(text: &[u8]) -> Option<usize> {
    let (before, behind): (&[u8], &[u8]) = if ESCAPED {
        (br#",\"request"#, br#"ReceivedTimestamp\":\""#)
    } else {
        (br#","request"#, br#"ReceivedTimestamp":""#)
    };
    // Few of these capitals stand behind it.
    memchr::memrchr_iter(b'R', text).find_map(|at| {
        let comma = at.checked_sub(before.len())?;
        let found = text.get(comma..at)? == before && text.get(at..)?.starts_with(behind);
        found.then_some(comma)
    })
}

/// Whether a member may stand there.
pub(super) fn has(key: &str) -> bool {
    matches!(key, "requestReceivedTimestamp" | "stageTimestamp" | "annotations")
}

#[cfg(test)]
mod tests {
    use super::start;

    #[test]
    fn the_last_one_is_found_in_both_quotings() {
        let text = r#"{"a":{"b":1,"requestReceivedTimestamp":"x"},"c":"Read ,\"requestReceivedTimestamp\":\"","requestReceivedTimestamp":"y","d":"R"}"#;
        let at = text.rfind(r#","requestReceivedTimestamp":"y"#).unwrap();
        assert_eq!(start::<false>(text.as_bytes()), Some(at));
        let escaped = serde_json::to_string(text).unwrap();
        let at = escaped.rfind(r#",\"requestReceivedTimestamp\":\"y"#).unwrap();
        assert_eq!(start::<true>(escaped.as_bytes()), Some(at));
        for text in ["", "R", r#"{"requestReceivedTimestamp":"x"}"#, r#","requestReceivedTimestamp":7"#] {
            assert_eq!(start::<false>(text.as_bytes()), None, "{text}");
        }
    }
}
