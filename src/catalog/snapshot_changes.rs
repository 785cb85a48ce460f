//! What changed between two snapshots, and whether plans are likely to follow.
//!
//! Likely is what moves a plan as a rule: another version or planner setting, another schema, twice the rows
//! or pages, other frequencies. A change that is none of these is told as well. Which plans do change only
//! planning tells.

use std::{collections::BTreeMap, fmt::Write as _};

use super::snapshot::{ColumnFigures, Relation, Snapshot};
use crate::digits;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Plans are likely to follow.
    pub moves_plans: bool,
    /// `server`, `setting work_mem`, `table public.orders`, `column public.orders.status` …
    pub what: String,
    pub said: String,
}

/// A figure that changes by this factor moves plans; by less than `NOTED` it is not told.
const FACTOR: f64 = 2.0;
const NOTED: f64 = 1.1;

/// Shares of the rows that differ by this much move plans.
const SHARE: f64 = 0.05;

/// How far the rows lie in a column's order: a difference of this much moves plans.
const ORDER: f64 = 0.3;

/// What became of `before`, what moves plans first.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Change> {
    let mut found = Changes::default();
    found.server(before, after);
    found.settings(before, after);
    found.schema(before, after);
    let (old, new) = (before.by_name(), after.by_name());
    for (name, relation) in &new {
        if let Some(was) = old.get(name) {
            found.relation(was, relation);
        }
    }
    found.0.sort_by_key(|change| !change.moves_plans);
    found.0
}

