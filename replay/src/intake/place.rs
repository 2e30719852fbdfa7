//! Where a line stands, as people can find it again.

use jiff::Timestamp;
use rolewatch_analyzer::text::name;

/// A file, and where in it.
#[derive(Debug, Default)]
pub(super) struct Place {
    file: String,
    line: u64,
    /// Where the line stands when it is no line of a file: stream, and time in milliseconds.
    event: Option<(String, i64)>,
}

impl Place {
    /// The beginning of a file.
    pub(super) fn open(&mut self, file: &str) {
        file.clone_into(&mut self.file);
        (self.line, self.event) = (0, None);
    }

    /// This line of the file.
    pub(super) fn at(&mut self, line: u64) {
        self.line = line;
    }

    /// So many lines later.
    pub(super) fn advance(&mut self, lines: u64) {
        self.line += lines;
    }

    /// The next event, of this stream and time.
    pub(super) fn at_event(&mut self, stream: &str, time_ms: i64) {
        self.line += 1;
        let (last, time) = self.event.get_or_insert_default();
        stream.clone_into(last);
        *time = time_ms;
    }

    /// The file.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    /// The line of the file, or the number of the event.
    pub(super) fn line(&self) -> u64 {
        self.line
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.event {
            Some((stream, time)) => {
                write!(formatter, "{} {}", self.file, name(stream))?;
                Timestamp::from_millisecond(*time).map_or(Ok(()), |time| write!(formatter, " {time:.3}"))
            }
            None if self.line == 0 => formatter.write_str(&self.file),
            None => write!(formatter, "{}:{}", self.file, self.line),
        }
    }
}
