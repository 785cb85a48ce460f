//! What an expression is made of: its columns, aggregates, windows and subqueries.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, Value,
    Visit, VisitMut, Visitor, VisitorMut, WindowType,
};

use super::scope::{Builder, parts};
use crate::sql::shape::{AggregateCall, BlockId, ColumnRef, Operand, Reference, Role, WindowCall};

/// What stands inside of an expression, subqueries' insides left out.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) columns: Vec<ColumnRef>,
    /// An aggregate outside of a window.
    pub(super) aggregate: bool,
    pub(super) window: bool,
    /// The subqueries' blocks, in order.
    pub(super) subqueries: Vec<BlockId>,
}

/// Functions that are aggregates unless they have OVER
/// (<https://www.postgresql.org/docs/current/functions-aggregate.html>).
const AGGREGATES: &[&str] = &[
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "grouping",
    "json_agg",
    "json_agg_strict",
    "json_arrayagg",
    "json_object_agg",
    "json_objectagg",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_object_agg",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "range_agg",
    "range_intersect_agg",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
    "xmlagg",
];

struct Walk<'b, 'a> {
    builder: &'b mut Builder<'a>,
    block: BlockId,
    inside: Inside,
    depth: u32,
    /// How subqueries that are about to be met are used.
    roles: Vec<(*const Query, Role)>,
}

impl Visitor for Walk<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.depth == 0 {
            let known = self.roles.iter().position(|(at, _)| std::ptr::eq(*at, query));
            let role = known.map_or(Role::Scalar, |at| self.roles.swap_remove(at).1);
            let block = self.builder.query(query, role, Some(self.block));
            self.inside.subqueries.push(block);
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Identifier(name) => {
                let column = self.builder.column(self.block, std::slice::from_ref(name));
                self.name(column);
            }
            Expr::CompoundIdentifier(names) => {
                let column = self.builder.column(self.block, names);
                self.name(column);
            }
            Expr::Exists { subquery, negated } => {
                self.roles.push((&raw const **subquery, Role::Exists { negated: *negated }));
            }
            Expr::InSubquery { subquery, negated, .. } => {
                self.roles.push((&raw const **subquery, Role::In { negated: *negated }));
            }
            Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => {
                if let Expr::Subquery(subquery) = &**right {
                    let negated = matches!(expr, Expr::AllOp { .. });
                    self.roles.push((&raw const **subquery, Role::In { negated }));
                }
            }
            Expr::Function(function) => {
                self.inside.window |= function.over.is_some();
                self.inside.aggregate |= is_aggregate(function);
                self.call(function);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Walk<'_, '_> {
    fn name(&mut self, column: Option<ColumnRef>) {
        if let Some(column) = &column {
            let on = self.builder.joining;
            self.builder.references.insert(Reference { column: column.clone(), on });
        }
        self.inside.columns.extend(column);
    }

    /// Notes an aggregate or a window function with the block.
    fn call(&mut self, function: &Function) {
        let Some(name) = parts(&function.name).pop() else { return };
        if let Some(over) = &function.over {
            let (partitioned, ordered) = match over {
                WindowType::WindowSpec(window) => {
                    let named = window.window_name.is_some();
                    (named || !window.partition_by.is_empty(), named || !window.order_by.is_empty())
                }
                WindowType::NamedWindow(_) => (true, true),
            };
            let call = WindowCall { name, partitioned, ordered };
            let calls = &mut self.builder.blocks[self.block].window_calls;
            if !calls.contains(&call) {
                calls.push(call);
            }
        } else if is_aggregate(function) {
            let mut arguments =
                Arguments { builder: self.builder, block: self.block, depth: 0, columns: Vec::new() };
            let _: ControlFlow<()> = function.args.visit(&mut arguments);
            let columns = arguments.columns;
            let distinct = matches!(&function.args, FunctionArguments::List(list)
                if list.duplicate_treatment == Some(DuplicateTreatment::Distinct));
            let call = AggregateCall { name, distinct, columns };
            let calls = &mut self.builder.blocks[self.block].aggregate_calls;
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
}

/// The columns that a call's arguments name.
struct Arguments<'b, 'a> {
    builder: &'b Builder<'a>,
    block: BlockId,
    depth: u32,
    columns: Vec<ColumnRef>,
}

impl Visitor for Arguments<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            self.columns.extend(match expr {
                Expr::Identifier(name) => self.builder.column(self.block, std::slice::from_ref(name)),
                Expr::CompoundIdentifier(names) => self.builder.column(self.block, names),
                _ => None,
            });
        }
        ControlFlow::Continue(())
    }
}

fn is_aggregate(function: &Function) -> bool {
    if function.over.is_some() {
        return false;
    }
    let certain = function.filter.is_some()
        || !function.within_group.is_empty()
        || matches!(&function.args, FunctionArguments::List(list) if list.duplicate_treatment.is_some());
    certain
        || parts(&function.name).last().is_some_and(|name| AGGREGATES.binary_search(&name.as_str()).is_ok())
}

impl Builder<'_> {
    /// Walks an expression; its subqueries get blocks.
    pub(super) fn inside(&mut self, expr: &Expr, block: BlockId) -> Inside {
        let mut walk = Walk { builder: self, block, inside: Inside::default(), depth: 0, roles: Vec::new() };
        let _: ControlFlow<()> = expr.visit(&mut walk);
        walk.inside
    }

