//! What became worse between two states of the plans, and from what.
//!
//! Only what the planner says is compared: shape, cost and expected rows. A plan that differs and is none of the
//! following is no regression, however much it differs.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lock, Locked};
use crate::{
    catalog::Catalog,
    names::RelName,
    plan::{Node, Plan},
};

/// From where on a difference is a regression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Rows of a table whose sequential scan is one.
    pub seq_scan_rows: f64,
    /// Times the cost.
    pub cost_factor: f64,
    /// Times the rows that the planner expects as the result.
    pub rows_factor: f64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { seq_scan_rows: 10_000.0, cost_factor: 2.0, rows_factor: 10.0 }
    }
}

/// What costs less than this is fast whatever it cost before: some ten pages at random.
const CHEAP: f64 = 50.0;
/// As many rows are no burden.
const FEW_ROWS: f64 = 1000.0;
/// An index that is no longer used matters where the plan costs more by this factor.
const DEARER: f64 = 1.1;
/// The share of a table up to which an index serves better than reading it all.
const KEPT: f64 = 0.1;

/// One reason to fail.
#[derive(Clone, Debug, PartialEq)]
pub enum Regression {
    /// A table is read as a whole that was not before. `was`: how it was read.
    SeqScan {
        table: String,
        rows: f64,
        was: Option<String>,
    },
    /// `exists`: it is there, and not used.
    Index {
        name: String,
        exists: bool,
    },
    Cost {
        before: f64,
        after: f64,
    },
    Rows {
        before: f64,
        after: f64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Worse,
    /// Not in the file.
    New,
    /// It is in the file, and cannot be planned now.
    NotPlanned,
    /// Another shape, and none of the regressions.
    Changed,
    /// The same shape, whatever the figures.
    Same,
    /// In the file only.
    Gone,
}

/// On one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub state: State,
    pub query: String,
    pub files: Vec<String>,
    pub sql: String,
    /// Of [`State::Worse`]; of [`State::New`] what would be one.
    pub regressions: Vec<Regression>,
    /// What changed of that which the plan depends on.
    pub because: Vec<String>,
    /// The plans, as [`super::outline()`] writes them.
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Verdict {
    pub fn fails(&self) -> bool {
        !self.regressions.is_empty()
    }
}

/// On all of them: those that fail first, then in the file's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    pub verdicts: Vec<Verdict>,
}

impl Checked {
    pub fn fails(&self) -> bool {
        self.verdicts.iter().any(Verdict::fails)
    }

    pub fn count(&self, state: State) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.state == state).count()
    }
}

/// Compares the plans of the file with those of now. `there`: the queries that are still there, planned or not.
pub fn judge(
    old: &Lock,
    new: &Lock,
    there: &BTreeSet<String>,
    catalog: &Catalog,
    limits: &Limits,
) -> Checked {
    let by_id = |lock| -> BTreeMap<&str, &Locked> { index(lock) };
    let (before, after) = (by_id(old), by_id(new));
    let successors = successors(old, new, there);
    let mut verdicts = Vec::new();
    for locked in &new.queries {
        let same = before.get(locked.query.as_str()).copied();
        let was = same.or_else(|| successors.get(locked.query.as_str()).copied());
        let mut because = Vec::new();
        if let Some(was) = was {
            if same.is_none() {
                because.push(format!("the query itself, which was: {}", was.sql));
            }
            because.extend(causes(old, new, &locked.tables));
        }
        verdicts.push(verdict(was, locked, because, catalog, limits));
    }
    let succeeded: BTreeSet<&str> = successors.values().map(|locked| locked.query.as_str()).collect();
    for locked in &old.queries {
        let id = locked.query.as_str();
        if after.contains_key(id) || succeeded.contains(id) {
            continue;
        }
        verdicts.push(Verdict {
            state: if there.contains(id) { State::NotPlanned } else { State::Gone },
            query: locked.query.clone(),
            files: locked.files.clone(),
            sql: locked.sql.clone(),
            regressions: Vec::new(),
            because: Vec::new(),
            before: None,
            after: None,
        });
    }
    verdicts.sort_by_key(|verdict| (!verdict.fails(), verdict.state));
    Checked { verdicts }
}

