//! The options that choose what is fetched from CloudWatch Logs.

use std::path::PathBuf;

use clap::Args;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What to fetch from CloudWatch Logs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Live {
    /// Read this log group of CloudWatch Logs, `/aws/eks/<cluster>/cluster`, instead of files
    #[arg(long, value_name = "NAME", help_heading = FETCH)]
    pub(crate) log_group: Option<String>,
    /// From so long ago: 30m, 24h, 7d; an hour where nothing is said
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = LOG_GROUP, conflicts_with_all = [PATHS, "from"], help_heading = FETCH)]
    pub(crate) since: Option<SignedDuration>,
    /// From this time on, such as 2026-03-01T10:00:00Z, or the beginning of a day, 2026-03-01; UTC where it names no zone
    #[arg(long, value_name = "TIME", value_parser = moment, requires = LOG_GROUP, conflicts_with = PATHS, help_heading = FETCH)]
    pub(crate) from: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = moment, requires = LOG_GROUP, conflicts_with_all = [PATHS, "follow"], help_heading = FETCH)]
    pub(crate) to: Option<Timestamp>,
    /// Go on reading what comes, until Ctrl-C
    #[arg(long, requires = LOG_GROUP, conflicts_with = PATHS, help_heading = FETCH)]
    pub(crate) follow: bool,
    /// Only log streams whose name begins so, such as kube-apiserver-audit; may be given several times
    #[arg(long, value_name = "PREFIX", requires = LOG_GROUP, conflicts_with = PATHS, help_heading = FETCH)]
    pub(crate) log_stream: Vec<String>,
    /// Keep in this file how far the log was read and what was learned, and go on from there the next time
    #[arg(long, value_name = "FILE", requires = LOG_GROUP, conflicts_with_all = [PATHS, "to"], help_heading = FETCH)]
    pub(crate) state: Option<PathBuf>,
    /// The profile of the AWS configuration to use, as with the AWS CLI; `--region` chooses the Region
    #[arg(long, value_name = "NAME", requires = LOG_GROUP, conflicts_with = PATHS, help_heading = FETCH)]
    pub(crate) profile: Option<String>,
}

const FETCH: &str = "From CloudWatch Logs";
const LOG_GROUP: &str = "log_group";
/// Named with each option of this group: what is required does not count where paths rule it out, and an option that
/// chooses lines must not be passed over without a word.
const PATHS: &str = "paths";

/// A time, or the beginning of a day.
fn moment(text: &str) -> Result<Timestamp, String> {
    let utc = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|time| time.timestamp());
    let time = text.parse().ok().or_else(utc);
    time.ok_or_else(|| "not a time; write it like 2026-03-01T10:00:00Z, or a day like 2026-03-01".to_owned())
}

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

#[cfg(test)]
mod tests {
    use super::{duration, moment};

    #[test]
    fn times_are_utc_where_they_name_no_zone() {
        for (text, time) in [
            ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z"),
            ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"),
            ("2026-03-01T10:00", "2026-03-01T10:00:00Z"),
            ("2026-03-01 10:00:00", "2026-03-01T10:00:00Z"),
            ("2026-03-01", "2026-03-01T00:00:00Z"),
        ] {
            assert_eq!(moment(text).unwrap().to_string(), time, "{text}");
        }
        for wrong in ["", "yesterday", "2026-13-01", "1772359200"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_minutes_hours_or_days() {
        assert_eq!(duration("90m").unwrap().as_mins(), 90);
        assert_eq!(duration("7d").unwrap().as_hours(), 168);
        for wrong in ["", "h", "1w", "-1h", "1.5h", "1\u{e9}"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
