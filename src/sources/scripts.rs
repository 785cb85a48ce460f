//! A file that a person wrote, SQL or a program → its statements, and where they stand.
//!
//! Each file is read by itself, so that many are read at once.

use std::{io::Read, ops::Range, path::Path};

use super::{
    code::{self, Language},
    open::Source,
    schema,
};
use crate::{
    error::NotJudged,
    sql::{
        Spliced, body,
        embedded::{self, Verdict},
        split, template,
    },
    workload::{InputSummary, Origin, Script, Stated, Statement},
};

/// What a file gave.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) summary: InputSummary,
    pub(super) script: Script,
    pub(super) not_judged: NotJudged,
    /// Why it was not read.
    pub(super) damage: Option<std::io::Error>,
    /// A program.
    pub(super) program: bool,
    /// It was understood, and holds nothing to judge.
    pub(super) quiet: bool,
}

impl Written {
    /// Whether there is anything to tell of it: a program without SQL is one of many.
    pub(super) fn holds_something(&self) -> bool {
        !self.program
            || self.summary.entries > 0
            || !self.not_judged.is_empty()
            || !self.summary.notes.is_empty()
            || self.damage.is_some()
    }

    /// The statements, as the workload counts them.
    pub(super) fn statements(&self) -> impl Iterator<Item = Statement> {
        self.script.statements.iter().map(|stated| Statement {
            text: self.script.sql(stated).to_owned(),
            at: self.script.location(stated.at.start),
            from: match (stated.inside, self.program) {
                (true, _) => Origin::Body,
                (false, true) => Origin::Program,
                (false, false) => Origin::Script,
            },
            one_row: stated.one_row,
        })
    }
}

/// Reads a file. `language`: it is a program.
pub(super) fn read(source: &mut Source, language: Option<Language>) -> Written {
    let name = source.name();
    let mut written = Written { program: language.is_some(), ..Written::default() };
    written.summary.name.clone_from(&name);
    language.map_or("sql", Language::name).clone_into(&mut written.summary.format);
    let (text, bytes, replaced) = match source.reader().and_then(|mut reader| text(&mut *reader)) {
        Ok(read) => read,
        Err(error) => {
            let why = format!("cannot be read: {error}");
            written.not_judged.add(name, why.clone());
            written.summary.notes.push(why);
            written.damage = Some(error);
            return written;
        }
    };
    written.summary.bytes = bytes;
    if replaced {
        written.summary.notes.push("is not UTF-8: bytes that are not were replaced".to_owned());
    }
    let mut found = match language {
        Some(language) => program(language, &source.path, &text),
        None => sql(&name, &text),
    };
    found.bodies(&text);
    written.quiet =
        found.statements.is_empty() && (written.program || found.undone > 0 || !found.left.is_empty());
    let mut script = Script::of(name, text, found.statements, found.comments);
    written.summary.entries = script.statements.len() as u64;
    written.summary.notes.extend(found.notes);
    for (why, places) in found.left {
        for at in places {
            let (line, _) = script.position(at.start);
            written.not_judged.add(format!("{}:{line}", script.name), why);
        }
    }
    written.not_judged.add_many(&script.name, TAKES_BACK, found.undone);
    script.text.shrink_to_fit();
    written.script = script;
    written
}

// Why a statement is left alone.
const ASSEMBLED: &str = "more than values is put in when it runs, such as a table, columns or a condition";
const TEMPLATE: &str = "what the blocks of the template come to is not known";
const UNREADABLE: &str = "a string begins as SQL does, and cannot be parsed";
const FOREIGN: &str = "a query of another database, or of an object mapper";
const DYNAMIC: &str = "EXECUTE puts it together when it runs";
const IN_BODY: &str = "in the body of a function, and cannot be parsed";
const TAKES_BACK: &str = "takes the migration back";

