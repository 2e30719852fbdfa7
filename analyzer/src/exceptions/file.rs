//! Reading a file of exceptions: every mistake is told with its line and column.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::matcher::{Matcher, Pattern};
use super::{Exception, NEVER_HIDDEN};
use crate::detections;
use crate::severity::Severity;
use crate::text;

/// Why a file of exceptions cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} of the exceptions: {what}")]
pub struct ExceptionsError {
    /// Counted from 1; 0 when it is about the whole file.
    pub line: u64,
    /// Counted from 1; 0 when it is about the whole file.
    pub column: u64,
    /// What is wrong, and after a semicolon what to do.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exceptions: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: Spanned<String>,
    reason: Spanned<String>,
    owner: Spanned<String>,
    expires: Spanned<String>,
    detections: Option<Vec<Spanned<String>>>,
    cluster: Option<Spanned<String>>,
    actor: Option<Spanned<String>>,
    verbs: Option<Vec<Spanned<String>>>,
    namespace: Option<Spanned<String>>,
    object: Option<Spanned<String>>,
    max_severity: Option<Spanned<String>>,
}

/// Reads the exceptions of a file, in its order.
pub(super) fn read(text: &str) -> Result<Vec<Exception>, ExceptionsError> {
    let whole = |what: String| ExceptionsError { line: 0, column: 0, what };
    if text.len() > FILE_BYTES_MAX {
        return Err(whole(format!("the file is larger than {FILE_BYTES_MAX} bytes; use fewer and wider exceptions")));
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
        // A file has four levels. A deeper one is refused before the depth counts, for no field holds it.
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: 8 },
    };
    if let Some(line) = bare_list(text) {
        let what = "the file begins with a list; begin it with `exceptions:`".to_owned();
        return Err(ExceptionsError { line, column: 1, what });
    }
    let file: File = serde_saphyr::from_str_with_options(text, options).map_err(|error| unreadable(&error))?;
    if file.exceptions.len() > EXCEPTIONS_MAX {
        return Err(whole(format!("there are more than {EXCEPTIONS_MAX} exceptions; use fewer and wider ones")));
    }
    let mut all: Vec<Exception> = Vec::with_capacity(file.exceptions.len());
    for entry in file.exceptions {
        let place = entry.id.defined;
        let exception = entry.checked()?;
        if all.iter().any(|other| other.id == exception.id) {
            return Err(at(place, format!("the id `{}` is there twice; give each its own", exception.id)));
        }
        all.push(exception);
    }
    Ok(all)
}

/// The line at which a list begins that should have a name.
fn bare_list(text: &str) -> Option<u64> {
    let is_empty = |line: &str| line.is_empty() || line.starts_with('#') || line == "---";
    let (line, number) = text.lines().zip(1..).find(|(line, _)| !is_empty(line.trim()))?;
    (line == "-" || line.starts_with("- ") || line.starts_with('[')).then_some(number)
}

impl Entry {
    fn checked(self) -> Result<Exception, ExceptionsError> {
        let place = self.id.defined;
        let id = word(&self.id, "id")?;
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
            return Err(at(
                place,
                "`id` may hold letters, digits, `-`, `_` and `.` only; choose a plain word".to_owned(),
            ));
        }
        let matcher = Matcher {
            detections: self.detections.map(|ids| ids.iter().map(detection).collect()).transpose()?,
            cluster: pattern(self.cluster.as_ref(), "cluster")?,
            actor: pattern(self.actor.as_ref(), "actor")?,
            verbs: self.verbs.map(|verbs| verbs.iter().map(|verb| word(verb, "verbs")).collect()).transpose()?,
            namespace: pattern(self.namespace.as_ref(), "namespace")?,
            object: pattern(self.object.as_ref(), "object")?,
        };
        let narrows = Matcher { cluster: None, ..matcher.clone() } != Matcher::default();
        if !narrows {
            let remedy = "add `detections`, `actor`, `verbs`, `namespace` or `object`";
            return Err(at(place, format!("the exception `{id}` would cover everything; {remedy}")));
        }
        Ok(Exception {
            reason: word(&self.reason, "reason")?,
            owner: word(&self.owner, "owner")?,
            expires: moment(&self.expires)?,
            max_severity: self.max_severity.as_ref().map_or(Ok(Severity::Medium), severity)?,
            id,
            matcher,
        })
    }
}

