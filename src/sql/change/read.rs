//! One statement's text → [`Change`].

use super::{
    Action, AddedColumn, AddedConstraint, Change, ConstraintKind, Policy, tokens,
    tokens::Cursor,
    types::{is_serial, type_name},
};

/// What a statement does to the schema; [`Change::Other`] where it is not known to do anything.
pub fn read(sql: &str) -> Change {
    let words = tokens::words(sql);
    let mut at = Cursor::new(sql, &words);
    statement(&mut at).unwrap_or(Change::Other)
}

fn statement(at: &mut Cursor<'_>) -> Option<Change> {
    let first = at.next().filter(|word| word.bare)?;
    match first.text.as_str() {
        "begin" => Some(Change::Begin),
        "start" => at.take("transaction").then_some(Change::Begin),
        "commit" | "end" | "abort" => Some(Change::End),
        "rollback" => (!at.holds("to")).then_some(Change::End),
        "set" => set(at),
        "create" => create(at),
        "drop" => drop(at),
        "alter" => alter(at),
        "reindex" => reindex(at),
        "vacuum" => {
            let mut full = false;
            if let Some(options) = at.parenthesized() {
                full = options.parts().iter().any(|option| option.sees("full") && !option.holds("false"));
            }
            while at.peek().is_some_and(|word| {
                word.bare && matches!(word.text.as_str(), "full" | "freeze" | "verbose" | "analyze")
            }) {
                full |= at.take("full") || at.next().is_none();
            }
            Some(Change::Vacuum { full, tables: at.relations() })
        }
        "cluster" => {
            at.parenthesized();
            at.take("verbose");
            Some(Change::Cluster { table: at.relation() })
        }
        "refresh" => {
            if !at.take("materialized view") {
                return None;
            }
            let concurrently = at.take("concurrently");
            let view = at.relation()?;
            Some(Change::Refresh { view, concurrently, with_data: !at.holds("with no data") })
        }
        _ => None,
    }
}

fn set(at: &mut Cursor<'_>) -> Option<Change> {
    if !at.take("local") {
        at.take("session");
    }
    if at.take("time zone") {
        return Some(Change::Set { name: "timezone".to_owned(), value: at.next()?.text.clone() });
    }
    let name = at.relation()?.name;
    if !at.take("=") && !at.take("to") {
        return None;
    }
    Some(Change::Set { name, value: at.next()?.text.clone() })
}

fn create(at: &mut Cursor<'_>) -> Option<Change> {
    at.take("or replace");
    let unique = at.take("unique");
    if at.take("index") {
        let concurrently = at.take("concurrently");
        at.take("if not exists");
        let name = if at.sees("on") { None } else { at.relation() };
        at.take("on");
        at.take("only");
        return Some(Change::CreateIndex { name, table: at.relation()?, concurrently, unique });
    }
    if at.take("policy") {
        return policy(at);
    }
    at.take("global");
    at.take("local");
    let temporary = at.take("temporary") || at.take("temp");
    at.take("unlogged");
    if at.take("table") {
        at.take("if not exists");
        let table = at.relation()?;
        let partition_of = if at.take("partition of") { at.relation() } else { None };
        at.parenthesized();
        let default_partition = partition_of.is_some() && at.sees("default");
        let mut storage = Vec::new();
        while !at.done() {
            if at.take("with") {
                storage = at.parenthesized().map(|list| pairs(&list)).unwrap_or_default();
            } else if at.sees("as") {
                break;
            } else {
                at.next();
            }
        }
        return Some(Change::CreateTable { table, partition_of, default_partition, storage, temporary });
    }
    at.take("recursive");
    at.take("materialized");
    if at.take("view") {
        at.take("if not exists");
        return Some(Change::CreateView { view: at.relation()? });
    }
    None
}

fn policy(at: &mut Cursor<'_>) -> Option<Change> {
    let mut policy =
        Policy { name: at.name()?, permissive: true, command: "all".to_owned(), ..Policy::default() };
    at.take("on");
    let table = at.relation()?;
    while let Some(word) = at.next() {
        match word.text.as_str() {
            "as" => policy.permissive = at.next()?.text != "restrictive",
            "for" => policy.command.clone_from(&at.next()?.text),
            "to" => policy.roles = at.relations().into_iter().map(|role| role.name).collect(),
            "using" => policy.using = at.parenthesized().map(|inner| inner.rest()),
            "with" => {
                at.take("check");
                policy.check = at.parenthesized().map(|inner| inner.rest());
            }
            _ => {}
        }
    }
    if policy.roles.is_empty() {
        policy.roles.push("public".to_owned());
    }
    policy.roles.sort();
    Some(Change::CreatePolicy { table, policy })
}

fn drop(at: &mut Cursor<'_>) -> Option<Change> {
    if at.take("index") {
        let concurrently = at.take("concurrently");
        at.take("if exists");
        return Some(Change::DropIndex { indexes: at.relations(), concurrently });
    }
    at.take("materialized");
    at.take("foreign");
    if at.take("table") || at.take("view") {
        at.take("if exists");
        return Some(Change::DropTable { tables: at.relations() });
    }
    None
}

fn reindex(at: &mut Cursor<'_>) -> Option<Change> {
    let mut concurrently = false;
    if let Some(options) = at.parenthesized() {
        concurrently =
            options.parts().iter().any(|option| option.sees("concurrently") && !option.holds("false"));
    }
    let kind = at.name()?;
    concurrently |= at.take("concurrently");
    Some(Change::Reindex { kind, name: at.relation(), concurrently })
}