#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, moves_plans: bool, what: impl Into<String>, said: impl Into<String>) {
        self.0.push(Change { moves_plans, what: what.into(), said: said.into() });
    }

    fn server(&mut self, before: &Snapshot, after: &Snapshot) {
        let (old, new) = (&before.server, &after.server);
        if old.version / 10_000 != new.version / 10_000 {
            self.add(true, "server", format!("version {} → {}", old.version / 10_000, new.version / 10_000));
        } else if old.version != new.version {
            self.add(false, "server", format!("version {} → {}", old.version, new.version));
        }
        for (what, old, new) in [
            ("encoding", &old.encoding, &new.encoding),
            ("collation", &old.collate, &new.collate),
            ("character classes", &old.ctype, &new.ctype),
        ] {
            if old != new {
                self.add(true, "server", format!("{what} {old} → {new}"));
            }
        }
        let from = |snapshot: &Snapshot| match &snapshot.assumed {
            Some(assumed) => format!("assumed from {}", assumed.from),
            None => "read of a server".to_owned(),
        };
        let (old, new) = (from(before), from(after));
        if old != new {
            self.add(false, "statistics", format!("{old} → {new}"));
        }
        let versions = |snapshot: &Snapshot| -> BTreeMap<String, String> {
            snapshot.extensions.iter().map(|one| (one.name.clone(), one.version.clone())).collect()
        };
        let (old, new) = (versions(before), versions(after));
        self.pairs("extension", &old, &new, |_| false);
    }

    fn settings(&mut self, before: &Snapshot, after: &Snapshot) {
        // All that a snapshot holds are those that planning or the meaning of a constant depends on.
        self.pairs("setting", &before.settings.0, &after.settings.0, |_| true);
    }

    /// Named values: new, gone, or others than before.
    fn pairs(
        &mut self,
        kind: &str,
        old: &BTreeMap<String, String>,
        new: &BTreeMap<String, String>,
        moves: impl Fn(&str) -> bool,
    ) {
        for (name, value) in new {
            match old.get(name) {
                None => self.add(moves(name), format!("{kind} {name}"), format!("new: {value}")),
                Some(was) if was != value => {
                    self.add(moves(name), format!("{kind} {name}"), format!("{was} → {value}"));
                }
                Some(_) => {}
            }
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            self.add(moves(name), format!("{kind} {name}"), "gone");
        }
    }

    fn schema(&mut self, before: &Snapshot, after: &Snapshot) {
        const NOT_PLANNED: &[&str] =
            &["schema", "sequence", "enum", "domain", "range type", "composite type", "dropped columns"];
        let pieces = |snapshot: &Snapshot| -> BTreeMap<(String, String), Vec<String>> {
            let mut pieces: BTreeMap<_, Vec<String>> = BTreeMap::new();
            for piece in &snapshot.schema {
                pieces.entry((piece.kind.clone(), piece.name.clone())).or_default().push(piece.sql.clone());
            }
            pieces
        };
        let (old, new) = (pieces(before), pieces(after));
        let moves = |kind: &str| !NOT_PLANNED.contains(&kind);
        for ((kind, name), sql) in &new {
            match old.get(&(kind.clone(), name.clone())) {
                None => self.add(moves(kind), format!("{kind} {name}"), "new"),
                Some(was) if was != sql => {
                    self.add(moves(kind), format!("{kind} {name}"), "defined otherwise");
                }
                Some(_) => {}
            }
        }
        for (kind, name) in old.keys().filter(|key| !new.contains_key(*key)) {
            self.add(moves(kind), format!("{kind} {name}"), "gone");
        }
    }

    fn relation(&mut self, old: &Relation, new: &Relation) {
        let kind = if new.is_index() { "index" } else { "table" };
        let name = format!("{}.{}", new.schema, new.name);
        let what = format!("{kind} {name}");
        let mut said = String::new();
        let mut moves = false;
        let pages =
            |relation: &Relation| relation.blocks.map_or(relation.pages as f64, |blocks| blocks as f64);
        for (name, old, new) in [("rows", old.tuples, new.tuples), ("pages", pages(old), pages(new))] {
            // Before the first ANALYZE the number of rows is -1.
            let factor = factor(old.max(0.0), new.max(0.0));
            if factor >= NOTED {
                let _ = write!(said, "{}{name} {} → {}", comma(&said), number(old), number(new));
                moves |= factor >= FACTOR;
            }
        }
        let seen = |relation: &Relation| relation.visible as f64 / (relation.pages.max(1) as f64);
        if (seen(old) - seen(new)).abs() >= SHARE && !new.is_index() {
            let _ = write!(
                said,
                "{}pages all visible {:.0} % → {:.0} %",
                comma(&said),
                100.0 * seen(old),
                100.0 * seen(new)
            );
            moves |= (seen(old) - seen(new)).abs() >= ORDER;
        }
        if old.invalid != new.invalid {
            let _ =
                write!(said, "{}{}", comma(&said), if new.invalid { "now invalid" } else { "valid again" });
            moves = true;
        }
        if !said.is_empty() {
            self.add(moves, what, said);
        }
        let of = |relation: &'_ Relation| -> BTreeMap<(String, bool), ColumnFigures> {
            let columns = relation.columns.iter();
            columns.map(|column| ((column.name.clone(), column.inherited), column.clone())).collect()
        };
        let (before, after) = (of(old), of(new));
        for (key, column) in &after {
            let what = format!("column {name}.{}", key.0);
            match before.get(key) {
                Some(was) => self.column(what, was, old.tuples, column, new.tuples),
                None => self.add(true, what, "has statistics now"),
            }
        }
        for key in before.keys().filter(|key| !after.contains_key(*key)) {
            self.add(true, format!("column {name}.{}", key.0), "has no statistics any more");
        }
    }

    fn column(&mut self, what: String, old: &ColumnFigures, rows: f64, new: &ColumnFigures, rows_now: f64) {
        let mut said = String::new();
        let mut moves = false;
        let distinct = |column: &ColumnFigures, rows: f64| {
            if column.n_distinct < 0.0 { -column.n_distinct * rows.max(0.0) } else { column.n_distinct }
        };
        let (was, is) = (distinct(old, rows), distinct(new, rows_now));
        // A key has as many values as there are rows: that is told of the table.
        let key = old.n_distinct < 0.0 && (old.n_distinct - new.n_distinct).abs() < f64::EPSILON;
        if !key && factor(was, is) >= FACTOR {
            let _ = write!(said, "{}distinct values {} → {}", comma(&said), number(was), number(is));
            moves = true;
        }
        if (old.null_frac - new.null_frac).abs() >= SHARE {
            let _ = write!(
                said,
                "{}NULL in {:.0} % → {:.0} %",
                comma(&said),
                100.0 * old.null_frac,
                100.0 * new.null_frac
            );
            moves = true;
        }
        let (was, is) = (first_share(old), first_share(new));
        if (was - is).abs() >= SHARE {
            let _ = write!(
                said,
                "{}its commonest value in {:.0} % → {:.0} %",
                comma(&said),
                100.0 * was,
                100.0 * is
            );
            moves = true;
        }
        if let (Some(was), Some(is)) = (old.correlation, new.correlation)
            && (was - is).abs() >= ORDER
        {
            let _ = write!(said, "{}rows in its order {was:.2} → {is:.2}", comma(&said));
            moves = true;
        }
        if factor(f64::from(old.avg_width), f64::from(new.avg_width)) >= FACTOR {
            let _ = write!(said, "{}width {} → {}", comma(&said), old.avg_width, new.avg_width);
        }
        if !said.is_empty() {
            self.add(moves, what, said);
        }
    }
}

