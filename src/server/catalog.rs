//! The catalog of the connected database: a handful of queries, joined here by object identifier.
//!
//! System schemas and temporary tables are left out. Everything runs in one read-only transaction that is
//! rolled back, with a short `lock_timeout`: a table that a migration holds costs its exact size, not
//! the run.

use std::{collections::HashMap, time::Duration};

use tokio_postgres::{Row, types::Type};

use super::{
    OWN_LIMIT, Server,
    session::{Failure, Session},
};
use crate::{
    catalog::{
        Activity, Catalog, Check, Column, ColumnStatistics, Counted, ForeignKey, Index, IndexKey, IndexSpec,
        KeyExpr, Settings, Table, TableKind, array,
    },
    error::{Error, NotJudged},
    names::RelName,
    sql::ddl::Policy,
};

type Oid = u32;

/// Most common values that are kept of a column: more change no decision.
const COMMON_VALUES: usize = 100;

impl Server {
    /// Reads the catalog as the role may see it; what it may not see is counted.
    pub fn catalog(&mut self) -> Result<(Catalog, NotJudged), Error> {
        let mut not_judged = NotJudged::default();
        let version = self.version;
        let catalog = self
            .session
            .read_only(OWN_LIMIT, Duration::from_secs(2), |session| read(session, version, &mut not_judged));
        let catalog = catalog.map_err(|failure| failure.into_error("reading the catalog"))?;
        Ok((catalog, not_judged))
    }

    /// `log_line_prefix`, where the server tells.
    pub fn log_line_prefix(&mut self) -> Option<String> {
        let sql = "SELECT pg_catalog.current_setting('log_line_prefix'::pg_catalog.text, true)";
        let rows = self.session.rows(sql, &[], OWN_LIMIT).ok()?;
        rows.first()?.get(0)
    }
}

