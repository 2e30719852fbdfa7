//! `--config` and `--exceptions`: what was decided for the Lambda function, by the same names, for a run at a terminal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use ipnet::IpNet;
use rolewatch_analyzer::exceptions::Exceptions;
use rolewatch_analyzer::settings::{
    CLUSTER_NAME, MIN_SEVERITY, PREFIX, Settings, TRUSTED_NETWORKS, Variable, cluster_name, networks,
};
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Source;
use rolewatch_analyzer::text::name;
use serde_json::Value;

use crate::cli::{About, Reviewed};
use crate::error::Error;
use crate::files;

/// What a run judges by: options, and where they say nothing, the file of settings.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    /// What the analysis has to know besides the input.
    pub(crate) settings: Settings,
    /// What need not be told.
    pub(crate) exceptions: Exceptions,
    /// What the file says of the least urgent severity to show.
    pub(crate) min_severity: Option<Severity>,
}

impl Choices {
    /// Reads the files that `reviewed` names. What `about` says counts over them.
    pub(crate) fn read(reviewed: &Reviewed, about: &About) -> Result<Self, Error> {
        let config = reviewed.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
        let exceptions = match (&reviewed.exceptions, config.exceptions) {
            (Some(path), _) => read_exceptions(path)?,
            (None, Some(place)) => place.read()?,
            (None, None) => Exceptions::default(),
        };
        Ok(Self {
            settings: Settings {
                source: Source {
                    cluster: about.cluster.clone().or(config.cluster),
                    account: about.account.clone(),
                    region: about.region.clone(),
                    ..Source::default()
                },
                trusted_networks: if about.trusted_network.is_empty() {
                    config.trusted_networks
                } else {
                    about.trusted_network.clone()
                },
            },
            exceptions,
            min_severity: config.min_severity,
        })
    }
}

/// Reads a file of exceptions.
pub(crate) fn read_exceptions(path: &Path) -> Result<Exceptions, Error> {
    let (shown, text) = read_text(path)?;
    Exceptions::read(&text).map_err(|error| Error::Exceptions {
        // A mistake about the whole file has no line.
        place: if error.line == 0 { shown } else { format!("{shown}:{}:{}", error.line, error.column) },
        what: error.what,
    })
}

/// What a file of settings says, as far as it concerns this command.
#[derive(Debug, Default)]
struct Config {
    min_severity: Option<Severity>,
    trusted_networks: Vec<IpNet>,
    cluster: Option<String>,
    exceptions: Option<Place>,
}

/// The exceptions that a file of settings names.
#[derive(Debug)]
struct Place {
    /// The file of settings, and where in it.
    at: String,
    /// Its folder.
    folder: std::path::PathBuf,
    value: String,
}

impl Place {
    fn read(&self) -> Result<Exceptions, Error> {
        if let Some(path) = self.value.strip_prefix("file:") {
            return read_exceptions(&self.folder.join(path));
        }
        let wrong = |what: String| Error::Config { at: self.at.clone(), what };
        if self.value.starts_with("ssm:") || self.value.starts_with("s3://") {
            let what = "stands in AWS, which is not asked; fetch it and name the file with `--exceptions`";
            return Err(wrong(format!("`{EXCEPTIONS}` {what}")));
        }
        Exceptions::read(&self.value).map_err(|error| wrong(format!("`{EXCEPTIONS}` cannot be used: {error}")))
    }
}

impl Config {
    fn read(path: &Path) -> Result<Self, Error> {
        let (shown, text) = read_text(path)?;
        let values =
            if text.trim_start().starts_with('{') { from_json(&shown, &text) } else { from_lines(&shown, &text) };
        let mut values = values?;
        let config = Self {
            min_severity: take(&mut values, &MIN_SEVERITY, Severity::parse)?,
            trusted_networks: take(&mut values, &TRUSTED_NETWORKS, |list| networks(list).ok())?.unwrap_or_default(),
            cluster: take(&mut values, &CLUSTER_NAME, |text| cluster_name(text).map(ToOwned::to_owned))?,
            exceptions: values.remove(EXCEPTIONS).map(|(at, value)| Place {
                at,
                folder: path.parent().unwrap_or(Path::new("")).to_owned(),
                value,
            }),
        };
        match values.into_iter().find(|(key, _)| !FUNCTION_ONLY.contains(&key.as_str())) {
            None => Ok(config),
            Some((key, (at, _))) => Err(Error::Config { at, what: unknown(&key) }),
        }
    }
}

