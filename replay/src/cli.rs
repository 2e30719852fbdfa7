//! The command line.

mod live;
mod words;

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use rolewatch_analyzer::filter_pattern::Mode;
use rolewatch_analyzer::settings::networks;
use rolewatch_analyzer::severity::Severity;

use crate::cost;

pub(crate) use self::live::Live;

/// Who just gained power over an Amazon EKS cluster: reads its control-plane logs and tells
#[derive(Debug, Parser)]
#[command(name = "rolewatch", version, arg_required_else_help = true, after_help = words::EXIT_STATUS)]
pub(crate) struct Cli {
    /// When to use colour; `NO_COLOR` is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Analyse logs: files, folders, standard input or a log group of CloudWatch Logs
    #[command(long_about = words::REPLAY, after_help = words::EXIT_STATUS)]
    Replay(Box<ReplayArgs>),
    /// Say why one event alerted or stayed quiet
    #[command(long_about = words::EXPLAIN, after_help = words::PLAIN_STATUS)]
    Explain(ExplainArgs),
    /// Say who may do something in a cluster, from a snapshot or memory of it
    #[command(long_about = words::WHO_CAN, after_help = words::PLAIN_STATUS)]
    WhoCan(WhoCanArgs),
    /// Say what somebody may do in a cluster, from a snapshot or memory of it
    #[command(long_about = words::RIGHTS, after_help = words::PLAIN_STATUS)]
    Rights(RightsArgs),
    /// List what is detected, or explain one detection
    #[command(visible_alias = "detection")]
    Detections {
        /// The detection to explain
        id: Option<String>,
        /// How to write it: text for people, or JSON
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Print the filter patterns that a subscription of CloudWatch Logs may have
    #[command(long_about = words::FILTER_PATTERN)]
    FilterPattern(FilterPatternArgs),
    /// Estimate what Rolewatch would cost on a log that is at hand
    #[command(long_about = words::COST)]
    Cost(CostArgs),
    /// Check a file of exceptions, and say what each would silence
    #[command(subcommand)]
    Exceptions(ExceptionsCommand),
    /// Print a script that completes this command in a shell
    #[command(after_help = words::COMPLETIONS)]
    Completions {
        /// The shell to write for
        shell: clap_complete::Shell,
    },
    /// Print the manual page of this command, or of one of its subcommands
    #[command(after_help = words::MAN)]
    Man {
        /// The subcommand whose page to print, such as `replay` or `exceptions check`
        #[arg(value_name = "COMMAND")]
        name: Vec<String>,
    },
}

/// What to do with exceptions.
#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsCommand {
    /// Check a file of exceptions, and say what each would silence in logs
    #[command(long_about = words::CHECK, after_help = words::CHECK_STATUS)]
    Check(CheckArgs),
}

/// What to read, what to show, and when to fail.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Files or folders to read; `-` or nothing reads standard input
    #[arg(value_name = "PATH", conflicts_with = "log_group")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) live: Live,
    /// How to write alerts: text for people, or JSON, one object per line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Show alerts from this severity on; low where nothing is said
    #[arg(long, value_name = "LEVEL", value_parser = severity())]
    pub(crate) min_severity: Option<Severity>,
    /// Also write everything into one HTML page, to keep, send or print
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Exit with status 1 when an alert has at least this severity
    #[arg(long, value_name = "LEVEL", value_parser = severity())]
    pub(crate) fail_on: Option<Severity>,
    /// Look at every byte of every line, and exit with status 2 when anything could not be read
    #[arg(long)]
    pub(crate) strict: bool,
    /// Work in so many threads; as many as there are cores where nothing is said. What is found is the same
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Write no summary and no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// What is known before the first line, so that alerts say what was gained and lost: a file of `--save-memory`, or
    /// what `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json` printed, with
    /// `--cluster`
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: Option<PathBuf>,
    /// Write what is known after the last line, for `--memory`
    #[arg(long, value_name = "FILE")]
    pub(crate) save_memory: Option<PathBuf>,
    /// Instead of alerts, say for each line of interest what looked at it and what decided
    #[arg(long)]
    pub(crate) explain: bool,
    #[command(flatten)]
    pub(crate) reviewed: Reviewed,
    #[command(flatten)]
    pub(crate) about: About,
}

/// What was decided elsewhere and holds here too.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Reviewed {
    /// The settings of the Lambda function by the same names: lines of NAME=VALUE, or the JSON that `aws lambda
    /// get-function-configuration` prints; options count over it
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// Silence alerts that you have reviewed: a file of exceptions, as YAML
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) exceptions: Option<PathBuf>,
}

const SETTINGS: &str = "Settings";

/// Which event to explain, and where to look for it.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The event's `auditID`, as alerts name it
    #[arg(value_name = "AUDIT_ID")]
    pub(crate) audit_id: String,
    /// Files or folders to read; `-` or nothing reads standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// What is known before the first line, as for `replay --memory`
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) reviewed: Reviewed,
    #[command(flatten)]
    pub(crate) about: About,
}

/// Which exceptions to check, and against what.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The exceptions, as YAML
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Logs to hold them against: files or folders; `-` reads standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The settings of the Lambda function, as `replay --config` takes them; its own exceptions do not count
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// Exit with status 1 when an exception has expired, or silences nothing in the logs
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) about: About,
}

