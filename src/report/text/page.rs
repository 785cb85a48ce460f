//! A page of plain text that grows line by line: indents, wraps, colours, and keeps control
//! characters of the user's data off the terminal.
//!
//! Prose is wrapped between words. SQL that is to be run, paths and other single words are never
//! broken: they can be copied whole, and rather stand out over the right edge.

use owo_colors::OwoColorize;
use unicode_width::UnicodeWidthStr;

use super::{NARROWEST, Style, units::TIE};
use crate::finding::Severity;

/// Prose wider than this is hard to read, however wide the terminal.
const WIDEST_PROSE: usize = 160;

/// Where the text of a labelled field begins, counted from its label.
const LABEL: usize = 9;

pub(super) struct Page {
    style: Style,
    text: String,
}

impl Page {
    pub(super) fn new(style: Style) -> Page {
        Page { style: Style { width: style.width.max(NARROWEST), ..style }, text: String::new() }
    }

    /// An empty page of the same looks.
    pub(super) fn another(&self) -> Page {
        Page { style: self.style, text: String::new() }
    }

    /// Goes on with what stands on another page.
    pub(super) fn append(&mut self, other: &Page) {
        self.text.push_str(&other.text);
    }

    pub(super) fn width(&self) -> usize {
        self.style.width
    }

    /// Whether the terminal shows more than ASCII.
    pub(super) fn unicode(&self) -> bool {
        self.style.unicode
    }

    /// An empty line, unless there is one already.
    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Begins a section.
    pub(super) fn heading(&mut self, title: &str) {
        self.blank();
        let title = self.strong(title);
        self.line(0, &title);
        self.text.push('\n');
    }

    /// One line as it is, however long: for text of our own, or cleaned before.
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(line);
        let end = self.text.trim_end_matches(|c: char| c.is_whitespace() && c != '\n').len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    /// Wrapped text; every line stands at `indent`.
    pub(super) fn prose(&mut self, indent: usize, text: &str) {
        self.hanging(indent, "", 0, text);
    }

    /// Wrapped text after a label; the lines that follow stand under its beginning.
    pub(super) fn field(&mut self, indent: usize, label: &str, text: &str) {
        let dimmed = if self.style.color { label.dimmed().to_string() } else { label.to_owned() };
        let gap = LABEL.saturating_sub(label.width());
        self.hanging(indent, &format!("{dimmed}{:gap$}", ""), LABEL, text);
    }

    /// `lead` (`lead_width` columns on the terminal), then `text` wrapped in the columns right of it.
    pub(super) fn hanging(&mut self, indent: usize, lead: &str, lead_width: usize, text: &str) {
        let left = indent + lead_width;
        let room = self.style.width.min(left + WIDEST_PROSE).saturating_sub(left);
        for (at, line) in wrap(text, room).iter().enumerate() {
            if at == 0 {
                self.text.extend(std::iter::repeat_n(' ', indent));
                self.text.push_str(lead);
                self.line(0, line);
            } else {
                self.line(left, line);
            }
        }
    }

    /// SQL ready to be copied: its own lines, never broken, with a `;` at the end.
    pub(super) fn sql(&mut self, indent: usize, sql: &str) {
        let sql = sql.trim().trim_end_matches(';');
        let last = sql.lines().count().saturating_sub(1);
        for (at, line) in sql.lines().enumerate() {
            let end = if at == last { ";" } else { "" };
            let line = format!("{}{end}", clean(line.trim_end()));
            let line = if self.style.color { line.green().to_string() } else { line };
            self.line(indent, &line);
        }
    }

    pub(super) fn dimmed(&self, text: &str) -> String {
        if self.style.color { text.dimmed().to_string() } else { text.to_owned() }
    }

    pub(super) fn strong(&self, text: &str) -> String {
        let text = clean(text);
        if self.style.color { text.bold().to_string() } else { text }
    }

    /// `error[SG003]`, coloured by how much it hurts.
    pub(super) fn severity(&self, severity: Severity, tag: &str) -> String {
        match severity {
            _ if !self.style.color => tag.to_owned(),
            Severity::Error => tag.red().bold().to_string(),
            Severity::Warning => tag.yellow().bold().to_string(),
            Severity::Note => tag.cyan().to_string(),
        }
    }

    /// Text that is new, as SQL to be run is shown.
    pub(super) fn added(&self, text: &str) -> String {
        if self.style.color { text.green().to_string() } else { text.to_owned() }
    }

    pub(super) fn finish(self) -> String {
        let text = self.text.replace(TIE, " ");
        if self.style.unicode {
            return text;
        }
        let text = text.replace('…', "~").replace('→', "->").replace('≥', ">=");
        text.replace('×', "x").replace('÷', "/").replace('▶', ">")
    }
}

/// Lines of at most `room` columns, broken at spaces; a longer word has a line for itself. Never empty.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let text = clean(text);
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::with_capacity(text.len().min(room)), 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = columns(word);
        if !line.is_empty() {
            if used + 1 + width > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            } else {
                line.push(' ');
                used += 1;
            }
        }
        line.push_str(word);
        used += width;
    }
    lines.push(line);
    lines
}

/// Columns of a clean text on a terminal.
fn columns(text: &str) -> usize {
    // Nearly all are ASCII, one column each.
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The text on one line, without what a terminal would obey.
pub(super) fn clean(text: &str) -> String {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    text.chars().map(clean_character).collect()
}

/// Control characters, and the marks that turn the direction of writing, are not shown.
pub(super) fn clean_character(c: char) -> char {
    match c {
        '\n' | '\t' | '\r' => ' ',
        c if c.is_control() => '\u{fffd}',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_but_never_broken() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a verylongword b", 5), ["a", "verylongword", "b"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("字字 字字", 5), ["字字", "字字"], "a wide character takes two columns");
    }

    #[test]
    fn a_terminal_gets_no_orders_from_the_log() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c d");
    }

    #[test]
    fn sql_ends_with_one_semicolon() {
        for sql in ["DROP INDEX a", "DROP INDEX a;", "DROP INDEX a;\n"] {
            let mut page = Page::new(Style { width: 5, color: false, unicode: true });
            page.sql(2, sql);
            assert_eq!(page.finish(), "  DROP INDEX a;\n");
        }
    }
}
