//! The command line.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use rolewatch_analyzer::settings::networks;
use rolewatch_analyzer::severity::Severity;

/// Who just gained power over an Amazon EKS cluster: reads its control-plane logs and tells
#[derive(Debug, Parser)]
#[command(name = "rolewatch", version, arg_required_else_help = true, after_help = EXIT_STATUS)]
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
    /// Analyse recorded logs: files, folders or standard input
    #[command(long_about = REPLAY, after_help = EXIT_STATUS)]
    Replay(Box<ReplayArgs>),
    /// Say why one event alerted or stayed quiet
    #[command(long_about = EXPLAIN, after_help = EXIT_STATUS)]
    Explain(ExplainArgs),
    /// Say who may do something in a cluster, from a snapshot of it
    #[command(long_about = WHO_CAN, after_help = EXIT_STATUS)]
    WhoCan(WhoCanArgs),
    /// Say what somebody may do in a cluster, from a snapshot of it
    #[command(long_about = RIGHTS, after_help = EXIT_STATUS)]
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
    /// Check a file of exceptions, and say what each would silence
    #[command(subcommand)]
    Exceptions(ExceptionsCommand),
    /// Print a script that completes this command in a shell
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// The shell to write for
        shell: clap_complete::Shell,
    },
    /// Print the manual page of this command, or of one of its subcommands
    #[command(after_help = MAN)]
    Man {
        /// The subcommand whose page to print
        #[arg(value_name = "COMMAND")]
        name: Option<String>,
    },
}

/// What to do with exceptions.
#[derive(Debug, Subcommand)]
pub(crate) enum ExceptionsCommand {
    /// Check a file of exceptions, and say what each would silence in logs
    #[command(long_about = CHECK, after_help = CHECK_STATUS)]
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
    /// Exit with status 2 when anything could not be read
    #[arg(long)]
    pub(crate) strict: bool,
    /// Work in so many threads; as many as there are cores where nothing is said. What is found is the same
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Write no summary and no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// What is known before the first line, as `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json`
    /// printed it, so that alerts say what was gained and lost; needs `--cluster`
    #[arg(long, value_name = "FILE", requires = "cluster")]
    pub(crate) memory: Option<PathBuf>,
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
    /// What was reviewed and need not be told, as YAML
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) exceptions: Option<PathBuf>,
}

const SETTINGS: &str = "Settings";

/// What to fetch from CloudWatch Logs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Live {
    /// Read this log group of CloudWatch Logs, `/aws/eks/<cluster>/cluster`, instead of files
    #[arg(long, value_name = "NAME", help_heading = FETCH)]
    pub(crate) log_group: Option<String>,
    /// From so long ago: 30m, 24h, 7d; an hour where nothing is said
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "log_group", conflicts_with = "from", help_heading = FETCH)]
    pub(crate) since: Option<SignedDuration>,
    /// From this time on, such as 2026-03-01T10:00:00Z
    #[arg(long, value_name = "TIME", requires = "log_group", help_heading = FETCH)]
    pub(crate) from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", requires = "log_group", conflicts_with = "follow", help_heading = FETCH)]
    pub(crate) to: Option<Timestamp>,
    /// Go on reading what comes, until Ctrl-C
    #[arg(long, requires = "log_group", help_heading = FETCH)]
    pub(crate) follow: bool,
    /// Only log streams whose name begins so, such as kube-apiserver-audit; may be given several times
    #[arg(long, value_name = "PREFIX", requires = "log_group", help_heading = FETCH)]
    pub(crate) log_stream: Vec<String>,
    /// Keep in this file how far the log was read and what was learned, and go on from there the next time
    #[arg(long, value_name = "FILE", requires = "log_group", conflicts_with = "to", help_heading = FETCH)]
    pub(crate) state: Option<PathBuf>,
    /// The profile of the AWS configuration to use, as with the AWS CLI; `--region` chooses the Region
    #[arg(long, value_name = "NAME", requires = "log_group", help_heading = FETCH)]
    pub(crate) profile: Option<String>,
}

const FETCH: &str = "From CloudWatch Logs";

