//! A private server that has a schema by its DDL and nothing else, so that a snapshot can be taken of it.
//!
//! The statements are somebody's files: they run as the role that owns the database and may do nothing outside of it.
//! Only extensions, and roles that a statement names, are made by a superuser, by their names alone.

use std::collections::BTreeMap;

use super::{DATABASE, Options, ROLE, connect, words};
use crate::{
    assume::{Given, Stored},
    cluster::{self, Cluster},
    error::Error,
    names::{quote_ident, quote_literal},
    server::raw::Session,
};

/// One statement of a schema's files, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub file: String,
    pub line: u64,
    pub sql: String,
}

/// The server runs as long as this lives.
#[derive(Debug)]
pub struct Draft {
    cluster: Cluster,
    /// What the server refused, with its words.
    pub refused: Vec<(Statement, String)>,
    /// Statements that make no object, by their first word: data, rights, transactions.
    pub passed_over: BTreeMap<String, u64>,
}

/// What makes an object or changes what others mean. Each runs by itself, so that one that fails takes none with it.
const RUN: &[&str] = &["alter", "create", "do", "drop", "reset", "select", "set"];

/// Nothing of a schema takes longer on tables without rows.
const LIMIT: &str = "SET statement_timeout = '20s'";

impl Draft {
    /// Starts a private server, and runs the statements there.
    ///
    /// # Errors
    /// Without a server's programs, when the server fails, or when it refuses a setting.
    pub fn start(statements: &[Statement], given: &Given, options: &Options) -> Result<Draft, Error> {
        let settings = cluster::Settings { bin: options.bin.clone(), ..cluster::Settings::default() };
        let cluster = Cluster::start(&settings)?;
        let mut draft = Draft { cluster, refused: Vec::new(), passed_over: BTreeMap::new() };
        let first = connect(&draft.cluster, "postgres", cluster::USER)?;
        first.batch(&format!("CREATE ROLE {ROLE} LOGIN"))?;
        create_database(&first)?;
        for (name, value) in &given.stats.settings {
            let set = format!(
                "ALTER DATABASE {DATABASE} SET {} = {}",
                quote_ident(&name.0),
                quote_literal(&value.0)
            );
            match first.batch(&set) {
                Err(err @ Error::Server { .. }) => return Err(given.setting_refused(name, &words(&err))),
                other => other?,
            }
        }
        draft.run(statements)?;
        Ok(draft)
    }

    fn run(&mut self, statements: &[Statement]) -> Result<(), Error> {
        let admin = connect(&self.cluster, DATABASE, cluster::USER)?;
        let owner = connect(&self.cluster, DATABASE, ROLE)?;
        let begin =
            format!("RESET ALL; SET check_function_bodies = off; SET client_min_messages = error; {LIMIT}");
        let mut file = None;
        let mut left: Vec<(&Statement, String)> = Vec::new();
        for statement in statements {
            // What a file sets, such as the search path of a dump, ends with it.
            if file != Some(&statement.file) {
                owner.batch(&begin)?;
                file = Some(&statement.file);
            }
            if passed_over(&statement.sql) {
                let first = first_words(&statement.sql, 1).to_ascii_uppercase();
                *self.passed_over.entry(first).or_default() += 1;
            } else if let Some(why) = one(&admin, &owner, &statement.sql)? {
                left.push((statement, why));
            }
        }
        // A view may stand before its table. Nothing is dropped later than it stands.
        owner.batch(&begin)?;
        let again = |statement: &Statement| first_words(&statement.sql, 1) == "create";
        loop {
            let before = left.len();
            let mut still = Vec::new();
            for (statement, why) in left {
                let refused = if again(statement) { one(&admin, &owner, &statement.sql)? } else { Some(why) };
                still.extend(refused.map(|why| (statement, why)));
            }
            left = still;
            if left.len() == before {
                break;
            }
        }
        self.refused = left.into_iter().map(|(statement, why)| (statement.clone(), why)).collect();
        Ok(())
    }

    /// Where [`crate::server::Server`] connects to: as a role without any privilege but to this database.
    pub fn url(&self) -> String {
        self.cluster.url_as(DATABASE, ROLE)
    }

    /// What the columns are stored as.
    ///
    /// # Errors
    /// The server fails.
    pub fn columns(&self) -> Result<Vec<Stored>, Error> {
        let session = connect(&self.cluster, DATABASE, ROLE)?;
        session.batch("SET search_path = pg_catalog")?;
        let rows = session.query(include_str!("queries/draft_columns.sql"), &[])?;
        let column = |row: &Vec<Option<String>>| serde_json::from_str(row.first()?.as_deref()?).ok();
        Ok(rows.iter().filter_map(column).collect())
    }
}

