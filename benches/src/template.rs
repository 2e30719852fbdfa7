//! A line of a log with places to fill in. `<name>` is a place: Go writes `<` as `\u003c`, so no recorded line has one.

/// A template, cut at its places.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Place(&'static str),
}

impl Template {
    /// Reads a template. Its lines are broken for people to read; the log has none of the breaks.
    pub(crate) fn new(text: &'static str) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        for line in text.lines() {
            let mut rest = line;
            while let Some((before, place)) = rest.split_once('<') {
                let (place, after) = place.split_once('>').expect("a place ends in `>`");
                plain.push_str(before);
                parts.extend([Part::Text(std::mem::take(&mut plain)), Part::Place(place)]);
                rest = after;
            }
            plain.push_str(rest);
        }
        parts.push(Part::Text(plain));
        Self { parts }
    }

    /// Writes the text, asking `fill` for what stands at each place.
    pub(crate) fn write(&self, out: &mut String, fill: &mut impl FnMut(&str, &mut String)) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Place(name) => fill(name, out),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn places_are_filled_and_line_breaks_left_out() {
        let template = Template::new("{\"a\":{<a>},\n\"b\":<b>}\n");
        let mut out = String::new();
        template.write(&mut out, &mut |name, out| out.push_str(&name.to_uppercase()));
        assert_eq!(out, r#"{"a":{A},"b":B}"#);
    }
}
