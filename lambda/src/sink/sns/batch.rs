//! How many messages go into one request.

/// How many of the first messages, given their sizes in bytes, make one `PublishBatch` request; at least one, so
/// that sending always gets on. `alone` asks for one.
pub(super) fn size(bytes: impl Iterator<Item = usize>, alone: bool) -> usize {
    let mut total = 0_usize;
    let fitting = bytes.take(if alone { 1 } else { ENTRIES_MAX }).take_while(|bytes| {
        total = total.saturating_add(*bytes);
        total <= BATCH_BYTES_MAX
    });
    fitting.count().max(1)
}

/// SNS API reference, `PublishBatch`: up to ten messages.
const ENTRIES_MAX: usize = 10;
/// SNS API reference, `PublishBatch`: all messages together are at most 262,144 bytes.
const BATCH_BYTES_MAX: usize = 262_144;

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_request_holds_ten_messages_and_as_many_bytes_as_sns_takes() {
        let rows: &[(&[usize], usize)] =
            &[(&[5; 3], 3), (&[5; 11], 10), (&[131_072, 131_072, 1], 2), (&[131_072, 131_073], 1), (&[300_000, 1], 1)];
        for (bytes, expected) in rows {
            assert_eq!(size(bytes.iter().copied(), false), *expected);
        }
        assert_eq!(size([1, 1].into_iter(), true), 1);
    }
}
