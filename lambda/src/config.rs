//! The environment variables: each documented once, read once at start.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;

use ipnet::IpNet;
use rolewatch_analyzer::exceptions::ExceptionsError;
use rolewatch_analyzer::gather::ALERTS_MAX;
use rolewatch_analyzer::settings::{self, PREFIX};
pub use rolewatch_analyzer::settings::{CLUSTER_NAME, MIN_SEVERITY, TRUSTED_NETWORKS, Variable};
use rolewatch_analyzer::severity::Severity;
use rolewatch_analyzer::stream::Source;
use rolewatch_analyzer::text::name;

use crate::exceptions::Place;

/// What the operator may set, in the order of the reference page.
pub const VARIABLES: &[&Variable] = &[
    &ALERT_TOPIC_ARN,
    &CHAT_TOPIC_ARN,
    &EVENT_BUS,
    &MIN_SEVERITY,
    &ALERT_CAP,
    &EXCEPTIONS,
    &MEMORY_TABLE,
    &TRUSTED_NETWORKS,
    &CLUSTER_NAME,
];

/// The topic that alerts go to.
pub const ALERT_TOPIC_ARN: Variable = Variable {
    name: "ROLEWATCH_ALERT_TOPIC_ARN",
    meaning: "The SNS topic that alerts are published to. A name that ends in `.fifo` is published to as a FIFO \
              topic: one message group per cluster, the alert id as deduplication id.",
    default: "none; it must be set",
    allowed: "the ARN of an SNS topic, `arn:aws:sns:<region>:<account>:<name>`",
};

/// The topic of a chat channel.
pub const CHAT_TOPIC_ARN: Variable = Variable {
    name: "ROLEWATCH_CHAT_TOPIC_ARN",
    meaning: "A second SNS topic, for Amazon Q Developer in chat applications: every alert goes there too, as a \
              custom notification. Let nothing else publish to it or subscribe to it.",
    default: "none",
    allowed: "the ARN of a standard SNS topic, `arn:aws:sns:<region>:<account>:<name>`",
};

/// The bus that alerts go to as events.
pub const EVENT_BUS: Variable = Variable {
    name: "ROLEWATCH_EVENT_BUS",
    meaning: "An EventBridge bus: every alert goes there too, as an event of source `rolewatch` and detail type \
              `Rolewatch Alert` whose detail is the OCSF finding.",
    default: "none",
    allowed: "the ARN of an event bus, `arn:aws:events:<region>:<account>:event-bus/<name>`",
};

/// How many alerts one delivery may bring.
pub const ALERT_CAP: Variable = Variable {
    name: "ROLEWATCH_ALERT_CAP",
    meaning: "The most messages that one delivery brings. The gravest are sent one by one, and what is more than the \
              cap goes into one last digest: no alert is dropped.",
    default: "50",
    allowed: "a whole number from 1 to 500",
};

/// What nobody wants to be told.
pub const EXCEPTIONS: Variable = Variable {
    name: "ROLEWATCH_EXCEPTIONS",
    meaning: "What was reviewed and need not be told; see [exceptions.md](exceptions.md). A parameter or an object is \
              looked at again at most once a minute; when that fails, the last good copy holds.",
    default: "none",
    allowed: "`ssm:<name or ARN of a parameter>`, `s3://<bucket>/<key>`, or the YAML of the exceptions itself",
};

/// The table that processes share.
pub const MEMORY_TABLE: Variable = Variable {
    name: "ROLEWATCH_MEMORY_TABLE",
    meaning: "A DynamoDB table in which all processes of the function share what they remember of earlier events, so that \
              alerts say what was gained whichever process judges them. Its key is `pk` and `sk`, both strings, and its \
              time-to-live attribute `exp`. Without it each process remembers for itself.",
    default: "none",
    allowed: "the name of a DynamoDB table in the Region of the function, or the ARN of one, \
              `arn:aws:dynamodb:<region>:<account>:table/<name>`",
};

