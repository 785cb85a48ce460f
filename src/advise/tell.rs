//! Chosen indexes → [`Advice`]: the statement, its figures, and one sentence with names and numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Advice, AdviceKind, Asked, Gain, Proof, append_only,
    candidates::Candidate,
    existing, expressions,
    indexes::weight,
    inverted,
    name::Names,
    rent,
    search::{Misordered, Outcome, Selected},
    words,
};
use crate::{
    catalog::{Catalog, Index, IndexKey, IndexSpec, KeyExpr, Table, TableKind},
    names::{RelName, quote_ident},
};

/// An index to be advised.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) spec: IndexSpec,
    pub(super) proof: Proof,
    /// Positions of the queries.
    pub(super) serves: BTreeSet<usize>,
    /// By query; empty for a guess.
    outcomes: BTreeMap<usize, Outcome>,
    /// Why nothing could cost it.
    why: Option<String>,
    /// What the oracle says, in bytes.
    size: Option<u64>,
    /// Part of the table's rows that the index holds.
    kept: f64,
    /// Existing indexes with its columns in another order.
    misordered: Vec<Misordered>,
}

impl Case {
    pub(super) fn planned(candidate: &Candidate, id: usize, selected: &Selected, size: Option<u64>) -> Case {
        let outcomes: BTreeMap<usize, Outcome> = selected
            .outcomes
            .iter()
            .filter(|(_, outcome)| outcome.after.used.contains(&id) && outcome.after.cost < outcome.base)
            .map(|(&query, outcome)| (query, outcome.clone()))
            .collect();
        Case {
            spec: candidate.spec.clone(),
            proof: Proof::Planned,
            serves: outcomes.keys().copied().collect(),
            outcomes,
            why: None,
            size,
            kept: candidate.kept,
            misordered: selected.misordered.iter().filter(|other| other.chosen == id).cloned().collect(),
        }
    }

    pub(super) fn unverified(candidate: &Candidate, serves: BTreeSet<usize>, why: &str) -> Case {
        Case {
            spec: candidate.spec.clone(),
            proof: Proof::Unverified,
            serves,
            outcomes: BTreeMap::new(),
            why: Some(why.to_owned()),
            size: None,
            kept: candidate.kept,
            misordered: Vec::new(),
        }
    }

    /// Sum over the served queries, in order, so that the same input gives the same digits.
    fn sum(&self, figure: impl Fn(usize) -> f64) -> f64 {
        self.serves.iter().map(|&query| figure(query)).sum()
    }

