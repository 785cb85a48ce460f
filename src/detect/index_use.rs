//! Which terms of an [`Access`] an index serves, which index would, and whether an existing one has
//! its columns in the wrong order.
//!
//! Follows <https://www.postgresql.org/docs/current/indexes-multicolumn.html> and
//! <https://www.postgresql.org/docs/current/indexes-ordering.html>: a B-tree narrows by its leading
//! columns, equality first, up to and including the first range. A parameter may turn out to be the
//! constant of a partial index, so such an index counts as usable.

use super::access::{Access, Kind, Term, canonical, same};
use crate::{
    catalog::{Catalog, Index, IndexKey, IndexSpec, KeyExpr},
    sql::shape::{Op, Operand, SortExpr},
};

/// What an index does for an access.
#[derive(Clone, Debug)]
pub(super) struct Use<'a> {
    pub(super) index: &'a Index,
    /// Terms that the index narrows by.
    pub(super) served: Vec<&'a Term<'a>>,
    /// Leading keys matched by equality.
    pub(super) equal: usize,
    /// It gives the rows in the order that is asked for.
    pub(super) ordered: bool,
}

/// What each usable index of the table does; indexes that do nothing are left out.
pub(super) fn uses<'a>(access: &'a Access<'a>) -> Vec<Use<'a>> {
    access
        .table
        .indexes
        .iter()
        .filter(|index| index.valid && implied(access, index))
        .filter_map(|index| use_of(access, index))
        .collect()
}

fn use_of<'a>(access: &'a Access<'a>, index: &'a Index) -> Option<Use<'a>> {
    let keys = &index.spec.keys;
    let mut found = Use { index, served: Vec::new(), equal: 0, ordered: false };
    match index.spec.method.as_str() {
        "btree" => {
            for key in keys {
                let mut range = false;
                let equals = |kind| matches!(kind, Kind::Equal | Kind::Join);
                let on_key: Vec<&Term<'_>> = access
                    .terms
                    .iter()
                    .filter(|term| same(&term.key, &key.expr) && serves(access, key, term))
                    .collect();
                if on_key.iter().any(|term| equals(term.kind)) {
                    found.equal += 1;
                } else {
                    range = true;
                }
                found.served.extend(on_key);
                if range {
                    break;
                }
            }
            found.ordered = gives_order(access, keys).is_ok();
        }
        "hash" => found.served.extend(access.terms.iter().filter(|term| {
            matches!(term.kind, Kind::Equal | Kind::Join) && keys.iter().any(|key| same(&term.key, &key.expr))
        })),
        // Each of these narrows by any of its columns; the operator class decides by what.
        method => found.served.extend(access.terms.iter().filter(|term| {
            keys.iter().any(|key| {
                let trigram = key.opclass.as_deref().is_some_and(|class| class.contains("trgm"));
                let fits = match term.kind {
                    Kind::Pattern => trigram,
                    Kind::Other => method != "brin",
                    Kind::Equal | Kind::Join | Kind::Range | Kind::Prefix => {
                        method != "gin" || trigram && term.kind == Kind::Prefix || key.opclass.is_none()
                    }
                    Kind::Weak => false,
                };
                fits && (same(&term.key, &key.expr) || mentions(&key.expr, &term.key))
            })
        })),
    }
    (!found.served.is_empty() || found.ordered).then_some(found)
}

/// `to_tsvector('english', body)` mentions `body`: full-text and JSON operators are wrapped in so many
/// ways that an index on an expression of the column is taken to be meant for them.
fn mentions(key: &KeyExpr, term: &KeyExpr) -> bool {
    let (KeyExpr::Expression(key), KeyExpr::Column(column) | KeyExpr::Expression(column)) = (key, term)
    else {
        return false;
    };
    canonical(key).contains(&canonical(column))
}

/// Whether a B-tree key narrows by the term on its own column.
fn serves(access: &Access<'_>, key: &IndexKey, term: &Term<'_>) -> bool {
    match term.kind {
        Kind::Equal | Kind::Join | Kind::Range | Kind::Weak => true,
        // https://www.postgresql.org/docs/current/indexes-opclass.html
        Kind::Prefix => {
            let own = |name: &str| access.table.column(name).is_some_and(|column| column.c_collation);
            let column_is_c = matches!(&key.expr, KeyExpr::Column(name) if own(name));
            access.catalog.c_collation
                || column_is_c
                || key.opclass.as_deref().is_some_and(|class| class.contains("pattern_ops"))
        }
        Kind::Pattern | Kind::Other => false,
    }
}