/// The choices of the operator, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where alerts go.
    pub alert_topic: TopicArn,
    /// Where alerts go for a chat channel, if there is one.
    pub chat_topic: Option<TopicArn>,
    /// Where alerts go as events, if anywhere.
    pub event_bus: Option<EventBusArn>,
    /// Alerts less urgent are counted and not sent.
    pub min_severity: Severity,
    /// The most messages that one delivery brings.
    pub alert_cap: usize,
    /// Where the exceptions stand, if there are any.
    pub exceptions: Option<Place>,
    /// The table that processes share, if there is one.
    pub memory_table: Option<TableName>,
    /// Public networks that service accounts may come from.
    pub trusted_networks: Vec<IpNet>,
    /// What to take where a delivery does not say: the cluster, and the Region the function runs in.
    pub source: Source,
}

/// The ARN of an SNS topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicArn {
    arn: String,
    region: String,
    fifo: bool,
}

/// The ARN of an EventBridge bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBusArn {
    arn: String,
    region: String,
}

/// The name or the ARN of a `DynamoDB` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    name: String,
    region: Option<String>,
}

/// A variable that cannot be used. The value is not repeated: whoever set it can look it up, and it may be a secret
/// pasted into the wrong field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable that must be set is not.
    #[error("`{}` is not set; set it to {}", .0.name, .0.allowed)]
    Missing(&'static Variable),
    /// The value is not one of those allowed.
    #[error("`{}` cannot be used; set it to {}", .0.name, .0.allowed)]
    NotAllowed(&'static Variable),
    /// One element of a list is not allowed; counted from 1.
    #[error("entry {entry} of `{}` cannot be used; set it to {}", .0.name, .0.allowed, entry = .1)]
    EntryNotAllowed(&'static Variable, usize),
    /// The exceptions that stand in the variable itself have a mistake.
    #[error("`{}` cannot be used: {error}", .0.name, error = .1)]
    Exceptions(&'static Variable, ExceptionsError),
    /// A variable with our prefix that we do not know: most likely a slip that would otherwise go unnoticed.
    #[error("`{0}` is not a variable of Rolewatch; use one of {known}", known = known_names())]
    Unknown(String),
}

impl ConfigError {
    /// A stable word for the error type of a failed start.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "configuration-invalid"
    }
}

impl Config {
    /// Reads the configuration from the variables of a process. An empty value counts as unset, because a template
    /// passes an empty parameter on as an empty value.
    pub fn from_variables(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let values = Values::of(variables)?;
        let topic = values.of_variable(&ALERT_TOPIC_ARN).ok_or(ConfigError::Missing(&ALERT_TOPIC_ARN))?;
        Ok(Self {
            alert_topic: TopicArn::parse(topic).ok_or(ConfigError::NotAllowed(&ALERT_TOPIC_ARN))?,
            chat_topic: values.read(&CHAT_TOPIC_ARN, |arn| TopicArn::parse(arn).filter(|topic| !topic.is_fifo()))?,
            event_bus: values.read(&EVENT_BUS, EventBusArn::parse)?,
            min_severity: values.read(&MIN_SEVERITY, Severity::parse)?.unwrap_or(Severity::Low),
            alert_cap: values.read(&ALERT_CAP, parse_cap)?.unwrap_or(ALERTS_MAX),
            exceptions: values.of_variable(&EXCEPTIONS).map(parse_exceptions).transpose()?,
            memory_table: values.read(&MEMORY_TABLE, TableName::parse)?,
            trusted_networks: values
                .of_variable(&TRUSTED_NETWORKS)
                .map(parse_networks)
                .transpose()?
                .unwrap_or_default(),
            source: Source {
                region: values.region.clone(),
                cluster: values.read(&CLUSTER_NAME, |name| settings::cluster_name(name).map(ToOwned::to_owned))?,
                ..Source::default()
            },
        })
    }
}

/// What is set of our variables, and the Region of the function.
#[derive(Default)]
struct Values {
    ours: BTreeMap<&'static str, String>,
    region: Option<String>,
}

impl Values {
    fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let mut values = Self::default();
        for (key, value) in variables {
            let (key, value) = (key.to_string_lossy(), value.to_string_lossy().trim().to_owned());
            if value.is_empty() && !key.starts_with(PREFIX) {
                continue;
            }
            if let Some(variable) = VARIABLES.iter().find(|variable| variable.name == key) {
                values.ours.insert(variable.name, value);
            } else if key.starts_with(PREFIX) {
                return Err(ConfigError::Unknown(name(&key)));
            } else if key == REGION {
                values.region = Some(value);
            }
        }
        values.ours.retain(|_, value| !value.is_empty());
        Ok(values)
    }

    fn of_variable(&self, variable: &Variable) -> Option<&str> {
        self.ours.get(variable.name).map(String::as_str)
    }

    /// The value of a variable, read; an error when it cannot be.
    fn read<T>(
        &self,
        variable: &'static Variable,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.of_variable(variable).map(|value| read(value).ok_or(ConfigError::NotAllowed(variable)));
        value.transpose()
    }
}

impl TopicArn {
    /// Reads an ARN of the form `arn:<partition>:sns:<region>:<account>:<name>` (SNS API reference, `CreateTopic`:
    /// a name has 1 to 256 ASCII letters, digits, hyphens and underscores, and may end in `.fifo`).
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        let (region, topic) = of_service(arn, "sns")?;
        let (stem, fifo) = topic.strip_suffix(".fifo").map_or((topic, false), |stem| (stem, true));
        let is_topic = !stem.is_empty()
            && topic.len() <= 256
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        is_topic.then(|| Self { arn: arn.to_owned(), region: region.to_owned(), fifo })
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.arn
    }

    /// The Region of the topic. SNS takes messages only in the topic's own Region, which need not be the function's.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Whether it is a FIFO topic: the name then ends in `.fifo` (SNS API reference, `CreateTopic`).
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.fifo
    }
}

