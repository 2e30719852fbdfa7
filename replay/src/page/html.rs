//! HTML that log text cannot break out of: markup is written in the source, everything else is escaped.

use rolewatch_analyzer::text::printable;

/// A piece of a page.
#[derive(Debug, Default, Clone)]
pub(super) struct Html(String);

impl Html {
    /// Markup. It can only come from the source: a text of a log does not live that long.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, also inside a quoted attribute: made printable, then escaped.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for character in printable(text, TEXT_CHARS_MAX).chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// A number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.text(&number.to_string())
    }

    /// An element around text.
    pub(super) fn element(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// Another piece.
    pub(super) fn piece(&mut self, piece: &Self) -> &mut Self {
        self.0.push_str(&piece.0);
        self
    }

    /// The page as it is written out.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Longest text in one place: four lines of a wide screen would do; the longest evidence is a query of some hundred.
const TEXT_CHARS_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::Html;

    #[test]
    fn text_cannot_leave_its_place() {
        let mut html = Html::default();
        html.element("<b title=\"", "\"><script>alert('1')</script>&\u{202e}\n\0", "\">");
        let text = String::from_utf8(html.as_bytes().to_vec()).unwrap();
        assert_eq!(
            text,
            "<b title=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\\u{202e}\\u{a}\\u{0}\">"
        );
    }
}
