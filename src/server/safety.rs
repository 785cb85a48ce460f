//! What may be sent to a user's server of a statement that somebody else wrote.
//!
//! In: the statement, its [`Shape`] where it parsed, and the server's catalog. Out: a [`Verdict`].
//! EXPLAIN ANALYZE runs a statement, and the planner alone already evaluates immutable and stable
//! functions of constants; a read-only transaction stops neither `dblink` nor `pg_terminate_backend` nor a
//! function whose label lies. So every name in the statement that could make the server run code is
//! looked up, and the text of the views, policies, rules, defaults and domains behind its relations and types is judged
//! like the statement itself.
//!
//! Of the expressions that belong to a table (indexes, CHECK constraints, statistics, partition keys) only calls
//! without a column among their arguments matter: the others are not evaluated while planning or reading.
//!
//! Not looked at: functions behind operator classes, base types, collations and text search configurations,
//! which only superusers make; and names in a database whose encoding is not UTF-8 beyond ASCII's letters.

mod lists;
mod names;
mod trees;

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use tokio_postgres::types::Type;

use super::session::{Failure, Parameter, Session};
use crate::sql::{Shape, StatementKind};
use names::Names;

/// What may be done with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may be run by EXPLAIN ANALYZE.
    Run,
    /// It may be planned. Why it may not be run.
    Plan(String),
    /// It is not sent at all.
    Refuse(String),
}

/// Rounds of looking behind views, and names in all: more is not followed.
const ROUNDS: usize = 32;
const WORDS: usize = 20_000;

/// The largest `$n` of a statement.
pub(super) fn parameters(sql: &str) -> usize {
    Names::of(sql).parameters
}

/// Judges one statement. Errors are the server's: it could not be asked.
pub(super) fn judge(
    session: &mut Session,
    sql: &str,
    shape: Option<&Shape>,
    trust_functions: bool,
    limit: Duration,
) -> Result<Verdict, Failure> {
    const EXPLAINED: &[&str] = &["select", "with", "values", "table", "insert", "update", "delete", "merge"];
    let mut names = Names::of(sql);
    if let Some(why) = names.odd {
        return Ok(Verdict::Refuse(why.to_owned()));
    }
    if names.several {
        return Ok(Verdict::Refuse("it is more than one statement".to_owned()));
    }
    if !EXPLAINED.contains(&names.first.as_str()) {
        return Ok(Verdict::Refuse("it is no statement that EXPLAIN takes".to_owned()));
    }
    // By text alone: no question to the server if the answer is no anyway.
    if let Some((_, name)) = names.called.iter().find(|(_, name)| lists::never(name)) {
        return Ok(Verdict::Refuse(format!("it calls `{name}`")));
    }
    let mut plan_only = by_shape(shape, &names.first);
    if let Some(shape) = shape {
        let listed = shape.functions.iter().map(|f| (f.schema.clone(), f.name.clone()));
        names.called.extend(listed);
    }

    // Wherever in the statement: only these use the defaults of columns.
    let writes = ["insert", "update", "merge"].iter().any(|word| names.words.contains(*word));
    match look_behind(session, &mut names, writes, trust_functions, limit)? {
        Behind::Refuse(why) => return Ok(Verdict::Refuse(why)),
        Behind::Foreign(table) => {
            plan_only.get_or_insert(format!("it reads the foreign table `{table}`"));
        }
        Behind::Local => {}
    }
    for one in ask(session, &names, limit)? {
        match one.judge(&names, &session.schemas, trust_functions) {
            Verdict::Run => {}
            Verdict::Plan(why) => {
                plan_only.get_or_insert(why);
            }
            refuse @ Verdict::Refuse(_) => return Ok(refuse),
        }
    }
    Ok(plan_only.map_or(Verdict::Run, Verdict::Plan))
}

/// Why the shape forbids to run a statement.
fn by_shape(shape: Option<&Shape>, first: &str) -> Option<String> {
    let Some(shape) = shape else { return Some("it was not parsed".to_owned()) };
    let reads = match shape.kind {
        StatementKind::Select | StatementKind::With => true,
        _ => matches!(first, "values" | "table"),
    };
    if !reads || shape.target.is_some() {
        return Some("it is not a SELECT".to_owned());
    }
    if shape.writes_in_cte {
        return Some("a WITH of it writes".to_owned());
    }
    if shape.creates_table {
        return Some("it creates a table".to_owned());
    }
    let locking = shape.blocks.iter().find_map(|block| block.locking.as_ref());
    locking.map(|words| format!("it locks rows ({words})"))
}

enum Behind {
    Local,
    Foreign(String),
    Refuse(String),
}

