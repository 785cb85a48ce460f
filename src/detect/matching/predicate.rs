//! Conditions on the predicates of WHERE and ON.

use super::{Case, facts, truth::Truth};
use crate::{
    detect::words,
    rules::matching::{OperandWord, OperatorWord, PlaceWord, Placeholder, PredicateMatch, SargableWord},
    sql::{
        Shape,
        shape::{Block, BlockId, Clause, Condition, Op, Operand, Predicate, Sargable},
    },
};

/// Every predicate of a block, and whether it is an alternative of an OR.
pub(super) fn all(block: &Block) -> Vec<(&Predicate, bool)> {
    let mut found = Vec::new();
    let mut open: Vec<(&Condition, bool)> =
        block.conditions.iter().rev().map(|condition| (condition, false)).collect();
    while let Some((condition, in_or)) = open.pop() {
        match condition {
            Condition::Test(predicate) => found.push((predicate, in_or)),
            Condition::Any(inner) => open.extend(inner.iter().rev().map(|inner| (inner, true))),
            Condition::All(inner) => open.extend(inner.iter().rev().map(|inner| (inner, in_or))),
            Condition::Opaque { .. } => {}
        }
    }
    found
}

/// The first predicate that matches, with the columns of all that do.
pub(super) fn any(case: &Case<'_>, wanted: &PredicateMatch, shape: &Shape, id: BlockId) -> Truth {
    let predicates = all(&shape.blocks[id]);
    let mut columns: Vec<&str> = Vec::new();
    let mut matched = 0;
    let mut first = None;
    let mut unknown = 0;
    for (predicate, in_or) in predicates {
        match one(case, wanted, shape, predicate, in_or) {
            Truth::Yes(filled) => {
                matched += 1;
                if !columns.contains(&predicate.column.name.as_str()) {
                    columns.push(&predicate.column.name);
                }
                first.get_or_insert(filled);
            }
            Truth::Unknown => unknown += 1,
            Truth::No => {}
        }
    }
    match first {
        Some(filled) => Truth::Yes(filled).fill(Placeholder::Columns, || words::list(&columns)).and_if(
            wanted.count.as_ref(),
            |bounds| match case.count(bounds, matched) {
                _ if unknown > 0 => Truth::Unknown,
                truth => truth,
            },
        ),
        None if unknown > 0 => Truth::Unknown,
        None => Truth::No,
    }
}

fn one(case: &Case<'_>, wanted: &PredicateMatch, shape: &Shape, found: &Predicate, in_or: bool) -> Truth {
    let wrapped = found.wrapped.as_deref();
    let place = match found.clause {
        Clause::Where => PlaceWord::Where,
        Clause::On(_) => PlaceWord::On,
    };
    let operators = wanted.operator.as_ref();
    let holds = operators.is_none_or(|words| words.has(&operator(found.op)))
        && wanted
            .operand
            .as_ref()
            .is_none_or(|words| operand(&found.operand).iter().any(|word| words.has(word)))
        && wanted.sargable.as_ref().is_none_or(|words| words.has(&sargable(&found.sargable)))
        && wanted.clause.as_ref().is_none_or(|words| words.has(&place))
        && wanted.wrapped.is_none_or(|asked| wrapped.is_some() == asked)
        && wanted.cast.is_none_or(|asked| wrapped.is_some_and(casts) == asked)
        && wanted.in_or.is_none_or(|asked| in_or == asked);
    Truth::of(holds)
        .at(&found.at)
        .fill(Placeholder::Column, || found.column.name.clone())
        .fill(Placeholder::Operator, || spelled(found.op).to_uppercase())
        .and_if(wanted.function.as_ref(), |names| {
            let call = wrapped.into_iter().flat_map(calls).find(|call| names.has(call));
            match call {
                Some(call) => Truth::of(true).fill(Placeholder::Function, || call),
                None => Truth::No,
            }
        })
        .and_if(wanted.length.as_ref(), |bounds| match found.operand {
            Operand::List { len } => case.count(bounds, len),
            _ => Truth::No,
        })
        .and_if(wanted.table.as_ref(), |table| match shape.table_of(&found.column) {
            Some(name) => facts::table(case, table, name),
            None => Truth::Unknown,
        })
        .and_if(wanted.column.as_ref(), |column| facts::column(case, column, shape, &found.column, wrapped))
        .and_if(wanted.other_column.as_ref(), |column| match &found.operand {
            // It fills nothing: the words are about the column that is tested.
            Operand::Column(other) => match facts::column(case, column, shape, other, None) {
                Truth::Yes(_) => Truth::of(true),
                truth => truth,
            },
            _ => Truth::No,
        })
        .and_if(shape.table_of(&found.column), |name| {
            Truth::of(true).fill(Placeholder::Table, || name.plain())
        })
}

fn operand(operand: &Operand) -> Vec<OperandWord> {
    match operand {
        Operand::Constant(text) if is_null(text) => vec![OperandWord::Null, OperandWord::Constant],
        Operand::Constant(_) => vec![OperandWord::Constant],
        Operand::Parameter(_) => vec![OperandWord::Parameter],
        Operand::List { .. } => vec![OperandWord::List],
        Operand::Column(_) => vec![OperandWord::Column],
        Operand::Subquery(_) => vec![OperandWord::Subquery],
        Operand::Expression(_) => vec![OperandWord::Expression],
        Operand::None => vec![OperandWord::None],
    }
}

