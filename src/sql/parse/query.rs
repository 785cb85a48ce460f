//! SELECT, VALUES, set operations and WITH → blocks.

use sqlparser::ast::{
    CteAsMaterialized, Distinct, Expr, Fetch, LimitClause, LockClause, NamedWindowExpr, Query, Select,
    SetExpr, SetOperator, SetQuantifier, Spanned, TableAlias, Value, Values, With,
};

use super::scope::{Builder, ident};
use crate::sql::shape::{
    BlockId, Bound, Clause, JoinKind, Projected, Role, SetKind, SetOperation, TableSource, output_block,
};

impl Builder<'_> {
    /// A query in its own block.
    pub(super) fn query(&mut self, query: &Query, role: Role, parent: Option<BlockId>) -> BlockId {
        let block = self.block(role, parent);
        let at = self.range(query.span());
        self.blocks[block].at = at;
        self.query_into(query, block);
        block
    }

    /// A query whose block is there: `(SELECT … LIMIT 1)` adds nothing to what it encloses.
    fn query_into(&mut self, query: &Query, block: BlockId) {
        let visible = self.ctes.len();
        if let Some(with) = &query.with {
            self.with(with, block);
        }
        self.body(&query.body, block);
        if let Some(order_by) = &query.order_by {
            self.order_by(order_by, block);
        }
        if let Some(limit) = &query.limit_clause {
            self.limit(limit, block);
        }
        if let Some(fetch) = &query.fetch {
            self.fetch(fetch, block);
        }
        if !query.locks.is_empty() {
            let words: Vec<String> = query.locks.iter().map(LockClause::to_string).collect();
            self.blocks[block].locking = Some(words.join(" "));
        }
        self.ctes.truncate(visible);
    }

    fn with(&mut self, with: &With, block: BlockId) {
        for cte in &with.cte_tables {
            let name = ident(&cte.alias.name);
            if with.recursive {
                // The block that is about to be made, so that the body sees itself.
                self.ctes.push((name.clone(), self.blocks.len()));
            }
            let inner = self.query(&cte.query, Role::Cte { name: name.clone() }, Some(block));
            self.rename(inner, &cte.alias);
            self.blocks[inner].materialized =
                cte.materialized.as_ref().map(|said| matches!(said, CteAsMaterialized::Materialized));
            if !with.recursive {
                self.ctes.push((name, inner));
            }
        }
    }

    /// `x (a, b)`: the alias list names the block's output.
    pub(super) fn rename(&mut self, block: BlockId, alias: &TableAlias) {
        let Some(named) = output_block(&self.blocks, block) else { return };
        for (item, column) in self.blocks[named].projection.iter_mut().zip(&alias.columns) {
            match item {
                // Behind a star, nobody knows which column is which.
                Projected::Star { .. } => return,
                Projected::Column { alias, .. } | Projected::Expression { alias, .. } => {
                    *alias = Some(ident(&column.name));
                }
            }
        }
    }

    fn body(&mut self, body: &SetExpr, block: BlockId) {
        match body {
            SetExpr::Select(select) => self.select(select, block),
            SetExpr::Query(query) => self.query_into(query, block),
            SetExpr::SetOperation { op, set_quantifier, left, right } => {
                let mut operations = vec![operation(*op, *set_quantifier)];
                let mut arms = vec![&**right];
                let mut rest = left;
                while let SetExpr::SetOperation { op, set_quantifier, left, right } = &**rest {
                    operations.push(operation(*op, *set_quantifier));
                    arms.push(right);
                    rest = left;
                }
                arms.push(rest);
                operations.reverse();
                self.blocks[block].set_operations = operations;
                for arm in arms.into_iter().rev() {
                    let inner = self.block(Role::SetArm, Some(block));
                    if !matches!(arm, SetExpr::SetOperation { .. }) {
                        self.blocks[inner].at = self.range(arm.span());
                    }
                    self.body(arm, inner);
                }
            }
            SetExpr::Values(values) => self.values(values, block),
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => self.write(statement, block),
            // Rewritten as SELECT * FROM before parsing.
            SetExpr::Table(_) => {}
        }
    }

    fn values(&mut self, values: &Values, block: BlockId) {
        self.add_table(block, TableSource::Values, None, JoinKind::From, values.span());
        for value in values.rows.iter().flat_map(|row| &row.content) {
            self.inside(value, block);
        }
    }

    fn select(&mut self, select: &Select, block: BlockId) {
        self.from(&select.from, block);
        if let Some(selection) = &select.selection {
            self.blocks[block].filtered = true;
            self.conditions(selection, block, Clause::Where);
        }
        self.projection(&select.projection, block);
        match &select.distinct {
            Some(Distinct::Distinct) => self.blocks[block].distinct = true,
            Some(Distinct::On(exprs)) => {
                let columns = exprs.iter().filter_map(|expr| self.output_column(expr, block)).collect();
                let here = &mut self.blocks[block];
                (here.distinct, here.distinct_on, here.distinct_on_keys) = (true, columns, exprs.len());
            }
            Some(Distinct::All) | None => {}
        }
        self.group_by(&select.group_by, block);
        if let Some(having) = &select.having {
            self.blocks[block].having = true;
            self.blocks[block].aggregates |= self.inside(having, block).aggregate;
        }
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = &window.1 {
                let sorted = window.order_by.iter().map(|key| &key.expr);
                for expr in window.partition_by.iter().chain(sorted) {
                    self.inside(expr, block);
                }
            }
        }
    }

    fn limit(&mut self, clause: &LimitClause, block: BlockId) {
        let (limit, offset) = match clause {
            LimitClause::LimitOffset { limit, offset, .. } => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            LimitClause::OffsetCommaLimit { offset, limit } => (Some(limit), Some(offset)),
        };
        if let Some(limit) = limit {
            self.blocks[block].limit = self.bound(limit, block);
        }
        if let Some(offset) = offset {
            self.blocks[block].offset = self.bound(offset, block);
        }
    }

    fn fetch(&mut self, fetch: &Fetch, block: BlockId) {
        // FETCH FIRST ROW ONLY is one row.
        self.blocks[block].limit = match &fetch.quantity {
            Some(quantity) => self.bound(quantity, block),
            None => Some(Bound::Number(1)),
        };
    }

    /// `None` for ALL and NULL, which bound nothing.
    fn bound(&mut self, expr: &Expr, block: BlockId) -> Option<Bound> {
        match expr {
            Expr::Nested(inner) => return self.bound(inner, block),
            Expr::Value(value) => match &value.value {
                Value::Null => return None,
                Value::Number(number, _) => {
                    if let Ok(number) = number.replace('_', "").parse() {
                        return Some(Bound::Number(number));
                    }
                }
                Value::Placeholder(number) => return Some(Bound::Parameter(self.placeholder(number))),
                _ => {}
            },
            Expr::Cast { expr: inner, .. } if matches!(**inner, Expr::Value(_)) => {
                return self.bound(inner, block);
            }
            _ => {}
        }
        self.inside(expr, block);
        Some(Bound::Expression(self.text(expr)))
    }
}

fn operation(op: SetOperator, quantifier: SetQuantifier) -> SetOperation {
    let kind = match op {
        SetOperator::Union => SetKind::Union,
        SetOperator::Intersect => SetKind::Intersect,
        SetOperator::Except | SetOperator::Minus => SetKind::Except,
    };
    let all = matches!(quantifier, SetQuantifier::All | SetQuantifier::AllByName);
    SetOperation { kind, all }
}
