//! What safety depends on, collected over the whole tree by sqlparser's visitor, so that no corner
//! of the grammar hides a function, a lock or a write.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, Select, Statement,
    TableFactor, TableObject, Visit, Visitor,
};

use super::{NotParsed, scope::rel_name};
use crate::names::RelName;
use crate::sql::Shape;
use crate::sql::keywords::{self, Class};

/// What PostgreSQL's grammar itself writes like a call (`func_expr_common_subexpr` and kin in gram.y).
const GRAMMAR: &[&str] = &[
    "array",
    "coalesce",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "greatest",
    "grouping",
    "least",
    "localtime",
    "localtimestamp",
    "merge_action",
    "nullif",
    "row",
    "session_user",
    "system_user",
    "user",
];

#[derive(Default)]
struct Facts {
    functions: Vec<RelName>,
    writes: usize,
    creates_table: bool,
    locking: Option<String>,
    misread: Option<String>,
}

/// Reserved words that may name a column all the same (catcode C).
const COLUMN_NAMES: &[&str] = &["between", "exists", "inout", "interval", "out", "setof", "values"];

/// Sets `functions`, `writes_in_cte` and `creates_table`, and a lock that no block has. Refuses a tree
/// that takes a reserved word for a name: PostgreSQL would not, so it is read wrongly.
pub(super) fn collect(statement: &Statement, shape: &mut Shape) -> Result<(), NotParsed> {
    let mut facts = Facts::default();
    let _: ControlFlow<()> = statement.visit(&mut facts);
    facts.functions.sort();
    facts.functions.dedup();
    shape.functions = facts.functions;
    shape.writes_in_cte = facts.writes > usize::from(shape.target.is_some());
    shape.creates_table = facts.creates_table;
    if shape.blocks.iter().all(|block| block.locking.is_none())
        && let Some(root) = shape.blocks.first_mut()
    {
        root.locking = facts.locking;
    }
    match facts.misread {
        Some(word) => Err(NotParsed::new(format!("the reserved word {word} was read as a name"))),
        None => Ok(()),
    }
}

impl Facts {
    fn call(&mut self, function: &Function) {
        let name = rel_name(&function.name);
        let quoted = matches!(function.name.0.last(), Some(ObjectNamePart::Identifier(name)) if name.quote_style.is_some());
        let grammar = !quoted && name.schema.is_none() && GRAMMAR.binary_search(&name.name.as_str()).is_ok();
        // CURRENT_DATE and its kin.
        let bare = matches!(function.args, FunctionArguments::None);
        if !grammar && !bare {
            self.functions.push(name);
        }
    }

    fn name(&mut self, name: &Ident) {
        let reserved = name.quote_style.is_none()
            && keywords::lookup(name.value.as_bytes()).is_some_and(|word| word.class() == Class::Clause)
            && !COLUMN_NAMES.contains(&name.value.to_ascii_lowercase().as_str());
        if reserved {
            self.misread.get_or_insert_with(|| name.value.to_uppercase());
        }
    }

    fn named(&mut self, name: &str) {
        self.functions.push(RelName::new(None, name));
    }
}

impl Visitor for Facts {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Insert(insert) => {
                self.writes += 1;
                if let TableObject::TableFunction(function) = &insert.table {
                    self.call(function);
                }
            }
            Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => self.writes += 1,
            Statement::CreateTable(table) => self.creates_table |= table.query.is_some(),
            Statement::Call(function) => self.call(function),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if let Some(lock) = query.locks.first() {
            self.locking.get_or_insert_with(|| lock.to_string());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.creates_table |= select.into.is_some();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                self.functions.push(rel_name(name));
            }
            TableFactor::UNNEST { .. } => self.named("unnest"),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if let Some(ObjectNamePart::Identifier(name)) = relation.0.first() {
            self.name(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.call(function),
            Expr::Identifier(name) => self.name(name),
            // Plain functions that sqlparser gives a node of their own.
            Expr::Ceil { .. } => self.named("ceil"),
            Expr::Floor { .. } => self.named("floor"),
            Expr::Substring { shorthand: true, .. } => self.named("substr"),
            Expr::Convert { .. } => self.named("convert"),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_grammars_own_are_sorted_for_the_search() {
        assert!(super::GRAMMAR.is_sorted());
    }
}
