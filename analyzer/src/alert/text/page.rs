//! The lines of a text alert: indented, wrapped, and no more of them than there is room for.

use std::fmt::Write as _;

use crate::text::{NAME_CHARS_MAX, wrap};

/// Text under construction.
pub(super) struct Page {
    pub(super) text: String,
    columns: usize,
    pub(super) room: &'static Room,
}

impl Page {
    /// An empty one with lines of at most `columns`.
    pub(super) fn new(columns: usize, room: &'static Room) -> Self {
        Self { text: String::new(), columns, room }
    }

    /// Text from the first column on.
    pub(super) fn paragraph(&mut self, text: &str) {
        self.lines("", "", text, self.room.lines);
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// The name of a chapter.
    pub(super) fn chapter(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{title}");
    }

    /// A line of a chapter.
    pub(super) fn item(&mut self, bullet: &str, text: &str) {
        self.lines(&format!("  {bullet}"), &" ".repeat(2 + bullet.len()), text, self.room.lines);
    }

    /// A line with a label in front.
    pub(super) fn field(&mut self, label: &str, text: &str) {
        self.lines(&format!("{label:<6}"), LABEL, text, self.room.lines);
    }

    /// A field that is cut only where it is longer than any name.
    pub(super) fn identity(&mut self, label: &str, text: &str) {
        let most = IDENTITY_CHARS / self.columns.saturating_sub(LABEL.len()).max(1) + 1;
        self.lines(&format!("{label:<6}"), LABEL, text, most.max(self.room.lines));
    }

    /// The same for one word of the log behind some of ours: without a blank it is whole in two lines.
    pub(super) fn word(&mut self, text: &str) {
        self.lines(LABEL, LABEL, text, self.room.lines.max(2));
    }

    /// Whether a field has room for all of it.
    pub(super) fn fits(&self, text: &str) -> bool {
        wrap(text, self.columns.saturating_sub(LABEL.len())).len() <= self.room.lines
    }

    /// What to do, from us and so whole.
    pub(super) fn advice(&mut self, text: &str) {
        self.lines("  ", "  ", text, ADVICE_LINES);
    }

    /// A line to be copied.
    pub(super) fn verbatim(&mut self, text: &str) {
        let _ = writeln!(self.text, "    {text}");
    }

    fn lines(&mut self, first: &str, rest: &str, text: &str, most: usize) {
        let width = self.columns.saturating_sub(rest.len());
        let mut lines = wrap(text, width);
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                end(last, width);
            }
        }
        for (number, line) in lines.into_iter().enumerate() {
            let indent = if number == 0 { first } else { rest };
            let _ = writeln!(self.text, "{indent}{line}");
        }
    }
}

/// Marks a line as the last of more, with the words in front of the mark that leave room for it. A word that is longer
/// than a line stays whole, as it does elsewhere.
fn end(line: &mut String, width: usize) {
    while line.chars().count() + MORE.len() > width
        && let Some(blank) = line.rfind(' ')
    {
        line.truncate(blank);
    }
    let length = line.chars().count();
    if length <= width && length + MORE.len() > width {
        let short = line.char_indices().nth(width.saturating_sub(MORE.len())).map_or(line.len(), |(end, _)| end);
        line.truncate(short);
        line.push_str(MORE.trim_start());
    } else {
        line.push_str(MORE);
    }
}

/// How much of an alert is shown; the rest is counted.
pub(super) struct Room {
    /// Reasons.
    pub(super) reasons: usize,
    /// Changed rights or mappings.
    pub(super) changes: usize,
    /// Kinds of request.
    pub(super) deeds: usize,
    /// Events.
    pub(super) events: usize,
    /// Lines of a name, a reason or a change.
    pub(super) lines: usize,
}

/// Enough for nearly every alert.
pub(super) const ROOMY: Room = Room { reasons: 5, changes: 10, deeds: 6, events: 3, lines: 12 };
/// With names that are longer than anybody's.
pub(super) const TIGHT: Room = Room { reasons: 2, changes: 5, deeds: 2, events: 1, lines: 2 };
/// However long the names are, this fits the screen.
pub(super) const CRAMPED: Room = Room { reasons: 1, changes: 3, deeds: 1, events: 1, lines: 1 };
/// In front of the lines of a field, below its label.
const LABEL: &str = "      ";
/// Stands where something is left out.
const MORE: &str = " ...";
/// Characters of a fact about who did it: the longest name, and what is lost where words end before the line does.
const IDENTITY_CHARS: usize = NAME_CHARS_MAX * 4 / 3;
/// Lines of advice, which is our own text.
const ADVICE_LINES: usize = 6;
