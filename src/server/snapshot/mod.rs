//! Takes a [`Snapshot`] of the connected database: DDL, figures and settings, as far as the role may see them.
//!
//! Every question is short, in a read-only transaction of its own with a short `lock_timeout`, and takes at most
//! ACCESS SHARE locks, each for a moment. Relations that somebody holds exclusively are left out and named.
//! What the role may not read is named as well: the file then says so wherever it is used.

mod extremes;
mod first_pages;
mod gin;
mod groups;
mod heights;

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use tokio_postgres::{Row, types::Type};

use super::{
    OWN_LIMIT, Server,
    session::{Failure, Parameter, Session},
};
use crate::{
    catalog::{
        Activity, Counted, Settings,
        snapshot::{
            ColumnFigures, Extended, Extension, FORMAT, HIDDEN_EXPRESSIONS, NotSeen, Origin, Piece, Relation,
            Snapshot,
        },
    },
    error::Error,
};

/// Waiting for another session's lock.
const LOCK_LIMIT: Duration = Duration::from_secs(2);

/// What is read besides what plans need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `pg_stat_user_tables` and `pg_stat_user_indexes`.
    pub activity: bool,
}

/// DDL in the order of its dependencies; what depends on something of its own kind comes in the order in which it
/// was made.
const PIECES: &[(&str, &str)] = &[
    ("schemas", include_str!("../queries/snapshot/schemas.sql")),
    ("types", include_str!("../queries/snapshot/types.sql")),
    ("sequences", include_str!("../queries/snapshot/sequences.sql")),
    ("functions", include_str!("../queries/snapshot/functions.sql")),
    ("tables", include_str!("../queries/snapshot/tables.sql")),
    ("constraints", include_str!("../queries/snapshot/constraints.sql")),
    ("partitions", include_str!("../queries/snapshot/parents.sql")),
    ("views", include_str!("../queries/snapshot/views.sql")),
    ("indexes", include_str!("../queries/snapshot/indexes.sql")),
    ("indexes of partitions", include_str!("../queries/snapshot/index_parents.sql")),
    ("statistics objects", include_str!("../queries/snapshot/statistics_objects.sql")),
    ("foreign keys", include_str!("../queries/snapshot/foreign_keys.sql")),
    ("row-level security", include_str!("../queries/snapshot/policies.sql")),
];

impl Server {
    /// # Errors
    /// The connection is lost, or the catalog itself cannot be read.
    pub fn snapshot(&mut self, wishes: Wishes) -> Result<Snapshot, Error> {
        let search_path = self.session.schemas.clone();
        take(&mut self.session, wishes, search_path)
            .map_err(|failure| failure.into_error("taking a snapshot"))
    }
}