fn read(session: &mut Session, version: u32, not_judged: &mut NotJudged) -> Result<Catalog, Failure> {
    let search_path = session.schemas.clone();
    // Types and functions are printed without their schema where the path has them: the shorter
    // names are what people write. Not at the price of calling somebody else's function, though.
    let shadows = include_str!("queries/shadows.sql");
    if session.rows(shadows, &[(&search_path, Type::TEXT_ARRAY)], OWN_LIMIT)?.is_empty() {
        session.use_role_path(OWN_LIMIT)?;
    }
    let mut ask = |sql: &str| session.rows(sql, &[], OWN_LIMIT);
    let database = ask(include_str!("queries/database.sql"))?;
    let database = database.first().expect("the current database is in pg_database");
    let (name, collate, provider): (String, String, String) =
        (database.get(0), database.get(1), database.get(2));
    let c_collation = provider == "b" || (provider == "c" && matches!(collate.as_str(), "C" | "POSIX"));
    let role: String = database.get(3);

    let mut tables: Vec<(Oid, Table)> = ask(include_str!("queries/tables.sql"))?
        .iter()
        .map(|row| table(row, version, &role, not_judged))
        .collect();
    tables.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
    let mut tables = Tables::new(tables);

    for row in &ask(include_str!("queries/columns.sql"))? {
        if let Some((attributes, table)) = tables.by_oid(row.get(0)) {
            let name: String = row.get(2);
            attributes.insert(row.get(1), name.clone());
            table.columns.push(Column {
                name,
                type_name: row.get(3),
                not_null: row.get(4),
                c_collation: row.get::<_, Option<bool>>(5).unwrap_or(c_collation),
                statistics: None,
                default: row.get(6),
            });
        }
    }
    for row in &ask(include_str!("queries/statistics.sql"))? {
        add_statistics(&mut tables, row);
    }
    let mut pages = HashMap::new();
    for row in &ask(include_str!("queries/indexes.sql"))? {
        if row.get(17) {
            not_judged.add("a partial or expression index", "somebody holds a lock on its table");
            continue;
        }
        if let Some((attributes, table)) = tables.by_oid(row.get(1)) {
            let index = index(row, attributes, &table.name);
            pages.insert(row.get::<_, Oid>(0), (row.get::<_, Oid>(1), index.name.clone()));
            table.indexes.push(index);
        }
    }
    for row in &ask(include_str!("queries/foreign_keys.sql"))? {
        add_foreign_key(&mut tables, row);
    }
    for row in &ask(include_str!("queries/checks.sql"))? {
        if let Some((_, table)) = tables.by_oid(row.get(0)) {
            let condition = row.get::<_, Option<&str>>(2).map(bare).unwrap_or_default();
            table.checks.push(Check { name: row.get(1), condition, valid: row.get(3) });
        }
    }
    for row in &ask(include_str!("queries/policies.sql"))? {
        if let Some((_, table)) = tables.by_oid(row.get(0)) {
            table.policies.push(Policy {
                name: row.get(1),
                permissive: row.get(2),
                command: row.get(3),
                roles: row.get(4),
                using: row.get::<_, Option<&str>>(5).map(bare),
                check: row.get::<_, Option<&str>>(6).map(bare),
            });
        }
    }
    let counted = ask(include_str!("queries/counted.sql"))?;
    let counted = counted.first().map(|row| Counted { days: row.get(0), replicas: row.get(1) });
    let settings = ask(include_str!("queries/settings.sql"))?;
    let settings = Settings(settings.iter().map(|row| (row.get(0), row.get(1))).collect());
    let mut catalog = Catalog {
        version,
        database: name,
        c_collation,
        search_path,
        tables: Vec::new(),
        settings,
        counted,
        ..Catalog::default()
    };
    for row in &ask(include_str!("queries/extensions.sql"))? {
        match row.get::<_, Option<String>>(1) {
            Some(version) => {
                catalog.extensions.insert(row.get(0), version);
            }
            None => catalog.available_extensions.push(row.get(0)),
        }
    }
    catalog.available_extensions.sort();

    // Last, since a failure here ends the transaction: a lock that came up a moment ago.
    match ask(include_str!("queries/sizes.sql")) {
        Ok(rows) => {
            for row in &rows {
                add_size(&mut tables, &pages, row);
            }
        }
        Err(failure) if failure.gone => return Err(failure),
        Err(failure) => {
            not_judged
                .add("sizes of tables and indexes", format!("taken from the last VACUUM: {}", failure.why));
        }
    }
    catalog.tables = tables.finish();
    Ok(catalog)
}

/// Tables by their names' order, by identifier and by name.
struct Tables {
    list: Vec<Table>,
    /// The names of each table's columns by attribute number.
    attributes: Vec<HashMap<i16, String>>,
    oids: HashMap<Oid, usize>,
    names: HashMap<RelName, usize>,
}

impl Tables {
    fn new(tables: Vec<(Oid, Table)>) -> Tables {
        let oids = tables.iter().enumerate().map(|(at, (oid, _))| (*oid, at)).collect();
        let names = tables.iter().enumerate().map(|(at, (_, table))| (table.name.clone(), at)).collect();
        let attributes = vec![HashMap::new(); tables.len()];
        Tables { list: tables.into_iter().map(|(_, table)| table).collect(), attributes, oids, names }
    }

    fn by_oid(&mut self, oid: Oid) -> Option<(&mut HashMap<i16, String>, &mut Table)> {
        let at = *self.oids.get(&oid)?;
        Some((&mut self.attributes[at], &mut self.list[at]))
    }

    fn finish(mut self) -> Vec<Table> {
        for table in &mut self.list {
            table.indexes.sort_by(|a, b| a.name.cmp(&b.name));
            table.foreign_keys.sort_by(|a, b| a.name.cmp(&b.name));
        }
        self.list
    }
}