fn index(lock: &Lock) -> BTreeMap<&str, &Locked> {
    lock.queries.iter().map(|locked| (locked.query.as_str(), locked)).collect()
}

/// New queries, each with the one that it took the place of: of the same file on the same tables, where only one of
/// either is.
fn successors<'a>(old: &'a Lock, new: &'a Lock, there: &BTreeSet<String>) -> BTreeMap<&'a str, &'a Locked> {
    let (known, now) = (index(old), index(new));
    let place = |locked: &'a Locked| (&locked.files, &locked.tables);
    let mut gone: BTreeMap<_, Vec<&Locked>> = BTreeMap::new();
    for locked in &old.queries {
        let id = locked.query.as_str();
        if !locked.files.is_empty() && !now.contains_key(id) && !there.contains(id) {
            gone.entry(place(locked)).or_default().push(locked);
        }
    }
    let mut came: BTreeMap<_, Vec<&Locked>> = BTreeMap::new();
    for locked in new.queries.iter().filter(|locked| !known.contains_key(locked.query.as_str())) {
        came.entry(place(locked)).or_default().push(locked);
    }
    came.into_iter()
        .filter_map(|(place, came)| match (came.as_slice(), gone.get(&place)?.as_slice()) {
            ([one], [was]) => Some((one.query.as_str(), *was)),
            _ => None,
        })
        .collect()
}

fn verdict(
    was: Option<&Locked>,
    now: &Locked,
    because: Vec<String>,
    catalog: &Catalog,
    limits: &Limits,
) -> Verdict {
    let read = |locked: &Locked| Plan::from_text(&locked.plan).ok();
    let (before, after) = (was.and_then(read), read(now));
    let (state, regressions) = match (&before, &after) {
        (Some(before), Some(after)) => {
            let regressions = regressions(before, after, catalog, limits);
            let state = if !regressions.is_empty() {
                State::Worse
            } else if was.is_some_and(|was| shape(&was.plan) == shape(&now.plan)) {
                State::Same
            } else {
                State::Changed
            };
            (state, regressions)
        }
        (None, Some(after)) => (State::New, first(after, catalog, limits)),
        (_, None) => (State::NotPlanned, Vec::new()),
    };
    Verdict {
        state,
        query: now.query.clone(),
        files: now.files.clone(),
        sql: now.sql.clone(),
        regressions,
        because,
        before: was.map(|was| was.plan.clone()),
        after: Some(now.plan.clone()),
    }
}

/// The lines without their figures.
fn shape(plan: &str) -> Vec<&str> {
    plan.lines().map(|line| line.rfind("  (cost=").map_or(line, |at| &line[..at])).collect()
}

fn regressions(before: &Plan, after: &Plan, catalog: &Catalog, limits: &Limits) -> Vec<Regression> {
    let mut found = Vec::new();
    let (old, new) = (scans(before), scans(after));
    for (table, nodes) in &new {
        let known = old.get(table).map_or(0, Vec::len);
        let rows = rows_of(table, nodes[0], catalog);
        if nodes.len() > known && rows >= limits.seq_scan_rows {
            found.push(Regression::SeqScan { table: table.plain(), rows, was: other_access(before, table) });
        }
    }
    let (cost, was) = (after.root.total_cost, before.root.total_cost);
    if cost > was * DEARER && cost >= CHEAP {
        let used = indexes(after);
        for name in indexes(before).difference(&used) {
            let exists =
                catalog.tables.iter().flat_map(|table| &table.indexes).any(|index| index.name == *name);
            found.push(Regression::Index { name: (*name).to_owned(), exists });
        }
    }
    if cost >= CHEAP && cost > was * limits.cost_factor {
        found.push(Regression::Cost { before: was, after: cost });
    }
    let (rows, were) = (after.root.rows, before.root.rows);
    if rows >= FEW_ROWS && rows > were * limits.rows_factor {
        found.push(Regression::Rows { before: were, after: rows });
    }
    found
}