fn comma(said: &str) -> &'static str {
    if said.is_empty() { "" } else { ", " }
}

/// How many times as large the larger one is; nothing and little are alike.
fn factor(old: f64, new: f64) -> f64 {
    /// Fewer rows or pages than this are read as quickly.
    const LITTLE: f64 = 10.0;
    let (low, high) = if old < new { (old, new) } else { (new, old) };
    high.max(LITTLE) / low.max(LITTLE)
}

fn first_share(column: &ColumnFigures) -> f64 {
    let list = column.most_common_freqs.as_deref().unwrap_or_default().trim_matches(['{', '}']);
    list.split(',').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

fn number(value: f64) -> String {
    digits::grouped(&format!("{:.0}", value.max(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{
        Settings,
        snapshot::{Origin, Piece},
    };

    fn snapshot() -> Snapshot {
        let status = ColumnFigures {
            name: "status".to_owned(),
            n_distinct: 4.0,
            null_frac: 0.1,
            most_common_freqs: Some("{0.5,0.2}".to_owned()),
            correlation: Some(0.2),
            avg_width: 5,
            ..ColumnFigures::default()
        };
        let id = ColumnFigures { name: "id".to_owned(), n_distinct: -1.0, ..ColumnFigures::default() };
        let orders = Relation {
            schema: "public".to_owned(),
            name: "orders".to_owned(),
            kind: "r".to_owned(),
            tuples: 100_000.0,
            pages: 1000,
            visible: 1000,
            columns: vec![id, status],
            ..Relation::default()
        };
        let piece =
            |kind: &str, name: &str| Piece { kind: kind.into(), name: name.into(), sql: "…".into() };
        Snapshot {
            server: Origin { version: 150_018, ..Origin::default() },
            settings: Settings(BTreeMap::from([("work_mem".to_owned(), "4096".to_owned())])),
            schema: vec![piece("table", "public.orders"), piece("sequence", "public.s")],
            relations: vec![orders],
            ..Snapshot::default()
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Snapshot), expect: &[(bool, &str, &str)]) {
        let before = snapshot();
        let mut after = snapshot();
        change(&mut after);
        let found = changes(&before, &after);
        let found: Vec<(bool, &str, &str)> =
            found.iter().map(|one| (one.moves_plans, one.what.as_str(), one.said.as_str())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn what_moves_plans_is_told_first() {
        check(|_| {}, &[]);
        check(
            |after| {
                after.server.version = 150_019;
                after.settings.0.insert("work_mem".to_owned(), "65536".to_owned());
                after.schema.retain(|piece| piece.kind != "sequence");
            },
            &[
                (true, "setting work_mem", "4096 → 65536"),
                (false, "server", "version 150018 → 150019"),
                (false, "sequence public.s", "gone"),
            ],
        );
        check(|after| after.server.version = 180_001, &[(true, "server", "version 15 → 18")]);
        check(|after| after.schema[0].sql.push('x'), &[(true, "table public.orders", "defined otherwise")]);
    }

    #[test]
    fn rows_and_frequencies() {
        let table = "table public.orders";
        check(|after| after.relations[0].tuples = 109_000.0, &[]);
        check(|after| after.relations[0].tuples = 111_000.0, &[(false, table, "rows 100,000 → 111,000")]);
        check(|after| after.relations[0].tuples = 200_000.0, &[(true, table, "rows 100,000 → 200,000")]);
        check(|after| after.relations[0].visible = 600, &[(true, table, "pages all visible 100 % → 60 %")]);
        let column = "column public.orders.status";
        check(
            |after| after.relations[0].columns[1].n_distinct = 30.0,
            &[(true, column, "distinct values 4 → 30")],
        );
        check(|after| after.relations[0].columns[1].null_frac = 0.14, &[]);
        check(
            |after| after.relations[0].columns[1].null_frac = 0.4,
            &[(true, column, "NULL in 10 % → 40 %")],
        );
        check(
            |after| after.relations[0].columns[1].most_common_freqs = Some("{0.9}".to_owned()),
            &[(true, column, "its commonest value in 50 % → 90 %")],
        );
        check(|after| after.relations[0].columns[1].avg_width = 50, &[(false, column, "width 5 → 50")]);
        check(|after| _ = after.relations[0].columns.pop(), &[(true, column, "has no statistics any more")]);
    }
}