/// What to ask of a snapshot, and which.
#[derive(Debug, Args)]
pub(crate) struct WhoCanArgs {
    /// The verb: `get`, `create`, `impersonate`, ...
    #[arg(value_name = "VERB")]
    pub(crate) verb: String,
    /// The resource: `secrets`, `pods/exec`, `deployments.apps`; or a path such as `/metrics`
    #[arg(value_name = "RESOURCE")]
    pub(crate) resource: String,
    /// In this namespace; without it, in all namespaces at once
    #[arg(long, short, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// One object of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json` printed, or a file
    /// of `replay --save-memory`
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: PathBuf,
    /// The cluster to ask about, where the memory knows several
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
}

/// Whose rights to tell, and from which snapshot.
#[derive(Debug, Args)]
pub(crate) struct RightsArgs {
    /// A user, `group:NAME`, or a service account as `sa:NAMESPACE/NAME`
    #[arg(value_name = "SUBJECT")]
    pub(crate) subject: String,
    /// A group that the subject is also in; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Vec<String>,
    /// What `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json` printed, or a file
    /// of `replay --save-memory`
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: PathBuf,
    /// The cluster to ask about, where the memory knows several
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
}

/// Which pattern to print.
#[derive(Debug, Args)]
pub(crate) struct FilterPatternArgs {
    /// Print the pattern of this mode alone, for a script
    #[arg(long, value_name = "MODE", value_parser = mode())]
    pub(crate) mode: Option<Mode>,
}

/// What to measure, and what to assume.
#[derive(Debug, Args)]
pub(crate) struct CostArgs {
    /// Files or folders to read; `-` or nothing reads standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Replace an assumption, such as a price of your Region; may be given several times; `--assumptions` lists them
    #[arg(long, value_name = "NAME=NUMBER", value_parser = cost::assumption)]
    pub(crate) set: Vec<(&'static str, f64)>,
    /// List what is assumed and where to look it up, and measure nothing
    #[arg(long, conflicts_with_all = ["paths", "set"])]
    pub(crate) assumptions: bool,
    #[command(flatten)]
    pub(crate) reviewed: Reviewed,
    #[command(flatten)]
    pub(crate) about: About,
}

/// What the input does not say by itself.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct About {
    /// Name of the cluster, where the input does not say
    #[arg(long, value_name = "NAME", help_heading = "About the cluster")]
    pub(crate) cluster: Option<String>,
    /// AWS account of the cluster, where the input does not say
    #[arg(long, value_name = "ID", help_heading = "About the cluster")]
    pub(crate) account: Option<String>,
    /// AWS Region of the cluster, where the input does not say
    #[arg(long, value_name = "NAME", help_heading = "About the cluster")]
    pub(crate) region: Option<String>,
    /// A network that service accounts may come from although it looks public, such as the addresses of a NAT gateway;
    /// may be given several times
    #[arg(long, value_name = "CIDR", value_parser = network, help_heading = "About the cluster")]
    pub(crate) trusted_network: Vec<IpNet>,
}

/// How alerts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One OCSF Detection Finding per line, as JSON
    Ocsf,
    /// One custom notification of Amazon Q Developer in chat applications per line, as JSON
    Chat,
}

/// How the list of detections is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// For people
    Text,
    /// For programs: a list of objects, or one object where a detection is named
    Json,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// In a terminal
    Auto,
    /// Also into files and pipes
    Always,
    /// Nowhere
    Never,
}

fn severity() -> impl clap::builder::TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::as_str))
        .map(|word| Severity::parse(&word).unwrap_or(Severity::Low))
}

/// A filter mode.
fn mode() -> impl clap::builder::TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::as_str)).map(|word| Mode::parse(&word).unwrap_or(Mode::Everything))
}

/// At least one thread.
fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=THREADS_MAX) => Ok(threads),
        _ => Err(format!("not a number of threads; write one from 1 to {THREADS_MAX}")),
    }
}

/// More threads than any machine that reads logs has cores; each holds some megabytes.
const THREADS_MAX: usize = 256;

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let one = networks(text).ok().and_then(|all| <[IpNet; 1]>::try_from(all).ok());
    one.map(|[network]| network).ok_or_else(|| "not a network; write it like 192.0.2.0/24 or 2001:db8::/32".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, THREADS_MAX, network, threads};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn as_many_threads_as_the_limit_are_taken_and_one_past_it_is_not() {
        assert_eq!(threads("1"), Ok(1));
        assert_eq!(threads(&THREADS_MAX.to_string()), Ok(THREADS_MAX));
        for wrong in [0, THREADS_MAX + 1] {
            assert!(threads(&wrong.to_string()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_are_cidr_blocks_or_addresses() {
        assert_eq!(network("192.0.2.0/24").unwrap().to_string(), "192.0.2.0/24");
        assert_eq!(network("192.0.2.7").unwrap().to_string(), "192.0.2.7/32");
        assert_eq!(network("2001:db8::1").unwrap().to_string(), "2001:db8::1/128");
        assert!(network("example.com").is_err());
    }
}
