//! FROM: tables, joins, and the conditions of ON and USING.

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, SetExpr,
    Spanned, TableAlias, TableFactor, TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::scope::{Builder, ident, parts, rel_name};
use crate::{
    names::RelName,
    sql::shape::{
        BlockId, Clause, ColumnRef, Condition, JoinKind, JoinedBy, Op, Operand, Predicate, Projected, Role,
        Sargable, TableSource,
    },
};

impl Builder<'_> {
    pub(super) fn from(&mut self, from: &[TableWithJoins], block: BlockId) {
        for item in from {
            self.joined(item, block, JoinKind::From);
        }
    }

    /// One item of FROM with its joins; the position of its first table.
    pub(super) fn joined(&mut self, item: &TableWithJoins, block: BlockId, kind: JoinKind) -> usize {
        let first = self.table_factor(&item.relation, block, kind);
        for join in &item.joins {
            self.join(join, block, first);
        }
        first
    }

    /// Joins to the tables from `left` on.
    fn join(&mut self, join: &Join, block: BlockId, left: usize) {
        use JoinOperator as J;
        let (kind, constraint) = match &join.join_operator {
            J::Left(on) | J::LeftOuter(on) => (JoinKind::Left, Some(on)),
            J::Right(on) | J::RightOuter(on) => (JoinKind::Right, Some(on)),
            J::FullOuter(on) => (JoinKind::Full, Some(on)),
            J::CrossJoin(on) => (JoinKind::Cross, Some(on)),
            J::Join(on) | J::Inner(on) => (JoinKind::Inner, Some(on)),
            // Not PostgreSQL's.
            _ => (JoinKind::Inner, None),
        };
        let right = self.table_factor(&join.relation, block, kind);
        match constraint {
            Some(JoinConstraint::On(on)) => {
                self.blocks[block].tables[right].joined_by = JoinedBy::On;
                let around = self.joining.replace((block, right));
                self.conditions(on, block, Clause::On(right));
                self.joining = around;
            }
            Some(JoinConstraint::Using(columns)) => {
                self.blocks[block].tables[right].joined_by = JoinedBy::Using;
                self.using(columns, block, left, right);
            }
            // What NATURAL joins on, only a catalog knows.
            Some(JoinConstraint::Natural) => {
                self.blocks[block].tables[right].joined_by = JoinedBy::Natural;
            }
            Some(JoinConstraint::None) | None => {}
        }
    }

    fn using(&mut self, columns: &[ObjectName], block: BlockId, left: usize, right: usize) {
        for column in columns {
            let Some(name) = parts(column).pop() else { continue };
            let merged = self.merged.iter().find(|(at, merged, _)| *at == block && *merged == name);
            let other = if let Some((.., column)) = merged {
                column.clone()
            } else {
                let table = (left + 1 == right).then_some(left);
                let column = ColumnRef { table, block, name: name.clone() };
                self.merged.push((block, name.clone(), column.clone()));
                column
            };
            let at = self.range(column.span());
            let text = format!("USING ({column})");
            self.blocks[block].conditions.push(Condition::Test(Predicate {
                column: ColumnRef { table: Some(right), block, name },
                wrapped: None,
                op: Op::Eq,
                operand: Operand::Column(other),
                sargable: Sargable::Yes,
                clause: Clause::On(right),
                text,
                at,
            }));
        }
    }

    /// Adds a table (or several, for a join in parentheses); the position of the first.
    pub(super) fn table_factor(&mut self, factor: &TableFactor, block: BlockId, kind: JoinKind) -> usize {
        let span = factor.span();
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let table = rel_name(name);
                let cte = self.cte(&table);
                let source = match cte {
                    Some(inner) => TableSource::Cte { name: table.name.clone(), block: inner },
                    None => TableSource::Table(table.clone()),
                };
                self.named(block, source, alias.as_ref(), &table.name, kind, span)
            }
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                self.arguments(&args.args, block);
                self.function(name, alias.as_ref(), block, kind, span)
            }
            TableFactor::Function { name, args, alias, .. } => {
                self.arguments(args, block);
                self.function(name, alias.as_ref(), block, kind, span)
            }
            TableFactor::UNNEST { array_exprs, alias, .. } => {
                for expr in array_exprs {
                    self.inside(expr, block);
                }
                let name = ObjectName::from(vec![Ident::new("unnest")]);
                self.function(&name, alias.as_ref(), block, kind, span)
            }
            TableFactor::TableFunction { expr, alias } => {
                self.inside(expr, block);
                let name = match expr {
                    Expr::Function(function) => function.name.clone(),
                    _ => ObjectName::from(vec![Ident::new("table")]),
                };
                self.function(&name, alias.as_ref(), block, kind, span)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                let source = match &*subquery.body {
                    SetExpr::Values(values) if subquery.with.is_none() => {
                        for value in values.rows.iter().flat_map(|row| &row.content) {
                            self.inside(value, block);
                        }
                        TableSource::Values
                    }
                    _ => {
                        let inner = self.query(subquery, Role::Derived { lateral: *lateral }, Some(block));
                        if let Some(alias) = alias {
                            self.rename(inner, alias);
                        }
                        TableSource::Derived(inner)
                    }
                };
                self.aliased(block, source, alias.as_ref(), kind, span)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                self.joined(table_with_joins, block, kind)
            }
            // `(a JOIN b …) AS j` hides its tables' names, as a subquery does.
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let inner = self.block(Role::Derived { lateral: false }, Some(block));
                self.joined(table_with_joins, inner, JoinKind::From);
                self.blocks[inner].projection.push(Projected::Star { table: None, at: 0..0 });
                self.aliased(block, TableSource::Derived(inner), alias.as_ref(), kind, span)
            }
            TableFactor::JsonTable { json_expr, alias, .. } => {
                self.inside(json_expr, block);
                self.grammar_function("json_table", alias.as_ref(), block, kind, span)
            }
            TableFactor::XmlTable { row_expression, passing, alias, .. } => {
                self.inside(row_expression, block);
                for argument in &passing.arguments {
                    self.inside(&argument.expr, block);
                }
                self.grammar_function("xmltable", alias.as_ref(), block, kind, span)
            }
            // Other databases' syntax.
            _ => self.grammar_function("table", None, block, kind, span),
        }
    }

    fn cte(&self, table: &RelName) -> Option<BlockId> {
        if table.schema.is_some() {
            return None;
        }
        self.ctes.iter().rev().find(|(name, _)| *name == table.name).map(|(_, block)| *block)
    }

    fn arguments(&mut self, arguments: &[FunctionArg], block: BlockId) {
        for argument in arguments {
            let (FunctionArg::Named { arg, .. }
            | FunctionArg::ExprNamed { arg, .. }
            | FunctionArg::Unnamed(arg)) = argument;
            if let FunctionArgExpr::Expr(expr) = arg {
                self.inside(expr, block);
            }
        }
    }

    fn function(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        block: BlockId,
        kind: JoinKind,
        span: Span,
    ) -> usize {
        let function = rel_name(name);
        let own = function.name.clone();
        self.named(block, TableSource::Function(function), alias, &own, kind, span)
    }

    fn grammar_function(
        &mut self,
        name: &str,
        alias: Option<&TableAlias>,
        block: BlockId,
        kind: JoinKind,
        span: Span,
    ) -> usize {
        self.aliased(block, TableSource::Function(RelName::new(None, name)), alias, kind, span)
    }

    /// A table with a name of its own, which stands where there is no alias.
    fn named(
        &mut self,
        block: BlockId,
        source: TableSource,
        alias: Option<&TableAlias>,
        own: &str,
        kind: JoinKind,
        span: Span,
    ) -> usize {
        let table = self.aliased(block, source, alias, kind, span);
        let entry = &mut self.blocks[block].tables[table].alias;
        entry.get_or_insert_with(|| own.to_owned());
        table
    }

    fn aliased(
        &mut self,
        block: BlockId,
        source: TableSource,
        alias: Option<&TableAlias>,
        kind: JoinKind,
        span: Span,
    ) -> usize {
        let base = matches!(source, TableSource::Table(_));
        let table = self.add_table(block, source, alias.map(|alias| ident(&alias.name)), kind, span);
        if let Some(alias) = alias
            && !alias.columns.is_empty()
            && !base
        {
            let names = alias.columns.iter().map(|column| ident(&column.name)).collect();
            self.column_aliases.push((block, table, names));
        }
        table
    }
}