fn take(session: &mut Session, wishes: Wishes, search_path: Vec<String>) -> Result<Snapshot, Failure> {
    let mut snapshot = Snapshot { snapshot: FORMAT, ..Snapshot::default() };
    let origin: Vec<Origin> = ask(session, include_str!("../queries/snapshot/origin.sql"), None)?;
    snapshot.server = Origin { search_path, ..origin.into_iter().next().unwrap_or_default() };
    let settings: Vec<Setting> =
        ask_with(session, "", include_str!("../queries/snapshot/settings.sql"), None)?;
    snapshot.settings = Settings(settings.into_iter().map(|one| (one.name, one.setting)).collect());
    snapshot.extensions =
        ask::<Extension>(session, include_str!("../queries/snapshot/extensions.sql"), None)?;

    let mut unseen = Unseen::default();
    let held: Vec<Held> = ask(session, include_str!("../queries/snapshot/held.sql"), None)?;
    for one in &held {
        unseen.add(&one.name, "another session holds or awaits an exclusive lock on it", 1);
    }
    let held: Vec<u32> = held.iter().map(|one| one.relation).collect();

    for (what, sql) in PIECES {
        let needs = sql.contains("$1").then_some(held.as_slice());
        match ask::<Printed>(session, sql, needs) {
            Ok(printed) => {
                let after: Vec<Piece> = printed.iter().filter_map(Printed::second).collect();
                let whole = |one: Printed| Piece { kind: one.kind, name: one.name, sql: one.sql };
                snapshot.schema.extend(printed.into_iter().map(whole));
                snapshot.schema.extend(after);
            }
            Err(failure) if failure.gone => return Err(failure),
            Err(failure) => unseen.add(what, &failure.why, 1),
        }
    }
    for one in ask::<NotSeen>(session, include_str!("../queries/snapshot/not_carried.sql"), None)? {
        unseen.add(&one.what, &one.why, one.count);
    }

    let seen: Vec<Seen> = ask(session, include_str!("../queries/snapshot/relations.sql"), Some(&held))?;
    for one in seen.iter().filter(|one| !one.readable && one.relation.tuples > 0.0) {
        unseen.add(
            &format!("column statistics of {}", one.relation.rel_name().plain()),
            "the role may not SELECT the table",
            1,
        );
    }
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut oids = BTreeMap::new();
    for (at, one) in seen.into_iter().enumerate() {
        places.insert((one.relation.schema.clone(), one.relation.name.clone()), at);
        oids.insert(one.oid, at);
        snapshot.relations.push(one.relation);
    }
    for line in ask::<Line>(session, include_str!("../queries/snapshot/columns.sql"), None)? {
        if let Some(&at) = places.get(&(line.schema, line.relation)) {
            snapshot.relations[at].columns.push(line.column);
        }
    }
    extremes::read(session, &held, &places, &mut snapshot.relations, &mut unseen)?;
    let version = snapshot.server.version;
    first_pages::read(session, version, &held, &oids, &mut snapshot.relations, &mut unseen)?;
    match ask::<Extended>(session, include_str!("../queries/snapshot/extended.sql"), None) {
        Ok(extended) => snapshot.extended = extended,
        Err(failure) if failure.gone => return Err(failure),
        Err(failure) => {
            // One that counts groups and nothing else is printed so.
            let more =
                |piece: &&Piece| piece.kind == "statistics object" && !piece.sql.contains(" (ndistinct) ON ");
            let objects = snapshot.schema.iter().filter(more).count();
            let what = "dependencies and commonest values of extended statistics";
            unseen.add(what, &failure.why, objects as u64);
            snapshot.extended = groups::read(session, &held, &mut unseen)?;
        }
    }
    hidden_expressions(&snapshot, &mut unseen);
    if wishes.activity {
        activity(session, &mut snapshot, &places)?;
    }
    snapshot.not_seen = unseen.lines();
    Ok(snapshot)
}

/// Statistics of an index's expressions are shown to the owner only.
fn hidden_expressions(snapshot: &Snapshot, unseen: &mut Unseen) {
    let analysed = snapshot.relations.iter().any(|relation| !relation.columns.is_empty());
    let of_indexes =
        snapshot.relations.iter().any(|relation| relation.is_index() && !relation.columns.is_empty());
    let on_expressions =
        snapshot.schema.iter().filter(|piece| piece.kind == "index" && has_expression(&piece.sql));
    if analysed && !of_indexes {
        let why = "only the owner of the table may read them: those of its columns stand in";
        unseen.add(HIDDEN_EXPRESSIONS, why, on_expressions.count() as u64);
    }
}

/// Whether a key of a printed index is an expression: a parenthesis within those of its keys.
fn has_expression(sql: &str) -> bool {
    let keys = sql.split_once(" USING ").map_or("", |(_, keys)| keys);
    let keys = keys.split(" WHERE ").next().unwrap_or_default();
    keys.bytes().filter(|byte| *byte == b'(').count() > 1 + usize::from(keys.contains(" INCLUDE ("))
}

fn activity(
    session: &mut Session,
    snapshot: &mut Snapshot,
    places: &BTreeMap<(String, String), usize>,
) -> Result<(), Failure> {
    snapshot.counted =
        ask::<Counted>(session, include_str!("../queries/counted.sql"), None)?.into_iter().next();
    for one in ask::<Active>(session, include_str!("../queries/snapshot/activity.sql"), None)? {
        if let Some(&at) = places.get(&(one.schema, one.name)) {
            snapshot.relations[at].activity = Some(one.activity);
        }
    }
    for one in ask::<Scanned>(session, include_str!("../queries/snapshot/index_scans.sql"), None)? {
        if let Some(&at) = places.get(&(one.schema, one.name)) {
            snapshot.relations[at].scans = one.scans;
        }
    }
    Ok(())
}

