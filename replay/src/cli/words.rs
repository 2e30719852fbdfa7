//! What the help says at length.

pub(super) const REPLAY: &str = "\
Analyse logs: files, folders, standard input or a log group of CloudWatch Logs.

Any form is understood, and recognised from the content, never from the name: audit events one per line or in a list, \
the text of the api and authenticator streams, output of `aws logs`, subscription deliveries as Lambda, Kinesis and \
Firehose carry them, export tasks, on-failure records; all of it also in gzip. Several inputs are one run: what is \
learned from one counts for the next.

With `--log-group` the log is fetched from CloudWatch Logs. Profile, Region and credentials are found as the AWS CLI \
finds them; `logs:FilterLogEvents` on the log group is all that is needed. `--follow` asks again every \
few seconds.

Alerts go to standard output; progress and summary go to standard error.";

pub(super) const WHO_CAN: &str = "\
Say who may do something in a cluster, from a snapshot of it: every binding whose role permits it, decided as the API \
server decides.

Take the snapshot with `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json`. A \
resource outside the core group is written as kubectl writes it, `deployments.apps`; for common ones the group may be \
left out. EKS access policies are outside RBAC and not in a snapshot.";

pub(super) const RIGHTS: &str = "\
Say what somebody may do in a cluster, from a snapshot of it: every binding that names the subject or a group that it \
is certainly in, what its role permits in words, and the gravest of it.

Take the snapshot with `kubectl get roles,rolebindings,clusterroles,clusterrolebindings,configmaps -A -o json`. Other \
groups of the subject are named with `--group`. EKS access policies are outside RBAC and not in a snapshot.";

pub(super) const EXPLAIN: &str = "\
Say why one event alerted or stayed quiet: what the caller proved to be, what the request changed, which detections saw \
something, which reason kept it quiet, and what would have been seen without that reason.

The event is judged as `rolewatch replay` judges it, with what the lines before it taught, so name all the files that \
were read together, and the memory that the run began with.";

pub(super) const COST: &str = "\
Estimate what Rolewatch would cost on a log that is at hand: lines and bytes a day, how much each filter mode hands on, \
and what Lambda, SNS and CloudWatch would take for it in a month.

Any form that `rolewatch replay` reads will do. A day of log is better than an hour: a month is reckoned from it as if \
every day were the same. Prices and habits of the services are assumptions, dated and listed by `--assumptions`; `--set` \
replaces one.";

pub(super) const FILTER_PATTERN: &str = "\
Print the filter patterns that a subscription of CloudWatch Logs may have, and what each hands on and does not see.

Every pattern is one of text, at most 1,024 characters long, in step with the detections of this release. Print one with \
`--mode` and give it to `aws logs put-subscription-filter --filter-pattern`; the SAM template has them as its parameter \
`FilterMode`. `rolewatch cost` measures on your own log how much each hands on.";

pub(super) const CHECK: &str = "\
Check a file of exceptions, and say what each would silence in logs.

Mistakes are told with line and column. Each exception is listed with the alerts that it would have silenced; those \
that have expired, and those that silence nothing, are pointed out. Without a PATH the logs are left out.";

pub(super) const CHECK_STATUS: &str = "\
Exit status: 0 when done, 1 when --strict found an exception that has expired or silences nothing, 2 for wrong usage, a \
mistake in the file, or input that cannot be read.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  bash        rolewatch completions bash > ~/.local/share/bash-completion/completions/rolewatch
  zsh         rolewatch completions zsh > ~/.zfunc/_rolewatch, with ~/.zfunc in fpath
  fish        rolewatch completions fish > ~/.config/fish/completions/rolewatch.fish
  PowerShell  rolewatch completions powershell >> $PROFILE";

pub(super) const MAN: &str = "\
Example: rolewatch man replay | man -l -";

pub(super) const PLAIN_STATUS: &str = "\
Exit status: 0 when done, 2 for wrong usage or input that cannot be read.";

pub(super) const EXIT_STATUS: &str = "\
Exit status: 0 when done, 1 when an alert reached --fail-on, 2 for wrong usage or input that cannot be read, 130 when \
Ctrl-C ended it early.";