fn detection(id: &Spanned<String>) -> Result<&'static str, ExceptionsError> {
    let shown = text::name(&id.value);
    if NEVER_HIDDEN.contains(&id.value.as_str()) {
        return Err(at(id.defined, format!("no exception hides `{shown}`; remove it")));
    }
    detections::by_id(&id.value)
        .map(|detection| detection.id)
        .ok_or_else(|| at(id.defined, format!("`{shown}` is no detection; see `rolewatch detections`")))
}

fn pattern(text: Option<&Spanned<String>>, field: &str) -> Result<Option<Pattern>, ExceptionsError> {
    let Some(text) = text else { return Ok(None) };
    let remedy = "write it out, or end it with one `*`";
    Pattern::parse(&text.value)
        .filter(|_| text.value.len() <= TEXT_BYTES_MAX)
        .map(Some)
        .ok_or_else(|| at(text.defined, format!("`{field}` cannot be used; {remedy}")))
}

fn word(text: &Spanned<String>, field: &str) -> Result<String, ExceptionsError> {
    let trimmed = text.value.trim();
    if trimmed.is_empty() || trimmed.len() > TEXT_BYTES_MAX {
        let what = format!("`{field}` is empty or longer than {TEXT_BYTES_MAX} bytes; write a short text");
        return Err(at(text.defined, what));
    }
    Ok(trimmed.to_owned())
}

/// A date, which includes its whole day in UTC, or a point in time.
fn moment(text: &Spanned<String>) -> Result<Timestamp, ExceptionsError> {
    let written = text.value.trim();
    let day = || {
        let next = written.parse::<Date>().ok()?.tomorrow().ok()?;
        next.to_zoned(TimeZone::UTC).ok().map(|start| start.timestamp())
    };
    let read = if written.len() == "2027-01-31".len() { day() } else { written.parse().ok() };
    let remedy = "write a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z";
    read.ok_or_else(|| at(text.defined, format!("`expires` cannot be read; {remedy}")))
}

fn severity(word: &Spanned<String>) -> Result<Severity, ExceptionsError> {
    let known = Severity::ALL.map(Severity::as_str).join(", ");
    Severity::parse(word.value.trim())
        .ok_or_else(|| at(word.defined, format!("`max_severity` cannot be read; use one of {known}")))
}

fn at(place: serde_saphyr::Location, what: String) -> ExceptionsError {
    ExceptionsError { line: place.line(), column: place.column(), what }
}

fn unreadable(error: &serde_saphyr::Error) -> ExceptionsError {
    use serde_saphyr::Error::{Budget, Unexpected};
    let what = match error.without_snippet() {
        Budget { .. } => "anchors and aliases are not read; write it out".to_owned(),
        Unexpected { expected: "sequence start", .. } => "a list belongs here; write it like `[get, list]`".to_owned(),
        Unexpected { expected: "mapping start", .. } => "fields belong here; write them like `id: argocd`".to_owned(),
        other => {
            let what = text::printable(&other.to_string(), ERROR_CHARS_MAX);
            // The place is told in our own words.
            format!("{}; see docs/exceptions.md", what.split(" at line ").next().unwrap_or_default())
        }
    };
    let place = error.location();
    ExceptionsError {
        line: place.map_or(0, |place| place.line()),
        column: place.map_or(0, |place| place.column()),
        what,
    }
}

/// Largest file: an object in S3 may have any size, an SSM parameter 8 KiB.
pub(super) const FILE_BYTES_MAX: usize = 256 << 10;
/// Most exceptions of a file: each is compared with each alert.
pub(super) const EXCEPTIONS_MAX: usize = 500;
/// Longest text of a field: an ARN has at most 2,048 characters.
pub(super) const TEXT_BYTES_MAX: usize = 2048;
/// Most that is repeated of what the YAML reader says.
const ERROR_CHARS_MAX: usize = 300;
