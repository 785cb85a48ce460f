//! The statements of SQL files → the schema that they make, and each file's DDL in order.
//!
//! Files are applied in the order of their names with numbers as numbers, so that `V2` comes before `V10`.
//! The part of a migration that takes it back (`-- +goose Down`, `*.down.sql`) is left out.

use std::collections::{BTreeMap, BTreeSet};

use super::ddl::Ddl;
use crate::{
    catalog::{Catalog, Script, Step},
    names::RelName,
    sql::change::{self, Action, Change},
    workload::Statement,
};

/// What DDL in SQL files says.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// `None` where no file makes a table.
    pub catalog: Option<Catalog>,
    pub scripts: Vec<Script>,
    /// CREATE statements that could not be read.
    pub skipped: Vec<String>,
}

/// Reads the DDL of SQL files: their names and texts.
pub fn of_files(files: &[(&str, &str)]) -> Schema {
    let mut undone = BTreeMap::new();
    let mut statements = Vec::new();
    for (name, text) in files {
        undone.extend(self::undone(text).map(|line| ((*name).to_owned(), line)));
        statements.extend(super::sqlfile::statements(name, text));
    }
    read(&statements, &undone)
}

/// Reads the DDL among the statements of files. `undone`: by file, the line where it begins to take back.
pub(super) fn read(statements: &[Statement], undone: &BTreeMap<String, u64>) -> Schema {
    let mut files: Vec<(&str, Vec<&Statement>)> = Vec::new();
    for statement in statements {
        let file = statement.at.file.as_str();
        let down = is_down(file) || undone.get(file).is_some_and(|line| statement.at.line >= *line);
        if down || !may_change(&statement.text) {
            continue;
        }
        match files.last_mut() {
            Some((last, list)) if *last == file => list.push(statement),
            _ => files.push((file, vec![statement])),
        }
    }
    files.sort_by_key(|(file, _)| natural(file));
    let mut ddl = Ddl::default();
    ddl.catalog.search_path = vec!["public".to_owned()];
    let mut scripts: Vec<Script> = files.iter().map(|(file, list)| script(file, list, &mut ddl)).collect();
    let made: BTreeSet<RelName> = scripts.iter().flat_map(made).collect();
    for script in &mut scripts {
        let own: BTreeSet<RelName> = self::made(script).collect();
        let foreign =
            |name: &RelName| !own.contains(name) && (is_migration(&script.file) || !made.contains(name));
        script.migration = script.steps.iter().any(|step| match subject(&step.change) {
            Some(table) => foreign(&qualified(table)),
            None => matches!(
                step.change,
                Change::Reindex { .. }
                    | Change::Vacuum { full: true, .. }
                    | Change::Cluster { .. }
                    | Change::DropIndex { .. }
            ),
        });
    }
    let known = !ddl.catalog.tables.is_empty();
    Schema { catalog: known.then_some(ddl.catalog), scripts, skipped: ddl.skipped }
}

fn script(file: &str, list: &[&Statement], ddl: &mut Ddl) -> Script {
    let mut script = Script { file: file.to_owned(), ..Script::default() };
    script.before.search_path.clone_from(&ddl.catalog.search_path);
    let (mut transaction, mut transactions) = (None, 0);
    // Tables that another file makes too: two dumps of one database, or of two. The first one counts.
    let mut shadows: BTreeSet<RelName> = BTreeSet::new();
    for statement in list {
        let change = change::read(&statement.text);
        match &change {
            Change::Begin => {
                transactions += 1;
                transaction = Some(transactions);
            }
            Change::End => transaction = None,
            Change::CreateTable { table, .. } => {
                let name = qualified(table);
                let other =
                    |table: &crate::catalog::Table| table.at.as_ref().is_some_and(|at| at.file != file);
                if ddl.catalog.table(&name).is_some_and(other) {
                    shadows.insert(name);
                }
            }
            _ => {}
        }
        if let Some(name) = subject(&change).map(qualified) {
            if let Some(table) = ddl.catalog.table(&name)
                && script.before.table(&name).is_none()
                && table.at.as_ref().is_none_or(|at| at.file != file)
            {
                script.before.tables.push(table.clone());
                script.before.tables.sort_by(|a, b| a.name.cmp(&b.name));
            }
            if !shadows.contains(&name) {
                ddl.add(&statement.text, Some(&statement.at));
            }
        } else {
            ddl.add(&statement.text, Some(&statement.at));
        }
        if change != Change::Other {
            script.steps.push(Step { change, at: statement.at.clone(), transaction });
        }
    }
    script
}