fn table(row: &Row, version: u32, role: &str, not_judged: &mut NotJudged) -> (Oid, Table) {
    let kind = match (row.get::<_, &str>(3), row.get(4)) {
        ("p", _) => TableKind::Partitioned,
        ("v", _) => TableKind::View,
        ("m", _) => TableKind::MaterializedView,
        ("f", _) => TableKind::Foreign,
        (_, true) => TableKind::Partition,
        (_, _) => TableKind::Table,
    };
    let (tuples, pages, visible): (f64, i64, i64) = (row.get(5), row.get(6), row.get(7));
    // Never analysed is -1, and before 14 it was 0 with 0 pages.
    let analysed = tuples > 0.0 || (tuples >= 0.0 && (pages > 0 || version >= 140_000));
    let stored = matches!(kind, TableKind::Table | TableKind::Partition | TableKind::MaterializedView);
    if analysed && !row.get::<_, bool>(8) {
        not_judged.add("column statistics of a table", format!("the role `{role}` may not SELECT it"));
    }
    let table = Table {
        name: RelName { schema: Some(row.get(1)), name: row.get(2) },
        kind,
        rows: analysed.then_some(tuples),
        bytes: stored.then(|| pages.unsigned_abs() * 8192),
        all_visible: (stored && pages > 0).then(|| (visible as f64 / pages as f64).clamp(0.0, 1.0)),
        columns: Vec::new(),
        indexes: Vec::new(),
        foreign_keys: Vec::new(),
        activity: row.get::<_, Option<i64>>(9).map(|seq_scans| Activity {
            seq_scans: seq_scans.unsigned_abs(),
            seq_rows: count(row, 10),
            index_scans: count(row, 11),
            inserts: count(row, 12),
            updates: count(row, 13),
            hot_updates: count(row, 14),
            deletes: count(row, 15),
            last_analyze: row.get(16),
            live_rows: count(row, 17),
            modified_since_analyze: count(row, 18),
        }),
        storage: row
            .get::<_, Option<Vec<String>>>(19)
            .unwrap_or_default()
            .iter()
            .filter_map(|option| option.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        row_security: row.get(20),
        partition_of: row
            .get::<_, Option<&str>>(22)
            .map(|name| RelName::new(row.get::<_, Option<&str>>(21), name)),
        ..Table::default()
    };
    (row.get(0), table)
}

fn count(row: &Row, column: usize) -> u64 {
    row.get::<_, Option<i64>>(column).unwrap_or(0).unsigned_abs()
}

fn add_statistics(tables: &mut Tables, row: &Row) {
    let name = RelName { schema: Some(row.get(0)), name: row.get(1) };
    let Some(&at) = tables.names.get(&name) else { return };
    let table = &mut tables.list[at];
    // A plain table with children has two sets; its own is what a scan of it meets.
    let wanted = table.kind == TableKind::Partitioned;
    if row.get::<_, bool>(3) != wanted {
        return;
    }
    let rows = table.rows.unwrap_or(0.0);
    let column: String = row.get(2);
    let Some(column) = table.columns.iter_mut().find(|known| known.name == column) else { return };
    let distinct = f64::from(row.get::<_, f32>(6));
    let values = row.get::<_, Option<&str>>(7).map(array::elements).unwrap_or_default();
    let frequencies = row.get::<_, Option<Vec<f32>>>(8).unwrap_or_default();
    column.statistics = Some(ColumnStatistics {
        null_fraction: f64::from(row.get::<_, f32>(4)),
        average_width: row.get::<_, i32>(5).unsigned_abs(),
        distinct: if distinct < 0.0 { -distinct * rows } else { distinct },
        common: values.into_iter().zip(frequencies.into_iter().map(f64::from)).take(COMMON_VALUES).collect(),
        correlation: row.get::<_, Option<f32>>(9).map(f64::from),
        histogram: row.get::<_, Option<&str>>(10).map(array::elements).unwrap_or_default(),
    });
}

fn index(row: &Row, attributes: &HashMap<i16, String>, table: &RelName) -> Index {
    let key_count = usize::try_from(row.get::<_, i32>(12)).unwrap_or(0);
    let numbers: Vec<i16> = row.get(13);
    let options: Vec<i16> = row.get(14);
    let classes: Vec<Option<String>> = row.get(15);
    let printed: Option<Vec<String>> = row.get(16);
    let name = |number: i16| attributes.get(&number).cloned().unwrap_or_default();
    let keys = numbers
        .iter()
        .take(key_count)
        .enumerate()
        .map(|(at, &number)| {
            let option = options.get(at).copied().unwrap_or(0);
            let expr = match (number, &printed) {
                (0, Some(printed)) => KeyExpr::Expression(bare(printed.get(at).map_or("", String::as_str))),
                _ => KeyExpr::Column(name(number)),
            };
            let opclass = classes.get(at).cloned().flatten();
            IndexKey { expr, desc: option & 1 != 0, nulls_first: option & 2 != 0, opclass }
        })
        .collect();
    let pages: i64 = row.get(8);
    Index {
        name: row.get(2),
        spec: IndexSpec {
            table: table.clone(),
            method: row.get(3),
            keys,
            include: numbers.iter().skip(key_count).map(|&number| name(number)).collect(),
            predicate: row.get::<_, Option<&str>>(11).map(bare),
        },
        unique: row.get(4),
        primary: row.get(5),
        constraint: row.get(6),
        valid: row.get(7),
        bytes: Some(pages.unsigned_abs() * 8192),
        scans: row.get::<_, Option<i64>>(9).map(i64::unsigned_abs),
        definition: row.get::<_, Option<String>>(10).unwrap_or_default(),
        at: None,
    }
}

/// An expression without the pair of parentheses that encloses all of it.
fn bare(printed: &str) -> String {
    let Some(inside) = printed.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else {
        return printed.to_owned();
    };
    let mut depth = 0_i32;
    let mut quote = None;
    for c in inside.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return printed.to_owned();
        }
    }
    inside.to_owned()
}