impl EventBusArn {
    /// Reads an ARN of the form `arn:<partition>:events:<region>:<account>:event-bus/<name>` (EventBridge API reference,
    /// `PutEventsRequestEntry`: a name has letters, digits, dots, hyphens, underscores and slashes).
    #[must_use]
    pub fn parse(arn: &str) -> Option<Self> {
        let (region, resource) = of_service(arn, "events")?;
        let bus = resource.strip_prefix("event-bus/")?;
        let is_bus = (1..=256).contains(&bus.len())
            && bus.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/'));
        is_bus.then(|| Self { arn: arn.to_owned(), region: region.to_owned() })
    }

    /// The whole ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.arn
    }

    /// The Region of the bus.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }
}

impl TableName {
    /// Reads a name (`DynamoDB` API reference, `CreateTable`: 3 to 255 ASCII letters, digits, dots, hyphens and
    /// underscores), or an ARN of the form `arn:<partition>:dynamodb:<region>:<account>:table/<name>`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            (3..=255).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if is_name(text) {
            return Some(Self { name: text.to_owned(), region: None });
        }
        let (region, resource) = of_service(text, "dynamodb")?;
        let table = resource.strip_prefix("table/").filter(|name| is_name(name));
        table.map(|_| Self { name: text.to_owned(), region: Some(region.to_owned()) })
    }

    /// The name or the ARN; `DynamoDB` takes both.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The Region that an ARN names.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// Region and resource of an ARN `arn:<partition>:<service>:<region>:<account>:<resource>`.
fn of_service<'a>(arn: &'a str, service: &str) -> Option<(&'a str, &'a str)> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", partition, named, region, account, resource] = *parts.as_slice() else { return None };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (named == service && word(partition) && word(region) && is_account).then_some((region, resource))
}

/// The reference page of the environment variables, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(
        "# Environment variables\n\nWritten by a test from `lambda/src/config.rs`; do not edit.\n\n\
         An empty value counts as unset. A value that is not allowed, and a variable beginning with `ROLEWATCH_` that \
         is not listed here, stop the function at start with `configuration-invalid` and a message that names the \
         variable.\n",
    );
    for Variable { name, meaning, default, allowed } in VARIABLES {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## `{name}`\n\n{meaning}\n\n- Default: {default}.\n- Allowed: {allowed}.\n");
    }
    page
}