/// Why an index does not give the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderFault {
    /// Other columns, or in another sequence.
    Sequence,
    /// The right columns in the right sequence, in directions that no scan of the index gives.
    Direction,
}

/// Walks the keys and the ORDER BY side by side; what is pinned to one value sorts nothing.
fn gives_order(access: &Access<'_>, keys: &[IndexKey]) -> Result<(), OrderFault> {
    if access.order.is_empty() {
        return Err(OrderFault::Sequence);
    }
    let mut keys = keys.iter().peekable();
    let mut backwards = None;
    let mut direction_fits = true;
    for wanted in &access.order {
        let expr = key_of(&wanted.expr);
        if access.pinned(&expr) {
            continue;
        }
        while keys.peek().is_some_and(|key| !same(&key.expr, &expr) && access.pinned(&key.expr)) {
            keys.next();
        }
        let Some(key) = keys.next_if(|key| same(&key.expr, &expr)) else { return Err(OrderFault::Sequence) };
        let flipped = key.desc != wanted.desc;
        direction_fits &= *backwards.get_or_insert(flipped) == flipped
            && (key.nulls_first != wanted.nulls_first) == flipped;
    }
    if direction_fits { Ok(()) } else { Err(OrderFault::Direction) }
}

pub(super) fn key_of(expr: &SortExpr) -> KeyExpr {
    match expr {
        SortExpr::Column(column) => KeyExpr::Column(column.name.clone()),
        SortExpr::Expression(text) => KeyExpr::Expression(text.clone()),
    }
}

/// Whether the statement's own conditions say what a partial index's WHERE says: each of its conjuncts
/// stands among them, or is an IS NOT NULL of a column that they compare.
fn implied(access: &Access<'_>, index: &Index) -> bool {
    let Some(predicate) = &index.spec.predicate else { return true };
    let whole = canonical(predicate);
    whole.split(" and ").flat_map(|part| part.split(" and(")).all(|part| {
        let part = canonical(part.trim_matches(|c| c == '(' || c == ')'));
        access.block.tests().any(|test| {
            let column = &test.column.name;
            if test.column.block != access.id || test.column.table != Some(access.position) {
                return false;
            }
            let compared = !matches!(test.op, Op::IsNull);
            if part == format!("{column} is not null") && compared {
                return true;
            }
            let said = match (&test.op, &test.operand) {
                (Op::IsTrue, _) => column.clone(),
                (Op::IsFalse, _) => format!("not {column}"),
                (Op::IsNull, _) => format!("{column} is null"),
                (Op::IsNotNull, _) => format!("{column} is not null"),
                (Op::Eq, Operand::Constant(value)) => format!("{column} = {value}"),
                (Op::NotEq, Operand::Constant(value)) => format!("{column} <> {value}"),
                (Op::Eq | Op::In, Operand::Parameter(_) | Operand::List { .. }) => {
                    return part.starts_with(&format!("{column}="));
                }
                _ => test.text.clone(),
            };
            canonical(&said) == part || test.wrapped.is_none() && canonical(&test.text) == part
        })
    })
}

