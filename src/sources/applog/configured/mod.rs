//! Formats that the user defines in `sargable.yaml`: [`Readers`], tried beside our own.
//!
//! An entry is a line, or where the definition says what entries begin with, the lines up to the next one.
//! Entries know nothing of each other.
//!
//! | an entry | counts as |
//! | --- | --- |
//! | with a statement | an event |
//! | of which `where` says that it is about something else; without `where` in JSON, one without SQL | foreign |
//! | else | skipped, with a sample |
//!
//! A fact that the entry has but that cannot be understood (`fast` as a duration) is absent from the event
//! and told in a note.

mod facts;
mod lookup;
pub(in crate::sources) mod parallel;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use facts::Misread;
use serde_json::Value;

use super::{
    Reader,
    fields::Fields,
    lines::{self, Draft, Sink},
    without_end,
};
use crate::{
    config::{self, Config, Fact, Form},
    error::Error,
    sources::pglog::Tally,
};

/// The formats of one `sargable.yaml`, in its order.
#[derive(Clone, Debug, Default)]
pub struct Readers(Vec<Arc<Configured>>);

/// One of them.
pub(in crate::sources) struct Configured {
    pub(in crate::sources) name: String,
    reader: config::Reader,
    /// The folder that `files` begin in.
    folder: PathBuf,
    /// The file that defines it, for a note.
    defined: String,
}

impl Readers {
    /// What a configuration defines. Errors: a reader has the name of a format that we know.
    pub fn of(config: &Config) -> Result<Readers, Error> {
        let ours = crate::sources::input_formats();
        let path = config.path().unwrap_or(Path::new(config::FILE));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let configured = config.logs.readers.iter().map(|(name, reader)| {
            if ours.contains(&name.0.as_str()) {
                return Err(config.refuse(
                    &["logs", "readers", &name.0],
                    format!("`{name}` is the name of a built-in format"),
                    Some(format!("call the reader something else, such as `our-{name}`")),
                ));
            }
            Ok(Arc::new(Configured {
                name: name.0.clone(),
                reader: reader.clone(),
                folder: folder.unwrap_or(Path::new(".")).to_owned(),
                defined: path.display().to_string(),
            }))
        });
        configured.collect::<Result<_, _>>().map(Readers)
    }

    /// Their names, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|configured| configured.name.as_str())
    }

    pub(in crate::sources) fn named(&self, name: &str) -> Option<Arc<Configured>> {
        self.0.iter().find(|configured| configured.name == name).cloned()
    }

    /// The first that names the file and understands the lines.
    pub(in crate::sources) fn of_file(&self, path: &Path, lines: &[&[u8]]) -> Option<Arc<Configured>> {
        self.0.iter().find(|one| one.names_file(path) && one.fits(lines) > 0).cloned()
    }

    /// The first that names the file, whatever it holds.
    pub(in crate::sources) fn naming(&self, path: &Path) -> Option<Arc<Configured>> {
        self.0.iter().find(|one| one.names_file(path)).cloned()
    }

    /// The one that understands most lines; of equals the first.
    pub(in crate::sources) fn of_lines(&self, lines: &[&[u8]]) -> Option<Arc<Configured>> {
        let fitting = self.0.iter().map(|one| (one.fits(lines), one)).filter(|(fits, _)| *fits > 0);
        fitting.rev().max_by_key(|(fits, _)| *fits).map(|(_, one)| Arc::clone(one))
    }

    /// How many statements the best of them reads from these lines.
    pub(in crate::sources) fn fits(&self, lines: &[&[u8]]) -> usize {
        self.0.iter().map(|one| one.fits(lines)).max().unwrap_or(0)
    }
}

impl fmt::Debug for Configured {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.name)
    }
}

/// What an entry turned out to be.
enum Entry {
    Statement(Box<Draft>),
    Other,
    NotUnderstood,
}

impl Configured {
    fn names_file(&self, path: &Path) -> bool {
        path.as_os_str() != "-" && self.reader.files.iter().any(|glob| glob.matches(path, &self.folder))
    }

    /// How many statements it reads from these lines.
    fn fits(&self, lines: &[&[u8]]) -> usize {
        let (mut reader, mut tally, mut found) = (self.reader(), Tally::default(), 0);
        for (number, line) in (1..).zip(lines) {
            reader.line(number, without_end(line), &mut tally, &mut |_| found += 1);
        }
        reader.end(&mut tally, &mut |_| found += 1);
        found
    }