/// What stands in a file.
#[derive(Debug, Default)]
struct Found {
    statements: Vec<Stated>,
    comments: Option<Vec<Range<usize>>>,
    notes: Vec<String>,
    /// Statements that take a migration back.
    undone: u64,
    /// What is not judged, by why.
    left: Vec<(&'static str, Vec<Range<usize>>)>,
}

fn program(language: Language, path: &Path, text: &str) -> Found {
    let read = match code::read(language, path, text) {
        Ok(read) => read,
        Err(why) => return Found { notes: vec![why.to_owned()], ..Found::default() },
    };
    let mut found = Found { comments: Some(read.comments), ..Found::default() };
    for one in read.statements {
        let at = one.sql.range(&(0..one.sql.text().len()));
        found.statements.push(Stated { at, sql: Some(one.sql), one_row: one.one_row, ..Stated::default() });
    }
    found.left = vec![(ASSEMBLED, read.assembled), (UNREADABLE, read.unreadable), (FOREIGN, read.foreign)];
    found
}

/// The statements of a text of SQL.
pub(super) fn of_text(name: &str, text: &str) -> Vec<Statement> {
    let found = sql(name, text);
    let script = Script::of(name.to_owned(), text.to_owned(), found.statements, found.comments);
    Written { script, ..Written::default() }.statements().collect()
}

fn sql(name: &str, text: &str) -> Found {
    let mut found = statements(text);
    found.take_back(name, text);
    found
}

fn statements(text: &str) -> Found {
    let mut found = Found::default();
    let Some(template) = template::jinja(text) else {
        for at in split::statements(text) {
            let sql = text.get(at.clone()).unwrap_or_default();
            if !template::has_variables(sql) {
                found.push(Stated { at, ..Stated::default() });
                continue;
            }
            let mut whole = Spliced::default();
            whole.copy(sql, at.start);
            let read = embedded::without_schemas(template::variables(whole, false));
            if embedded::is_assembled(&read) {
                found.leave(ASSEMBLED, at);
            } else {
                found.push(Stated { at, sql: (!read.is_verbatim()).then_some(read), ..Stated::default() });
            }
        }
        found.names(text);
        return found;
    };
    let blocks = template.blocks;
    found.notes.push(match blocks {
        1 => "a template: 1 block is skipped or filled with a placeholder".to_owned(),
        _ => format!("a template: {blocks} blocks are skipped or filled with placeholders"),
    });
    let whole = template.sql;
    for part in split::statements(whole.text()) {
        let read = embedded::without_schemas(template::variables(whole.part(&part), false));
        let at = read.range(&(0..read.text().len()));
        match embedded::judge(&read, true) {
            Verdict::Sql => found.push(Stated { at, sql: Some(read), ..Stated::default() }),
            Verdict::Assembled => found.leave(ASSEMBLED, at),
            Verdict::Unreadable | Verdict::Other => found.leave(TEMPLATE, at),
        }
    }
    found.comments = Some(split::comments(text));
    found
}

impl Found {
    fn push(&mut self, stated: Stated) {
        self.statements.push(stated);
    }

    /// Adds the statements in the bodies of functions.
    fn bodies(&mut self, text: &str) {
        let mut inside = Vec::new();
        let mut comments = Vec::new();
        let mut left = Vec::new();
        for stated in &self.statements {
            let body = if let Some(sql) = &stated.sql {
                body::read(sql)
            } else {
                let sql = text.get(stated.at.clone()).unwrap_or_default();
                if !body::may_have_one(sql) {
                    continue;
                }
                let mut whole = Spliced::default();
                whole.copy(sql, stated.at.start);
                body::read(&whole)
            };
            let Some(body) = body else { continue };
            comments.extend(body.comments);
            left.extend(body.dynamic.into_iter().map(|at| (DYNAMIC, at)));
            for run in body.statements {
                let at = run.sql.range(&(0..run.sql.text().len()));
                let sql = template::variables(run.sql, false);
                if embedded::judge(&sql, true) == Verdict::Sql {
                    inside.push(Stated {
                        at,
                        sql: Some(sql),
                        inside: true,
                        one_row: run.one_row,
                        name: stated.name.clone(),
                    });
                } else {
                    left.push((IN_BODY, at));
                }
            }
        }
        if !comments.is_empty() {
            let own = self.comments.take().unwrap_or_else(|| split::comments(text));
            comments.extend(own);
            comments.sort_by_key(|at| at.start);
            self.comments = Some(comments);
        }
        self.statements.append(&mut inside);
        for (why, at) in left {
            self.leave(why, at);
        }
    }

    fn leave(&mut self, why: &'static str, at: Range<usize>) {
        match self.left.iter_mut().find(|(known, _)| *known == why) {
            Some((_, places)) => places.push(at),
            None => self.left.push((why, vec![at])),
        }
    }

    /// Leaves out what takes a migration back: nobody means to run it.
    fn take_back(&mut self, name: &str, text: &str) {
        let from = if schema::is_down(name) {
            0
        } else if let Some(line) = schema::undone(text) {
            let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
            let before = usize::try_from(line.saturating_sub(2)).unwrap_or(usize::MAX);
            if line < 2 { 0 } else { ends.nth(before).unwrap_or(text.len()) }
        } else {
            return;
        };
        let all = self.statements.len();
        self.statements.retain(|stated| stated.at.start < from);
        self.undone = (all - self.statements.len()) as u64;
    }

    /// `-- name: GetUser :one` of sqlc stands before its statement.
    fn names(&mut self, text: &str) {
        if memchr::memmem::find(text.as_bytes(), b"-- name:").is_none() {
            return;
        }
        let mut end = 0;
        for stated in &mut self.statements {
            let before = text.get(end..stated.at.start).unwrap_or_default();
            let named = before.lines().rev().find_map(|line| line.trim().strip_prefix("-- name:"));
            stated.one_row = named.is_some_and(|named| named.trim_end().ends_with(" :one"));
            stated.name = named.and_then(|named| named.split_whitespace().next()).map(str::to_owned);
            end = stated.at.end;
        }
    }
}

/// The whole text; bytes that are no UTF-8 are replaced, and `true` says so.
pub(super) fn text(reader: &mut dyn Read) -> std::io::Result<(String, u64, bool)> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    let len = bytes.len() as u64;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, len, false)),
        Err(error) => Ok((String::from_utf8_lossy(error.as_bytes()).into_owned(), len, true)),
    }
}
