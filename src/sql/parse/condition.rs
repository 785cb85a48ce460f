//! WHERE and ON → conjuncts, each turned so that the column stands left.
//!
//! NOT is pushed down to the tests. A row comparison becomes what it implies of its columns: equality
//! of each, membership of each, or (`(a, b) > ($1, $2)`) a range on the first, which is what an
//! index is entered with. `$1 BETWEEN a AND b` becomes two tests.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::{
    operand::{Inside, stripped},
    scope::Builder,
};
use crate::sql::shape::{BlockId, Clause, ColumnRef, Condition, Op, Operand, Predicate, Sargable, outer};

/// Where a condition stands.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub(super) block: BlockId,
    pub(super) clause: Clause,
}

/// The column that a test is about.
pub(super) struct Subject {
    pub(super) column: ColumnRef,
    pub(super) wrapped: Option<String>,
}

impl Builder<'_> {
    /// Adds an expression's conjuncts to a block's conditions.
    pub(super) fn conditions(&mut self, expr: &Expr, block: BlockId, clause: Clause) {
        let conditions = self.conjuncts(expr, false, Site { block, clause });
        self.blocks[block].conditions.extend(conditions);
    }

    fn conjuncts(&mut self, expr: &Expr, negated: bool, site: Site) -> Vec<Condition> {
        let mut conjuncts = Vec::new();
        for (part, negated) in chain(expr, negated, &BinaryOperator::And) {
            let alternatives = chain(part, negated, &BinaryOperator::Or);
            if alternatives.len() == 1 {
                conjuncts.extend(self.test(part, negated, site));
                continue;
            }
            let alternatives = alternatives
                .into_iter()
                .map(|(alternative, negated)| {
                    let mut all = self.conjuncts(alternative, negated, site);
                    if all.len() == 1 { all.remove(0) } else { Condition::All(all) }
                })
                .collect();
            conjuncts.push(Condition::Any(alternatives));
        }
        conjuncts
    }

    /// One expression that is neither AND nor OR nor NOT: mostly one test.
    fn test(&mut self, expr: &Expr, negated: bool, site: Site) -> Vec<Condition> {
        let blocks = self.blocks.len();
        let tests = match expr {
            Expr::BinaryOp { left, op, right } => self.binary(expr, left, op, right, negated, site),
            Expr::IsNull(of) | Expr::IsUnknown(of) => self.unary(expr, of, Op::IsNull, negated, site),
            Expr::IsNotNull(of) | Expr::IsNotUnknown(of) => self.unary(expr, of, Op::IsNull, !negated, site),
            Expr::IsTrue(of) => self.unary(expr, of, Op::IsTrue, negated, site),
            Expr::IsFalse(of) => self.unary(expr, of, Op::IsFalse, negated, site),
            // True for NULL as well.
            Expr::IsNotTrue(of) | Expr::IsNotFalse(of) => self.unary(expr, of, Op::Other, true, site),
            Expr::IsDistinctFrom(left, right) => {
                self.compare(expr, left, Op::IsDistinctFrom, right, negated, site)
            }
            Expr::IsNotDistinctFrom(left, right) => {
                self.compare(expr, left, Op::IsNotDistinctFrom, right, negated, site)
            }
            Expr::InList { expr: of, list, negated: not } => {
                self.in_list(expr, of, list, negated != *not, site)
            }
            Expr::InSubquery { expr: of, negated: not, .. } => {
                self.in_subquery(expr, of, negated != *not, site)
            }
            Expr::Between { expr: of, negated: not, low, high } => {
                Some(self.between(expr, of, low, high, negated != *not, site))
            }
            Expr::Like { negated: not, expr: of, pattern, escape_char, .. } => {
                let escape = escape_char.as_deref();
                self.like(expr, of, pattern, escape, Op::Like, negated != *not, site)
            }
            Expr::ILike { negated: not, expr: of, pattern, escape_char, .. } => {
                let escape = escape_char.as_deref();
                self.like(expr, of, pattern, escape, Op::ILike, negated != *not, site)
            }
            Expr::SimilarTo { negated: not, expr: of, pattern, escape_char, .. } => {
                let escape = escape_char.as_deref();
                self.like(expr, of, pattern, escape, Op::Regex, negated != *not, site)
            }
            Expr::AnyOp { left, compare_op, right, .. } => {
                self.any_or_all(expr, left, compare_op, right, false, negated, site)
            }
            Expr::AllOp { left, compare_op, right } => {
                self.any_or_all(expr, left, compare_op, right, true, negated, site)
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                self.unary(expr, expr, Op::IsTrue, negated, site)
            }
            _ => None,
        };
        tests.unwrap_or_else(|| {
            self.forget(blocks);
            self.inside(expr, site.block);
            vec![self.opaque(expr, negated)]
        })
    }

    fn binary(
        &mut self,
        expr: &Expr,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        use BinaryOperator as B;
        let op = match op {
            B::Eq => Op::Eq,
            B::NotEq => Op::NotEq,
            B::Lt => Op::Lt,
            B::LtEq => Op::LtEq,
            B::Gt => Op::Gt,
            B::GtEq => Op::GtEq,
            B::PGLikeMatch => return self.like(expr, left, right, None, Op::Like, negated, site),
            B::PGNotLikeMatch => return self.like(expr, left, right, None, Op::Like, !negated, site),
            B::PGILikeMatch => return self.like(expr, left, right, None, Op::ILike, negated, site),
            B::PGNotILikeMatch => return self.like(expr, left, right, None, Op::ILike, !negated, site),
            B::PGRegexMatch | B::PGRegexIMatch => {
                return self.regex(expr, left, right, *op == B::PGRegexIMatch, negated, site);
            }
            B::PGRegexNotMatch | B::PGRegexNotIMatch => {
                return self.regex(expr, left, right, *op == B::PGRegexNotIMatch, !negated, site);
            }
            B::AtArrow => Op::Contains,
            B::ArrowAt => Op::ContainedBy,
            B::Question | B::QuestionAnd | B::QuestionPipe => Op::HasKey,
            B::PGOverlap => Op::Overlaps,
            B::AtAt => Op::Matches,
            B::AtQuestion
            | B::PGStartsWith
            | B::LtLtPipe
            | B::PipeGtGt
            | B::AndLt
            | B::AndGt
            | B::AndLtPipe
            | B::PipeAndGt
            | B::TildeEq
            | B::Overlaps
            | B::Custom(_)
            | B::PGCustomBinaryOperator(_)
            | B::Modulo => Op::Other,
            _ => return None,
        };
        if let (Expr::Tuple(left), Expr::Tuple(right)) = (stripped(left), stripped(right)) {
            return self.rows(expr, left, op, right, negated, site);
        }
        self.compare(expr, left, op, right, negated, site)
    }

    pub(super) fn compare(
        &mut self,
        expr: &Expr,
        left: &Expr,
        op: Op,
        right: &Expr,
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let inside = (self.inside(left, site.block), self.inside(right, site.block));
        let bare = (self.bare_column(left, site.block), self.bare_column(right, site.block));
        let op = if negated { negation(op) } else { op };
        let lost = negated && op == Op::Other;
        let left_leads = match (&bare, inside.0.columns.is_empty(), inside.1.columns.is_empty()) {
            (_, true, true) => return Some(vec![self.opaque(expr, negated)]),
            ((Some(_), _), ..) | ((None, None), false, _) => true,
            ((None, Some(_)), ..) | ((None, None), true, false) => false,
        };
        let (subject, other, mut inside, other_inside, op) = if left_leads {
            (left, right, inside.0, inside.1, op)
        } else {
            (right, left, inside.1, inside.0, op.turned())
        };
        let bare = if left_leads { bare.0 } else { bare.1 };
        let subject = self.subject(subject, bare, &mut inside)?;
        let mut operand = self.operand(other, &other_inside, site.block);
        if let (None, Operand::Column(other)) = (&subject.wrapped, &mut operand) {
            let unqualified = [left, right].map(|side| matches!(stripped(side), Expr::Identifier(_)));
            self.doubt(&subject.column, other, unqualified == [true, true]);
        }
        let mut predicate = Predicate {
            sargable: if lost { Sargable::Negated } else { usual(op, &subject) },
            column: subject.column,
            wrapped: subject.wrapped,
            op,
            operand,
            clause: site.clause,
            text: self.negated_text(expr, negated),
            at: self.range_of(expr),
        };
        let same = |other: &ColumnRef| {
            other.table.is_some()
                && (other.table, other.block) == (predicate.column.table, predicate.column.block)
        };
        if predicate.sargable != Sargable::Negated && other_inside.columns.iter().any(same) {
            predicate.sargable = Sargable::SelfComparison;
        }
        predicate.orient(site.block);
        Some(vec![Condition::Test(predicate)])
    }

    /// Two unqualified columns of a subquery with one table: one of them may well belong to an outer
    /// block (`WHERE l_orderkey = o_orderkey`), and only a catalog can tell which.
    fn doubt(&self, column: &ColumnRef, other: &mut ColumnRef, unqualified: bool) {
        let here = (column.block, column.table);
        if unqualified
            && column.table.is_some()
            && here == (other.block, other.table)
            && column.name != other.name
            && outer(&self.blocks, column.block).is_some()
        {
            other.table = None;
        }
    }

    /// The column of a side that names one.
    pub(super) fn subject(
        &self,
        expr: &Expr,
        bare: Option<ColumnRef>,
        inside: &mut Inside,
    ) -> Option<Subject> {
        match bare {
            Some(column) => Some(Subject { column, wrapped: None }),
            None if inside.columns.is_empty() => None,
            None => {
                let wrapped = Some(self.index_expression(expr));
                Some(Subject { column: inside.columns.remove(0), wrapped })
            }
        }
    }

    pub(super) fn subject_of(&mut self, expr: &Expr, site: Site) -> Option<Subject> {
        let mut inside = self.inside(expr, site.block);
        let bare = self.bare_column(expr, site.block);
        self.subject(expr, bare, &mut inside)
    }

    pub(super) fn predicate(
        &self,
        expr: &Expr,
        negated: bool,
        subject: Subject,
        op: Op,
        operand: Operand,
        site: Site,
    ) -> Predicate {
        Predicate {
            sargable: usual(op, &subject),
            column: subject.column,
            wrapped: subject.wrapped,
            op,
            operand,
            clause: site.clause,
            text: self.negated_text(expr, negated),
            at: self.range_of(expr),
        }
    }

    pub(super) fn opaque(&self, expr: &Expr, negated: bool) -> Condition {
        Condition::Opaque { text: self.negated_text(expr, negated), at: self.range_of(expr) }
    }

    pub(super) fn negated_text(&self, expr: &Expr, negated: bool) -> String {
        let text = self.text(expr);
        if negated { format!("NOT ({text})") } else { text }
    }

    fn unary(&mut self, expr: &Expr, of: &Expr, op: Op, negated: bool, site: Site) -> Option<Vec<Condition>> {
        let op = match (op, negated) {
            (Op::IsNull, true) => Op::IsNotNull,
            (Op::IsTrue, true) => Op::IsFalse,
            (Op::IsFalse, true) => Op::IsTrue,
            (op, _) => op,
        };
        let subject = self.subject_of(of, site)?;
        let mut predicate =
            self.predicate(expr, negated && op != Op::Other, subject, op, Operand::None, site);
        if op == Op::Other {
            predicate.sargable = Sargable::Negated;
        }
        Some(vec![Condition::Test(predicate)])
    }

    /// Columns only; the subqueries of the expression have their blocks already.
    pub(super) fn inside_columns(&mut self, expr: &Expr, block: BlockId) -> Vec<ColumnRef> {
        let blocks = self.blocks.len();
        let columns = self.inside(expr, block).columns;
        self.forget(blocks);
        columns
    }

    /// Drops the blocks from `blocks` on: their expression is walked once more.
    fn forget(&mut self, blocks: usize) {
        self.blocks.truncate(blocks);
        self.merged.retain(|(block, ..)| *block < blocks);
        self.references.retain(|reference| reference.column.block < blocks);
        self.column_aliases.retain(|(block, ..)| *block < blocks);
    }
}

