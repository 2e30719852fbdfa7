//! The latest of many times, without reading each of them as a date.

use jiff::Timestamp;

use super::scanner::{Careful, Scan};

/// The latest time of events, as the API server writes it: `2026-11-23T06:49:21.529555Z`. Texts of this form are in the
/// order of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Latest {
    /// An hour that is known to be one: most times are of the same.
    hour: [u8; HOUR.len()],
    latest: Option<[u8; FORM.len()]>,
}

const FORM: &[u8; 27] = b"dddd-dd-ddTdd:Dd:Dd.ddddddZ";
const HOUR: &[u8; 13] = b"dddd-dd-ddTdd";

impl Latest {
    /// Learns of one more time; one of another form has to be read with care.
    pub(super) fn note(&mut self, text: &[u8]) -> Scan<()> {
        let text: &[u8; FORM.len()] = text.try_into().map_err(|_| Careful)?;
        let fits = text.iter().zip(FORM).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            // Tens of minutes and seconds.
            b'D' => (b'0'..=b'5').contains(byte),
            other => byte == other,
        });
        let hour = text.first_chunk::<{ HOUR.len() }>().ok_or(Careful)?;
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
