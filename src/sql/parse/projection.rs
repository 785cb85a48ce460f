//! The SELECT list, and what GROUP BY and ORDER BY make of it.
//!
//! A position or an output name stands for what it names. PostgreSQL lets GROUP BY prefer a table's
//! column to an output name of the same spelling; without a catalog we take the output name.

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, OrderBy, OrderByExpr, OrderByKind, OrderBySort, SelectItem,
    SelectItemQualifiedWildcardKind, Spanned, Value,
};

use super::{
    operand::stripped,
    scope::{Builder, ident, parts},
};
use crate::sql::shape::{BlockId, ColumnRef, OrderKey, Projected, SortExpr};

impl Builder<'_> {
    pub(super) fn projection(&mut self, items: &[SelectItem], block: BlockId) {
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => self.projected(expr, None, block),
                SelectItem::ExprWithAlias { expr, alias } => self.projected(expr, Some(alias), block),
                SelectItem::ExprWithAliases { expr, aliases } => {
                    self.projected(expr, aliases.first(), block);
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let at = self.range(name.span()).start..self.range(options.wildcard_token.0.span).end;
                    let table = self.star_of(name, block);
                    self.blocks[block].projection.push(Projected::Star { table, at });
                }
                // `(row).*` expands a composite, which is no table.
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                    self.projected(expr, None, block);
                }
                SelectItem::Wildcard(options) => {
                    let at = self.range(options.wildcard_token.0.span);
                    self.blocks[block].projection.push(Projected::Star { table: None, at });
                }
            }
        }
    }

    fn star_of(&self, name: &ObjectName, block: BlockId) -> Option<usize> {
        let table = parts(name).pop()?;
        self.blocks[block].tables.iter().position(|candidate| candidate.alias.as_deref() == Some(&table))
    }

    fn projected(&mut self, expr: &Expr, alias: Option<&Ident>, block: BlockId) {
        let alias = alias.map(ident);
        let inside = self.inside(expr, block);
        self.blocks[block].aggregates |= inside.aggregate;
        self.blocks[block].windows |= inside.window;
        self.blocks[block].projected_subqueries.extend(&inside.subqueries);
        let projected = match self.bare_column(expr, block) {
            Some(column) => Projected::Column { column, alias },
            None => Projected::Expression {
                text: self.text(expr),
                alias,
                aggregate: inside.aggregate,
                columns: inside.columns,
            },
        };
        self.blocks[block].projection.push(projected);
    }

    /// The plain column that DISTINCT ON names, by position, output name or its own.
    pub(super) fn output_column(&mut self, expr: &Expr, block: BlockId) -> Option<ColumnRef> {
        match self.sort_expr(expr, block) {
            SortExpr::Column(column) => Some(column),
            SortExpr::Expression(_) => None,
        }
    }

    pub(super) fn group_by(&mut self, group_by: &GroupByExpr, block: BlockId) {
        if let GroupByExpr::Expressions(exprs, _) = group_by {
            for expr in exprs {
                self.blocks[block].groups_by_position |= is_position(expr);
                let key = self.sort_expr(expr, block);
                self.blocks[block].group_by.push(key);
            }
        }
    }

    pub(super) fn order_by(&mut self, order_by: &OrderBy, block: BlockId) {
        let OrderByKind::Expressions(keys) = &order_by.kind else { return };
        for key in keys {
            let OrderByExpr { expr, options, .. } = key;
            let desc = match &options.sort {
                Some(OrderBySort::Desc) => true,
                Some(OrderBySort::Using(operator)) => operator.to_string().starts_with('>'),
                Some(OrderBySort::Asc) | None => false,
            };
            let ordinal = is_position(expr);
            let expr = self.sort_expr(expr, block);
            let nulls_first = options.nulls_first.unwrap_or(desc);
            self.blocks[block].order_by.push(OrderKey { expr, desc, ordinal, nulls_first });
        }
    }

    fn sort_expr(&mut self, expr: &Expr, block: BlockId) -> SortExpr {
        if let Some(projected) = self.output(expr, block) {
            return match projected {
                Projected::Column { column, .. } => SortExpr::Column(column),
                Projected::Expression { text, .. } => SortExpr::Expression(text),
                Projected::Star { .. } => SortExpr::Expression(self.text(expr)),
            };
        }
        let inside = self.inside(expr, block);
        self.blocks[block].windows |= inside.window;
        self.blocks[block].aggregates |= inside.aggregate;
        match self.bare_column(expr, block) {
            // A set operation is sorted by its output, which no table's column is.
            Some(column) if !self.blocks[block].tables.is_empty() => SortExpr::Column(column),
            _ => SortExpr::Expression(self.text(expr)),
        }
    }

    /// What a position or an output name stands for.
    fn output(&self, expr: &Expr, block: BlockId) -> Option<Projected> {
        let projection = &self.blocks[block].projection;
        match stripped(expr) {
            Expr::Value(value) => {
                let Value::Number(position, _) = &value.value else { return None };
                let position: usize = position.parse().ok()?;
                let stars =
                    projection.iter().take(position).any(|item| matches!(item, Projected::Star { .. }));
                let item = projection.get(position.checked_sub(1)?)?;
                (!stars).then(|| item.clone())
            }
            Expr::Identifier(name) => {
                let name = ident(name);
                let named = projection.iter().find(|item| match item {
                    Projected::Column { alias, .. } | Projected::Expression { alias, .. } => {
                        alias.as_deref() == Some(&name)
                    }
                    Projected::Star { .. } => false,
                });
                named.cloned()
            }
            _ => None,
        }
    }
}

/// `ORDER BY 2`.
fn is_position(expr: &Expr) -> bool {
    matches!(stripped(expr), Expr::Value(value) if matches!(&value.value, Value::Number(number, _) if number.bytes().all(|b| b.is_ascii_digit())))
}
