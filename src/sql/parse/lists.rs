//! IN, BETWEEN and comparisons of rows.

use sqlparser::ast::{Expr, Value};

use super::{
    condition::{Site, Subject, negation},
    operand::{Inside, stripped, unwrapped},
    scope::Builder,
};
use crate::sql::shape::{ColumnRef, Condition, Op, Operand, Sargable};

impl Builder<'_> {
    pub(super) fn in_list(
        &mut self,
        expr: &Expr,
        of: &Expr,
        list: &[Expr],
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let op = if negated { Op::NotIn } else { Op::In };
        if let Expr::Tuple(columns) = stripped(of) {
            if negated {
                return None;
            }
            self.inside(expr, site.block);
            return self.each(expr, columns, op, &Operand::List { len: list.len() }, site);
        }
        let mut constant = true;
        for item in list {
            let inside = self.inside(item, site.block);
            constant &= inside.columns.is_empty() && inside.subqueries.is_empty();
        }
        let operand = if constant {
            Operand::List { len: list.len() }
        } else {
            let items: Vec<String> = list.iter().map(|item| self.text(item)).collect();
            Operand::Expression(items.join(", "))
        };
        let subject = self.subject_of(of, site)?;
        Some(vec![Condition::Test(self.predicate(expr, false, subject, op, operand, site))])
    }

    /// The same test of each column of a row; `None` unless all are bare columns.
    fn each(
        &mut self,
        expr: &Expr,
        columns: &[Expr],
        op: Op,
        operand: &Operand,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let bare: Option<Vec<ColumnRef>> =
            columns.iter().map(|column| self.bare_column(column, site.block)).collect();
        let tests = bare?.into_iter().map(|column| {
            let subject = Subject { column, wrapped: None };
            Condition::Test(self.predicate(expr, false, subject, op, operand.clone(), site))
        });
        Some(tests.collect())
    }

    pub(super) fn in_subquery(
        &mut self,
        expr: &Expr,
        of: &Expr,
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        // The subquery is the last to be walked, behind those of the left side.
        let block = *self.inside(expr, site.block).subqueries.last()?;
        let op = if negated { Op::NotIn } else { Op::In };
        if let Expr::Tuple(columns) = stripped(of) {
            let tests = self.each(expr, columns, op, &Operand::Subquery(block), site);
            return Some(tests.filter(|_| !negated).unwrap_or_else(|| vec![self.opaque(expr, false)]));
        }
        let bare = self.bare_column(of, site.block);
        let mut columns = Inside { columns: self.inside_columns(of, site.block), ..Inside::default() };
        let Some(subject) = self.subject(of, bare, &mut columns) else {
            return Some(vec![self.opaque(expr, false)]);
        };
        let operand = Operand::Subquery(block);
        Some(vec![Condition::Test(self.predicate(expr, false, subject, op, operand, site))])
    }

    pub(super) fn between(
        &mut self,
        expr: &Expr,
        of: &Expr,
        low: &Expr,
        high: &Expr,
        negated: bool,
        site: Site,
    ) -> Vec<Condition> {
        let inside = (self.inside(low, site.block), self.inside(high, site.block));
        let constant = inside.0.columns.is_empty() && inside.1.columns.is_empty();
        let Some(subject) = self.subject_of(of, site) else {
            // `$1 BETWEEN starts_at AND ends_at`.
            if negated || constant {
                return vec![self.opaque(expr, negated)];
            }
            let operand = self.operand(of, &Inside::default(), site.block);
            let mut tests = Vec::new();
            for (bound, op) in [(low, Op::LtEq), (high, Op::GtEq)] {
                if let Some(subject) = self.subject_of(bound, site) {
                    let predicate = self.predicate(expr, false, subject, op, operand.clone(), site);
                    tests.push(Condition::Test(predicate));
                }
            }
            return tests;
        };
        let text = format!("{} AND {}", self.text(low), self.text(high));
        let parameter = |expr| matches!(unwrapped(expr), Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
        let operand = if !constant || !inside.0.subqueries.is_empty() || !inside.1.subqueries.is_empty() {
            Operand::Expression(text)
        } else if parameter(low) || parameter(high) {
            Operand::Parameter(text)
        } else {
            Operand::Constant(text)
        };
        let mut predicate = self.predicate(expr, false, subject, Op::Between, operand, site);
        if negated {
            (predicate.op, predicate.sargable) = (Op::Other, Sargable::Negated);
        }
        vec![Condition::Test(predicate)]
    }

    pub(super) fn rows(
        &mut self,
        expr: &Expr,
        left: &[Expr],
        op: Op,
        right: &[Expr],
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let op = if negated { negation(op) } else { op };
        if left.len() != right.len() {
            return None;
        }
        // (a, b) > (x, y) implies a >= x, and an index on (a, b) is entered there.
        let (op, pairs) = match op {
            Op::Eq => (Op::Eq, left.len()),
            Op::Lt | Op::LtEq => (Op::LtEq, 1),
            Op::Gt | Op::GtEq => (Op::GtEq, 1),
            _ => return None,
        };
        let mut tests = Vec::new();
        for (left, right) in left.iter().zip(right).take(pairs) {
            tests.extend(self.compare(expr, left, op, right, false, site)?);
        }
        for (left, right) in left.iter().zip(right).skip(pairs) {
            self.inside(left, site.block);
            self.inside(right, site.block);
        }
        Some(tests)
    }
}