/// What is wrong with a plan that nothing is known of from before: large tables are read for a few of their rows.
fn first(plan: &Plan, catalog: &Catalog, limits: &Limits) -> Vec<Regression> {
    scans(plan)
        .into_iter()
        .filter_map(|(table, nodes)| {
            let rows = rows_of(&table, nodes[0], catalog);
            let few = nodes.iter().any(|node| node.filter.is_some() && node.rows < rows * KEPT);
            (few && rows >= limits.seq_scan_rows).then(|| Regression::SeqScan {
                table: table.plain(),
                rows,
                was: None,
            })
        })
        .collect()
}

/// The sequential scans, by table.
fn scans(plan: &Plan) -> BTreeMap<RelName, Vec<&Node>> {
    let mut scans: BTreeMap<RelName, Vec<&Node>> = BTreeMap::new();
    for node in plan.nodes() {
        if let Some(table) = node.relation.as_ref().filter(|_| node.node_type == "Seq Scan") {
            scans.entry(table.clone()).or_default().push(node);
        }
    }
    scans
}

fn indexes(plan: &Plan) -> BTreeSet<&str> {
    plan.nodes().into_iter().filter_map(|node| node.index.as_deref()).collect()
}

/// Rows of a table; of one that the catalog does not tell, as many as are read.
fn rows_of(name: &RelName, node: &Node, catalog: &Catalog) -> f64 {
    // EXPLAIN names partitions and others without their schema.
    let by_name = || catalog.tables.iter().find(|table| table.name.name == name.name);
    let table = catalog.table(name).or_else(by_name);
    table.and_then(|table| table.rows).unwrap_or(0.0).max(node.rows)
}

/// How a plan reads a table otherwise than as a whole: `Index Scan using i`.
fn other_access(plan: &Plan, table: &RelName) -> Option<String> {
    let node = plan.nodes().into_iter().find(|node| {
        node.relation.as_ref() == Some(table)
            && node.node_type != "Seq Scan"
            && node.node_type != "ModifyTable"
    })?;
    let below = || node.children.iter().find_map(|child| child.index.as_deref());
    Some(match node.index.as_deref().or_else(below) {
        Some(index) => format!("{} using {index}", node.node_type),
        None => node.node_type.clone(),
    })
}

/// What plans depend on, as far as it differs: of the server, and of a query's tables.
fn causes(old: &Lock, new: &Lock, tables: &[String]) -> Vec<String> {
    let mut causes = Vec::new();
    let (was, now) = (&old.server, &new.server);
    if was.version != now.version {
        causes.push(format!("PostgreSQL {}, which was {}", release(now.version), release(was.version)));
    }
    if was.planned_by != now.planned_by && was.version / 10_000 == now.version / 10_000 {
        causes.push(format!("planned by PostgreSQL {}, before by {}", now.planned_by, was.planned_by));
    }
    let names: BTreeSet<&String> = was.settings.keys().chain(now.settings.keys()).collect();
    for name in names {
        match (was.settings.get(name), now.settings.get(name)) {
            (Some(was), Some(now)) if was != now => causes.push(format!("{name} = {now}, which was {was}")),
            _ => {}
        }
    }
    for table in tables {
        let (Some(was), Some(now)) = (old.tables.get(table), new.tables.get(table)) else { continue };
        let name = table.strip_prefix("public.").unwrap_or(table);
        if was.schema != now.schema {
            causes.push(format!("the schema of {name}"));
        }
        if was.statistics != now.statistics {
            let count =
                |rows: Option<u64>| rows.map_or_else(|| "unknown".to_owned(), |rows| rows.to_string());
            causes.push(if was.rows == now.rows {
                format!("the statistics of {name}")
            } else {
                format!("the statistics of {name} (rows: {}, were {})", count(now.rows), count(was.rows))
            });
        }
    }
    causes
}

/// `15.3` of 150003.
fn release(version: u32) -> String {
    format!("{}.{}", version / 10_000, version % 10_000)
}
