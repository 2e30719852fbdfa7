//! The latest of many times, without reading each of them as a date.

use jiff::Timestamp;

use super::scanner::{Careful, Scan};

/// The latest time of events, as the API server writes it: `2026-11-23T06:49:21.529555Z`. Texts of this form are in the
/// order of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Latest {
    /// An hour that is known to be one: most times are of the same.
    hour: [u8; HOUR],
    latest: Option<[u8; LEAST.len()]>,
}

/// The least and the greatest of what may stand at each place, but for the bounds of the calendar.
const LEAST: &[u8; 27] = b"0000-00-00T00:00:00.000000Z";
const GREATEST: &[u8; 27] = b"9999-99-99T99:59:59.999999Z";
/// How far the hour goes.
const HOUR: usize = 13;

impl Latest {
    /// Learns of one more time; one of another form has to be read with care.
    pub(super) fn note(&mut self, text: &[u8]) -> Scan<()> {
        let text: &[u8; LEAST.len()] = text.try_into().map_err(|_| Careful)?;
        let numbers = |text| words(text).map(u64::from_le_bytes);
        let bounds = numbers(LEAST).into_iter().zip(numbers(GREATEST));
        let fits =
            numbers(text).into_iter().zip(bounds).all(|(word, (least, greatest))| is_within(word, least, greatest));
        let hour = text.first_chunk::<HOUR>().ok_or(Careful)?;
        if !fits || (*hour != self.hour && timestamp(text).is_none()) {
            return Err(Careful);
        }
        self.hour = *hour;
        // Lines come in the order of their times, or nearly.
        if self.latest.is_none_or(|latest| words(&latest) < words(text)) {
            self.latest = Some(*text);
        }
        Ok(())
    }

    /// Hands the latest time out and forgets it.
    pub(super) fn take(&mut self) -> Option<Timestamp> {
        self.latest.take().and_then(|text| timestamp(&text))
    }
}

/// The bytes, eight at a time; the last eight overlap those before.
fn words(bytes: &[u8; LEAST.len()]) -> [[u8; 8]; 4] {
    std::array::from_fn(|number| {
        let at = (8 * number).min(LEAST.len() - 8);
        bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
    })
}

/// Whether each of eight bytes is ASCII and within its bounds. With the highest bit set, no byte borrows from the next one.
const fn is_within(word: u64, least: u64, greatest: u64) -> bool {
    const HIGH: u64 = (u64::MAX / 255) << 7;
    word & HIGH == 0 && ((word | HIGH) - least) & ((greatest | HIGH) - word) & HIGH == HIGH
}

fn timestamp(text: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Latest;

    #[test]
    fn the_latest_is_found_and_strange_times_are_left_to_others() {
        let mut latest = Latest::default();
        for text in ["2026-11-23T06:49:21.529555Z", "2026-11-23T07:00:00.000000Z", "2026-11-23T06:59:59.999999Z"] {
            latest.note(text.as_bytes()).unwrap();
        }
        for text in [
            "",
            "2026-11-23T06:49:21Z",
            "2026-11-23T06:49:60.000000Z",
            "2026-11-23T06:61:21.529555Z",
            "2026-02-30T06:49:21.529555Z",
            "2026-11-23T24:00:00.000000Z",
            "2026-11-23t06:49:21.529555Z",
            "2026-11-23T06:49:21.52955+Z",
            "2026-11-23T06:49:21.529555+01:00",
        ] {
            assert!(latest.note(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(latest.take().unwrap().to_string(), "2026-11-23T07:00:00Z");
        assert_eq!(latest.take(), None);
    }
}
