//! A predicate, a join, an ORDER BY … LIMIT or a foreign key that no index of the table serves.
//!
//! Left alone: small tables; values that most rows have (an index would not be used); ORs; joins that
//! nothing narrows, which are right as hash joins; LIMITs that stop the scan early; tables that the
//! plan does not read from end to end; and columns that an index holds in the wrong order, which is
//! `index-order`'s finding.

use serde_json::json;

use super::{
    Facts, Report,
    access::{self, Access, Kind, Term},
    estimate,
    index_use::{self, misorder, propose},
    predicate, words,
};
use crate::{
    catalog::{Catalog, ForeignKey, IndexSpec, KeyExpr, Table},
    finding::{Confidence, Severity},
    rules::Rule,
    sql::{
        StatementKind,
        shape::{Bound, Op},
    },
};

pub(super) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    let mut said: Vec<String> = Vec::new();
    for access in access::all(shape, catalog) {
        if too_small(rule, access.table) {
            continue;
        }
        let Some(lack) = lack(rule, &access) else { continue };
        if let Some(plan) = facts.plan
            && !(plan.scans(&access.table.name, access.alias()) || lack.sorts && plan.sorts())
        {
            continue;
        }
        let because = format!("no index of {} serves {}", size(access.table), lack.what);
        if said.contains(&because) {
            continue;
        }
        said.push(because.clone());
        let instead = lack.index.map_or(lack.otherwise, |index| index_use::command(Some(catalog), &index));
        push(rule, facts, report, access.table, because, instead, access.span());
    }
    if shape.kind == StatementKind::Delete
        && let Some(target) = &shape.target
        && let Some(parent) = catalog.table(&target.table)
    {
        for (child, key) in unindexed_children(catalog, parent) {
            if !too_small(rule, child) {
                let because = format!(
                    "each row deleted from {} is looked for in {}, where no index serves the foreign key ({})",
                    parent.name.plain(),
                    size(child),
                    key.columns.join(", ")
                );
                let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
                let index = IndexSpec::btree(child.name.clone(), &columns);
                push(rule, facts, report, child, because, index.create_concurrently(), None);
            }
        }
    }
}

fn push(
    rule: &Rule,
    facts: &Facts<'_>,
    report: &mut Report,
    table: &Table,
    because: String,
    instead: String,
    span: Option<std::ops::Range<usize>>,
) {
    let confidence = facts.plan.map_or(Confidence::Shape, |plan| plan.confidence());
    let mut finding = facts.finding(rule, confidence, because, instead);
    if table.rows.is_none() {
        finding.severity = Severity::Note;
    }
    finding.span = span;
    finding.detail.insert("table".to_owned(), json!(table.name.plain()));
    report.findings.push(finding);
}

fn too_small(rule: &Rule, table: &Table) -> bool {
    table.rows.is_some_and(|rows| rows < rule.param("rows"))
}

fn size(table: &Table) -> String {
    match table.rows {
        Some(rows) => format!("{} ({})", table.name.plain(), words::counted(rows, "row")),
        None => format!("{} (size not known)", table.name.plain()),
    }
}

/// What no index serves.
struct Lack {
    what: String,
    index: Option<IndexSpec>,
    /// What to do where no index of ours would help.
    otherwise: String,
    /// It would show as a sort rather than as a scan.
    sorts: bool,
}