/// Which event to explain, and where to look for it.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The event's `auditID`, as alerts name it
    #[arg(value_name = "AUDIT_ID")]
    pub(crate) audit_id: String,
    /// Files or folders to read; `-` or nothing reads standard input
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
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
    /// What `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json` printed
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: PathBuf,
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
    /// What `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json` printed
    #[arg(long, value_name = "FILE")]
    pub(crate) memory: PathBuf,
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

/// At least one thread.
fn threads(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(threads @ 1..=THREADS_MAX) => Ok(threads),
        _ => Err(format!("not a number of threads; write one from 1 to {THREADS_MAX}")),
    }
}

/// More threads than any machine that reads logs has cores; each holds some megabytes.
const THREADS_MAX: usize = 256;

/// A whole number of minutes, hours or days.
fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "not a duration; write it like 30m, 24h or 7d".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(SignedDuration::from_mins(i64::from(number) * minutes))
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let one = networks(text).ok().and_then(|all| <[IpNet; 1]>::try_from(all).ok());
    one.map(|[network]| network).ok_or_else(|| "not a network; write it like 192.0.2.0/24 or 2001:db8::/32".to_owned())
}

const REPLAY: &str = "\
Analyse recorded logs: files, folders or standard input.

Any form is understood, and recognised from the content, never from the name: audit events one per line or in a list, \
the text of the api and authenticator streams, output of `aws logs`, subscription deliveries as Lambda, Kinesis and \
Firehose carry them, export tasks, on-failure records; all of it also in gzip. Several inputs are one run: what is \
learned from one counts for the next.

With `--log-group` the log is fetched from CloudWatch Logs. Profile, Region and credentials are found as the AWS CLI \
finds them; `logs:FilterLogEvents` on the log group is all that is needed. `--follow` asks again every \
few seconds.

Alerts go to standard output; progress and summary go to standard error.";

const WHO_CAN: &str = "\
Say who may do something in a cluster, from a snapshot of it: every binding whose role permits it, decided as the API \
server decides.

Take the snapshot with `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json`. A \
resource outside the core group is written as kubectl writes it, `deployments.apps`; for common ones the group may be \
left out. EKS access policies are outside RBAC and not in a snapshot.";

const RIGHTS: &str = "\
Say what somebody may do in a cluster, from a snapshot of it: every binding that names the subject or a group that it \
is certainly in, what its role permits in words, and the gravest of it.

Take the snapshot with `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json`. Other \
groups of the subject are named with `--group`. EKS access policies are outside RBAC and not in a snapshot.";

const EXPLAIN: &str = "\
Say why one event alerted or stayed quiet: what the caller proved to be, what the request changed, which detections saw \
something, which reason kept it quiet, and what would have been seen without that reason.

The event is judged as `rolewatch replay` judges it, with what the lines before it taught, so name all the files that \
were read together.";

const CHECK: &str = "\
Check a file of exceptions, and say what each would silence in logs.

Mistakes are told with line and column. Each exception is listed with the alerts that it would have silenced; those \
that have expired, and those that silence nothing, are pointed out. Without a PATH the logs are left out.";

const CHECK_STATUS: &str = "\
Exit status: 0 when done, 1 when --strict found an exception that has expired or silences nothing, 2 for wrong usage, a \
mistake in the file, or input that cannot be read.";

const COMPLETIONS: &str = "\
Examples:
  bash        rolewatch completions bash > ~/.local/share/bash-completion/completions/rolewatch
  zsh         rolewatch completions zsh > ~/.zfunc/_rolewatch, with ~/.zfunc in fpath
  fish        rolewatch completions fish > ~/.config/fish/completions/rolewatch.fish
  PowerShell  rolewatch completions powershell >> $PROFILE";

const MAN: &str = "\
Example: rolewatch man replay | man -l -";

const EXIT_STATUS: &str = "\
Exit status: 0 when done, 1 when an alert reached --fail-on, 2 for wrong usage or input that cannot be read, 130 when \
Ctrl-C ended it early.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, duration, network};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_minutes_hours_or_days() {
        assert_eq!(duration("90m").unwrap().as_mins(), 90);
        assert_eq!(duration("7d").unwrap().as_hours(), 168);
        for wrong in ["", "h", "1w", "-1h", "1.5h", "1\u{e9}"] {
            assert!(duration(wrong).is_err(), "{wrong}");
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