fn add_foreign_key(tables: &mut Tables, row: &Row) {
    let (from, to): (Oid, Oid) = (row.get(0), row.get(3));
    let (Some(&from), Some(&to)) = (tables.oids.get(&from), tables.oids.get(&to)) else { return };
    let names = |at: usize, numbers: Vec<i16>| -> Vec<String> {
        numbers.iter().filter_map(|number| tables.attributes[at].get(number).cloned()).collect()
    };
    let key = ForeignKey {
        name: row.get(1),
        columns: names(from, row.get(2)),
        references: tables.list[to].name.clone(),
        referenced_columns: names(to, row.get(4)),
        deletes: row.get(5),
        at: None,
    };
    tables.list[from].foreign_keys.push(key);
}

fn add_size(tables: &mut Tables, indexes: &HashMap<Oid, (Oid, String)>, row: &Row) {
    let oid: Oid = row.get(0);
    // NULL when the relation was dropped a moment ago.
    let Some(bytes) = row.get::<_, Option<i64>>(1).map(i64::unsigned_abs) else { return };
    if let Some((_, table)) = tables.by_oid(oid) {
        table.bytes = Some(bytes);
    } else if let Some((of, name)) = indexes.get(&oid)
        && let Some((_, table)) = tables.by_oid(*of)
        && let Some(index) = table.indexes.iter_mut().find(|index| index.name == *name)
    {
        index.bytes = Some(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn only_enclosing_parentheses_go() {
        for (printed, expect) in [
            ("(deleted_at IS NULL)", "deleted_at IS NULL"),
            ("((a = 1) OR (b = 2))", "(a = 1) OR (b = 2)"),
            ("(a = 1) OR (b = 2)", "(a = 1) OR (b = 2)"),
            ("(a = ')'::text)", "a = ')'::text"),
            ("lower(email)", "lower(email)"),
        ] {
            assert_eq!(bare(printed), expect);
        }
    }
}