fn lack(rule: &Rule, access: &Access<'_>) -> Option<Lack> {
    if misorder(access).is_some() {
        return None;
    }
    let uses = index_use::uses(access);
    // An index on a join column serves only where the other side asks for few rows.
    let searched = |term: &&Term<'_>| term.kind != Kind::Join || access.driven_by_few(term);
    let served: Vec<&Term<'_>> =
        uses.iter().flat_map(|found| found.served.iter().copied()).filter(searched).collect();
    let ordered = uses.iter().any(|found| found.ordered);
    let filters: Vec<&Term<'_>> = access.filters().filter(|term| selective(rule, access, term)).collect();
    let make = |what: String, sorts: bool| {
        let index = propose(access);
        Some(Lack { what, otherwise: otherwise(access), index, sorts })
    };
    if access.alternatives.iter().any(|branches| branches.iter().all(|term| uses_term(access, term))) {
        return None;
    }
    if served.is_empty() && !filters.is_empty() {
        let stops = (ordered || access.order.is_empty()) && stops_early(rule, access, &filters);
        return if stops { None } else { make(search_words(&filters), false) };
    }
    if served.is_empty() && access.filters().next().is_none() {
        let joins: Vec<&Term<'_>> = access.joins().filter(|term| access.driven_by_few(term)).collect();
        if !joins.is_empty() {
            let columns: Vec<String> = joins.iter().map(|term| name(&term.key)).collect();
            return make(format!("the join by {}", words::list(&columns)), false);
        }
    }
    if let Some(better) = much_better(rule, access, &uses) {
        return make(search_words(&[better]), false);
    }
    let driven = access.joins().any(|term| access.driven_by_few(term));
    if access.limited() && !access.order.is_empty() && !ordered && !driven {
        // What an index narrows to few rows is quickly sorted; unknown counts as few.
        let sorted = if access.filters().next().is_none() {
            access.table.rows.unwrap_or(f64::INFINITY)
        } else {
            estimate::rows_after(access.table, access.filters()).unwrap_or(0.0)
        };
        let pinned = access.order.iter().all(|key| access.pinned(&index_use::key_of(&key.expr)));
        let random = access.order.iter().any(|key| match index_use::key_of(&key.expr) {
            KeyExpr::Column(column) => access.table.column(&column).is_none(),
            KeyExpr::Expression(_) => true,
        });
        if sorted >= rule.param("rows") && !pinned && !random {
            let columns: Vec<String> =
                access.order.iter().map(|key| name(&index_use::key_of(&key.expr))).collect();
            return make(format!("ORDER BY {} with LIMIT", columns.join(", ")), true);
        }
    }
    None
}

/// An equality without an index that leaves at most a tenth of what the best index leaves, where that is
/// still many rows: a lookup by one e-mail next to an index on a status of four values.
fn much_better<'a>(rule: &Rule, access: &'a Access<'a>, uses: &[index_use::Use<'_>]) -> Option<&'a Term<'a>> {
    let part = |terms: &[&Term<'_>]| -> Option<f64> {
        terms.iter().map(|term| estimate::fraction(access.table, term)).product()
    };
    let parts: Option<Vec<f64>> =
        uses.iter().filter(|found| !found.served.is_empty()).map(|found| part(&found.served)).collect();
    let best = parts?.into_iter().reduce(f64::min)?;
    if best * access.table.rows? < rule.param("rows") {
        return None;
    }
    access.filters().find(|term| {
        term.kind == Kind::Equal
            && estimate::fraction(access.table, term).is_some_and(|part| part * 10.0 <= best)
            && !uses_term(access, term)
    })
}

/// Whether an index serves this one term of an OR.
fn uses_term(access: &Access<'_>, term: &Term<'_>) -> bool {
    let alone =
        Access { terms: vec![term.clone()], alternatives: Vec::new(), order: Vec::new(), ..access.clone() };
    index_use::uses(&alone).iter().any(|found| !found.served.is_empty())
}

/// Worth an index: few rows pass, or nothing is known against it.
fn selective(rule: &Rule, access: &Access<'_>, term: &Term<'_>) -> bool {
    // The rules about predicates say how such a column is freed, or why its index is lost.
    let column = access.table.column(&term.predicate.column.name);
    if predicate::hides_its_column(term.predicate, column)
        || predicate::is_unconfigured(term.predicate)
        || predicate::is_collated_prefix(access.catalog, access.table, term.predicate)
    {
        return false;
    }
    // A remainder spreads the rows over a few classes: a sample or a shard, which no index serves well.
    if term.predicate.wrapped.as_deref().is_some_and(|expr| expr.contains('%')) {
        return false;
    }
    match estimate::fraction(access.table, term) {
        Some(fraction) => fraction <= rule.param("fraction"),
        // NULLs and truth values are seldom selective; without statistics they are no reason.
        None => !matches!(term.predicate.op, Op::IsNull | Op::IsTrue | Op::IsFalse),
    }
}

