//! `snapshot --schema`: a snapshot without a server in production, of DDL and what is said of the rows.

use std::{fs, path::PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::{
    assume::{self, Given, RowsOf},
    catalog::snapshot::{NotSeen, Snapshot},
    error::Error,
    server::{Environment, Server, Target, Wishes},
    sources::schema,
    twin::{Draft, Options, Statement},
};

#[derive(Args, Debug)]
#[command(next_help_heading = "Without a server")]
pub(super) struct AssumedArgs {
    /// Take the schema from DDL files or folders, migrations too, and assume the statistics; repeat it
    #[arg(long, value_name = "PATH")]
    schema: Vec<PathBuf>,
    /// How many rows tables have; other tables are derived from these
    #[arg(long, value_name = "TABLE=10M,…", value_delimiter = ',', requires = "schema")]
    rows: Vec<RowsOf>,
    /// A YAML file with what more is known of tables and columns: docs/stats.md
    #[arg(long, value_name = "FILE", requires = "schema")]
    stats: Option<PathBuf>,
    /// Folder of `initdb` and `postgres` [default: looked for in the usual places]
    #[arg(long, value_name = "FOLDER", env = "PG_BIN")]
    pg_bin: Option<PathBuf>,
}

/// What the snapshot says that it lacks; [`AssumedArgs::snapshot`] tells it statement by statement.
pub(super) const REFUSED: &str = "statements of the schema";

/// Refused statements that are told one by one.
const SHOWN: usize = 10;

impl AssumedArgs {
    pub(super) fn wanted(&self) -> bool {
        !self.schema.is_empty()
    }

    /// The snapshot, and what was assumed, in lines for a person.
    pub(super) fn snapshot(&self) -> Result<(Snapshot, Vec<String>), Error> {
        let file = match &self.stats {
            None => None,
            Some(path) => {
                let text =
                    fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
                Some((path.display().to_string(), text))
            }
        };
        let given = Given::read(&self.rows, file)?;
        let statements: Vec<Statement> = schema::statements(&self.schema)?
            .into_iter()
            .map(|one| Statement { file: one.at.file, line: one.at.line, sql: one.text })
            .collect();
        let draft = Draft::start(&statements, &given, &Options { bin: self.pg_bin.clone() })?;
        let target = Target::resolve(Some(&draft.url()), &Environment::default())?;
        let mut server = Server::connect(&target)?;
        let mut snapshot = server.snapshot(Wishes::default())?;
        let (catalog, _) = server.catalog()?;
        if catalog.tables.is_empty() {
            return Err(nothing(&draft));
        }
        let today = Timestamp::now().as_second().div_euclid(86_400) * 86_400;
        let assumptions = assume::fill(&mut snapshot, &catalog, &draft.columns()?, &given, today)?;
        if let Some((first, why)) = draft.refused.first() {
            snapshot.not_seen.push(NotSeen {
                what: REFUSED.to_owned(),
                why: format!("the server refused them, at first {}:{}: {why}", first.file, first.line),
                count: draft.refused.len() as u64,
            });
        }
        let mut lines = vec![format!("assumed from {}:", given.from())];
        lines.extend(assumptions.lines());
        lines.extend(left_out(&draft));
        Ok((snapshot, lines))
    }
}

fn nothing(draft: &Draft) -> Error {
    let what = match draft.refused.first() {
        None => "the schema makes no table".to_owned(),
        Some((first, why)) => format!(
            "no table is left of the schema: the server refused {}, at first {}:{}: {why}",
            counted(draft.refused.len(), "statement"),
            first.file,
            first.line
        ),
    };
    Error::Usage { what, hint: Some("name DDL files, such as pg_dump --schema-only writes".to_owned()) }
}

/// What of the files is not in the schema.
fn left_out(draft: &Draft) -> Vec<String> {
    let mut lines = Vec::new();
    if !draft.passed_over.is_empty() {
        let number: u64 = draft.passed_over.values().sum();
        let kinds: Vec<String> =
            draft.passed_over.iter().map(|(word, count)| format!("{word} {count}")).collect();
        let statements = counted(usize::try_from(number).unwrap_or(usize::MAX), "statement");
        lines.push(format!("passed over: {statements} that plans do not depend on ({})", kinds.join(", ")));
    }
    for (statement, why) in draft.refused.iter().take(SHOWN) {
        let words: Vec<&str> = statement.sql.split_whitespace().take(6).collect();
        lines.push(format!("refused: {}:{}: {}: {why}", statement.file, statement.line, words.join(" ")));
    }
    if draft.refused.len() > SHOWN {
        lines.push(format!("refused: {} more", draft.refused.len() - SHOWN));
    }
    lines
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
