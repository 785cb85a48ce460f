//! The snapshot's DDL, run again: what concerns different tables on several connections at once.

use std::collections::BTreeMap;

use super::{Missing, absent, words};
use crate::{
    catalog::snapshot::{Piece, Snapshot},
    error::Error,
    names::RelName,
    server::raw::Session,
    threads,
};

/// Statements in one message: a few are fast, and one that fails takes few others with it.
const TOGETHER: usize = 100;

/// More connections than this wait for one another's locks on the catalog.
const SESSIONS: usize = 4;

/// How many connections a replay is worth, each a process that reads the catalog anew.
pub(super) fn sessions(snapshot: &Snapshot) -> usize {
    (snapshot.schema.len() / (2 * TOGETHER)).clamp(1, threads::cores().min(SESSIONS))
}

/// What does not depend on others of its group, but for those of the same table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Tables,
    Constraints,
    Indexes,
}

fn group(piece: &Piece) -> Option<Group> {
    match piece.kind.as_str() {
        "table" => Some(Group::Tables),
        "check" | "primary key" | "unique constraint" | "exclusion constraint" => Some(Group::Constraints),
        "index" => Some(Group::Indexes),
        _ => None,
    }
}

/// Runs the pieces, those that failed once more as long as that helps: a function may need a table that needs
/// another function. Gives those that never worked, with the server's words of the last try.
pub(super) fn replay(
    admin: &Session,
    owners: &[Session],
    snapshot: &Snapshot,
) -> Result<Vec<Missing>, Error> {
    let Some(first) = owners.first() else { return Ok(Vec::new()) };
    for owner in owners {
        owner.batch("SET check_function_bodies = off; SET client_min_messages = error")?;
    }
    let mut left = Vec::new();
    for run in snapshot.schema.chunk_by(|one, next| group(one) == group(next)) {
        match run.first().and_then(group) {
            Some(Group::Tables) => {
                let storage = plain_types(admin)?;
                left.extend(apart(owners, run)?);
                own_storage(admin, &storage)?;
            }
            Some(_) => left.extend(apart(owners, run)?),
            None => left.extend(in_order(first, run.iter())?),
        }
    }
    again(first, left)
}

/// The pieces of one table on one connection, in their order. Gives those that failed.
fn apart<'a>(owners: &[Session], pieces: &'a [Piece]) -> Result<Vec<&'a Piece>, Error> {
    let mut lanes: Vec<(&Session, Vec<&Piece>)> = owners.iter().map(|owner| (owner, Vec::new())).collect();
    let mut of_table: BTreeMap<Option<RelName>, usize> = BTreeMap::new();
    for piece in pieces {
        let next = of_table.len() % lanes.len();
        let lane = *of_table.entry(absent::table_of(piece)).or_insert(next);
        lanes[lane].1.push(piece);
    }
    let done = threads::in_parts(&lanes, 1, |lane| {
        let mut left = Vec::new();
        for (owner, pieces) in lane {
            left.extend(in_order(owner, pieces.iter().copied())?);
        }
        Ok(left)
    });
    let left: Vec<Vec<&Piece>> = done.into_iter().collect::<Result<_, Error>>()?;
    Ok(left.concat())
}

/// Many in one message; where one of them fails, each by itself. Gives those that failed.
fn in_order<'a>(owner: &Session, pieces: impl Iterator<Item = &'a Piece>) -> Result<Vec<&'a Piece>, Error> {
    let mut left = Vec::new();
    let pieces: Vec<&Piece> = pieces.collect();
    for some in pieces.chunks(TOGETHER) {
        let all: Vec<&str> = some.iter().map(|piece| piece.sql.as_str()).collect();
        if owner.batch(&all.join(";\n")).is_ok() {
            continue;
        }
        for piece in some {
            match owner.batch(&piece.sql) {
                Ok(()) => {}
                Err(Error::Server { .. }) => left.push(*piece),
                Err(err) => return Err(err),
            }
        }
    }
    Ok(left)
}

fn again(owner: &Session, mut left: Vec<&Piece>) -> Result<Vec<Missing>, Error> {
    loop {
        let before = left.len();
        let mut failed = Vec::new();
        let mut why = Vec::new();
        for piece in left {
            match owner.batch(&piece.sql) {
                Ok(()) => {}
                Err(err @ Error::Server { .. }) => {
                    failed.push(piece);
                    why.push(words(&err));
                }
                Err(err) => return Err(err),
            }
        }
        if failed.len() == before || failed.is_empty() {
            let missing = failed.into_iter().zip(why).map(|(piece, why)| Missing {
                kind: piece.kind.clone(),
                name: piece.name.clone(),
                why,
            });
            return Ok(missing.collect());
        }
        left = failed;
    }
}

/// Has columns that are created now stored in their row, as far as the catalog says: a table with any other column gets
/// a TOAST table with an index, two more files that nothing is ever written to and no plan depends on. Gives what
/// [`own_storage`] gives back: storage and types.
fn plain_types(admin: &Session) -> Result<Vec<Vec<Option<String>>>, Error> {
    admin.query(include_str!("queries/plain_types.sql"), &[])
}

/// The types' own storage again, and that of the columns made meanwhile.
fn own_storage(admin: &Session, storage: &[Vec<Option<String>>]) -> Result<(), Error> {
    for row in storage {
        if let [Some(storage), Some(types)] = row.as_slice() {
            admin.query(include_str!("queries/own_storage.sql"), &[storage, types])?;
        }
    }
    Ok(())
}
