//! A program → the SQL in its strings, each statement with the way back to the file's bytes.
//!
//! Grammars find the strings, what they are joined to and the calls that take them; what is SQL the text
//! decides (`sql::embedded`). Comments are kept, since they may allow rules.
//!
//! Left alone: strings that are put together over several statements of the program, SQL of which more
//! than values is put in when it runs (both are counted), and query builders.

mod context;
mod literal;
mod strings;

use std::{ops::Range, path::Path, sync::LazyLock, time::Instant};

use regex::bytes::Regex;

use crate::sql::{
    Spliced,
    embedded::{self, Verdict},
    split, template,
};

/// A language whose strings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Go,
    Java,
    Python,
    Ruby,
    Rust,
    TypeScript,
    /// TypeScript with tags in it, and JavaScript.
    Tsx,
}

impl Language {
    /// By the name's suffix.
    pub(super) fn of(path: &Path) -> Option<Language> {
        let suffix = path.extension()?.to_str()?.to_ascii_lowercase();
        let name = path.file_name()?.to_str()?;
        match suffix.as_str() {
            "go" => Some(Language::Go),
            "java" => Some(Language::Java),
            "py" => Some(Language::Python),
            "rb" | "rake" => Some(Language::Ruby),
            "rs" => Some(Language::Rust),
            "ts" | "mts" | "cts" if !name.ends_with(".d.ts") => Some(Language::TypeScript),
            "js" | "mjs" | "cjs" | "jsx" | "tsx" if !name.ends_with(".min.js") => Some(Language::Tsx),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Language::Go => "go",
            Language::Java => "java",
            Language::Python => "python",
            Language::Ruby => "ruby",
            Language::Rust => "rust",
            Language::TypeScript => "typescript",
            Language::Tsx => "javascript",
        }
    }

    fn grammar(self) -> tree_sitter::Language {
        match self {
            Language::Go => tree_sitter_go::LANGUAGE,
            Language::Java => tree_sitter_java::LANGUAGE,
            Language::Python => tree_sitter_python::LANGUAGE,
            Language::Ruby => tree_sitter_ruby::LANGUAGE,
            Language::Rust => tree_sitter_rust::LANGUAGE,
            Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        }
        .into()
    }
}

/// A statement in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub sql: Spliced,
    /// The call takes one row of what it finds.
    pub one_row: bool,
}

/// What a program's strings hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub statements: Vec<Statement>,
    /// Where statements stand of which the program makes a part when it runs.
    pub assembled: Vec<Range<usize>>,
    /// Where strings begin as SQL does and cannot be parsed.
    pub unreadable: Vec<Range<usize>>,
    /// Where queries of another language stand that looks like SQL (JPQL, HQL), or of another database.
    pub foreign: Vec<Range<usize>>,
    pub comments: Vec<Range<usize>>,
    /// Strings that begin with a word that begins statements.
    pub candidates: u64,
}

/// Why a program was not read.
pub(super) const TOO_LARGE: &str = "is too large for a program that a person wrote";
pub(super) const TOO_SLOW: &str = "takes too long to read";

/// Bytes of a program, and seconds to read it, beyond which it was generated.
const LARGEST: usize = 2 << 20;
const LONGEST: u64 = 10;

/// Whether a text may hold SQL at all, told from its words.
pub(super) fn may_hold_sql(text: &[u8]) -> bool {
    static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)\b(?:select\s|insert\s+into\b|update\s|delete\s+from\b|with\s|merge\s+into\b|create\s|alter\s|drop\s|truncate\s|refresh\s+mat|lock\s+table)",
        )
        .ok()
    });
    WORDS.as_ref().is_none_or(|words| words.is_match(text))
}

/// Whether a program speaks to another database than PostgreSQL: by its name, or by the drivers that it names.
fn is_foreign(path: &Path, text: &[u8]) -> bool {
    static OTHERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i-u)\b(?:sqlite|sqlite3|rusqlite|go-sqlite3|better-sqlite3|mysql2?|mysqlclient|pymysql|mariadb|pymssql|mssql|oracledb|cx_oracle|duckdb|clickhouse\w*|snowflake|bigquery)\b",
        )
        .ok()
    });
    static OURS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i-u)postgres|psycopg|asyncpg|pgx|\blib/pq\b|\bpg_|\bpgpool\b|['\x22]pg['\x22]").ok()
    });
    let says = |regex: &LazyLock<Option<Regex>>, text: &[u8]| {
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    };
    // The names of a file and of its folder.
    let name: Vec<&str> = path.iter().rev().take(2).filter_map(|part| part.to_str()).collect();
    let name = name.join(" ").replace(['_', '-', '.'], " ");
    let name = name.as_bytes();
    !says(&OURS, name) && (says(&OTHERS, name) || says(&OTHERS, text) && !says(&OURS, text))
}

/// Reads a program. Total: what the grammar does not understand is skipped.
pub(super) fn read(language: Language, path: &Path, text: &str) -> Result<Found, &'static str> {
    if !may_hold_sql(text.as_bytes()) {
        return Ok(Found::default());
    }
    if text.len() > LARGEST {
        return Err(TOO_LARGE);
    }
    let mut parser = tree_sitter::Parser::new();
    if parser.set_language(&language.grammar()).is_err() {
        return Err("cannot be read: its grammar is of another version");
    }
    let began = Instant::now();
    let mut late = |_: &tree_sitter::ParseState| {
        if began.elapsed().as_secs() > LONGEST {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    };
    let options = tree_sitter::ParseOptions::new().progress_callback(&mut late);
    let bytes = text.as_bytes();
    let mut chunk = |at: usize, _| bytes.get(at..).unwrap_or_default();
    let Some(tree) = parser.parse_with_options(&mut chunk, None, Some(options)) else {
        return Err(TOO_SLOW);
    };
    let file = strings::File { language, text };
    let mut found = Found::default();
    strings::walk(&file, &tree, &mut found);
    if is_foreign(path, bytes) {
        let statements = std::mem::take(&mut found.statements);
        found.foreign.extend(statements.iter().map(|one| one.sql.range(&(0..one.sql.text().len()))));
        found.foreign.append(&mut found.assembled);
        found.foreign.append(&mut found.unreadable);
    }
    Ok(found)
}

impl Found {
    /// Judges one string, or several that are joined.
    fn string(&mut self, sql: &Spliced, context: context::Context) {
        let whole = |sql: &Spliced| sql.range(&(0..sql.text().len()));
        for part in split::statements(sql.text()) {
            let one = embedded::without_schemas(template::variables(sql.part(&part), context.verbs));
            let verdict = embedded::judge(&one, context.told == context::Told::Sql);
            match (verdict, context.told) {
                (Verdict::Other, _) | (_, context::Told::Never) => {}
                (_, context::Told::Foreign) => self.foreign.push(whole(&one)),
                (_, context::Told::Grows) | (Verdict::Assembled, _) => self.assembled.push(whole(&one)),
                (Verdict::Unreadable, _) => self.unreadable.push(whole(&one)),
                (Verdict::Sql, _) => {
                    self.statements.push(Statement { sql: one, one_row: context.one_row });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