/// Adds the names behind views, rules, policies, domains and, for writes, defaults.
fn look_behind(
    session: &mut Session,
    names: &mut Names,
    writes: bool,
    trust_functions: bool,
    limit: Duration,
) -> Result<Behind, Failure> {
    let path = session.schemas.clone();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut read: HashSet<String> = HashSet::new();
    let mut foreign = None;
    for _ in 0..ROUNDS {
        let new: Vec<String> = names.words.difference(&seen).cloned().collect();
        if new.is_empty() {
            return Ok(foreign.map_or(Behind::Local, Behind::Foreign));
        }
        // A schema named in an earlier round qualifies names of this one.
        let words: Vec<String> = names.words.iter().cloned().collect();
        if words.len() > WORDS {
            break;
        }
        seen.extend(new);
        let row_types: Vec<String> = names.row_types().iter().cloned().collect();
        let parameters: &[Parameter<'_>] = &[
            (&words, Type::TEXT_ARRAY),
            (&writes, Type::BOOL),
            (&path, Type::TEXT_ARRAY),
            (&row_types, Type::TEXT_ARRAY),
        ];
        for row in session.rows(include_str!("queries/safety_texts.sql"), parameters, limit)? {
            let (what, name): (&str, String) = (row.get(0), row.get(1));
            match what {
                "asks" => {
                    return Ok(Behind::Refuse(format!(
                        "planning the foreign table `{name}` asks another server"
                    )));
                }
                "foreign" => foreign = Some(name.clone()),
                _ => {}
            }
            let Some(text) = row.get::<_, Option<String>>(2) else { continue };
            if !read.insert(text.clone()) {
                continue;
            }
            let texts = match what {
                "tree" if trust_functions => Vec::new(),
                "tree" => match in_tree(session, &name, &text, limit)? {
                    Ok(texts) => texts,
                    Err(why) => return Ok(Behind::Refuse(why)),
                },
                _ => vec![text],
            };
            for text in texts {
                let behind = Names::of(&text);
                if let Some((_, function)) = behind.called.iter().find(|(_, function)| lists::never(function))
                {
                    return Ok(Behind::Refuse(format!("`{name}` calls `{function}`")));
                }
                names.merge(behind);
                if let Some(why) = names.odd {
                    return Ok(Behind::Refuse(format!("in `{name}` {why}")));
                }
            }
        }
    }
    Ok(Behind::Refuse("its views are nested too deeply to be checked".to_owned()))
}

/// Looks at an expression that belongs to a table: gives the texts of functions in SQL, or why it refuses.
fn in_tree(
    session: &mut Session,
    table: &str,
    tree: &str,
    limit: Duration,
) -> Result<Result<Vec<String>, String>, Failure> {
    let calls = trees::calls(tree);
    let lists = [calls.constant_functions, calls.constant_operators, calls.functions, calls.operators]
        .map(|numbers| numbers.into_iter().collect::<Vec<u32>>());
    let mut parameters: Vec<Parameter<'_>> =
        lists.iter().map(|list| -> Parameter<'_> { (list, Type::OID_ARRAY) }).collect();
    parameters.push((&lists::HONEST_EXTENSIONS, Type::TEXT_ARRAY));
    let rows = session.rows(include_str!("queries/safety_calls.sql"), &parameters, limit)?;
    let texts = rows.iter().map(|row| {
        let (function, text): (&str, Option<String>) = (row.get(0), row.get(1));
        text.ok_or_else(|| {
            format!(
                "an expression of the table `{table}` calls `{function}` on constants, which is not known to be \
                 harmless (--trust-functions)"
            )
        })
    });
    Ok(texts.collect())
}

/// A function that a name of the statement may mean.
struct Candidate {
    /// How it would be called.
    what: String,
    name: String,
    schema: String,
    volatile: bool,
    trusted: bool,
}

fn ask(session: &mut Session, names: &Names, limit: Duration) -> Result<Vec<Candidate>, Failure> {
    let called: Vec<&str> = names.called.iter().map(|(_, name)| name.as_str()).collect();
    let attributes: Vec<&str> = names.attributes.iter().map(String::as_str).collect();
    let mut operators: Vec<&str> = names.operators.iter().map(String::as_str).collect();
    operators.extend(lists::IMPLICIT_OPERATORS);
    let words: Vec<&str> = names.words.iter().map(String::as_str).collect();
    let rows = session.rows(
        include_str!("queries/safety_functions.sql"),
        &[
            (&called, Type::TEXT_ARRAY),
            (&attributes, Type::TEXT_ARRAY),
            (&operators, Type::TEXT_ARRAY),
            (&lists::HONEST_EXTENSIONS, Type::TEXT_ARRAY),
            (&words, Type::TEXT_ARRAY),
        ],
        limit,
    )?;
    let candidate = |row: &tokio_postgres::Row| Candidate {
        what: row.get(0),
        name: row.get(1),
        schema: row.get(2),
        volatile: row.get::<_, &str>(3) == "v",
        trusted: row.get(4),
    };
    Ok(rows.iter().map(candidate).collect())
}

impl Candidate {
    fn judge(&self, names: &Names, path: &[String], trust_functions: bool) -> Verdict {
        let on_path = self.schema == "pg_catalog" || path.contains(&self.schema);
        let meant = match self.what.as_str() {
            // A qualified call means no overload of another schema, and a plain one none off the path.
            "function" => names.called.iter().any(|(schema, name)| {
                *name == self.name && schema.as_ref().map_or(on_path, |schema| *schema == self.schema)
            }),
            "attribute" => on_path,
            // to_json and its kin look for casts to json on their own.
            "explicit cast" => {
                names.casts
                    || ["cast", "json"].iter().any(|word| names.words.iter().any(|w| w.contains(word)))
            }
            _ => true,
        };
        if !meant {
            return Verdict::Run;
        }
        let how = match self.what.as_str() {
            "function" | "attribute" => format!("it calls `{}.{}`", self.schema, self.name),
            "operator" => {
                format!("it may use the operator `{}` with a function of schema `{}`", self.name, self.schema)
            }
            "range" => {
                format!("the range type `{}` has a function of schema `{}`", self.name, self.schema)
            }
            "type" => format!("it names the type `{}` with an input function of its own", self.name),
            _ => format!("it may cast to `{}` by a function of schema `{}`", self.name, self.schema),
        };
        if lists::never(&self.name) && matches!(self.what.as_str(), "function" | "attribute") {
            return Verdict::Refuse(how);
        }
        if !self.trusted && !trust_functions {
            return Verdict::Refuse(format!("{how}, which is not known to be harmless (--trust-functions)"));
        }
        if self.volatile && !(self.trusted && lists::harmless(&self.name)) {
            return Verdict::Plan(format!("{how}, which is volatile"));
        }
        Verdict::Run
    }
}