    /// The column that an expression merely names.
    pub(super) fn bare_column(&self, expr: &Expr, block: BlockId) -> Option<ColumnRef> {
        match expr {
            Expr::Nested(inner) => self.bare_column(inner, block),
            Expr::Identifier(name) => self.column(block, std::slice::from_ref(name)),
            Expr::CompoundIdentifier(names) => self.column(block, names),
            _ => None,
        }
    }

    /// An expression without columns of its own, or with, as the right side of a test.
    pub(super) fn operand(&self, expr: &Expr, inside: &Inside, block: BlockId) -> Operand {
        let plain = unwrapped(expr);
        if let Expr::Value(value) = plain {
            return match &value.value {
                Value::Placeholder(number) => Operand::Parameter(self.placeholder(number)),
                _ => Operand::Constant(self.text(expr)),
            };
        }
        if let (Expr::Subquery(_), [only]) = (plain, inside.subqueries.as_slice()) {
            return Operand::Subquery(*only);
        }
        if let Some(column) = self.bare_column(expr, block) {
            return Operand::Column(column);
        }
        if inside.columns.is_empty() && inside.subqueries.is_empty() {
            Operand::Constant(self.text(expr))
        } else {
            Operand::Expression(self.text(expr))
        }
    }

    /// An expression as an index on it would be defined: no table names, lower case outside of quotes.
    pub(super) fn index_expression(&self, expr: &Expr) -> String {
        let mut expr = stripped(expr).clone();
        let _: ControlFlow<()> = VisitMut::visit(&mut expr, &mut Unqualify);
        lower_outside_quotes(&self.text(&expr))
    }
}

/// Without parentheses around it.
pub(super) fn stripped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => stripped(inner),
        other => other,
    }
}

/// Without parentheses and casts.
pub(super) fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => unwrapped(inner),
        other => other,
    }
}

struct Unqualify;

impl VisitorMut for Unqualify {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(names) = expr
            && let Some(name) = names.pop()
        {
            *expr = Expr::Identifier(unquoted(name));
        } else if let Expr::Identifier(name) = expr {
            *name = unquoted(name.clone());
        } else if let Expr::Function(Function { name: ObjectName(parts), .. }) = expr
            && let [ObjectNamePart::Identifier(schema), _] = parts.as_slice()
            && schema.value.eq_ignore_ascii_case("pg_catalog")
        {
            parts.remove(0);
        }
        ControlFlow::Continue(())
    }
}

/// A name with quotes only where it needs them.
fn unquoted(mut name: Ident) -> Ident {
    if name.quote_style.is_some() && crate::names::quote_ident(&name.value) == name.value {
        name.quote_style = None;
    }
    name
}

fn lower_outside_quotes(text: &str) -> String {
    let mut quote = None;
    text.chars()
        .map(|c| {
            match quote {
                Some(open) if open == c => quote = None,
                None if c == '\'' || c == '"' => quote = Some(c),
                _ => {}
            }
            if quote.is_none() { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn aggregates_are_sorted_for_the_search() {
        assert!(super::AGGREGATES.is_sorted());
    }
}
