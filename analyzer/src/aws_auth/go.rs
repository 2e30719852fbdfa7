//! YAML and JSON as Go reads them: `sigs.k8s.io/yaml` makes JSON of the first document, its keys sorted, and `encoding/json` fills
//! a structure with that.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// The first YAML document of a text, which is all that `yaml.Unmarshal` reads, with other breaks of lines as `\n`; and what stands
/// behind it.
///
/// A line that begins with one of the marks ends a document wherever it stands, in a block of text too (YAML 1.1, 4.3.3). Lines
/// break at CR, NEL, LS and PS as well there, and in YAML 1.2, which is what reads the document here, they do not.
pub(super) fn first_document(text: &str) -> (Cow<'_, str>, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut at, mut begun) = (0, false);
    for line in text.split_inclusive(BREAKS) {
        let mark = |mark: &str| {
            line.strip_prefix(mark)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\0']) || rest.starts_with(BREAKS))
        };
        if begun && (mark("---") || mark("...")) {
            break;
        }
        // Blank lines, comments and directives come before a document.
        let words = line.trim_start_matches([' ', '\t']).trim_end_matches(BREAKS);
        begun |= !(mark("...") || words.is_empty() || words.starts_with('#') || line.starts_with('%'));
        at += line.len();
    }
    let (first, rest) = text.split_at(at);
    let first = if first.contains(|it| it != '\n' && BREAKS.contains(&it)) {
        Cow::Owned(first.replace("\r\n", "\n").replace(BREAKS, "\n"))
    } else {
        Cow::Borrowed(first)
    };
    (first, rest)
}

/// What ends a line (YAML 1.1, 4.1.4).
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// The members of an object. They come in the order of their bytes, each that is a field when both names are folded sets the
/// field, and `null` sets a pointer and a list only.
#[derive(Clone, Copy)]
pub(super) struct Members<'v>(pub(super) &'v Map<String, Value>);

impl<'v> Members<'v> {
    /// What sets a field, in order.
    fn setting(self, field: &str) -> Vec<&'v Value> {
        let mut members: Vec<_> = self.0.iter().filter(|(name, _)| is_field(name, field)).collect();
        members.sort_by_key(|(name, _)| name.as_bytes());
        members.into_iter().map(|(_, value)| value).collect()
    }

    /// A field that is a text. What is none leaves what was set before, and counts only where nothing was.
    pub(super) fn text(self, field: &str) -> Option<String> {
        self.setting(field).into_iter().fold(None, set)
    }

    /// A field that is a list of texts. An element that is `null` or no text is what the list before had there.
    pub(super) fn texts(self, field: &str) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for value in self.setting(field) {
            match value {
                Value::Null => texts.clear(),
                Value::Array(list) => {
                    let before = std::mem::take(&mut texts);
                    let known = |place: usize| before.get(place).filter(|text| !text.is_empty()).cloned();
                    texts = list.iter().enumerate().map(|(at, it)| set(known(at), it).unwrap_or_default()).collect();
                }
                _ => {}
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    }

    /// The objects that set a field which points to a structure, since the last `null`.
    pub(super) fn objects(self, field: &str) -> Vec<Members<'v>> {
        let mut objects = Vec::new();
        for value in self.setting(field) {
            match value {
                Value::Null => objects.clear(),
                other => objects.extend(other.as_object().map(Members)),
            }
        }
        objects
    }

    /// Whether all that sets a field is a list of texts.
    pub(super) fn has_texts(self, field: &str) -> bool {
        self.setting(field).into_iter().all(|value| match value {
            Value::Null => true,
            Value::Array(list) => list.iter().all(|it| it.is_null() || text(it).is_some()),
            _ => false,
        })
    }

    /// The fields that are set more than once, or under a name that nobody writes by accident.
    pub(super) fn lookalikes<'f>(self, fields: &'f [&'f str]) -> impl Iterator<Item = &'f str> {
        fields.iter().copied().filter(move |field| {
            let mut names = self.0.keys().filter(|name| is_field(name, field));
            names.clone().count() > 1 || names.any(|name| !name.is_ascii())
        })
    }
}

/// Whether Go takes `name` for a field: letters count as the same when Unicode's simple folding makes them so. Outside ASCII two
/// have a partner in it, the long s and the Kelvin sign.
fn is_field(name: &str, field: &str) -> bool {
    let folded = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(folded).eq(field.chars().map(folded))
}

