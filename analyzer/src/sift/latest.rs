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
        // Two halves that overlap, so that each is compared as a whole.
        let fits = within(text.first_chunk(), LEAST.first_chunk(), GREATEST.first_chunk())
            && within(text.last_chunk(), LEAST.last_chunk(), GREATEST.last_chunk());
        let hour = text.first_chunk::<HOUR>().ok_or(Careful)?;
        if !fits || (*hour != self.hour && timestamp(text).is_none()) {
            return Err(Careful);
        }
        self.hour = *hour;
        self.latest = self.latest.max(Some(*text));
        Ok(())
    }

    /// Hands the latest time out and forgets it.
    pub(super) fn take(&mut self) -> Option<Timestamp> {
        self.latest.take().and_then(|text| timestamp(&text))
    }
}

fn within(text: Option<&[u8; 16]>, least: Option<&[u8; 16]>, greatest: Option<&[u8; 16]>) -> bool {
    let (Some(text), Some(least), Some(greatest)) = (text, least, greatest) else {
        return false;
    };
    // Counted, for that has no way out in the middle.
    let bounds = least.iter().zip(greatest);
    text.iter().zip(bounds).filter(|(byte, (least, greatest))| byte < least || greatest < byte).count() == 0
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