/// One that sorts text as people do, if this machine has it: so do nearly all databases.
fn create_database(session: &Session) -> Result<(), Error> {
    let create = format!("CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0 ENCODING 'UTF8'");
    for locale in ["C.UTF-8", "en_US.UTF-8"] {
        if session.batch(&format!("{create} LC_COLLATE '{locale}' LC_CTYPE '{locale}'")).is_ok() {
            return Ok(());
        }
    }
    session.batch(&create)
}

/// Runs a statement; gives the server's words where it is refused.
fn one(admin: &Session, owner: &Session, sql: &str) -> Result<Option<String>, Error> {
    let tried = match extension(sql) {
        Some(made) => made_by_admin(admin, &made),
        None => owner.batch(sql),
    };
    let Err(err) = tried else { return Ok(None) };
    let Error::Server { why, .. } = &err else { return Err(err) };
    let role = why.strip_prefix("role \"").and_then(|rest| rest.strip_suffix("\" does not exist"));
    if let Some(role) = role {
        // Rights mean nothing to a plan, and policies name who has them.
        let made = admin.batch(&format!("CREATE ROLE {} NOLOGIN", quote_ident(role)));
        if made.and_then(|()| owner.batch(sql)).is_ok() {
            return Ok(None);
        }
    }
    Ok(Some(words(&err)))
}

/// What CREATE EXTENSION names.
struct Extension {
    name: String,
    schema: Option<String>,
}

fn made_by_admin(admin: &Session, extension: &Extension) -> Result<(), Error> {
    let mut sql = format!("CREATE EXTENSION IF NOT EXISTS {}", quote_ident(&extension.name));
    if let Some(schema) = &extension.schema {
        let schema = quote_ident(schema);
        admin.batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {ROLE}"))?;
        sql.push_str(&format!(" SCHEMA {schema}"));
    }
    admin.batch(&(sql + " CASCADE"))
}

fn extension(sql: &str) -> Option<Extension> {
    let text = first_words(sql, 16);
    let rest = text.strip_prefix("create extension ")?;
    let rest = rest.strip_prefix("if not exists ").unwrap_or(rest);
    let mut rest = rest.split(' ').map(|word| word.trim_end_matches(';').trim_matches('"').to_owned());
    let name = rest.next()?;
    let mut rest = rest.skip_while(|word| word != "schema");
    rest.next();
    Some(Extension { name, schema: rest.next() })
}

/// Whether nothing of the schema depends on a statement.
fn passed_over(sql: &str) -> bool {
    let words = first_words(sql, 12);
    let first = words.split(' ').next().unwrap_or_default();
    let rights = (first == "alter" && words.contains(" owner to "))
        || [
            "alter default privileges",
            "create role",
            "create user",
            "alter role",
            "alter user",
            "drop role",
            "drop owned",
        ]
        .iter()
        .any(|begin| words.starts_with(begin))
            && !words.starts_with("create user mapping");
    !RUN.contains(&first)
        || rights
        || words.starts_with("set transaction")
        || words.starts_with("create database")
}

/// In lower case, without comments before them.
fn first_words(sql: &str, count: usize) -> String {
    let mut rest = sql.trim_start();
    loop {
        let line = rest.strip_prefix("--").map(|rest| rest.split_once('\n').map_or("", |(_, rest)| rest));
        let block = || rest.strip_prefix("/*").map(|rest| rest.split_once("*/").map_or("", |(_, rest)| rest));
        match line.or_else(block) {
            Some(behind) => rest = behind.trim_start(),
            None => break,
        }
    }
    rest.split_whitespace().take(count).collect::<Vec<_>>().join(" ").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_object_is_passed_over() {
        for (sql, expect) in [
            ("CREATE TABLE t (a int)", false),
            ("-- why\n/* and how */ ALTER TABLE t ADD b int", false),
            ("DO $$ BEGIN END $$", false),
            ("SELECT pg_catalog.set_config('search_path', '', false)", false),
            ("ALTER TABLE public.t OWNER TO me", true),
            ("ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO me", true),
            ("GRANT SELECT ON t TO me", true),
            ("INSERT INTO t VALUES (1)", true),
            ("BEGIN", true),
            ("COMMENT ON TABLE t IS 'owner to'", true),
        ] {
            assert_eq!(passed_over(sql), expect, "{sql}");
        }
    }

    #[test]
    fn extensions_are_named() {
        let named = |sql: &str| extension(sql).map(|one| (one.name, one.schema));
        assert_eq!(named("CREATE EXTENSION pg_trgm"), Some(("pg_trgm".to_owned(), None)));
        assert_eq!(
            named("create extension if not exists \"uuid-ossp\" WITH SCHEMA extensions;"),
            Some(("uuid-ossp".to_owned(), Some("extensions".to_owned())))
        );
        assert_eq!(named("CREATE TABLE extension (a int)"), None);
    }
}