/// Values by name, each with the place where it stands. An empty value counts as unset, as it does in the function.
type Values = BTreeMap<String, (String, String)>;

fn take<T>(values: &mut Values, variable: &Variable, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Error> {
    let Some((at, value)) = values.remove(variable.name) else { return Ok(None) };
    // The value is not repeated: it may be a secret in the wrong line.
    let wrong =
        || Error::Config { at, what: format!("`{}` cannot be used; set it to {}", variable.name, variable.allowed) };
    read(&value).map(Some).ok_or_else(wrong)
}

/// Lines of `NAME=VALUE`, as shells, systemd and containers read them: `#` begins a comment line, quotes around a value
/// are left out, and so is `export`.
fn from_lines(shown: &str, text: &str) -> Result<Values, Error> {
    let mut values = Values::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let at = format!("{shown}:{number}");
        let wrong = |what: String| Error::Config { at: at.clone(), what };
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (key, value) = line
            .split_once('=')
            .map(|(key, value)| (key.trim(), unquoted(value.trim())))
            .ok_or_else(|| wrong("the line is no setting; write NAME=VALUE, or begin it with `#`".to_owned()))?;
        if !key.starts_with(PREFIX) {
            return Err(wrong(unknown(key)));
        }
        if !value.is_empty() && values.insert(key.to_owned(), (at.clone(), value.to_owned())).is_some() {
            return Err(wrong(format!("`{}` is there twice; leave one of them", name(key))));
        }
    }
    Ok(values)
}

fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// The configuration of a function as AWS prints it, or the variables in it alone. Others than ours are the function's.
fn from_json(shown: &str, text: &str) -> Result<Values, Error> {
    let wrong = |what: &str| Error::Config { at: shown.to_owned(), what: what.to_owned() };
    let remedy = "the file holds no JSON object of variables; write it with `aws lambda get-function-configuration`";
    let document: Value = serde_json::from_str(text).map_err(|_| wrong(remedy))?;
    let inner = document.pointer("/Environment/Variables").or_else(|| document.get("Variables"));
    let variables = inner.unwrap_or(&document).as_object().ok_or_else(|| wrong(remedy))?;
    let mut values = Values::new();
    for (key, value) in variables.iter().filter(|(key, _)| key.starts_with(PREFIX)) {
        let value = value.as_str().map(str::trim).ok_or_else(|| wrong(remedy))?;
        if !value.is_empty() {
            values.insert(key.clone(), (shown.to_owned(), value.to_owned()));
        }
    }
    if values.is_empty() {
        return Err(wrong(
            "no variable of Rolewatch is in the file; write it with `aws lambda get-function-configuration`",
        ));
    }
    Ok(values)
}

fn unknown(key: &str) -> String {
    let ours = [MIN_SEVERITY.name, EXCEPTIONS, TRUSTED_NETWORKS.name, CLUSTER_NAME.name];
    format!("`{}` is no setting of Rolewatch; use {}", name(key), ours.map(|one| format!("`{one}`")).join(", "))
}

/// A small file as text, and its path as it is shown.
fn read_text(path: &Path) -> Result<(String, String), Error> {
    let shown = files::shown(path);
    let file = File::open(path).map_err(|source| Error::Open { path: shown.clone(), source })?;
    let mut text = String::new();
    // Half of a file may say something else than all of it.
    let length = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    let length = length.map_err(|source| Error::Read { path: shown.clone(), source })?;
    if u64::try_from(length).is_ok_and(|length| length <= FILE_BYTES_MAX) {
        Ok((shown, text))
    } else {
        let what = "the file is longer than 1 MiB; it is none of settings or exceptions".to_owned();
        Err(Error::Config { at: shown, what })
    }
}

