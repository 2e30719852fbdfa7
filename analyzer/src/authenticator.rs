//! Lines of the authenticator stream: what the IAM authenticator of EKS says about logins and about `aws-auth`.
//!
//! logrus text, `time="..." level=info msg="..." key=value`; the same as JSON where the log format was changed.

use jiff::Timestamp;

use crate::json::{Kind, Reader};
use crate::klog::unquote;

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthenticatorLine {
    /// When it was written, to the second.
    pub time: Option<Timestamp>,
    /// `msg`
    pub message: String,
    /// The other fields in their order.
    pub fields: Vec<(String, String)>,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginEvent<'a> {
    /// An IAM principal was let in.
    Granted {
        /// Its canonical ARN.
        arn: &'a str,
        /// The groups it was given, as Go prints a list: `[a b]`.
        groups: &'a str,
    },
    /// A login was refused.
    Denied {
        /// The canonical ARN; empty when the token did not prove one.
        arn: &'a str,
        /// Why.
        error: &'a str,
    },
    /// `aws-auth` was created, changed or read again.
    Reloaded,
    /// `aws-auth` was deleted: every mapping in it is gone.
    Emptied,
    /// `aws-auth` could not be read, in whole or in part.
    Unreadable,
    /// Changes of `aws-auth` are not seen any more.
    WatchLost,
    /// A token was exchanged for an identity; `Granted` or `Denied` follows.
    Identified,
    /// Anything else.
    Other,
}

impl AuthenticatorLine {
    /// Reads one line; `None` for the few that are free text.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        let fields = if line.trim_start().starts_with('{') { json(line)? } else { logrus(line) };
        let mut out = Self::default();
        for (key, value) in fields {
            match key.as_str() {
                "time" => out.time = value.parse().ok(),
                "msg" => out.message = value,
                "level" => {}
                _ => out.fields.push((key, value)),
            }
        }
        (!out.message.is_empty()).then_some(out)
    }

    /// The value of a field; empty when it is not there.
    #[must_use]
    pub fn field(&self, key: &str) -> &str {
        self.fields.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    /// What it says. Texts of aws-iam-authenticator, `pkg/server` and `pkg/mapper/configmap`.
    #[must_use]
    pub fn event(&self) -> LoginEvent<'_> {
        let starts = |texts: &[&str]| texts.iter().any(|text| self.message.starts_with(text));
        match self.message.as_str() {
            "access granted" => LoginEvent::Granted { arn: self.field("arn"), groups: self.field("groups") },
            "access denied" => LoginEvent::Denied { arn: self.field("arn"), error: self.field("error") },
            "STS response" => LoginEvent::Identified,
            "Received aws-auth watch event" => LoginEvent::Reloaded,
            "Resetting configmap on delete" => LoginEvent::Emptied,
            _ if starts(&UNREADABLE) => LoginEvent::Unreadable,
            _ if starts(&["Unable to re-establish watch"]) => LoginEvent::WatchLost,
            _ => LoginEvent::Other,
        }
    }
}

/// How the three lines begin that follow an `aws-auth` which cannot be read.
const UNREADABLE: [&str; 3] =
    ["Errors parsing configmap", "There was an error parsing the config maps", "error parsing config map"];

/// `key=value key="quoted value"`. Ends at the first thing of another form.
fn logrus(line: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = line.trim();
    while out.len() < FIELDS_MAX {
        let Some((key, after)) = rest.split_once('=') else {
            break;
        };
        if key.is_empty() || key.contains([' ', '"']) {
            break;
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => match unquote(quoted) {
                Some(read) => read,
                // The line was cut inside the value: what is there still counts.
                None => (quoted.to_owned(), ""),
            },
            None => after.split_once(' ').map_or((after.to_owned(), ""), |(value, rest)| (value.to_owned(), rest)),
        };
        out.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    out
}

fn json(line: &str) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    Reader::new(line.as_bytes())
        .object(|key, reader| {
            if reader.peek()? == Kind::String && out.len() < FIELDS_MAX {
                out.push((key.into_owned(), reader.string()?.into_owned()));
                return Ok(());
            }
            reader.skip()
        })
        .ok()?;
    Some(out)
}

/// Most fields read from one line; the authenticator writes about a dozen.
const FIELDS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{AuthenticatorLine, FIELDS_MAX, LoginEvent};

    const GRANTED: &str = r#"time="2026-11-23T06:51:21Z" level=info msg="access granted" arn="arn:aws:iam::444455556666:role/ContractorRole" client="127.0.0.1:43412" groups="[system:masters]" method=POST path=/authenticate uid="aws-iam-authenticator:444455556666:AROAJD6FCPAHIOTSGJEWH" username=contractor"#;

    #[test]
    fn text_and_json_read_alike() {
        let json = r#"{"time":"2026-11-23T06:51:21Z","level":"info","msg":"access granted","arn":"arn:aws:iam::444455556666:role/ContractorRole","groups":"[system:masters]","n":3,"username":"contractor"}"#;
        for line in [GRANTED, json] {
            let read = AuthenticatorLine::read(line).unwrap();
            assert_eq!(read.time, Some("2026-11-23T06:51:21Z".parse().unwrap()));
            let arn = "arn:aws:iam::444455556666:role/ContractorRole";
            assert_eq!(read.event(), LoginEvent::Granted { arn, groups: "[system:masters]" });
            assert_eq!(read.field("username"), "contractor");
        }
    }

    #[test]
    fn lines_of_other_forms_are_told() {
        let event = |msg: &str| AuthenticatorLine::read(&format!("time=\"x\" level=info msg=\"{msg}\"")).unwrap();
        for (message, expected) in [
            ("Received aws-auth watch event", LoginEvent::Reloaded),
            ("Resetting configmap on delete", LoginEvent::Emptied),
            ("Errors parsing configmap: [x]", LoginEvent::Unreadable),
            ("There was an error parsing the config maps.  Only saving", LoginEvent::Unreadable),
            ("Unable to re-establish watch: x", LoginEvent::WatchLost),
            ("Watch channel closed. Reconnecting...", LoginEvent::Other),
            ("STS response", LoginEvent::Identified),
        ] {
            assert_eq!(event(message).event(), expected, "{message}");
        }
        assert_eq!(AuthenticatorLine::read(r#"Authenticator Version: "v0.7", "x""#), None);
        assert_eq!(AuthenticatorLine::read("{\"msg\":"), None);
        let cut = AuthenticatorLine::read(r#"level=error msg="Errors parsing configmap: [whil"#).unwrap();
        assert_eq!(cut.event(), LoginEvent::Unreadable);
    }

    #[test]
    fn fields_at_their_limit_are_read_and_one_past_it_is_not() {
        for count in [FIELDS_MAX, FIELDS_MAX + 1] {
            let fields: Vec<String> = (0..count).map(|number| format!("f{number}=x")).collect();
            let json: Vec<String> = (0..count).map(|number| format!("\"f{number}\":\"x\"")).collect();
            for read in [super::logrus(&fields.join(" ")), super::json(&format!("{{{}}}", json.join(","))).unwrap()] {
                assert_eq!(read.len(), FIELDS_MAX, "of {count}");
                assert_eq!(read.last().unwrap().0, format!("f{}", FIELDS_MAX - 1), "the first ones are kept");
            }
        }
    }
}
