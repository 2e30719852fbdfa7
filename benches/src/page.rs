//! Numbers go from the benchmark into docs/performance.md by themselves: what is copied by hand is soon wrong.

use std::fs;
use std::path::{Path, PathBuf};

/// Puts a text between the marks of a section of the page.
pub fn fill(section: &str, text: &str) -> Result<(), String> {
    let page = page();
    let old = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    let new = filled(&old, section, text).ok_or_else(|| format!("the page has no section {section}"))?;
    fs::write(&page, new).map_err(|error| format!("{}: {error}", page.display()))
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md")
}

fn filled(page: &str, section: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(&format!("<!-- measured: {section} -->\n"))?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}<!-- measured: {section} -->\n{}\n{END}{after}", text.trim_end()))
}

const END: &str = "<!-- end -->";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_changes() {
        let page = "a\n<!-- measured: one -->\nold\n<!-- end -->\nb\n<!-- measured: two -->\n<!-- end -->\nc\n";
        let new = "a\n<!-- measured: one -->\nnew\n<!-- end -->\nb\n<!-- measured: two -->\n<!-- end -->\nc\n";
        assert_eq!(filled(page, "one", "new\n\n").as_deref(), Some(new));
        assert_eq!(filled(page, "three", "new"), None);
    }

    #[test]
    fn the_page_has_every_section_that_is_written() {
        let page = fs::read_to_string(page()).expect("the page lies in the project");
        for section in ["ratios", "counted", "growth", "compared", "replayed"] {
            assert!(filled(&page, section, "").is_some(), "{section}");
        }
    }
}
