//! A unified diff → which lines of which files are new or changed.

use std::collections::BTreeMap;

/// Lines by file, as the diff names the file after the change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Ranges of lines, from 1, both ends included.
    files: BTreeMap<String, Vec<(u64, u64)>>,
}

impl Changed {
    /// Reads what `git diff` or `diff -u` prints; with context lines or without.
    ///
    /// Errors: no line of it is of a diff.
    pub fn parse(diff: &str) -> Result<Changed, String> {
        let mut changed = Changed::default();
        let mut file: Option<String> = None;
        // New lines that the hunk still has, old ones, and the number of the next new line.
        let (mut new, mut old, mut at) = (0_u64, 0_u64, 0_u64);
        let mut understood = diff.trim().is_empty();
        for line in diff.lines() {
            if new > 0 || old > 0 {
                match line.as_bytes().first() {
                    Some(b'+') => {
                        if let Some(file) = &file {
                            changed.add(file, at);
                        }
                        (new, at) = (new.saturating_sub(1), at + 1);
                    }
                    Some(b'-') => {
                        old = old.saturating_sub(1);
                    }
                    Some(b'\\') => {}
                    _ => (new, old, at) = (new.saturating_sub(1), old.saturating_sub(1), at + 1),
                }
            } else if let Some(name) = line.strip_prefix("+++ ") {
                file = name_of(name);
                understood = true;
                if let Some(file) = &file {
                    changed.files.entry(file.clone()).or_default();
                }
            } else if let Some(hunk) = line.strip_prefix("@@ -") {
                let Some((before, (start, count))) = hunk_of(hunk) else {
                    return Err(format!("`{line}` is no hunk of a unified diff"));
                };
                (old, new, at) = (before, count, start);
                understood = true;
            } else if line.starts_with("diff ") || line.starts_with("index ") {
                understood = true;
            }
        }
        if understood { Ok(changed) } else { Err("it is no unified diff".to_owned()) }
    }

    /// Adds a file all of whose lines are new.
    pub fn add_file(&mut self, file: &str) {
        self.files.insert(file.to_owned(), vec![(1, u64::MAX)]);
    }

    /// Every file with a change, also one that only lost lines.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Whether one of these lines was changed, both ends included.
    pub fn touches(&self, file: &str, from: u64, to: u64) -> bool {
        let ranges = self.files.get(file).map_or(&[][..], Vec::as_slice);
        ranges.iter().any(|&(first, last)| first <= to && from <= last)
    }

    fn add(&mut self, file: &str, line: u64) {
        let ranges = self.files.entry(file.to_owned()).or_default();
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(line) => *last = line,
            _ => ranges.push((line, line)),
        }
    }
}

/// `b/sql/a.sql`, with a tab and a time behind it or in quotes; `None` for a file that is gone.
fn name_of(written: &str) -> Option<String> {
    let name = written.split('\t').next().unwrap_or(written).trim_end_matches('\r');
    if name == "/dev/null" {
        return None;
    }
    let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(quoted) => unquoted(quoted),
        None => name.to_owned(),
    };
    let name = ["b/", "w/", "i/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(&name);
    Some(name.to_owned())
}

/// Git writes the bytes of names that are not ASCII as `\303\244`.
fn unquoted(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, tail @ ..] = rest {
        let octal = tail.get(..3).filter(|digits| digits.iter().all(|b| (b'0'..=b'7').contains(b)));
        let octal = octal.and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, tail.first(), octal.and_then(|digits| u8::from_str_radix(digits, 8).ok())) {
            (b'\\', _, Some(byte)) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            (b'\\', Some(next), None) => {
                bytes.push(match next {
                    b't' => b'\t',
                    b'n' => b'\n',
                    other => *other,
                });
                rest = &tail[1..];
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `1,3 +2,4 @@ …`: how many old lines, and where the new ones begin and how many they are.
fn hunk_of(hunk: &str) -> Option<(u64, (u64, u64))> {
    let (old, rest) = hunk.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let pair = |text: &str| -> Option<(u64, u64)> {
        match text.split_once(',') {
            Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
            None => Some((text.parse().ok()?, 1)),
        }
    };
    Some((pair(old)?.1, pair(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str = "diff --git a/sql/a.sql b/sql/a.sql\nindex 1..2 100644\n--- a/sql/a.sql\n+++ b/sql/a.sql\n@@ -1,3 +1,4 @@\n SELECT 1;\n-SELECT 2;\n+SELECT 3;\n+++ 4;\n SELECT 5;\n@@ -9 +10,0 @@\n-SELECT 6;\n--- a/gone.sql\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n--- /dev/null\n+++ \"b/\\303\\244.sql\"\t2026-11-23\n@@ -0,0 +1 @@\n+SELECT 7;\n\\ No newline at end of file\n";

    #[test]
    fn new_lines_are_those_with_a_plus() {
        let changed = Changed::parse(DIFF).expect("a diff");
        assert_eq!(changed.files().collect::<Vec<_>>(), ["sql/a.sql", "ä.sql"]);
        for (line, expect) in [(1, false), (2, true), (3, true), (4, false), (10, false)] {
            assert_eq!(changed.touches("sql/a.sql", line, line), expect, "{line}");
        }
        assert!(changed.touches("sql/a.sql", 3, 9) && changed.touches("ä.sql", 1, 1));
        assert!(!changed.touches("other.sql", 1, 99));
    }

    #[test]
    fn what_is_no_diff_is_refused() {
        assert_eq!(Changed::parse("SELECT 1;\n"), Err("it is no unified diff".to_owned()));
        assert!(Changed::parse("--- a\n+++ b\n@@ -x +y @@\n").is_err());
        assert!(Changed::parse("").expect("nothing changed").is_empty());
    }
}
