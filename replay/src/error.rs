//! What stops the command, in words that say what to do about it.

use std::io;

use crate::live::LiveError;
use rolewatch_analyzer::snapshot::SnapshotError;
use rolewatch_analyzer::wire::WireError;

/// What stops the command. Each message is one line: what happened and, after a semicolon, what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// `replay` without a path, in a terminal.
    #[error("no input; name files or folders, or pipe a log into `rolewatch replay -`")]
    NoInput,
    /// `cost` without a line to measure.
    #[error("no log line to measure{}; name files that hold a control-plane log", match skipped {
        0 => String::new(),
        count => format!(", and {count} that could not be read"),
    })]
    NothingToMeasure {
        /// What could not be read.
        skipped: u64,
    },
    /// A path that cannot be looked at.
    #[error("cannot open `{path}`: {}; check the path and its permissions", reason(source))]
    Open {
        /// As given, or as found in a folder.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file that broke off while being read.
    #[error("cannot read `{path}`: {}; what was read before is counted", reason(source))]
    Read {
        /// As given, or as found in a folder.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Folders below folders without end.
    #[error("`{path}` lies more than {max} folders deep; name the folder itself")]
    TooDeep {
        /// The folder.
        path: String,
        /// The limit.
        max: usize,
    },
    /// A detection that does not exist.
    #[error("no detection is called `{id}`; {}", match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`rolewatch detections` lists them all".to_owned(),
    })]
    NoDetection {
        /// As given, made printable.
        id: String,
        /// The most similar id that exists.
        near: Option<&'static str>,
    },
    /// An audit ID that no line has.
    #[error("no event has the audit ID `{id}`; check the id, or name the files that hold it")]
    NoEvent {
        /// As given, made printable.
        id: String,
    },
    /// `--explain` with a format for machines.
    #[error("`--explain` writes text for people; leave out `--format`")]
    ExplainFormat,
    /// `--strict` and something was skipped.
    #[error("{count} {} could not be read{}; mend or leave out what holds them, or leave out `--strict`", if *count == 1 { "record" } else { "records" }, match first {
        Some(place) => format!(", the first at {place}"),
        None => String::new(),
    })]
    Strict {
        /// How many records.
        count: u64,
        /// File and line.
        first: Option<String>,
    },
    /// `--report` names a file that cannot be written.
    #[error("cannot write the report `{path}`: {}; name a file in a folder that you may write to", reason(source))]
    Report {
        /// As given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A mistake in a file of exceptions.
    #[error("`{place}`: {what}")]
    Exceptions {
        /// File, line and column.
        place: String,
        /// What is wrong, and after a semicolon what to do.
        what: String,
    },
    /// A mistake in a file of settings.
    #[error("`{at}`: {what}")]
    Config {
        /// File, and line where it has lines.
        at: String,
        /// What is wrong, and after a semicolon what to do.
        what: String,
    },
    /// A subcommand that does not exist, asked for its page.
    #[error("no subcommand is called `{name}`; `rolewatch --help` lists them all")]
    NoCommand {
        /// As given, made printable.
        name: String,
    },
    /// `--memory` names a file that is no snapshot.
    #[error(
        "`{path}` cannot be loaded: {reason}; write it with `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json`"
    )]
    Snapshot {
        /// As given.
        path: String,
        /// What it is instead.
        reason: SnapshotError,
    },
    /// `--memory` names a snapshot, which does not say of what.
    #[error("`{path}` is a snapshot, which does not say of which cluster; name it with `--cluster`")]
    SnapshotCluster {
        /// As given.
        path: String,
    },
    /// `--memory` names a memory that cannot be read.
    #[error("`{path}` cannot be loaded: {}; write it anew with `rolewatch replay --save-memory`", cause(*reason))]
    Memory {
        /// As given.
        path: String,
        /// What is wrong with it.
        reason: WireError,
    },
    /// A memory of a log in which no role and no binding was changed.
    #[error(
        "`{path}` knows no role and no binding; ask a snapshot, or save a memory of a log in which some were changed"
    )]
    NoCluster {
        /// As given.
        path: String,
    },
    /// A memory of several clusters, or not of the one that is asked about.
    #[error("`{path}` knows {known}; name one of them with `--cluster`")]
    WhichCluster {
        /// As given.
        path: String,
        /// The clusters, made printable.
        known: String,
    },
    /// `--save-memory` names a file that cannot be written.
    #[error("cannot write the memory `{path}`: {}; name a file in a folder that you may write to", reason(source))]
    SaveMemory {
        /// As given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// `--memory` names a file that is too large.
    #[error("`{path}` is larger than {} MiB; of the ConfigMaps only `aws-auth` is used, so leave out the others", max >> 20)]
    SnapshotTooLarge {
        /// As given.
        path: String,
        /// The limit in bytes.
        max: u64,
    },
    /// A subject in no known form.
    #[error("`{subject}` is no subject; write a user's name, `group:NAME` or `sa:NAMESPACE/NAME`")]
    NoSubject {
        /// As given, made printable.
        subject: String,
    },
    /// `--state` names a file that cannot be written.
    #[error("cannot write the state `{path}`: {}; name a file in a folder that you may write to", reason(source))]
    State {
        /// As given.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another run has it.
    #[error("another rolewatch is using `{path}`; wait for its end, or name another file")]
    StateInUse {
        /// As given.
        path: String,
    },
    /// The reader of the output went away from a run that keeps a state.
    #[error("the reader of the output went away before everything was told; the state is what it was, so run it again")]
    Untold,
    /// `--state` names a file that cannot be gone on from.
    #[error("cannot go on from `{path}`: {reason}; name another file, or remove it to begin anew")]
    StateUnusable {
        /// As given.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// CloudWatch Logs cannot be read.
    #[error("{0}")]
    Live(#[from] LiveError),
    /// The output failed.
    #[error("cannot write the output: {}; check the disk and the pipe", reason(.0))]
    Write(io::Error),
    /// Whoever read the output has seen enough. Not shown.
    #[error("the reader of the output is gone")]
    ReaderGone,
}

impl From<io::Error> for Error {
    /// A failure of standard output: inputs say which file, and standard error does not fail.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::ReaderGone } else { Self::Write(error) }
    }
}

/// What is wrong with a memory, without the remedy.
fn cause(error: WireError) -> String {
    if error == WireError::OtherVersion {
        // Where the number of the version should stand, damage is a number too.
        return "it is damaged, or another version of Rolewatch wrote it".to_owned();
    }
    error.to_string().split(';').next().unwrap_or_default().to_owned()
}

/// What the system said, in lower case and without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}
