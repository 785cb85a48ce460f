//! A plan as `psql` or a grid of cells shows it → the plan as the server sent it.

use std::borrow::Cow;

/// Takes off the heading `QUERY PLAN`, the frame, the marks of lines that go on and the number of rows; or
/// the quotes that a grid puts around each line. Any other text stays as it is.
pub(super) fn unwrapped(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with('"') {
        return quoted(text).map_or(Cow::Borrowed(text), Cow::Owned);
    }
    let mut lines = text.lines();
    // Above the heading stands at most a blank line, the border and what was typed.
    let heading = lines.by_ref().take(100).any(|line| bare(line).trim() == "QUERY PLAN");
    let mut lines = lines.peekable();
    if !heading || lines.next_if(|line| is_rule(line)).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plan = String::new();
    for line in lines {
        if is_rule(line) || is_footer(line) {
            break;
        }
        plan.push_str(bare(line));
        plan.push('\n');
    }
    Cow::Owned(plan)
}

/// A line without the frame, the blank column and the mark `+` or `↵` at its end.
fn bare(line: &str) -> &str {
    let frame = ['|', '│', '║'];
    let framed = line.trim_end().strip_suffix(frame).filter(|line| line.starts_with(frame));
    let line = framed.map_or(line, |line| line.trim_start_matches(frame));
    let line = line.trim_end();
    let line = line.strip_suffix(['+', '↵']).unwrap_or(line);
    line.strip_prefix(' ').unwrap_or(line).trim_end()
}

/// `-----`, `+---+`, `╞════╡`.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() > 2 && line.chars().all(|c| matches!(c, '-' | '+' | '|' | '\u{2500}'..='\u{257f}'))
}

/// `(12 rows)`, in any language.
fn is_footer(line: &str) -> bool {
    let inside = line.strip_prefix('(').and_then(|line| line.trim_end().strip_suffix(')'));
    inside.is_some_and(|inside| inside.starts_with(|c: char| c.is_ascii_digit()))
}

/// Every line in quotes, those within doubled.
fn quoted(text: &str) -> Option<String> {
    let mut plan = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let line = line.strip_prefix('"')?.strip_suffix('"')?;
        if line != "QUERY PLAN" {
            plan.push_str(&line.replace("\"\"", "\""));
            plan.push('\n');
        }
    }
    Some(plan)
}
