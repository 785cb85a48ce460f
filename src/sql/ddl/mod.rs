//! CREATE TABLE, CREATE INDEX, ALTER TABLE and their kin → what they say of tables, columns, keys and
//! indexes; and what else stands in a migration: transactions, settings, VACUUM and the like.
//!
//! Read by hand from our scanner's tokens: sqlparser refuses a quarter of the ALTER TABLE statements
//! that applications have, and what it reads of them is less than we need. Expressions are skipped by
//! their brackets, so that no depth of nesting counts; a clause that the grammar does not have is an
//! error with its place, never skipped.

mod alter;
mod cursor;
mod index;
mod maintain;
mod policy;
mod session;
mod statement;
mod table;
mod types;

use super::lex::{Kind, Lexer};

pub use cursor::NotRead;
pub use statement::{
    Action, Alter, Column, Constraint, ConstraintKind, CreateIndex, CreateTable, Ddl, Key, Keys, Policy,
};

/// Reads one statement.
///
/// Errors: it is one of those that [`Ddl`] names, and holds what PostgreSQL's grammar does not have there.
pub fn read(sql: &str) -> Result<Ddl, NotRead> {
    // Most of what files and logs hold is none: their tokens are not kept.
    if !begins_ddl(sql) {
        return Ok(Ddl::Other);
    }
    let mut cursor = cursor::Cursor::new(sql)?;
    statement(&mut cursor).map_err(|not_read| NotRead { makes: cursor.makes.take(), ..not_read })
}

fn statement(cursor: &mut cursor::Cursor<'_>) -> Result<Ddl, NotRead> {
    let ddl = if cursor.take("create") {
        create(cursor)?
    } else if cursor.take("alter") {
        alter::alter(cursor)?
    } else if cursor.take("drop") {
        drop_statement(cursor)?
    } else if cursor.take("reindex") {
        maintain::reindex(cursor)?
    } else if cursor.take("vacuum") {
        maintain::vacuum(cursor)?
    } else if cursor.take("cluster") {
        maintain::cluster(cursor)?
    } else if cursor.take("refresh") {
        maintain::refresh(cursor)?
    } else {
        session::read(cursor)
    };
    if ddl != Ddl::Other {
        cursor.end()?;
    }
    Ok(ddl)
}

/// Whether the first word is one of the statements that [`read`] knows.
fn begins_ddl(sql: &str) -> bool {
    const WORDS: &[&str] = &[
        "create", "alter", "drop", "reindex", "vacuum", "cluster", "refresh", "begin", "start", "commit",
        "end", "abort", "rollback", "set",
    ];
    /// What SELECT does to a parameter.
    const SETS: &str = "set_config";
    let first = Lexer::new(sql.as_bytes())
        .find(|token| !matches!(token.kind, Kind::LineComment | Kind::BlockComment))
        .and_then(|token| sql.get(token.start..token.end));
    first.is_some_and(|first| {
        WORDS.iter().any(|word| first.eq_ignore_ascii_case(word))
            || first.eq_ignore_ascii_case("select")
                && sql.as_bytes().windows(SETS.len()).any(|word| word.eq_ignore_ascii_case(SETS.as_bytes()))
    })
}

fn create(cursor: &mut cursor::Cursor<'_>) -> Result<Ddl, NotRead> {
    let replace = cursor.take_all(&["or", "replace"]);
    let unique = cursor.take("unique");
    if cursor.take("index") {
        return index::create(cursor, unique);
    }
    if cursor.take("policy") {
        return policy::create(cursor);
    }
    let _ = cursor.take("local") || cursor.take("global");
    let temporary = cursor.take("temporary") || cursor.take("temp");
    let _ = cursor.take("unlogged");
    let foreign = cursor.take("foreign");
    if !replace && !unique && cursor.take("table") {
        return table::create(cursor, temporary, foreign);
    }
    let _ = cursor.take("recursive");
    let materialized = cursor.take("materialized");
    if cursor.take("view") {
        let _ = cursor.take_all(&["if", "not", "exists"]);
        let name = cursor.relation()?;
        cursor.rest();
        return Ok(Ddl::CreateView { name, materialized });
    }
    Ok(Ddl::Other)
}

fn drop_statement(cursor: &mut cursor::Cursor<'_>) -> Result<Ddl, NotRead> {
    let _ = cursor.take("foreign") || cursor.take("materialized");
    let index = cursor.take("index");
    if !index && !cursor.take("table") && !cursor.take("view") {
        return Ok(Ddl::Other);
    }
    let concurrently = index && cursor.take("concurrently");
    let _ = cursor.take_all(&["if", "exists"]);
    let names = cursor.relations()?;
    let _ = cursor.take("cascade") || cursor.take("restrict");
    Ok(if index { Ddl::DropIndexes { names, concurrently } } else { Ddl::DropTables(names) })
}
