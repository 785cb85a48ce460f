//! Index advice as migration files of the common tools.
//!
//! CREATE INDEX CONCURRENTLY runs in no transaction
//! (<https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>), and several statements that are
//! sent together are one. So tools that send a file as a whole get one statement a file; the others are told to open no
//! transaction.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::Report;
use crate::advise::AdviceKind;

/// Whose form the files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    Sql,
    Rails,
    Django,
    Prisma,
    Flyway,
    Sqlx,
    GolangMigrate,
}

impl Tool {
    /// What each is called on the command line.
    pub const NAMES: [(&'static str, Tool); 7] = [
        ("sql", Tool::Sql),
        ("rails", Tool::Rails),
        ("django", Tool::Django),
        ("prisma", Tool::Prisma),
        ("flyway", Tool::Flyway),
        ("sqlx", Tool::Sqlx),
        ("golang-migrate", Tool::GolangMigrate),
    ];
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Relative to the tool's folder of migrations.
    pub path: String,
    pub text: String,
}

/// One change, forwards and back, each without a `;`.
struct Step<'a> {
    up: &'a str,
    down: Option<&'a str>,
    /// For file names: `orders_user_id_idx`.
    about: String,
}

/// The advised changes in the order in which to make them; no file where there is none.
pub fn files(report: &Report, tool: Tool, now: Timestamp) -> Vec<File> {
    let steps: Vec<Step<'_>> = report
        .advice
        .iter()
        .filter(|advice| {
            matches!(
                advice.kind,
                AdviceKind::CreateExtension | AdviceKind::CreateIndex | AdviceKind::DropIndex
            )
        })
        .map(|advice| Step { up: &advice.sql, down: advice.rollback.as_deref(), about: about(&advice.sql) })
        .collect();
    if steps.is_empty() {
        return Vec::new();
    }
    match tool {
        Tool::Sql => vec![File { path: "sargable_indexes.sql".to_owned(), text: plain(&steps) }],
        Tool::Flyway => vec![File {
            path: format!("V{}__sargable_indexes.sql", stamp(now, 0)),
            text: format!(
                "-- Flyway runs CREATE INDEX CONCURRENTLY outside of a transaction by itself.\n{}",
                plain(&steps)
            ),
        }],
        Tool::Rails => {
            vec![File { path: format!("{}_sargable_indexes.rb", stamp(now, 0)), text: rails(&steps) }]
        }
        Tool::Django => vec![File { path: "sargable_indexes.py".to_owned(), text: django(&steps) }],
        Tool::Prisma | Tool::Sqlx | Tool::GolangMigrate => one_each(&steps, tool, now),
    }
}

/// The last word before ON, or after the last dot: the index or extension that a statement is about.
fn about(sql: &str) -> String {
    let head = sql.split(" ON ").next().unwrap_or(sql);
    let last = head.rsplit([' ', '.']).next().unwrap_or("change");
    last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// `20261123154500`, some seconds later for each further file.
fn stamp(now: Timestamp, later: usize) -> String {
    let later = SignedDuration::from_secs(i64::try_from(later).unwrap_or(0));
    let at = now.checked_add(later).unwrap_or(now).to_zoned(TimeZone::UTC);
    at.strftime("%Y%m%d%H%M%S").to_string()
}

fn plain(steps: &[Step<'_>]) -> String {
    let mut text = String::from("-- Run outside of a transaction (psql: without -1).\n");
    for step in steps {
        text.push_str(&format!("{};\n", step.up));
    }
    text.push_str("\n-- To undo:\n");
    for down in steps.iter().rev().filter_map(|step| step.down) {
        text.push_str(&format!("-- {down};\n"));
    }
    text
}

fn rails(steps: &[Step<'_>]) -> String {
    let run = |sql: &str| format!("    execute <<~'SQL'\n      {sql}\n    SQL\n");
    let up: String = steps.iter().map(|step| run(step.up)).collect();
    let down: String = steps.iter().rev().filter_map(|step| step.down).map(run).collect();
    format!(
        "class SargableIndexes < ActiveRecord::Migration[7.0]\n  disable_ddl_transaction!\n\n  \
         def up\n{up}  end\n\n  def down\n{down}  end\nend\n"
    )
}

fn django(steps: &[Step<'_>]) -> String {
    let mut text = String::from(
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    \
         # CREATE INDEX CONCURRENTLY runs in no transaction.\n    atomic = False\n\n    \
         # Name your app's latest migration here.\n    dependencies = []\n\n    operations = [\n",
    );
    for step in steps {
        let down = step.down.map_or_else(|| "migrations.RunSQL.noop".to_owned(), python);
        text.push_str(&format!(
            "        migrations.RunSQL(\n            {},\n            reverse_sql={down},\n        ),\n",
            python(step.up)
        ));
    }
    text.push_str("    ]\n");
    text
}

/// A Python string literal; `RunSQL` takes `%` as it is where there are no parameters.
fn python(sql: &str) -> String {
    format!("\"{}\"", sql.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn one_each(steps: &[Step<'_>], tool: Tool, now: Timestamp) -> Vec<File> {
    let mut files = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let base = format!("{}_{}", stamp(now, at), step.about);
        let up = format!("{};\n", step.up);
        match tool {
            Tool::Prisma => files.push(File { path: format!("{base}/migration.sql"), text: up }),
            Tool::Sqlx => {
                files.push(File { path: format!("{base}.up.sql"), text: format!("-- no-transaction\n{up}") });
            }
            _ => files.push(File { path: format!("{base}.up.sql"), text: up }),
        }
        if let (Some(down), Tool::Sqlx | Tool::GolangMigrate) = (step.down, tool) {
            let head = if tool == Tool::Sqlx { "-- no-transaction\n" } else { "" };
            files.push(File { path: format!("{base}.down.sql"), text: format!("{head}{down};\n") });
        }
    }
    files
}