/// The index that would serve the access best: equality, then the order or one range; at most four
/// columns (beyond, an index costs more than it narrows). `None` when no B-tree would help.
pub(super) fn propose(access: &Access<'_>) -> Option<IndexSpec> {
    let mut keys: Vec<IndexKey> = Vec::new();
    let add = |keys: &mut Vec<IndexKey>, key: IndexKey| {
        if !keys.iter().any(|known| same(&known.expr, &key.expr)) {
            keys.push(key);
        }
    };
    let plain = |term: &Term<'_>| IndexKey { expr: term.key.clone(), ..IndexKey::column("") };
    for term in access.terms.iter().filter(|term| term.kind == Kind::Equal && indexable(&term.key)) {
        add(&mut keys, plain(term));
    }
    if keys.is_empty() {
        for term in access.joins().filter(|term| indexable(&term.key) && access.driven_by_few(term)) {
            add(&mut keys, plain(term));
        }
    }
    if access.limited() && !access.order.is_empty() {
        for wanted in &access.order {
            let expr = key_of(&wanted.expr);
            if indexable(&expr) {
                add(
                    &mut keys,
                    IndexKey { expr, desc: wanted.desc, nulls_first: wanted.nulls_first, opclass: None },
                );
            }
        }
    } else if let Some(term) = access
        .terms
        .iter()
        .find(|term| matches!(term.kind, Kind::Range | Kind::Prefix) && indexable(&term.key))
    {
        let mut key = plain(term);
        if term.kind == Kind::Prefix && !serves(access, &key, term) {
            key.opclass = Some("text_pattern_ops".to_owned());
        }
        add(&mut keys, key);
    }
    keys.truncate(4);
    let btree = IndexSpec { keys, ..IndexSpec::btree(access.table.name.clone(), &[]) };
    if !btree.keys.is_empty() {
        return Some(btree);
    }
    let gin = |key: &KeyExpr, opclass: Option<&str>| IndexSpec {
        method: "gin".to_owned(),
        keys: vec![IndexKey {
            expr: key.clone(),
            opclass: opclass.map(str::to_owned),
            ..IndexKey::column("")
        }],
        ..IndexSpec::btree(access.table.name.clone(), &[])
    };
    access.terms.iter().find_map(|term| match (term.kind, &term.predicate.op) {
        (Kind::Pattern, _) => Some(gin(&term.key, Some("gin_trgm_ops"))),
        (Kind::Other, Op::Contains | Op::HasKey | Op::Overlaps | Op::Matches)
            if is_gin_type(access, term) =>
        {
            Some(gin(&term.key, None))
        }
        _ => None,
    })
}

/// A B-tree on one column or expression, if an index can be made of it.
pub(super) fn on_key(access: &Access<'_>, key: &KeyExpr) -> Option<IndexSpec> {
    let keys = vec![IndexKey { expr: key.clone(), ..IndexKey::column("") }];
    indexable(key).then(|| IndexSpec { keys, ..IndexSpec::btree(access.table.name.clone(), &[]) })
}

/// What to run, with the extension that the operator class comes from where it is not there yet.
pub(super) fn command(catalog: Option<&Catalog>, index: &IndexSpec) -> String {
    let trigram = index.keys.iter().any(|key| key.opclass.as_deref() == Some("gin_trgm_ops"));
    let installed = catalog.is_some_and(|catalog| catalog.extensions.contains_key("pg_trgm"));
    let create = index.create_concurrently();
    if trigram && !installed { format!("CREATE EXTENSION IF NOT EXISTS pg_trgm; {create}") } else { create }
}

/// GIN has a default operator class for these; ranges and geometry want `GiST`.
fn is_gin_type(access: &Access<'_>, term: &Term<'_>) -> bool {
    match &term.key {
        KeyExpr::Column(name) => access.table.column(name).is_some_and(|column| {
            column.type_name.ends_with("[]") || matches!(column.type_name.as_str(), "jsonb" | "tsvector")
        }),
        KeyExpr::Expression(expr) => canonical(expr).starts_with("to_tsvector('"),
    }
}

/// An index takes immutable expressions only; these functions are known to be.
fn indexable(key: &KeyExpr) -> bool {
    const IMMUTABLE: &[&str] = &[
        "abs", "btrim", "coalesce", "left", "length", "lower", "ltrim", "md5", "right", "rtrim", "substr",
        "upper",
    ];
    match key {
        KeyExpr::Column(_) => true,
        KeyExpr::Expression(expr) => {
            let expr = canonical(expr);
            expr.ends_with(')')
                && expr.matches('(').count() == 1
                && expr.split('(').next().is_some_and(|name| IMMUTABLE.contains(&name))
        }
    }
}

/// An existing composite index that would serve the access if its columns stood in another order.
#[derive(Clone, Debug)]
pub(super) struct Misorder<'a> {
    pub(super) index: &'a Index,
    pub(super) fault: Fault,
    /// The same columns in the order that serves.
    pub(super) better: IndexSpec,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// The first column is not constrained; these are.
    Leading {
        first: String,
        asked: Vec<String>,
    },
    /// The range comes before an equality.
    RangeFirst {
        range: String,
        equal: Vec<String>,
    },
    Order(OrderFault),
}

/// The first such index, if no other index serves what it does not.
pub(super) fn misorder<'a>(access: &'a Access<'a>) -> Option<Misorder<'a>> {
    let uses = uses(access);
    let composite = access.table.indexes.iter().filter(|index| {
        index.valid && index.spec.method == "btree" && index.spec.keys.len() > 1 && implied(access, index)
    });
    for index in composite {
        if let Some(fault) = fault_of(access, index, &uses) {
            let better = reordered(access, index);
            let same_keys = better.keys == index.spec.keys;
            if !same_keys {
                return Some(Misorder { index, fault, better });
            }
        }
    }
    None
}