/// Whether a LIMIT ends the scan as soon as it has its rows, after few rows: those that pass are
/// expected to lie evenly among the others. A limit that is not known may be 1; unknown statistics
/// speak for an end only where an index gives the order.
fn stops_early(rule: &Rule, access: &Access<'_>, filters: &[&Term<'_>]) -> bool {
    if !access.limited() || access.block.aggregates || !access.block.group_by.is_empty() {
        return false;
    }
    let limit = match access.block.limit {
        Some(Bound::Number(limit)) => limit.max(1),
        _ if access.order.is_empty() => return false,
        _ => 1,
    };
    let passing = estimate::rows_after(access.table, filters.iter().copied());
    match (access.table.rows, passing) {
        (Some(rows), Some(passing)) => rows * limit as f64 / passing.max(1.0) < rule.param("rows"),
        _ => !access.order.is_empty(),
    }
}

fn search_words(terms: &[&Term<'_>]) -> String {
    let of = |kinds: &[Kind]| {
        let mut names: Vec<String> =
            terms.iter().filter(|term| kinds.contains(&term.kind)).map(|term| name(&term.key)).collect();
        names.dedup();
        names
    };
    let mut parts = Vec::new();
    let equal = of(&[Kind::Equal]);
    if !equal.is_empty() {
        parts.push(format!("the search by {}", words::list(&equal)));
    }
    for (kinds, what) in [
        (&[Kind::Range][..], "the range of"),
        (&[Kind::Prefix][..], "the prefix search in"),
        (&[Kind::Pattern][..], "the pattern search in"),
        (&[Kind::Other][..], "the containment or text search in"),
    ] {
        let names = of(kinds);
        if !names.is_empty() {
            parts.push(format!("{what} {}", words::list(&names)));
        }
    }
    words::list(&parts)
}

fn name(key: &KeyExpr) -> String {
    match key {
        KeyExpr::Column(name) | KeyExpr::Expression(name) => name.clone(),
    }
}

/// Where no index can be made of the terms as they are.
fn otherwise(access: &Access<'_>) -> String {
    let wrapped = access.filters().find_map(|term| term.predicate.wrapped.as_ref().map(|expr| (term, expr)));
    match wrapped {
        Some((term, expr)) => format!(
            "Compare {} itself instead of {expr}: as a range where the expression rounds, with the \
             arithmetic on the other side where it calculates; then an index on {} serves it.",
            term.predicate.column.name, term.predicate.column.name
        ),
        None => "Narrow the statement by a column that an index can serve.".to_owned(),
    }
}

/// Foreign keys that point to `parent` and whose columns no index of the child leads with.
fn unindexed_children<'a>(catalog: &'a Catalog, parent: &Table) -> Vec<(&'a Table, &'a ForeignKey)> {
    let indexed = |child: &Table, key: &ForeignKey| {
        child.indexes.iter().any(|index| {
            index.valid
                && index.spec.predicate.is_none()
                && matches!(&index.spec.keys[..], [first, ..]
                    if matches!(&first.expr, KeyExpr::Column(name) if key.columns.contains(name)))
        })
    };
    let points_here = |key: &&ForeignKey| key.references == parent.name;
    catalog
        .tables
        .iter()
        .flat_map(|child| child.foreign_keys.iter().filter(points_here).map(move |key| (child, key)))
        .filter(|(child, key)| !indexed(child, key))
        .collect()
}
