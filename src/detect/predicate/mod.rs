//! Rules about one predicate, or about the conditions of one block.
//!
//! In: the tests of WHERE and ON that compare a column of a base table with a value. [`judge`] says what
//! the catalog makes of one: an index serves it or narrows the rows otherwise, and it is left alone.
//! Where only an index is missing, `missing-index` says so; here it is the predicate's form that keeps
//! an index out.

mod advice;
mod alternatives;
mod documents;
mod lists;
mod pattern;
mod same;
mod types;
mod wrapped;

pub(super) use alternatives::{across_columns, across_tables, row_comparison};
pub(super) use documents::{array_any, is_unconfigured, json_path, text_search};
pub(super) use lists::{large_list, not_in_subquery, null_in_list, null_safe_equality, volatile};
pub(super) use pattern::{any_case, collated_prefix, is_collated_prefix, leading_wildcard, unknown_pattern};
pub(super) use same::{duplicate, itself, reversed_between};
pub(super) use types::implicit_cast;
pub(super) use wrapped::{arithmetic, cast, coalesce, function, hides_its_column, time_zone};

use serde_json::json;

use super::{
    Facts, Report,
    access::{self, Access, Kind},
    index_use, is_system, words,
};
use crate::{
    catalog::{Column, Index, KeyExpr, Table, TableKind},
    finding::{Confidence, Finding, Severity},
    names::RelName,
    rules::Rule,
    sql::{
        Shape,
        shape::{BlockId, Condition, Op, Operand, Predicate, Sargable},
    },
};

/// A predicate on a base table's column, and where it stands.
#[derive(Clone, Copy)]
struct Test<'a> {
    shape: &'a Shape,
    block: BlockId,
    predicate: &'a Predicate,
    table: &'a RelName,
    /// Inside of an OR.
    optional: bool,
}

/// The tests of every block, at any depth of AND and OR, on tables that are not the server's own.
fn tests(shape: &Shape) -> Vec<Test<'_>> {
    let mut found = Vec::new();
    for (block, of) in shape.blocks.iter().enumerate() {
        let mut open: Vec<(&Condition, bool)> = of.conditions.iter().rev().map(|one| (one, false)).collect();
        while let Some((condition, optional)) = open.pop() {
            match condition {
                Condition::Test(predicate) => {
                    if let Some(table) = shape.table_of(&predicate.column)
                        && !is_system(table)
                    {
                        found.push(Test { shape, block, predicate, table, optional });
                    }
                }
                Condition::Any(inside) => open.extend(inside.iter().rev().map(|one| (one, true))),
                Condition::All(inside) => open.extend(inside.iter().rev().map(|one| (one, optional))),
                Condition::Opaque { .. } => {}
            }
        }
    }
    found
}

/// Compared with what is known before the table is read.
fn with_a_value(predicate: &Predicate) -> bool {
    matches!(predicate.operand, Operand::Constant(_) | Operand::Parameter(_) | Operand::List { .. })
}

/// What the catalog makes of a predicate.
enum Verdict<'a> {
    /// Nothing to say: few rows, a view, an index that serves it, or another that narrows enough.
    Fine,
    /// The catalog does not have the table, or there is none.
    Unknown,
    /// Every execution tests many rows with it.
    Scans { table: &'a Table, index: Option<&'a Index> },
}

/// Tables of fewer rows are read faster than an index is thought of.
fn judge<'a>(rule: &Rule, facts: &Facts<'a>, test: Test<'_>) -> Verdict<'a> {
    let Some(catalog) = facts.catalog else { return by_text(test) };
    let Some(table) = catalog.table(test.table) else { return by_text(test) };
    if table.rows.is_some_and(|rows| rows < rule.param("rows")) {
        return Verdict::Fine;
    }
    if matches!(table.kind, TableKind::View | TableKind::Foreign) {
        return Verdict::Fine;
    }
    let accesses = access::all(test.shape, catalog);
    if accesses.iter().any(|access| is_of(access, test) && is_narrowed(access)) {
        return Verdict::Fine;
    }
    Verdict::Scans { table, index: leading(table, &test.predicate.column.name) }
}

/// Whether no catalog has the table, and the text does not tell either.
fn is_unknown(facts: &Facts<'_>, test: Test<'_>) -> bool {
    let known = facts.catalog.and_then(|catalog| catalog.table(test.table));
    known.is_none() && matches!(by_text(test), Verdict::Unknown)
}

fn is_of(access: &Access<'_>, test: Test<'_>) -> bool {
    access.id == test.predicate.column.block && Some(access.position) == test.predicate.column.table
}

/// Whether an index finds the rows by this or another term.
fn is_narrowed(access: &Access<'_>) -> bool {
    index_use::uses(access).iter().any(|found| {
        found
            .served
            .iter()
            .any(|term| term.kind != Kind::Weak && (term.kind != Kind::Join || access.driven_by_few(term)))
    })
}

/// Without a catalog: another equality of the same table may well be what the rows are found by.
fn by_text<'a>(test: Test<'_>) -> Verdict<'a> {
    let column = &test.predicate.column;
    let narrowed = test.shape.blocks[column.block].tests().any(|other| {
        other.column.block == column.block
            && other.column.table == column.table
            && other.sargable == Sargable::Yes
            && matches!(other.op, Op::Eq | Op::In)
    });
    if narrowed { Verdict::Fine } else { Verdict::Unknown }
}

/// A valid B-tree that has the bare column first.
fn leading<'a>(table: &'a Table, column: &str) -> Option<&'a Index> {
    table.indexes.iter().find(|index| {
        index.valid
            && index.spec.method == "btree"
            && matches!(index.spec.keys.first().map(|key| &key.expr), Some(KeyExpr::Column(name)) if name == column)
    })
}

fn column_of<'a>(facts: &Facts<'a>, test: Test<'_>) -> Option<&'a Column> {
    facts.catalog?.table(test.table)?.column(&test.predicate.column.name)
}

/// `orders (3,000,000 rows)`.
fn sized(table: &Table) -> String {
    match table.rows {
        Some(rows) => format!("{} ({})", table.name.plain(), words::counted(rows, "row")),
        None => format!("{} (size not known)", table.name.plain()),
    }
}

/// A finding that an index would settle: a note where the table's size is not known.
fn push_sized(
    rule: &Rule,
    facts: &Facts<'_>,
    report: &mut Report,
    test: Test<'_>,
    because: String,
    instead: String,
) {
    let table = facts.catalog.and_then(|catalog| catalog.table(test.table));
    let unknown = table.is_none_or(|table| table.rows.is_none());
    add(rule, facts, report, test, because, instead, unknown);
}

/// A finding about one predicate, once for each query.
fn push(
    rule: &Rule,
    facts: &Facts<'_>,
    report: &mut Report,
    test: Test<'_>,
    because: String,
    instead: String,
) {
    add(rule, facts, report, test, because, instead, false);
}

fn add(
    rule: &Rule,
    facts: &Facts<'_>,
    report: &mut Report,
    test: Test<'_>,
    because: String,
    instead: String,
    note: bool,
) {
    let mut finding = facts.finding(rule, Confidence::Shape, because, instead);
    if note {
        finding.severity = Severity::Note;
    }
    finding.span = super::known(&test.predicate.at);
    finding.detail.insert("table".to_owned(), json!(test.table.plain()));
    finding.detail.insert("column".to_owned(), json!(test.predicate.column.name));
    let said = |known: &Finding| {
        known.rule == finding.rule
            && known.query == finding.query
            && known.at == finding.at
            && known.because == finding.because
    };
    if !report.findings.iter().any(said) {
        report.findings.push(finding);
    }
}
