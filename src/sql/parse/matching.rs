//! LIKE, regular expressions, and ANY and ALL.

use sqlparser::ast::{BinaryOperator, Expr, Value};

use super::{
    condition::{Site, Subject},
    operand::{Inside, unwrapped},
    pattern::{self, Start},
    scope::Builder,
};
use crate::sql::shape::{Condition, Op, Operand, Sargable};

impl Builder<'_> {
    #[expect(clippy::too_many_arguments, reason = "the parts of one LIKE")]
    pub(super) fn like(
        &mut self,
        expr: &Expr,
        of: &Expr,
        pattern: &Expr,
        escape: Option<&Expr>,
        op: Op,
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let inside = self.inside(pattern, site.block);
        let operand = self.operand(pattern, &inside, site.block);
        let subject = self.subject_of(of, site)?;
        let escape = match escape.map(|escape| (string(escape), escape)) {
            None => Some('\\'),
            Some((Some(text), _)) => text.chars().next(),
            Some((None, _)) => return Some(vec![self.opaque(expr, negated)]),
        };
        let start = match (string(pattern), op) {
            (Some(text), Op::Regex) => pattern::similar(&text, escape),
            (Some(text), _) => pattern::like(&text, escape),
            (None, _) => Start::Wildcard,
        };
        Some(vec![self.matching(expr, subject, op, operand, start, negated, site)])
    }

    pub(super) fn regex(
        &mut self,
        expr: &Expr,
        of: &Expr,
        pattern: &Expr,
        any_case: bool,
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let inside = self.inside(pattern, site.block);
        let operand = self.operand(pattern, &inside, site.block);
        let subject = self.subject_of(of, site)?;
        let start = string(pattern).map_or(Start::Wildcard, |text| pattern::regex(&text));
        let mut condition = self.matching(expr, subject, Op::Regex, operand, start, negated, site);
        if let Condition::Test(predicate) = &mut condition
            && any_case
            && predicate.sargable == Sargable::Yes
        {
            predicate.sargable = Sargable::OtherIndexKind;
        }
        Some(vec![condition])
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one pattern match")]
    fn matching(
        &self,
        expr: &Expr,
        subject: Subject,
        op: Op,
        operand: Operand,
        start: Start,
        negated: bool,
        site: Site,
    ) -> Condition {
        let wrapped = subject.wrapped.is_some();
        let mut predicate = self.predicate(expr, false, subject, op, operand, site);
        predicate.sargable = match (start, op) {
            _ if negated => Sargable::Negated,
            (Start::Wildcard, _) => Sargable::LeadingWildcard,
            // Letters have two cases, and a B-tree begins with one.
            (Start::Fixed, Op::ILike) => Sargable::OtherIndexKind,
            (Start::Fixed, _) if wrapped => Sargable::Wrapped,
            (Start::Fixed, _) => Sargable::Yes,
        };
        if negated {
            predicate.op = if op == Op::Regex { Op::Other } else { Op::NotLike };
        }
        Condition::Test(predicate)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one ANY or ALL")]
    pub(super) fn any_or_all(
        &mut self,
        expr: &Expr,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
        all: bool,
        negated: bool,
        site: Site,
    ) -> Option<Vec<Condition>> {
        let member = match (op, all, negated) {
            (BinaryOperator::Eq, false, not) => Some(if not { Op::NotIn } else { Op::In }),
            (BinaryOperator::NotEq, true, not) => Some(if not { Op::In } else { Op::NotIn }),
            _ => None,
        };
        let inside = self.inside(right, site.block);
        let Some(subject) = self.subject_of(left, site) else {
            // `$1 = ANY (tags)`: a test of the array column, which only GIN can serve, and only as @>.
            let subject = self.subject_of(right, site)?;
            let operand = self.operand(left, &Inside::default(), site.block);
            let mut predicate = self.predicate(expr, negated, subject, Op::Other, operand, site);
            predicate.sargable = Sargable::OtherIndexKind;
            return Some(vec![Condition::Test(predicate)]);
        };
        let operand = match unwrapped(right) {
            Expr::Array(array) if inside.columns.is_empty() && inside.subqueries.is_empty() => {
                Operand::List { len: array.elem.len() }
            }
            _ => self.operand(right, &inside, site.block),
        };
        let mut predicate = self.predicate(
            expr,
            negated && member.is_none(),
            subject,
            member.unwrap_or(Op::Other),
            operand,
            site,
        );
        if member.is_none() {
            let range = matches!(
                op,
                BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq
            );
            predicate.sargable = match (negated, range, &predicate.wrapped) {
                (false, true, None) => Sargable::Yes,
                (false, true, Some(_)) => Sargable::Wrapped,
                _ => Sargable::Negated,
            };
        }
        Some(vec![Condition::Test(predicate)])
    }
}

/// A string constant's text.
fn string(expr: &Expr) -> Option<String> {
    let Expr::Value(value) = unwrapped(expr) else { return None };
    match &value.value {
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text) => Some(text.clone()),
        Value::DollarQuotedString(text) => Some(text.value.clone()),
        _ => None,
    }
}
