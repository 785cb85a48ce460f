//! What an index costs its owner: room, and the writes that keep it up.

use std::collections::BTreeMap;

use super::{candidates::Candidate, search::Rent, tell, words};
use crate::{
    catalog::{Catalog, IndexSpec, Table, size},
    names::RelName,
    sql::StatementKind,
};

/// Indexes as large as all the tables that the workload reads must save this part of it.
const ROOM: f64 = 0.06;

/// What an entry in one B-tree costs its writer, in milliseconds: a descent of cached pages, and its WAL.
const WRITE_MS: f64 = 0.02;

/// How often the workload writes to a table.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// Rows inserted.
    inserts: u64,
    /// Calls of UPDATE, with the columns that they set.
    updates: Vec<(u64, Vec<String>)>,
}

/// The rent of a workload's indexes.
pub(super) struct Terms<'a> {
    pub(super) catalog: &'a Catalog,
    /// Bytes of all tables that the workload reads.
    pub(super) room: f64,
    /// Milliseconds that the workload took; `None` when nothing was measured: its writes say nothing then.
    pub(super) total_ms: Option<f64>,
    pub(super) writes: BTreeMap<RelName, Writes>,
}

impl Writes {
    pub(super) fn add(&mut self, kind: StatementKind, calls: u64, rows: u64, columns: &[String]) {
        match kind {
            StatementKind::Insert => self.inserts += calls * rows,
            StatementKind::Update => self.updates.push((calls, columns.to_vec())),
            _ => {}
        }
    }
}

impl Terms<'_> {
    /// How often the workload writes an entry of such an index: every inserted row, and updates that
    /// change one of its columns (the others stay heap-only where the page has room).
    pub(super) fn writes(&self, candidate: &Candidate) -> u64 {
        /// Rows of one entry of a BRIN: those of 128 pages.
        const ROWS_OF_RANGE: u64 = 1000;
        let Some(writes) = self.writes.get(&candidate.spec.table) else { return 0 };
        if candidate.spec.method == "brin" {
            return writes.inserts / ROWS_OF_RANGE;
        }
        let updates = writes
            .updates
            .iter()
            .filter(|(_, columns)| columns.iter().any(|column| tell::mentions(&candidate.spec, column)));
        let inserts = writes.inserts as f64 * candidate.kept;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of rows")]
        let inserts = inserts as u64;
        inserts + updates.map(|(calls, _)| calls).sum::<u64>()
    }

    /// Its room as a share of the workload; where no size is known, room costs nothing.
    fn of_room(&self, bytes: u64) -> f64 {
        if self.room > 0.0 { ROOM * bytes as f64 / self.room } else { 0.0 }
    }

    /// Its upkeep as a share of the workload.
    fn of_writes(&self, candidate: &Candidate) -> f64 {
        match self.total_ms {
            Some(total) if total > 0.0 => self.write_ms(candidate) / total,
            _ => 0.0,
        }
    }

    /// Milliseconds that the workload's own writes would spend on it.
    pub(super) fn write_ms(&self, candidate: &Candidate) -> f64 {
        self.writes(candidate) as f64 * WRITE_MS
    }
}

/// Size of an index on this part of the table's rows; `None` where the statistics do not tell, as of what a document
/// or an array holds.
pub(super) fn bytes(spec: &IndexSpec, table: &Table, kept: f64, version: u32) -> Option<u64> {
    if matches!(spec.method.as_str(), "gin" | "gist") {
        return None;
    }
    let asked = size::Asked { rows: table.rows.map(|rows| rows * kept), ..size::Asked::default() };
    size::of(spec, table, version, &asked, &mut |_| None).map(|size| size.bytes())
}

impl Rent for Terms<'_> {
    fn bytes(&self, candidate: &Candidate) -> Option<u64> {
        let table = self.catalog.table(&candidate.spec.table)?;
        bytes(&candidate.spec, table, candidate.kept, self.catalog.version)
    }

    fn of(&self, candidate: &Candidate, bytes: u64) -> f64 {
        self.of_room(bytes) + self.of_writes(candidate)
    }

    fn too_dear(&self, candidate: &Candidate, bytes: u64) -> String {
        if self.of_writes(candidate) > self.of_room(bytes) {
            format!(
                "its upkeep by the workload's {} takes about {} (est.), more than it saves",
                words::plural(self.writes(candidate), "write"),
                words::time(self.write_ms(candidate))
            )
        } else {
            "what it saves beside the other indexes is not worth its size".to_owned()
        }
    }
}