/// What a text is once a value has set it.
fn set(before: Option<String>, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        other => before.or_else(|| text(other)),
    }
}

/// A text, or what its author may have meant as one.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Members, first_document};

    #[test]
    fn the_first_document_ends_at_a_mark_of_its_own_line() {
        for (text, first, rest) in [
            ("a: 1\n", "a: 1\n", ""),
            ("---\na: 1\n", "---\na: 1\n", ""),
            ("a: 1\n---\nb: 2\n", "a: 1\n", "---\nb: 2\n"),
            ("a: |\n  x\n...\n\u{1}", "a: |\n  x\n", "...\n\u{1}"),
            ("---\n---\na: 1\n", "---\n", "---\na: 1\n"),
            ("a: 1\n--- {b: 2}\n", "a: 1\n", "--- {b: 2}\n"),
            ("a: 1\n...\t# c\n", "a: 1\n", "...\t# c\n"),
            ("a: 1\n---", "a: 1\n", "---"),
            ("# c\n\n---\na: 1\n", "# c\n\n---\na: 1\n", ""),
            ("  # c\n---\na: 1\n", "  # c\n---\na: 1\n", ""),
            ("\u{feff}# c\n---\na: 1\n", "# c\n---\na: 1\n", ""),
            ("%YAML 1.1\n---\na: 1\n", "%YAML 1.1\n---\na: 1\n", ""),
            ("...\na: 1\n", "...\na: 1\n", ""),
            ("a: 1 # c\r---\rx: [\n", "a: 1 # c\n", "---\rx: [\n"),
            ("a: 1\n---\u{2028}x: [\n", "a: 1\n", "---\u{2028}x: [\n"),
            ("a: 1\u{85}b: 2\r\n", "a: 1\nb: 2\n", ""),
            ("a: 1\u{85}b: 2", "a: 1\nb: 2", ""),
            ("a: ---\n  ---\n----\n", "a: ---\n  ---\n----\n", ""),
        ] {
            let (found, behind) = first_document(text);
            assert_eq!((found.as_ref(), behind), (first, rest), "{text:?}");
        }
    }

    #[test]
    fn members_set_a_field_in_the_order_of_their_bytes() {
        let of = |value: &Value, read: fn(Members<'_>) -> Vec<String>| read(Members(value.as_object().unwrap()));
        let groups = |value: Value| of(&value, |members| members.texts("groups"));
        assert_eq!(groups(json!({ "groups": ["b"], "Groups": ["a"] })), ["b"]);
        assert_eq!(groups(json!({ "groups": ["b"], "group\u{17f}": ["c"] })), ["c"]);
        assert_eq!(groups(json!({ "Groups": ["a", "x"], "groups": [null] })), ["a"]);
        assert_eq!(groups(json!({ "Groups": ["a"], "groups": null })), [""; 0]);
        assert_eq!(groups(json!({ "Groups": ["a"], "groups": "b" })), ["a"]);
        assert_eq!(groups(json!({ "Groups": ["a"], "groups": [5, 6] })), ["a", "6"]);
        let name = |value: Value| of(&value, |members| members.text("username").into_iter().collect());
        assert_eq!(name(json!({ "Username": "a", "username": null })), ["a"]);
        assert_eq!(name(json!({ "Username": "a", "username": "b" })), ["b"]);
        assert_eq!(name(json!({ "Username": "a", "username": 5 })), ["a"]);
        assert_eq!(name(json!({ "username": 5 })), ["5"]);
        assert_eq!(name(json!({ "usernames": "a" })), [""; 0]);
        let account = |value: Value| {
            of(&value, |members| members.objects("sso").iter().filter_map(|sso| sso.text("accountID")).collect())
        };
        assert_eq!(account(json!({ "SSO": { "accountID": "1" }, "sso": { "permissionSetName": "x" } })), ["1"]);
        assert_eq!(account(json!({ "SSO": { "accountID": "1" }, "sso": null })), [""; 0]);
    }

    #[test]
    fn a_field_that_is_set_twice_or_under_a_strange_name_is_told() {
        let told = |value: Value| Members(value.as_object().unwrap()).lookalikes(&["groups", "sso"]).count();
        assert_eq!(told(json!({ "Groups": [], "username": "x" })), 0);
        assert_eq!(told(json!({ "Groups": [], "groups": [] })), 1);
        assert_eq!(told(json!({ "group\u{17f}": [], "\u{17f}so": {} })), 2);
    }
}