fn qualified(name: &RelName) -> RelName {
    RelName::new(Some(name.schema.as_deref().unwrap_or("public")), &name.name)
}

/// Tables, views and partitions that a file makes.
fn made(script: &Script) -> impl Iterator<Item = RelName> {
    script.steps.iter().filter_map(|step| match &step.change {
        Change::CreateTable { table, .. } | Change::CreateView { view: table } => Some(qualified(table)),
        Change::AlterTable { table, actions } => actions.iter().find_map(|action| match action {
            Action::RenameTable { to } => Some(qualified(&RelName::new(table.schema.as_deref(), to))),
            _ => None,
        }),
        _ => None,
    })
}

/// The table or view that a statement is about.
fn subject(change: &Change) -> Option<&RelName> {
    match change {
        Change::CreateTable { table, .. }
        | Change::CreateIndex { table, .. }
        | Change::CreatePolicy { table, .. }
        | Change::AlterTable { table, .. } => Some(table),
        Change::CreateView { view } | Change::Refresh { view, .. } => Some(view),
        _ => None,
    }
}

/// Whether a statement can be one of DDL, by its first word.
fn may_change(sql: &str) -> bool {
    const WORDS: &[&str] = &[
        "begin", "start", "commit", "end", "abort", "rollback", "set", "create", "drop", "alter", "reindex",
        "vacuum", "cluster", "refresh",
    ];
    let word = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// A name that migration tools give: in a folder of migrations, or numbered.
fn is_migration(file: &str) -> bool {
    let mut parts = file.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    let numbered = |name: &str| {
        let digits = name.bytes().take_while(u8::is_ascii_digit).count();
        digits >= 1 && name[digits..].starts_with(['_', '-', '.'])
    };
    let flyway = name.strip_prefix(['V', 'R', 'U']).is_some_and(|rest| {
        rest.starts_with("__") || rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("__")
    });
    let folder = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.contains("migrat") || part == "versions" || numbered(&part)
    };
    numbered(name) || flyway || name.to_ascii_lowercase().contains("migrat") || parts.take(2).any(folder)
}

fn is_down(file: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".sql").unwrap_or(&name);
    name == "down" || [".down", "_down", "-down", ".rollback", ".undo"].iter().any(|end| name.ends_with(end))
}

/// The line where a file begins to take back what it did, as migration tools mark it.
pub(super) fn undone(text: &str) -> Option<u64> {
    const MARKS: &[&str] = &[
        "+goose down",
        "+migrate down",
        "migrate:down",
        "down migration",
        "rambler down",
        "!downs",
        "//@undo",
    ];
    (1..).zip(text.lines()).find_map(|(number, line)| {
        let comment = line.trim_start().strip_prefix("--").or_else(|| line.trim_start().strip_prefix('#'));
        let comment = comment.or_else(|| line.starts_with("//@").then_some(line))?;
        let words = comment.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        MARKS.iter().any(|mark| words.starts_with(mark)).then_some(number)
    })
}

/// A path by which `V2` sorts before `V10`.
fn natural(path: &str) -> Vec<(u128, String)> {
    let mut parts: Vec<(u128, String)> = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (text, behind) = rest.split_at(words);
        let digits = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        parts.push((0, text.to_owned()));
        parts.push((behind[..digits].parse().unwrap_or(0), String::new()));
        rest = &behind[digits..];
    }
    parts
}