    pub(in crate::sources) fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(self.entries())
    }

    fn entries(&self) -> Entries<'_> {
        Entries { configured: self, open: None, full: false, misread: Misread::default() }
    }

    fn notes(&self, misread: &Misread) -> Vec<String> {
        let defined = format!("read as {} defines `{}`", self.defined, self.name);
        std::iter::once(defined).chain(misread.notes()).collect()
    }

    /// The same of a line as it was read.
    fn begins_at(&self, line: &[u8]) -> bool {
        self.one_line() || self.begins(&lines::text(without_end(line)))
    }

    /// Every line is an entry.
    fn one_line(&self) -> bool {
        !matches!(&self.reader.form, Form::Regex(regex) if regex.starts_with.is_some())
    }

    /// Whether a line is the first of an entry.
    fn begins(&self, line: &str) -> bool {
        match &self.reader.form {
            Form::Regex(regex) => regex.starts_with.as_ref().is_none_or(|begin| begin.is_match(line)),
            Form::JsonLines(_) => true,
        }
    }

    fn understand(&self, text: &str, misread: &mut Misread) -> Entry {
        match &self.reader.form {
            Form::JsonLines(json) => {
                let Some(line) = Fields::json(text) else { return Entry::NotUnderstood };
                if !json.conditions.iter().all(|(path, scalars)| lookup::holds(&line, path, scalars)) {
                    return Entry::Other;
                }
                let mut values: Vec<(Fact, &Value)> = Vec::new();
                for (fact, path) in &json.fields {
                    lookup::each(&line, path, &mut |value| values.push((*fact, value)));
                }
                match facts::draft(&values, self.reader.placeholders, misread) {
                    Some(draft) if !json.conditions.is_empty() || facts::is_sql(&draft.sql) => {
                        Entry::Statement(Box::new(draft))
                    }
                    None if !json.conditions.is_empty() => Entry::NotUnderstood,
                    _ => Entry::Other,
                }
            }
            Form::Regex(regex) => {
                if regex.condition.as_ref().is_some_and(|condition| !condition.is_match(text)) {
                    return Entry::Other;
                }
                let Some(found) = regex.pattern.captures(text) else { return Entry::NotUnderstood };
                let groups: Vec<(Fact, Value)> = Fact::ALL
                    .iter()
                    .filter_map(|(name, fact)| Some((*fact, Value::from(found.name(name)?.as_str()))))
                    .collect();
                let values: Vec<(Fact, &Value)> = groups.iter().map(|(fact, value)| (*fact, value)).collect();
                let draft = facts::draft(&values, self.reader.placeholders, misread);
                draft.map_or(Entry::NotUnderstood, |draft| Entry::Statement(Box::new(draft)))
            }
        }
    }
}

/// An entry that goes on.
struct Open {
    line: u64,
    text: String,
    lines: u64,
}

/// An entry is cut after this many bytes.
const LONGEST: usize = 64 << 20;

struct Entries<'a> {
    configured: &'a Configured,
    open: Option<Open>,
    /// The open entry takes no more lines.
    full: bool,
    misread: Misread,
}

impl Reader for Entries<'_> {
    fn line(&mut self, number: u64, line: &[u8], tally: &mut Tally, sink: Sink<'_>) {
        let text = lines::text(line);
        if self.configured.begins(&text) {
            self.end(tally, sink);
            self.open = Some(Open { line: number, text, lines: 1 });
            return;
        }
        let room = self.open.as_ref().is_some_and(|open| open.text.len() + text.len() < LONGEST);
        self.full |= !room;
        if let Some(open) = &mut self.open
            && !self.full
        {
            open.lines += 1;
            open.text.push('\n');
            open.text.push_str(&text);
        } else if !text.trim().is_empty() {
            // Before the first entry, or more of one than an entry can hold.
            tally.skip(number, line);
        }
    }

    fn end(&mut self, tally: &mut Tally, sink: Sink<'_>) {
        self.full = false;
        let Some(open) = self.open.take() else { return };
        let text = open.text.trim_end();
        if text.is_empty() {
            return;
        }
        match self.configured.understand(text, &mut self.misread) {
            Entry::Statement(mut draft) => {
                draft.line = open.line;
                draft.emit(tally, sink);
            }
            Entry::Other => tally.foreign += open.lines,
            Entry::NotUnderstood => {
                let first = text.lines().next().unwrap_or("");
                tally.skip(open.line, first.as_bytes());
                tally.skipped += open.lines - 1;
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        self.configured.notes(&self.misread)
    }
}