    /// Weight that the index saves; of a guess, the weight that it is about.
    fn saved(&self, asked: &[&Asked<'_>]) -> f64 {
        self.sum(|query| {
            let weight = weight(asked[query]);
            self.outcomes
                .get(&query)
                .map_or(weight, |outcome| weight * (1.0 - outcome.after.cost / outcome.base))
        })
    }
}

/// Proven ones first by what they save, then guesses by what they are about; each DROP after its CREATE.
pub(super) fn advice(mut cases: Vec<Case>, asked: &[&Asked<'_>], catalog: &Catalog) -> Vec<Advice> {
    cases.sort_by(|left, right| {
        (right.proof.cmp(&left.proof))
            .then(right.saved(asked).total_cmp(&left.saved(asked)))
            .then_with(|| left.spec.cmp(&right.spec))
    });
    let mut names = Names::of(catalog);
    let mut advice = Vec::new();
    let mut dropped = BTreeSet::new();
    for case in &cases {
        let Some(table) = catalog.table(&case.spec.table) else { continue };
        let mut replaced = existing::replaced(&case.spec, table);
        replaced.retain(|index| dropped.insert((table.name.clone(), index.name.clone())));
        let old: Vec<String> = replaced.iter().map(|index| index.name.clone()).collect();
        let mut create = create(case, table, &old, asked, catalog.version, &names.give(&case.spec));
        if let Some(extension) = lacking_extension(&case.spec, catalog) {
            let sql = format!("CREATE EXTENSION IF NOT EXISTS {extension}");
            create.because.push_str(&format!("; its operator class comes with the extension {extension}"));
            if !advice.iter().any(|one: &Advice| one.sql == sql) {
                let because = format!(
                    "the operator class of an index advised here comes with {extension}, which is part of PostgreSQL's contrib package"
                );
                let rollback = Some(format!("DROP EXTENSION {extension}"));
                advice
                    .insert(0, Advice { rollback, ..Advice::of(AdviceKind::CreateExtension, sql, because) });
            }
        }
        advice.push(create);
        for index in replaced {
            advice.push(drop(index, table, &columns(&case.spec)));
        }
        for misordered in case.misordered.iter().filter(|index| index.goes) {
            if let Some(index) = table.indexes.iter().find(|index| index.name == misordered.index)
                && dropped.insert((table.name.clone(), index.name.clone()))
            {
                advice.push(drop_misordered(index, table, misordered, &columns(&case.spec), asked));
            }
        }
    }
    advice
}

/// The extension that an index needs and the database lacks.
fn lacking_extension(spec: &IndexSpec, catalog: &Catalog) -> Option<&'static str> {
    let mut needed =
        spec.keys.iter().filter_map(|key| key.opclass.as_deref()).filter_map(inverted::extension);
    needed.find(|extension| !catalog.extensions.contains_key(*extension))
}

fn drop(index: &Index, table: &Table, new: &str) -> Advice {
    let concurrently = table.kind != TableKind::Partitioned;
    let because = format!(
        "the new index on {new} begins with the same columns and serves all its users: drop {} once that is there",
        index.name
    );
    Advice {
        table: Some(full_name(table)),
        size_bytes: index.bytes,
        rollback: (!index.definition.is_empty()).then(|| index.definition.clone()),
        ..Advice::of(AdviceKind::DropIndex, drop_sql(table, &index.name, concurrently), because)
    }
}

fn drop_misordered(
    index: &Index,
    table: &Table,
    misordered: &Misordered,
    new: &str,
    asked: &[&Asked<'_>],
) -> Advice {
    let because = format!(
        "with the new index on {new} no plan of this workload takes {} any more: {}, which took it, {} the new one; \
         it makes no row unique and serves no foreign key; what this workload does not hold may still use it",
        index.name,
        ids(&misordered.users, asked),
        if misordered.users.len() == 1 { "takes" } else { "take" },
    );
    Advice { because, ..drop(index, table, new) }
}

/// Queries by their fingerprints, a few of them.
fn ids(queries: &BTreeSet<usize>, asked: &[&Asked<'_>]) -> String {
    const SHOWN: usize = 5;
    let mut ids: Vec<String> =
        queries.iter().take(SHOWN).map(|&query| asked[query].query.id.to_string()).collect();
    if queries.len() > SHOWN {
        ids.push(format!("{} more", queries.len() - SHOWN));
    }
    words::list(&ids)
}

pub(super) fn drop_sql(table: &Table, index: &str, concurrently: bool) -> String {
    let name = RelName { schema: table.name.schema.clone(), name: index.to_owned() };
    format!("DROP INDEX {}{name}", if concurrently { "CONCURRENTLY " } else { "" })
}

pub(super) fn full_name(table: &Table) -> String {
    format!("{}.{}", table.name.schema.as_deref().unwrap_or("public"), table.name.name)
}

/// What building an index holds up
/// (<https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY>).
fn lock(concurrently: bool) -> String {
    if concurrently {
        "reads and writes go on (SHARE UPDATE EXCLUSIVE); outside of a transaction, and a failed build leaves an \
         invalid index to drop"
            .to_owned()
    } else {
        "writes wait until it is built (SHARE), on every partition".to_owned()
    }
}

fn create(
    case: &Case,
    table: &Table,
    replaced: &[String],
    asked: &[&Asked<'_>],
    version: u32,
    name: &str,
) -> Advice {
    let planned = case.proof != Proof::Unverified;
    let concurrently = table.kind != TableKind::Partitioned;
    let ratio =
        |query: usize| case.outcomes.get(&query).map_or(1.0, |outcome| outcome.after.cost / outcome.base);
    let calls = |query: usize| asked[query].query.calls.max(1) as f64;
    let timed = case.serves.iter().any(|&query| asked[query].query.timed > 0);
    let ms_before = case.sum(|query| asked[query].query.total_ms());
    let ms_after = case.sum(|query| asked[query].query.total_ms() * ratio(query));
    let cost = |figure: fn(&Outcome) -> f64| {
        planned.then(|| case.sum(|query| case.outcomes.get(&query).map_or(0.0, figure) * calls(query)))
    };
    let size_bytes = rent::bytes(&case.spec, table, case.kept, version).or(case.size);
    let mut ranked: Vec<usize> = case.serves.iter().copied().collect();
    ranked
        .sort_by(|&left, &right| weight(asked[right]).total_cmp(&weight(asked[left])).then(left.cmp(&right)));
    Advice {
        kind: AdviceKind::CreateIndex,
        sql: case.spec.create_named(name, concurrently),
        table: Some(full_name(table)),
        serves: ranked.iter().map(|&query| asked[query].query.id.to_string()).collect(),
        proof: case.proof,
        cost_before: cost(|outcome| outcome.base),
        cost_after: cost(|outcome| outcome.after.cost),
        ms_before: timed.then_some(ms_before),
        ms_after: (timed && planned).then_some(ms_after),
        size_bytes,
        built_bytes: None,
        because: because(case, &ranked, table, replaced, asked),
        rollback: Some(drop_sql(table, name, concurrently)),
        lock: Some(lock(concurrently)),
        gains: ranked
            .iter()
            .filter_map(|&query| {
                let outcome = case.outcomes.get(&query)?;
                Some(Gain {
                    query: asked[query].query.id.to_string(),
                    cost_before: outcome.base,
                    cost_after: outcome.after.cost,
                    ms_before: None,
                    ms_after: None,
                })
            })
            .collect(),
        index: Some(case.spec.clone()),
    }
}

fn because(
    case: &Case,
    ranked: &[usize],
    table: &Table,
    replaced: &[String],
    asked: &[&Asked<'_>],
) -> String {
    let spent = case.sum(|query| asked[query].query.total_ms());
    let reads = format!(
        "{} {} {}",
        words::plural(ranked.len() as u64, "query"),
        if ranked.len() == 1 { "reads" } else { "read" },
        columns(&case.spec)
    );
    let mut parts =
        vec![if spent > 0.0 { format!("{reads} and took {}", words::time(spent)) } else { reads }];
    if let Some(&first) = ranked.first() {
        let id = asked[first].query.id;
        let together = ranked
            .iter()
            .any(|query| case.outcomes.get(query).is_some_and(|outcome| outcome.after.used.len() > 1));
        // What each query costs stands with the gains.
        if together {
            parts.push("some of them together with another index advised here".to_owned());
        }
        if !case.outcomes.contains_key(&first) && ranked.len() > 1 {
            parts.push(format!("the most expensive is {id}"));
        }
    }
    parts.extend(append_only::why(&case.spec, table));
    for key in &case.spec.keys {
        if let KeyExpr::Expression(text) = &key.expr
            && let Some(type_name) = expressions::refuses_all_but(text)
        {
            parts.push(format!(
                "with it, a row whose {text} is no {type_name} can be written no more, as reading it fails today"
            ));
        }
    }
    if let Some(why) = &case.why {
        parts.push(format!("not costed: {why}"));
    }
    if !replaced.is_empty() {
        parts.push(format!("it widens {}", words::list(replaced)));
    }
    for misordered in &case.misordered {
        let Some(index) = table.indexes.iter().find(|index| index.name == misordered.index) else { continue };
        let keys: Vec<String> = index.spec.keys.iter().map(IndexKey::sql).collect();
        let cannot: BTreeSet<usize> = case.serves.difference(&misordered.users).copied().collect();
        let mut worse: BTreeSet<usize> = case.serves.intersection(&misordered.users).copied().collect();
        worse.retain(|query| {
            let gains =
                case.outcomes.get(query).is_some_and(|outcome| outcome.after.cost <= outcome.base * 0.9);
            gains && !misordered.stay.contains(query)
        });
        let mut text = format!("{} ({}) has its columns in another order", index.name, keys.join(", "));
        if !cannot.is_empty() {
            text.push_str(&format!(", by which {} cannot be searched", ids(&cannot, asked)));
        }
        if !worse.is_empty() {
            text.push_str(&format!(", which serves {} less well", ids(&worse, asked)));
        }
        if misordered.goes {
            text.push_str(": this one serves its users too, and takes its place");
        } else if misordered.users.is_empty() {
            text.push_str("; nothing in this workload takes it");
        } else if !misordered.stay.is_empty() {
            text.push_str(&format!("; it stays for {}", ids(&misordered.stay, asked)));
        }
        parts.push(text);
    }
    if table.kind == TableKind::Partitioned {
        parts.push(
            "a partitioned table takes no CONCURRENTLY: to block no writes create it ON ONLY the parent, \
             CONCURRENTLY on each partition, then ATTACH"
                .to_owned(),
        );
    }
    if let Some(activity) = table.activity
        && activity.inserts + activity.updates + activity.deletes > 0
    {
        let seen: Vec<String> =
            [(activity.inserts, "insert"), (activity.updates, "update"), (activity.deletes, "delete")]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| words::plural(count, what))
                .collect();
        parts.push(format!(
            "{} had {} since its statistics were reset, and each index adds to the cost of such writes",
            table.name.plain(),
            words::list(&seen)
        ));
    }
    parts.join("; ")
}

/// `orders by user_id, status and created_at DESC`.
fn columns(spec: &IndexSpec) -> String {
    let keys: Vec<String> = spec
        .keys
        .iter()
        .map(|key| {
            let name = match &key.expr {
                KeyExpr::Column(name) => quote_ident(name),
                KeyExpr::Expression(text) => text.clone(),
            };
            if key.desc { format!("{name} DESC") } else { name }
        })
        .collect();
    format!("{} by {}", spec.table.plain(), words::list(&keys))
}

/// Whether an index holds a column, in whatever form.
pub(super) fn mentions(spec: &IndexSpec, column: &str) -> bool {
    spec.include.iter().any(|name| name == column)
        || spec.keys.iter().any(|key| match &key.expr {
            KeyExpr::Column(name) => name == column,
            KeyExpr::Expression(text) => expressions::names(text, column),
        })
}
