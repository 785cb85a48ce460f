//! "What if these indexes were there, and those not?", asked of the private server.
//!
//! CREATE INDEX on a table that is empty for a moment takes no time whatever the access method; the index then gets the
//! size that the model gives it, the statement is planned, and everything is rolled back. The table is emptied by
//! pointing it at another file within the transaction: its own is never touched, so that sessions do not meet.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    Twin,
    files::Files,
    measure::{measure, with_base_types},
    pages, qualified,
};
use crate::{
    catalog::{Catalog, IndexSpec},
    names::RelName,
    plan::{Estimate, Plan, Probe, WhatIf},
    server::{Limits, Private, Server},
};

/// The oracle; it borrows the connection to the private server for as long as it is asked.
pub struct Hypothetical<'a> {
    twin: &'a Twin,
    server: &'a mut Server,
    catalog: &'a Catalog,
    limits: Limits,
    hidden: Vec<RelName>,
}

/// File numbers of one process' questions.
static NEXT: AtomicU64 = AtomicU64::new(3_500_000_000);

impl Twin {
    /// `server` is connected to [`Twin::url`], and `catalog` is what it read there.
    pub fn what_if<'a>(
        &'a self,
        server: &'a mut Server,
        catalog: &'a Catalog,
        limits: Limits,
    ) -> Hypothetical<'a> {
        Hypothetical { twin: self, server, catalog, limits, hidden: Vec::new() }
    }
}

/// An index of the question, as it stands in the private server for the length of a transaction.
struct Placed {
    name: String,
    /// Which of the proposed ones it belongs to; a partitioned table has one for each partition.
    of: usize,
    bytes: u64,
}

impl Hypothetical<'_> {
    fn with<T>(
        &mut self,
        indexes: &[IndexSpec],
        work: impl FnOnce(&mut Private<'_>, &[Placed]) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut made = Made { files: &self.twin.files, paths: Vec::new() };
        let (catalog, hidden) = (self.catalog, &self.hidden);
        self.server.privately(&self.limits, |private| {
            let mut placed = Vec::new();
            for (of, spec) in indexes.iter().enumerate() {
                placed.extend(place(private, catalog, spec, of, &mut made)?);
            }
            hide(private, hidden)?;
            work(private, &placed)
        })
    }
}

/// Files that only a transaction knows; they go with it.
struct Made<'a> {
    files: &'a Files,
    paths: Vec<String>,
}

impl Made<'_> {
    fn file(&mut self, folder: &str, first: &[u8], blocks: u64) -> Result<u64, String> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = format!("{folder}/{number}");
        self.paths.push(path.clone());
        self.files
            .make(&path, first, blocks)
            .map_err(|err| format!("the file of an index cannot be made: {err}"))?;
        Ok(number)
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        for path in &self.paths {
            self.files.remove(path);
        }
    }
}

/// `pg_class` of a table with a file.
struct Heap {
    oid: String,
    name: RelName,
    filenode: String,
    pages: String,
    tuples: String,
    visible: String,
    folder: String,
}

const HEAPS: &str = "
SELECT c.oid::text, n.nspname::text, c.relname::text, c.relfilenode::text, c.relpages::text, c.reltuples::text,
       c.relallvisible::text, pg_catalog.pg_relation_filepath(c.oid)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm')
   AND (c.oid = pg_catalog.to_regclass($1)
        OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))))";

const INDEXES: &str = "
SELECT i.indexrelid::text, c.relname::text, i.indrelid::text, c.relkind::text
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid::text = ANY (pg_catalog.string_to_array($1, ','))";

const PLACE: &str = "SELECT sargable.place($1::oid, $2::oid, $3::int4, $4::float4, $5::int4)::text";

