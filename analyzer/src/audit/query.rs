//! The query of a request, as the API server reads it.

use crate::text;

/// The values of a parameter of `uri`, decoded.
///
/// The server uses Go's `url.ParseQuery` and ignores its errors: a pair that holds a semicolon or a bad escape is not there, and
/// nothing is where the pairs are too many.
pub(super) fn values<'u>(uri: &'u str, parameter: &'u str) -> impl Iterator<Item = String> + 'u {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let pairs = if query.matches('&').count() < PARAMETERS_MAX { query } else { "" };
    pairs.split('&').filter(|pair| !pair.contains(';')).filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key)? == parameter).then(|| decoded(value))?
    })
}

/// Whether a parameter of `uri` may have been said: for what raises suspicion, so whatever the server may read counts.
pub(super) fn mentions(uri: &str, parameter: &str) -> bool {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    query.split('&').any(|pair| text::percent_decoded(pair.split('=').next().unwrap_or_default()) == parameter)
}

/// Decodes `%XX` and `+` as `application/x-www-form-urlencoded` does (RFC 1866 section 8.2.1); `None` where an escape is none.
fn decoded(text: &str) -> Option<String> {
    let mut escapes = text.split('%').skip(1);
    let whole = |escape: &str| escape.len() >= 2 && escape.bytes().take(2).all(|digit| digit.is_ascii_hexdigit());
    escapes.all(whole).then(|| text::percent_decoded(&text.replace('+', " ")))
}

/// Most pairs of a query that is believed, one below the 10,000 that Go's `net/url` takes at most since CVE-2025-61726. Only what makes a
/// request more harmless is asked of it, so what a server before that read in a longer one is told too much rather than too little.
pub(crate) const PARAMETERS_MAX: usize = 9_999;

#[cfg(test)]
mod tests {
    use super::{PARAMETERS_MAX, decoded, mentions, values};

    #[test]
    fn query_values_are_decoded_as_the_server_does() {
        for (text, plain) in [("a%42c", Some("aBc")), ("a+b", Some("a b")), ("%25", Some("%")), ("", Some(""))] {
            assert_eq!(decoded(text).as_deref(), plain);
        }
        for text in ["%", "%4", "%zz", "a%4", "%41%"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_server_drops_is_not_there() {
        let of = |uri: &str| values(uri, "a").collect::<Vec<_>>();
        assert_eq!(of("/x?a=1&b=2&a=3"), ["1", "3"]);
        assert_eq!(of("/x?%61=1&a=2;&a=%zz&a%=3&;&a"), ["1", ""]);
        assert_eq!(of("/x"), [""; 0]);
        for (uri, said) in
            [("/x?%61=1", true), ("/x?b&a;=1", false), ("/x?b&a=;", true), ("/x?b=a", false), ("/x", false)]
        {
            assert_eq!(mentions(uri, "a"), said, "{uri}");
        }
        assert!(mentions(&format!("/x?{}a", "&".repeat(PARAMETERS_MAX)), "a"));
    }
}