fn fault_of(access: &Access<'_>, index: &Index, uses: &[Use<'_>]) -> Option<Fault> {
    let keys = &index.spec.keys;
    let asks = |key: &IndexKey, kinds: &[Kind]| {
        access.terms.iter().any(|term| kinds.contains(&term.kind) && same(&term.key, &key.expr))
    };
    let equal = |key: &&IndexKey| asks(key, &[Kind::Equal]);
    let any = |key: &&IndexKey| asks(key, &[Kind::Equal, Kind::Join, Kind::Range, Kind::Prefix]);
    let text = |key: &IndexKey| match &key.expr {
        KeyExpr::Column(name) | KeyExpr::Expression(name) => name.clone(),
    };
    let first = &keys[0];
    if !any(&first) {
        // Skip scan serves a leading column of few values since PostgreSQL 18.
        let skips = access.catalog.version >= 180_000 && few_values(access, &first.expr);
        let asked: Vec<String> = keys[1..].iter().filter(equal).map(text).collect();
        let served = uses.iter().any(|other| !other.served.is_empty());
        if !asked.is_empty() && !served && !skips {
            return Some(Fault::Leading { first: text(first), asked });
        }
    }
    let prefix = keys.iter().take_while(equal).count();
    if let Some(key) = keys.get(prefix)
        && asks(key, &[Kind::Range])
    {
        let later: Vec<String> = keys[prefix + 1..].iter().filter(equal).map(text).collect();
        let better_served = uses.iter().any(|other| other.equal > prefix);
        if !later.is_empty() && !better_served {
            return Some(Fault::RangeFirst { range: text(key), equal: later });
        }
    }
    let holds = |expr: &KeyExpr| keys.iter().any(|key| same(&key.expr, expr));
    // An index on other columns first, which the query does not name, is no misordered one.
    let meant = any(&first) || access.order.iter().any(|wanted| same(&key_of(&wanted.expr), &first.expr));
    if access.limited()
        && meant
        && !access.order.is_empty()
        && access.order.iter().all(|wanted| {
            let expr = key_of(&wanted.expr);
            access.pinned(&expr) || holds(&expr)
        })
        && !uses.iter().any(|other| other.ordered)
    {
        // Sorted by one pinned value only: every index gives that order.
        return gives_order(access, keys).err().map(Fault::Order);
    }
    None
}

/// Leading columns with fewer values than this are worth a search for each of them; the planner
/// decides by cost, so this only has to be on the careful side.
const FEW_VALUES: f64 = 100.0;

fn few_values(access: &Access<'_>, key: &KeyExpr) -> bool {
    let KeyExpr::Column(name) = key else { return false };
    let statistics = access.table.column(name).and_then(|column| column.statistics.as_ref());
    statistics.is_some_and(|statistics| statistics.distinct > 0.0 && statistics.distinct <= FEW_VALUES)
}

/// The index's own columns: those asked for by equality, then the order, then the range, then the rest.
fn reordered(access: &Access<'_>, index: &Index) -> IndexSpec {
    let mut keys: Vec<IndexKey> = Vec::new();
    let old = &index.spec.keys;
    let take = |keys: &mut Vec<IndexKey>, key: &IndexKey| {
        if !keys.iter().any(|known| same(&known.expr, &key.expr)) {
            keys.push(key.clone());
        }
    };
    let with = |kinds: &[Kind]| -> Vec<&IndexKey> {
        let asked = |key: &&IndexKey| {
            access.terms.iter().any(|term| kinds.contains(&term.kind) && same(&term.key, &key.expr))
        };
        old.iter().filter(asked).collect()
    };
    for key in with(&[Kind::Equal]) {
        take(&mut keys, key);
    }
    if access.limited() {
        for wanted in &access.order {
            let expr = key_of(&wanted.expr);
            if old.iter().any(|key| same(&key.expr, &expr)) {
                let key =
                    IndexKey { expr, desc: wanted.desc, nulls_first: wanted.nulls_first, opclass: None };
                take(&mut keys, &key);
            }
        }
    }
    for key in with(&[Kind::Join, Kind::Range, Kind::Prefix]).into_iter().chain(old) {
        take(&mut keys, key);
    }
    IndexSpec { keys, ..index.spec.clone() }
}
