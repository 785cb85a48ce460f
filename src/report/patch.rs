//! Two texts as a unified diff, as `patch` and `git apply` read it.

use std::fmt::Write as _;

/// Lines around a change, and how far is looked for the next line that both texts have.
const CONTEXT: usize = 3;
const WINDOW: usize = 400;

/// A run of lines: in both, or only in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Both,
    Old,
    New,
}

/// Nothing where the texts are the same.
pub fn render(name: &str, old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let lines = compared(&a, &b);
    let changed: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| **line != Line::Both).map(|(at, _)| at).collect();
    let Some(&first) = changed.first() else { return String::new() };
    let mut text = format!("--- a/{name}\n+++ b/{name}\n");
    let mut hunks = vec![(first, first)];
    for &at in &changed[1..] {
        match hunks.last_mut() {
            Some((_, end)) if at - *end <= 2 * CONTEXT => *end = at,
            _ => hunks.push((at, at)),
        }
    }
    for (first, last) in hunks {
        let range = first.saturating_sub(CONTEXT)..(last + CONTEXT + 1).min(lines.len());
        let count = |range: &[Line], not: Line| range.iter().filter(|line| **line != not).count();
        let (mut i, mut j) =
            (count(&lines[..range.start], Line::New), count(&lines[..range.start], Line::Old));
        let (of_old, of_new) =
            (count(&lines[range.clone()], Line::New), count(&lines[range.clone()], Line::Old));
        let begin = |before: usize, lines: usize| if lines == 0 { before } else { before + 1 };
        let _ = writeln!(text, "@@ -{},{of_old} +{},{of_new} @@", begin(i, of_old), begin(j, of_new));
        for line in &lines[range] {
            let (sign, part) = match line {
                Line::Both => (' ', a.get(i)),
                Line::Old => ('-', a.get(i)),
                Line::New => ('+', b.get(j)),
            };
            i += usize::from(*line != Line::New);
            j += usize::from(*line != Line::Old);
            let part = part.copied().unwrap_or_default();
            text.push(sign);
            text.push_str(part);
            if !part.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    text
}

/// Both texts as one list of lines: where they differ, up to the nearest line that both have.
fn compared(a: &[&str], b: &[&str]) -> Vec<Line> {
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && a.get(i) == b.get(j) {
            lines.push(Line::Both);
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (old, new) = next(&a[i..], &b[j..]);
        lines.extend(std::iter::repeat_n(Line::Old, old));
        lines.extend(std::iter::repeat_n(Line::New, new));
        (i, j) = (i + old, j + new);
    }
    lines
}

/// How many lines of each come before one that both have.
fn next(a: &[&str], b: &[&str]) -> (usize, usize) {
    for far in 1..WINDOW {
        for old in 0..=far {
            let new = far - old;
            if old < a.len() && a.get(old) == b.get(new) {
                return (old, new);
            }
        }
    }
    (a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn hunks() {
        assert_eq!(render("a.sql", "1\n2\n", "1\n2\n"), "");
        assert_eq!(
            render("a.sql", "1\n2\n3\n4\n5\n", "1\n2\n3\n4\nx\n"),
            "--- a/a.sql\n+++ b/a.sql\n@@ -2,4 +2,4 @@\n 2\n 3\n 4\n-5\n+x\n"
        );
        assert_eq!(
            render("a.sql", "1\r\n2", "2"),
            "--- a/a.sql\n+++ b/a.sql\n@@ -1,2 +1,1 @@\n-1\r\n 2\n\\ No newline at end of file\n"
        );
        let long = |first: &str, last: &str| format!("{first}\n{}{last}\n", "same\n".repeat(20));
        let diff = render("a.sql", &long("a", "y"), &long("b", "z"));
        assert_eq!(diff.matches("@@ -").count(), 2, "{diff}");
        assert!(diff.contains("@@ -19,4 +19,4 @@"), "{diff}");
    }
}