/// Exceptions, as the function knows them, or `file:` and the name of a file.
const EXCEPTIONS: &str = "ROLEWATCH_EXCEPTIONS";
/// Settings that only the function has: where alerts go, and what is kept there. A test holds this list against
/// docs/environment.md.
const FUNCTION_ONLY: &[&str] = &[
    "ROLEWATCH_ALERT_TOPIC_ARN",
    "ROLEWATCH_CHAT_TOPIC_ARN",
    "ROLEWATCH_EVENT_BUS",
    "ROLEWATCH_ALERT_CAP",
    "ROLEWATCH_MEMORY_TABLE",
];
/// Largest file of settings or exceptions read: more than the analyzer takes of exceptions, so that it says so itself.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{EXCEPTIONS, FILE_BYTES_MAX, FUNCTION_ONLY, from_json, from_lines, read_text};
    use rolewatch_analyzer::settings::{CLUSTER_NAME, MIN_SEVERITY, TRUSTED_NETWORKS, Variable};

    #[test]
    fn the_function_knows_these_settings_and_no_others() {
        let page = include_str!("../../docs/environment.md");
        let documented: BTreeSet<&str> =
            page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
        let shared = [&MIN_SEVERITY, &TRUSTED_NETWORKS, &CLUSTER_NAME];
        let ours = shared.iter().map(|variable| variable.name).chain([EXCEPTIONS]);
        assert_eq!(ours.chain(FUNCTION_ONLY.iter().copied()).collect::<BTreeSet<_>>(), documented);
        for Variable { name, meaning, allowed, .. } in shared {
            let (_, section) = page.split_once(&format!("## `{name}`\n")).unwrap();
            let section = section.split("\n## ").next().unwrap();
            assert!(section.contains(meaning) && section.contains(allowed), "{name} means the same to both");
        }
    }

    #[test]
    fn a_file_at_its_limit_is_read_and_one_past_it_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |bytes: u64| {
            std::fs::write(file.path(), "#".repeat(usize::try_from(bytes).unwrap())).unwrap();
            read_text(file.path()).map(|(_, text)| text.len()).map_err(|error| error.to_string())
        };
        assert_eq!(read(FILE_BYTES_MAX), Ok(usize::try_from(FILE_BYTES_MAX).unwrap()));
        let refused = read(FILE_BYTES_MAX + 1).unwrap_err();
        assert!(
            refused.ends_with("`: the file is longer than 1 MiB; it is none of settings or exceptions"),
            "{refused}"
        );
    }

    #[test]
    fn lines_are_read_as_shells_do() {
        let text = "# a comment\n\nexport ROLEWATCH_A=\"x=y\"\n ROLEWATCH_B = 'z' \nROLEWATCH_C=\n";
        let values = from_lines("f", text).unwrap();
        let shown: Vec<(&str, &str, &str)> =
            values.iter().map(|(key, (at, value))| (key.as_str(), at.as_str(), value.as_str())).collect();
        assert_eq!(shown, [("ROLEWATCH_A", "f:3", "x=y"), ("ROLEWATCH_B", "f:4", "z")]);
        for (text, what) in [
            ("ROLEWATCH_A=1\nROLEWATCH_A=2", "`f:2`: `ROLEWATCH_A` is there twice; leave one of them"),
            ("hello", "`f:1`: the line is no setting; write NAME=VALUE, or begin it with `#`"),
        ] {
            assert_eq!(from_lines("f", text).unwrap_err().to_string(), what);
        }
        assert!(from_lines("f", "AWS_REGION=x").unwrap_err().to_string().contains("`AWS_REGION` is no setting"));
    }

    #[test]
    fn the_json_of_a_function_is_read_however_much_of_it_there_is() {
        let variables = r#"{"ROLEWATCH_MIN_SEVERITY":"high","RUST_LOG":"info"}"#;
        for text in [
            variables.to_owned(),
            format!(r#"{{"Variables":{variables}}}"#),
            format!(r#"{{"FunctionName":"f","Environment":{{"Variables":{variables}}}}}"#),
        ] {
            let values = from_json("f", &text).unwrap();
            assert_eq!(values.keys().collect::<Vec<_>>(), ["ROLEWATCH_MIN_SEVERITY"], "{text}");
        }
        for text in ["{", r#"{"a":"b"}"#, r#"{"Variables":[]}"#, r#"{"ROLEWATCH_A":1}"#] {
            assert!(from_json("f", text).is_err(), "{text}");
        }
    }
}