/// Values are printed so that any other server reads them as they were meant.
const PLAIN: &str = "SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = postgres; SET LOCAL TimeZone = 'UTC'; \
                     SET LOCAL bytea_output = hex; SET LOCAL extra_float_digits = 1";

/// One question, each row read as JSON; `$1` is the relations that are left alone.
fn ask<T: DeserializeOwned>(
    session: &mut Session,
    sql: &str,
    held: Option<&[u32]>,
) -> Result<Vec<T>, Failure> {
    ask_with(session, PLAIN, sql, held)
}

fn ask_with<T: DeserializeOwned>(
    session: &mut Session,
    before: &str,
    sql: &str,
    held: Option<&[u32]>,
) -> Result<Vec<T>, Failure> {
    let sql = format!("SELECT row_to_json(answer)::text FROM ({sql}) AS answer");
    let rows = session.read_only(OWN_LIMIT, LOCK_LIMIT, |session| {
        let parameters: &[Parameter<'_>] = match &held {
            Some(held) => &[(held, Type::OID_ARRAY)],
            None => &[],
        };
        if !before.is_empty() {
            session.run(before, OWN_LIMIT)?;
        }
        session.rows(&sql, parameters, OWN_LIMIT)
    })?;
    from_json(&rows)
}

/// The first column of each row, which is JSON.
fn from_json<T: DeserializeOwned>(rows: &[Row]) -> Result<Vec<T>, Failure> {
    let unread = |why: String| Failure { code: String::new(), why, gone: false };
    rows.iter()
        .map(|row| {
            let text: &str = row.try_get(0).map_err(|err| unread(err.to_string()))?;
            serde_json::from_str(text).map_err(|err| unread(err.to_string()))
        })
        .collect()
}

/// What could not be read, counted.
#[derive(Debug, Default)]
struct Unseen(BTreeMap<(String, String), u64>);

impl Unseen {
    fn add(&mut self, what: &str, why: &str, count: u64) {
        if count > 0 {
            *self.0.entry((what.to_owned(), why.to_owned())).or_default() += count;
        }
    }

    fn lines(self) -> Vec<NotSeen> {
        self.0.into_iter().map(|((what, why), count)| NotSeen { what, why, count }).collect()
    }
}

#[derive(Deserialize)]
struct Setting {
    name: String,
    setting: String,
}

#[derive(Deserialize)]
struct Held {
    relation: u32,
    name: String,
}

#[derive(Deserialize)]
struct Printed {
    kind: String,
    name: String,
    sql: String,
    /// A second statement on the same object.
    after: Option<String>,
}

impl Printed {
    fn second(&self) -> Option<Piece> {
        let sql = self.after.clone()?;
        Some(Piece { kind: "dropped columns".to_owned(), name: self.name.clone(), sql })
    }
}

#[derive(Deserialize)]
struct Seen {
    oid: i64,
    readable: bool,
    #[serde(flatten)]
    relation: Relation,
}

#[derive(Deserialize)]
struct Line {
    schema: String,
    relation: String,
    #[serde(flatten)]
    column: ColumnFigures,
}

#[derive(Deserialize)]
struct Active {
    schema: String,
    name: String,
    #[serde(flatten)]
    activity: Activity,
}

#[derive(Deserialize)]
struct Scanned {
    schema: String,
    name: String,
    scans: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::has_expression;

    #[test]
    fn expressions_are_told_from_columns() {
        for (sql, expect) in [
            ("CREATE INDEX i ON public.t USING btree (a, b DESC)", false),
            ("CREATE INDEX i ON public.t USING btree (lower(a))", true),
            ("CREATE INDEX i ON public.t USING btree (((a + b)))", true),
            ("CREATE INDEX i ON public.t USING btree (a) INCLUDE (b)", false),
            ("CREATE INDEX i ON public.t USING btree (a) WHERE (b > 0)", false),
        ] {
            assert_eq!(has_expression(sql), expect, "{sql}");
        }
    }
}