fn parse_networks(list: &str) -> Result<Vec<IpNet>, ConfigError> {
    settings::networks(list).map_err(|entry| ConfigError::EntryNotAllowed(&TRUSTED_NETWORKS, entry))
}

fn parse_cap(text: &str) -> Option<usize> {
    text.parse().ok().filter(|cap| (1..=ALERT_CAP_MAX).contains(cap))
}

fn parse_exceptions(value: &str) -> Result<Place, ConfigError> {
    Place::parse(value).map_err(|error| match error {
        Some(error) => ConfigError::Exceptions(&EXCEPTIONS, error),
        None => ConfigError::NotAllowed(&EXCEPTIONS),
    })
}

fn known_names() -> String {
    VARIABLES.iter().map(|variable| format!("`{}`", variable.name)).collect::<Vec<_>>().join(", ")
}

/// Set by Lambda (Lambda developer guide, "Defined runtime environment variables").
const REGION: &str = "AWS_REGION";
/// More messages than this from one delivery would take a time-out to publish, and nobody reads them.
const ALERT_CAP_MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::{ALERT_CAP_MAX, Config, ConfigError, EventBusArn, TableName, TopicArn, VARIABLES, parse_cap};
    use rolewatch_analyzer::severity::Severity;

    const TOPIC: (&str, &str) = ("ROLEWATCH_ALERT_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:alerts");

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_variables(variables.iter().map(|(key, value)| (key.into(), value.into())))
    }

    #[test]
    fn a_topic_alone_is_enough() {
        let config = read(&[TOPIC, ("AWS_REGION", "eu-west-1"), ("PATH", "/bin")]).unwrap();
        assert_eq!(config.alert_topic.region(), "eu-central-1");
        assert_eq!(config.min_severity, Severity::Low);
        assert_eq!(config.source.region.as_deref(), Some("eu-west-1"));
        assert_eq!(config.source.cluster, None);
    }

    #[test]
    fn empty_values_count_as_unset() {
        let config = read(&[TOPIC, ("ROLEWATCH_MIN_SEVERITY", ""), ("ROLEWATCH_TRUSTED_NETWORKS", " ")]).unwrap();
        assert_eq!((config.min_severity, config.trusted_networks.len()), (Severity::Low, 0));
    }

    #[test]
    fn values_are_read() {
        let config = read(&[
            TOPIC,
            ("ROLEWATCH_MIN_SEVERITY", "High"),
            ("ROLEWATCH_TRUSTED_NETWORKS", "203.0.113.7/32, 2001:db8::/56"),
            ("ROLEWATCH_CLUSTER_NAME", "prod_1"),
        ])
        .unwrap();
        assert_eq!(config.min_severity, Severity::High);
        assert_eq!(config.trusted_networks.len(), 2);
        assert_eq!(config.source.cluster.as_deref(), Some("prod_1"));
    }

    #[test]
    fn a_wrong_value_names_the_variable_and_what_is_allowed() {
        let rows: &[(&[(&str, &str)], &str)] = &[
            (&[], "`ROLEWATCH_ALERT_TOPIC_ARN` is not set; set it to the ARN"),
            (&[(TOPIC.0, "alerts")], "`ROLEWATCH_ALERT_TOPIC_ARN` cannot be used; set it to the ARN"),
            (
                &[TOPIC, ("ROLEWATCH_MIN_SEVERITY", "urgent")],
                "`ROLEWATCH_MIN_SEVERITY` cannot be used; set it to one of",
            ),
            (
                &[TOPIC, ("ROLEWATCH_TRUSTED_NETWORKS", "10.0.0.0/8,10.0.0.300/32")],
                "entry 2 of `ROLEWATCH_TRUSTED_NETWORKS` cannot be used; set it to networks",
            ),
            (
                &[TOPIC, ("ROLEWATCH_CHAT_TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:chat.fifo")],
                "`ROLEWATCH_CHAT_TOPIC_ARN` cannot be used; set it to the ARN of a standard SNS topic",
            ),
            (
                &[TOPIC, ("ROLEWATCH_EVENT_BUS", "default")],
                "`ROLEWATCH_EVENT_BUS` cannot be used; set it to the ARN of an event bus",
            ),
            (&[TOPIC, ("ROLEWATCH_ALERT_CAP", "0")], "`ROLEWATCH_ALERT_CAP` cannot be used; set it to a whole number"),
            (
                &[TOPIC, ("ROLEWATCH_EXCEPTIONS", "s3://bucket")],
                "`ROLEWATCH_EXCEPTIONS` cannot be used; set it to `ssm:",
            ),
            (
                &[TOPIC, ("ROLEWATCH_EXCEPTIONS", "exceptions:\n- id: [urgent\n")],
                "`ROLEWATCH_EXCEPTIONS` cannot be used: line ",
            ),
            (
                &[TOPIC, ("ROLEWATCH_MEMORY_TABLE", "a table")],
                "`ROLEWATCH_MEMORY_TABLE` cannot be used; set it to the name of a DynamoDB table",
            ),
            (&[TOPIC, ("ROLEWATCH_CLUSTER_NAME", "-x")], "`ROLEWATCH_CLUSTER_NAME` cannot be used"),
            (&[TOPIC, ("ROLEWATCH_MIN_SEVERTY", "low")], "`ROLEWATCH_MIN_SEVERTY` is not a variable of Rolewatch; use"),
        ];
        for (variables, message) in rows {
            let error = read(variables).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
            assert!(!error.contains("10.0.0.300") && !error.contains("urgent"), "a value is not repeated: {error}");
        }
    }

    #[test]
    fn topic_arns_are_told_from_other_text() {
        for arn in [TOPIC.1, "arn:aws-us-gov:sns:us-gov-west-1:111122223333:a.fifo"] {
            assert!(TopicArn::parse(arn).is_some(), "{arn}");
        }
        for text in [
            "",
            "arn:aws:sqs:eu-central-1:111122223333:alerts",
            "arn:aws:sns:eu-central-1:1111:alerts",
            "arn:aws:sns:eu-central-1:111122223333:",
            "arn:aws:sns:eu-central-1:111122223333:.fifo",
            "arn:aws:sns:eu-central-1:111122223333:alerts:0b7a",
            "arn:aws:sns:eu central:111122223333:alerts",
        ] {
            assert!(TopicArn::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn bus_arns_are_told_from_other_text() {
        let bus = EventBusArn::parse("arn:aws:events:eu-west-1:111122223333:event-bus/security").unwrap();
        assert_eq!(bus.region(), "eu-west-1");
        for text in [
            "default",
            "arn:aws:events:eu-west-1:111122223333:rule/security",
            "arn:aws:events:eu-west-1:111122223333:event-bus/",
            "arn:aws:events:eu-west-1:1111:event-bus/a",
            "arn:aws:sns:eu-west-1:111122223333:event-bus/a",
        ] {
            assert!(EventBusArn::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn tables_are_told_by_name_or_arn() {
        let table = TableName::parse("rolewatch-prod-Memory-1A2B3C").unwrap();
        assert_eq!((table.as_str(), table.region()), ("rolewatch-prod-Memory-1A2B3C", None));
        let arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/memory";
        let table = TableName::parse(arn).unwrap();
        assert_eq!((table.as_str(), table.region()), (arn, Some("eu-west-1")));
        let long = "a".repeat(256);
        for text in ["", "ab", &long, "a/b", "arn:aws:dynamodb:eu-west-1:111122223333:table/memory/index/a"] {
            assert!(TableName::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_variable_has_our_prefix_once() {
        for variable in VARIABLES {
            assert!(variable.name.starts_with(super::PREFIX));
            assert_eq!(VARIABLES.iter().filter(|other| other.name == variable.name).count(), 1);
        }
    }

    #[test]
    fn a_cap_at_its_limit_is_taken_and_one_past_it_is_not() {
        assert_eq!(parse_cap(&ALERT_CAP_MAX.to_string()), Some(ALERT_CAP_MAX));
        assert_eq!(parse_cap(&(ALERT_CAP_MAX + 1).to_string()), None);
        assert_eq!((parse_cap("1"), parse_cap("0")), (Some(1), None));
    }
}
