//! Whom a certificate request wants the certificate for: the subject of a PKCS#10 request.
//!
//! Only the path to the subject is read (RFC 2986 section 4.1, RFC 5280 section 4.1.2.4), in strict DER: definite lengths,
//! no recursion, a limit on every count. What Go's `crypto/x509` would read from the same bytes is read here too, since
//! that is what Kubernetes makes the identity from: every attribute of every set, and its kinds of string.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The identity that a certificate would carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Common names: the username. Of several, Kubernetes takes the last.
    pub common_names: Vec<String>,
    /// Organizations: the groups.
    pub organizations: Vec<String>,
}

/// The subject of every request in `text`: PEM, as Kubernetes takes it, or bare DER. `None` when there is none to read.
#[must_use]
pub fn subject(text: &[u8]) -> Option<Subject> {
    if text.first() == Some(&SEQUENCE) {
        return of_der(text);
    }
    let text = std::str::from_utf8(text).ok()?;
    // Of blocks in a row Kubernetes takes the first that it can read. Which one that is need not be guessed: all count.
    let mut found: Option<Subject> = None;
    for block in text.split(BEGIN).skip(1).take(BLOCKS_MAX) {
        let body: String = block.lines().skip(1).take_while(|line| !line.starts_with("-----")).collect();
        let body: String = body.split_ascii_whitespace().collect();
        if let Some(one) = STANDARD.decode(body).ok().as_deref().and_then(of_der) {
            let all = found.get_or_insert_default();
            all.common_names.extend(one.common_names);
            all.organizations.extend(one.organizations);
        }
    }
    found
}

fn of_der(der: &[u8]) -> Option<Subject> {
    let mut whole = Der(der);
    let mut request = Der(whole.next(SEQUENCE)?);
    let mut info = Der(request.next(SEQUENCE)?);
    info.next(INTEGER)?;
    let mut name = Der(info.next(SEQUENCE)?);
    let mut subject = Subject::default();
    for _ in 0..ATTRIBUTES_MAX {
        if name.0.is_empty() {
            return Some(subject);
        }
        let mut set = Der(name.next(SET)?);
        for _ in 0..ATTRIBUTES_MAX {
            if set.0.is_empty() {
                break;
            }
            let mut attribute = Der(set.next(SEQUENCE)?);
            let kind = attribute.next(OBJECT_IDENTIFIER)?;
            let (tag, value) = attribute.any()?;
            let list = match kind {
                COMMON_NAME => &mut subject.common_names,
                ORGANIZATION => &mut subject.organizations,
                _ => continue,
            };
            list.extend(string(tag, value));
        }
        if !set.0.is_empty() {
            return None;
        }
    }
    name.0.is_empty().then_some(subject)
}

/// The kinds of string that Go reads from a name; another kind is no name there, and none here.
fn string(tag: u8, bytes: &[u8]) -> Option<String> {
    match tag {
        // UTF8String, NumericString, PrintableString, IA5String
        0x0c | 0x12 | 0x13 | 0x16 => Some(String::from_utf8_lossy(bytes).into_owned()),
        // T61String, read as Latin-1
        0x14 => Some(bytes.iter().copied().map(char::from).collect()),
        // BMPString
        0x1e => {
            let (pairs, _) = bytes.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            Some(String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned())
        }
        _ => None,
    }
}

/// What is left of a run of DER values.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The content of the next value, which must have this tag.
    fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content) = self.any()?;
        (found == tag).then_some(content)
    }

    /// Tag and content of the next value. Tags of several bytes and lengths without end are refused, as in DER.
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let count = usize::from(first & 0x7f);
            if !(1..=LENGTH_BYTES_MAX).contains(&count) {
                return None;
            }
            let (bytes, rest) = rest.split_at_checked(count)?;
            (bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte)), rest)
        };
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }
}