/// Makes one index and gives it its size.
fn place(
    private: &mut Private<'_>,
    catalog: &Catalog,
    spec: &IndexSpec,
    of: usize,
    made: &mut Made<'_>,
) -> Result<Vec<Placed>, String> {
    let table =
        catalog.table(&spec.table).ok_or_else(|| format!("there is no table {}", spec.table.plain()))?;
    let whole = qualified(table.name.schema.as_deref().unwrap_or("public"), &table.name.name);
    let heaps: Vec<Heap> = private.rows(HEAPS, &[&whole])?.into_iter().filter_map(heap).collect();
    if heaps.is_empty() {
        return Err(format!("{} has no file", spec.table.plain()));
    }
    // What the planner must say while the tables have their rows.
    let mut sizes = Vec::new();
    for heap in &heaps {
        let table = with_base_types(private, catalog.table(&heap.name).unwrap_or(table))?;
        sizes.push(measure(private, spec, &table, catalog.version)?);
    }
    let oids: Vec<&str> = heaps.iter().map(|heap| heap.oid.as_str()).collect();
    let oids = oids.join(",");
    let before: BTreeSet<Option<String>> =
        private.rows(INDEXES, &[&oids])?.into_iter().filter_map(|row| row.into_iter().next()).collect();
    for heap in &heaps {
        let empty = made.file(&heap.folder, &[], 0)?.to_string();
        private.rows(PLACE, &[&heap.oid, &empty, "0", "0", "0"])?;
    }
    private.rows(&spec.create(), &[])?;
    for heap in &heaps {
        private.rows(PLACE, &[&heap.oid, &heap.filenode, &heap.pages, &heap.tuples, &heap.visible])?;
    }
    let mut placed = Vec::new();
    for row in private.rows(INDEXES, &[&oids])? {
        let [Some(oid), Some(name), Some(on), _] = row.as_slice() else { continue };
        if before.contains(&Some(oid.clone())) {
            continue;
        }
        let Some(at) = heaps.iter().position(|heap| heap.oid == *on) else { continue };
        let size = &sizes[at];
        let own = private.rows("SELECT pg_catalog.pg_relation_filepath($1::oid), c.relfilenode::text FROM pg_catalog.pg_class c WHERE c.oid = $1::oid", &[oid])?;
        let Some([Some(path), Some(filenode)]) = own.first().map(Vec::as_slice) else { continue };
        let first = size.level.map(pages::btree).or_else(|| size.gin.as_ref().map(pages::gin));
        let filenode = if let Some(first) = first {
            made.file(&heaps[at].folder, &first, size.pages)?.to_string()
        } else {
            made.files.extend(path, size.pages).map_err(|err| err.to_string())?;
            filenode.clone()
        };
        let blocks = size.pages.min(i32::MAX as u64).to_string();
        private.rows(PLACE, &[oid, &filenode, &blocks, &size.tuples.to_string(), "0"])?;
        placed.push(Placed { name: name.clone(), of, bytes: size.bytes() });
    }
    Ok(placed)
}

fn heap(row: Vec<Option<String>>) -> Option<Heap> {
    let mut row = row.into_iter();
    let mut next = || row.next().flatten();
    let oid = next()?;
    let schema = next()?;
    let name = RelName { schema: Some(schema), name: next()? };
    let (filenode, pages, tuples, visible) = (next()?, next()?, next()?, next()?);
    let path = next()?;
    let folder = path.rsplit_once('/')?.0.to_owned();
    Some(Heap { oid, name, filenode, pages, tuples, visible, folder })
}

fn hide(private: &mut Private<'_>, hidden: &[RelName]) -> Result<(), String> {
    for index in hidden {
        let name = qualified(index.schema.as_deref().unwrap_or("public"), &index.name);
        private.rows("SELECT sargable.hide(ARRAY [$1::regclass::oid])::text", &[&name])?;
    }
    Ok(())
}

impl WhatIf for Hypothetical<'_> {
    fn estimate(&mut self, probe: &Probe, indexes: &[IndexSpec]) -> Result<Estimate, String> {
        let count = indexes.len();
        self.with(indexes, |private, placed| {
            let plan = private.explain(probe)?;
            let used = (0..count)
                .map(|of| placed.iter().any(|index| index.of == of && uses(&plan, &index.name)))
                .collect();
            Ok(Estimate { cost: plan.root.total_cost, used, plan })
        })
    }

    fn hide(&mut self, indexes: &[RelName]) -> Result<(), String> {
        self.hidden = indexes.to_vec();
        Ok(())
    }

    fn size(&mut self, index: &IndexSpec) -> Result<u64, String> {
        self.with(std::slice::from_ref(index), |_, placed| Ok(placed.iter().map(|index| index.bytes).sum()))
    }

    fn supports(&self, index: &IndexSpec) -> Result<(), String> {
        match index.method.as_str() {
            "btree" | "gin" | "gist" | "spgist" | "brin" | "hash" => Ok(()),
            method => Err(format!("the size of {method} indexes is not known")),
        }
    }
}

fn uses(plan: &Plan, name: &str) -> bool {
    plan.nodes().iter().any(|node| node.index.as_deref() == Some(name))
}