fn alter(at: &mut Cursor<'_>) -> Option<Change> {
    at.take("foreign");
    if !at.take("table") || at.sees("all in") {
        return None;
    }
    at.take("if exists");
    at.take("only");
    let table = at.relation()?;
    at.take("*");
    let actions = at.parts().iter().map(|part| action(&mut part.clone()).unwrap_or(Action::Other)).collect();
    Some(Change::AlterTable { table, actions })
}

fn action(at: &mut Cursor<'_>) -> Option<Action> {
    match at.next()?.text.as_str() {
        "add" => add(at),
        "validate" => {
            at.take("constraint");
            Some(Action::Validate { constraint: at.name()? })
        }
        "alter" => {
            if at.take("constraint") {
                return None;
            }
            at.take("column");
            let column = at.name()?;
            if at.take("set not null") {
                return Some(Action::SetNotNull { column });
            }
            if at.take("drop not null") {
                return Some(Action::DropNotNull { column });
            }
            if at.take("set statistics") {
                return Some(Action::Light);
            }
            at.take("set data");
            if !at.take("type") {
                return None;
            }
            let written = at.until(&["using", "collate"]);
            if at.take("collate") {
                at.relation();
            }
            let using = at.take("using").then(|| at.rest());
            Some(Action::SetType { column, type_name: type_name(&written), using })
        }
        "drop" => {
            if at.take("constraint") {
                at.take("if exists");
                return Some(Action::DropConstraint { constraint: at.name()? });
            }
            at.take("column");
            at.take("if exists");
            Some(Action::DropColumn { column: at.name()? })
        }
        "attach" => {
            at.take("partition");
            Some(Action::AttachPartition { partition: at.relation()? })
        }
        "detach" => {
            at.take("partition");
            let partition = at.relation()?;
            Some(Action::DetachPartition {
                partition,
                concurrently: at.take("concurrently") || at.take("finalize"),
            })
        }
        "rename" => {
            if at.take("to") {
                return Some(Action::RenameTable { to: at.name()? });
            }
            if at.take("constraint") {
                return None;
            }
            at.take("column");
            let from = at.name()?;
            at.take("to");
            Some(Action::RenameColumn { from, to: at.name()? })
        }
        "set" => {
            if at.take("schema") {
                return Some(Action::SetSchema { to: at.name()? });
            }
            at.parenthesized().map(|list| Action::SetStorage(pairs(&list)))
        }
        "cluster" => Some(Action::Light),
        "enable" => Some(if at.take("row level security") {
            Action::RowSecurity(true)
        } else if at.sees("trigger") {
            Action::Light
        } else {
            Action::Other
        }),
        "disable" if at.take("row level security") => Some(Action::RowSecurity(false)),
        "disable" if at.sees("trigger") => Some(Action::Light),
        _ => None,
    }
}

fn add(at: &mut Cursor<'_>) -> Option<Action> {
    let name = if at.take("constraint") { at.name() } else { None };
    let constraint = |kind, at: &Cursor<'_>| {
        let not_valid = at.holds("not valid");
        Some(Action::AddConstraint(AddedConstraint { name: name.clone(), kind, not_valid }))
    };
    if at.take("check") {
        let condition = at.parenthesized()?.rest();
        return constraint(ConstraintKind::Check(condition), at);
    }
    if at.take("not null") {
        let column = at.name()?;
        return constraint(ConstraintKind::NotNull(column), at);
    }
    if at.take("foreign key") {
        at.parenthesized();
        let references = if at.take("references") { at.relation() } else { None };
        return constraint(ConstraintKind::ForeignKey(references), at);
    }
    if at.take("primary key") {
        let using_index = using_index(at);
        return constraint(ConstraintKind::Primary { using_index }, at);
    }
    if at.take("unique") {
        let using_index = using_index(at);
        return constraint(ConstraintKind::Unique { using_index }, at);
    }
    if at.take("exclude") {
        return constraint(ConstraintKind::Exclude, at);
    }
    at.take("column");
    at.take("if not exists");
    let mut column = AddedColumn { name: at.name()?, ..AddedColumn::default() };
    let written = at.until(STOPS);
    column.serial = is_serial(&written);
    column.type_name = type_name(&written);
    while let Some(word) = at.next() {
        match word.text.as_str() {
            "not" => column.not_null |= at.take("null"),
            "unique" => column.unique = true,
            "primary" => column.primary = at.take("key"),
            "references" => column.references = at.relation(),
            "default" => column.default = Some(at.until(STOPS)),
            "generated" => {
                column.identity = at.holds("as identity");
                column.stored = at.holds("stored");
            }
            "check" => {
                at.parenthesized();
            }
            _ => {}
        }
    }
    Some(Action::AddColumn(column))
}

/// The index of `USING INDEX name`, right behind PRIMARY KEY or UNIQUE.
fn using_index(at: &mut Cursor<'_>) -> Option<String> {
    if at.take("using index") { at.name() } else { None }
}

/// What ends a column's type or default.
const STOPS: &[&str] = &[
    "not",
    "null",
    "unique",
    "primary",
    "references",
    "default",
    "generated",
    "check",
    "constraint",
    "collate",
    "storage",
    "compression",
    "deferrable",
    "initially",
];

/// `name = value, …`.
fn pairs(list: &Cursor<'_>) -> Vec<(String, String)> {
    list.parts()
        .iter_mut()
        .filter_map(|part| {
            let name = part.relation()?.name;
            let value = if part.take("=") { part.next()?.text.clone() } else { "true".to_owned() };
            Some((name, value))
        })
        .collect()
}