/// `NULL`, `NULL::text`, `(NULL)`.
fn is_null(text: &str) -> bool {
    let bare = text.trim_start_matches('(');
    bare.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("null"))
        && bare[4..].chars().next().is_none_or(|next| ":)".contains(next))
}

fn sargable(sargable: &Sargable) -> SargableWord {
    match sargable {
        Sargable::Yes => SargableWord::Yes,
        Sargable::Wrapped => SargableWord::Wrapped,
        Sargable::LeadingWildcard => SargableWord::LeadingWildcard,
        Sargable::Negated => SargableWord::Negated,
        Sargable::OtherIndexKind => SargableWord::OtherIndexKind,
        Sargable::SelfComparison => SargableWord::SelfComparison,
    }
}

/// The word of an operator, and how SQL spells it.
const OPERATORS: &[(Op, OperatorWord, &str)] = &[
    (Op::Eq, OperatorWord::Eq, "="),
    (Op::NotEq, OperatorWord::NotEq, "<>"),
    (Op::Lt, OperatorWord::Lt, "<"),
    (Op::LtEq, OperatorWord::LtEq, "<="),
    (Op::Gt, OperatorWord::Gt, ">"),
    (Op::GtEq, OperatorWord::GtEq, ">="),
    (Op::Between, OperatorWord::Between, "between"),
    (Op::In, OperatorWord::In, "in"),
    (Op::NotIn, OperatorWord::NotIn, "not in"),
    (Op::IsNull, OperatorWord::IsNull, "is null"),
    (Op::IsNotNull, OperatorWord::IsNotNull, "is not null"),
    (Op::IsTrue, OperatorWord::IsTrue, "is true"),
    (Op::IsFalse, OperatorWord::IsFalse, "is false"),
    (Op::Like, OperatorWord::Like, "like"),
    (Op::ILike, OperatorWord::ILike, "ilike"),
    (Op::NotLike, OperatorWord::NotLike, "not like"),
    (Op::Regex, OperatorWord::Regex, "~"),
    (Op::IsDistinctFrom, OperatorWord::IsDistinctFrom, "is distinct from"),
    (Op::IsNotDistinctFrom, OperatorWord::IsNotDistinctFrom, "is not distinct from"),
    (Op::Contains, OperatorWord::Contains, "@>"),
    (Op::ContainedBy, OperatorWord::ContainedBy, "<@"),
    (Op::HasKey, OperatorWord::HasKey, "?"),
    (Op::Overlaps, OperatorWord::Overlaps, "&&"),
    (Op::Matches, OperatorWord::Matches, "@@"),
    (Op::Other, OperatorWord::Other, "the operator"),
];

fn operator(op: Op) -> OperatorWord {
    OPERATORS.iter().find(|(known, ..)| *known == op).map_or(OperatorWord::Other, |(_, word, _)| *word)
}

fn spelled(op: Op) -> &'static str {
    OPERATORS.iter().find(|(known, ..)| *known == op).map_or("the operator", |(.., text)| text)
}

fn casts(expression: &str) -> bool {
    let lower = outside_quotes(expression);
    lower.contains("::") || calls(&lower).iter().any(|call| call == "cast")
}

/// The text with blanks for what stands in quotes.
fn outside_quotes(text: &str) -> String {
    let mut quote = None;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match quote {
            Some(open) => {
                if c == open {
                    quote = None;
                }
                out.push(' ');
            }
            None if c == '\'' => {
                quote = Some(c);
                out.push(' ');
            }
            None => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

/// The functions that an expression calls, without their schemas, in order: names before a parenthesis.
pub(super) fn calls(expression: &str) -> Vec<String> {
    let text = outside_quotes(expression);
    let mut calls = Vec::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end();
        let start = before
            .char_indices()
            .rev()
            .take_while(|(_, c)| c.is_alphanumeric() || *c == '_' || *c == '$')
            .last()
            .map_or(before.len(), |(start, _)| start);
        let name = &before[start..];
        if !name.is_empty() && !KEYWORDS.contains(&name) && !name.starts_with(|c: char| c.is_ascii_digit()) {
            calls.push(name.to_owned());
        }
    }
    calls
}

/// Words before a parenthesis that call nothing.
const KEYWORDS: &[&str] = &[
    "all", "and", "any", "array", "as", "between", "case", "distinct", "else", "exists", "filter", "from",
    "in", "is", "like", "not", "on", "or", "over", "row", "select", "some", "then", "using", "values",
    "when", "where", "within",
];

#[cfg(test)]
mod tests {
    #[test]
    fn calls_of_an_expression() {
        for (text, expected) in [
            ("lower(email)", vec!["lower"]),
            ("coalesce(trim('f(x)' || a), $1)", vec!["coalesce", "trim"]),
            ("a IN (1)", vec![]),
            ("pg_catalog.Random ()", vec!["random"]),
            ("(a + b) * 2", vec![]),
            ("é(1)", vec!["é"]),
        ] {
            assert_eq!(super::calls(text), expected, "{text}");
        }
        assert!(super::is_null("NULL") && super::is_null("null::text") && !super::is_null("nullif(a, b)"));
    }
}