const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----";
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.4.10
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];
/// Three bytes of length are 16 MiB, more than a request of the API server may hold.
const LENGTH_BYTES_MAX: usize = 3;
/// Attributes of one name, and of one set in it. Real ones have fewer than ten; with more the name counts as unread.
const ATTRIBUTES_MAX: usize = 1_000;
/// PEM blocks of one request. Kubernetes takes one.
const BLOCKS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{ATTRIBUTES_MAX, BEGIN, BLOCKS_MAX, LENGTH_BYTES_MAX, subject};

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag];
        match content.len() {
            length @ 0..0x80 => out.push(u8::try_from(length).unwrap()),
            length @ 0x80..0x1_0000 => out.extend([0x82].into_iter().chain(length.to_be_bytes().into_iter().skip(6))),
            length => out.extend([0x83].into_iter().chain(length.to_be_bytes().into_iter().skip(5))),
        }
        out.extend(content);
        out
    }

    fn attribute(kind: u8, tag: u8, value: &[u8]) -> Vec<u8> {
        tlv(0x30, &[tlv(0x06, &[0x55, 0x04, kind]), tlv(tag, value)].concat())
    }

    fn request(sets: &[Vec<Vec<u8>>]) -> Vec<u8> {
        let name: Vec<u8> = sets.iter().flat_map(|set| tlv(0x31, &set.concat())).collect();
        let info = tlv(0x30, &[tlv(0x02, &[0]), tlv(0x30, &name), tlv(0x30, &[]), tlv(0xa0, &[])].concat());
        tlv(0x30, &[info, tlv(0x30, &[]), tlv(0x03, &[0])].concat())
    }

    fn pem(der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("{BEGIN}\n{}\n-----END CERTIFICATE REQUEST-----\n", lines.join("\n"))
    }

    #[test]
    fn every_attribute_of_every_set_is_read() {
        let der = request(&[
            vec![attribute(6, 0x13, b"DE")],
            vec![attribute(10, 0x0c, b"system:masters"), attribute(10, 0x13, b"dev")],
            vec![attribute(3, 0x0c, b"first")],
            vec![attribute(3, 0x16, b"last"), attribute(3, 0x1c, b"not a name to Go")],
            vec![attribute(3, 0x1e, b"\0B\0M\0P"), attribute(3, 0x14, b"T\xe9")],
        ]);
        for text in [der.clone(), pem(&der).into_bytes()] {
            let found = subject(&text).unwrap();
            assert_eq!(found.common_names, ["first", "last", "BMP", "T\u{e9}"]);
            assert_eq!(found.organizations, ["system:masters", "dev"]);
        }
    }

    #[test]
    fn a_decoy_before_the_request_hides_nothing() {
        let real = pem(&request(&[vec![attribute(10, 0x0c, b"system:masters")]]));
        let decoy = pem(&request(&[vec![attribute(3, 0x0c, b"harmless")]]));
        let broken = format!("{BEGIN}\n!!!\n-----END CERTIFICATE REQUEST-----\n");
        for text in [format!("{broken}{real}"), format!("{decoy}{real}"), format!("words\n{real}{decoy}")] {
            assert_eq!(subject(text.as_bytes()).unwrap().organizations, ["system:masters"], "{text}");
        }
    }

    #[test]
    fn names_at_their_limits_are_read_and_past_them_count_as_unread() {
        let one = || attribute(10, 0x0c, b"dev");
        for (count, is_read) in [(ATTRIBUTES_MAX, true), (ATTRIBUTES_MAX + 1, false)] {
            let organizations = |sets: &[Vec<Vec<u8>>]| subject(&request(sets)).map(|found| found.organizations.len());
            assert_eq!(organizations(&vec![vec![one()]; count]), is_read.then_some(count), "{count} sets");
            assert_eq!(organizations(&[vec![one(); count]]), is_read.then_some(count), "{count} in one set");
        }
        let block = pem(&request(&[vec![one()]]));
        for count in [BLOCKS_MAX, BLOCKS_MAX + 1] {
            assert_eq!(subject(block.repeat(count).as_bytes()).unwrap().organizations.len(), BLOCKS_MAX);
        }
        // A length of three bytes, and the same length in four.
        let name = tlv(0x30, &tlv(0x31, &one()));
        let fields = [tlv(0x02, &[0]), name, tlv(0x30, &[]), tlv(0xa0, &vec![0; 0x1_0000])].concat();
        for (bytes, is_read) in [(LENGTH_BYTES_MAX, true), (LENGTH_BYTES_MAX + 1, false)] {
            let length = fields.len().to_be_bytes();
            let head = [0x30, 0x80 | u8::try_from(bytes).unwrap()];
            let info = [&head[..], &length[length.len() - bytes..], &fields].concat();
            assert_eq!(subject(&tlv(0x30, &info)).is_some(), is_read, "a length of {bytes} bytes");
        }
    }

    #[test]
    fn what_is_no_request_has_no_subject() {
        let der = request(&[vec![attribute(3, 0x0c, b"x")]]);
        for end in 0..27 {
            assert_eq!(subject(&der[..end]), None, "cut at {end}");
        }
        for text in ["", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----", BEGIN, "\u{30}\u{1f}"] {
            assert_eq!(subject(text.as_bytes()), None, "{text}");
        }
        assert_eq!(subject(&[0x30, 0x80, 0x00, 0x00]), None, "a length without end");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), sequence: bool) {
            if sequence && let Some(first) = bytes.first_mut() {
                *first = 0x30;
            }
            let _ = subject(&bytes);
            let _ = subject(pem(&bytes).as_bytes());
        }
    }
}