/// The operands of a chain of AND (or OR), NOT pushed down to them: without recursion, since a chain
/// is as deep as it is long.
fn chain<'e>(expr: &'e Expr, negated: bool, op: &BinaryOperator) -> Vec<(&'e Expr, bool)> {
    let mut operands = Vec::new();
    let mut open = vec![(expr, negated)];
    while let Some((expr, negated)) = open.pop() {
        match stripped(expr) {
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => open.push((expr, !negated)),
            Expr::BinaryOp { left, op: found @ (BinaryOperator::And | BinaryOperator::Or), right }
                if (found == op) != negated =>
            {
                open.extend([(&**right, negated), (&**left, negated)]);
            }
            operand => operands.push((operand, negated)),
        }
    }
    operands
}

pub(super) fn negation(op: Op) -> Op {
    match op {
        Op::Eq => Op::NotEq,
        Op::NotEq => Op::Eq,
        Op::Lt => Op::GtEq,
        Op::LtEq => Op::Gt,
        Op::Gt => Op::LtEq,
        Op::GtEq => Op::Lt,
        Op::IsDistinctFrom => Op::IsNotDistinctFrom,
        Op::IsNotDistinctFrom => Op::IsDistinctFrom,
        _ => Op::Other,
    }
}

/// What serves an operator as such.
fn usual(op: Op, subject: &Subject) -> Sargable {
    match op {
        // PostgreSQL has no index access for IS [NOT] DISTINCT FROM.
        Op::NotEq | Op::NotIn | Op::NotLike | Op::IsDistinctFrom | Op::IsNotDistinctFrom => Sargable::Negated,
        Op::Contains | Op::ContainedBy | Op::HasKey | Op::Overlaps | Op::Matches | Op::Other => {
            Sargable::OtherIndexKind
        }
        _ if subject.wrapped.is_some() => Sargable::Wrapped,
        _ => Sargable::Yes,
    }
}
