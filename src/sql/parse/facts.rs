//! What safety depends on, collected over the whole tree by sqlparser's visitor, so that no corner
//! of the grammar hides a function, a lock or a write.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, ObjectNamePart, Query, Select, Statement, TableFactor, TableObject,
    Visit, Visitor,
};

use super::scope::rel_name;
use crate::{names::RelName, sql::Shape};

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
}

/// Sets `functions`, `writes_in_cte` and `creates_table`, and a lock that no block has.
pub(super) fn collect(statement: &Statement, shape: &mut Shape) {
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
}

impl Facts {
    fn call(&mut self, function: &Function) {
        let name = rel_name(&function.name);
        let quoted = matches!(function.name.0.last(), Some(ObjectNamePart::Identifier(name)) if name.quote_style.is_some());
        let grammar = !quoted && name.schema.is_none() && GRAMMAR.binary_search(&name.name.as_str()).is_ok();
        let bare = matches!(function.args, FunctionArguments::None);
        if !grammar && !(bare && name.schema.is_none() && function.over.is_none()) {
            self.functions.push(name);
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

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.call(function),
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
