//! The files of relations, made to the length that they have in production; the holes take no room.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
};

use super::pages::PAGE;

/// Blocks of a segment: `RELSEG_SIZE`, 1 GB.
const SEGMENT: u64 = 131_072;

/// The data folder of a private server.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) data: PathBuf,
    pub(super) owner: Option<(u32, u32)>,
}

impl Files {
    /// Writes `first` at the beginning of a new relation file and makes it `blocks` long. `path` is below the data
    /// folder, as `pg_relation_filepath` gives it.
    pub(super) fn make(&self, path: &str, first: &[u8], blocks: u64) -> io::Result<()> {
        let whole = self.data.join(path);
        let mut file = self.open(&whole)?;
        file.set_len(0)?;
        file.write_all(first)?;
        drop(file);
        self.extend(path, blocks)
    }

    /// Makes a relation at least `blocks` long; what it holds stays.
    pub(super) fn extend(&self, path: &str, blocks: u64) -> io::Result<()> {
        let mut left = blocks;
        let mut number = 0_u64;
        loop {
            let segment = left.min(SEGMENT);
            let file = self.open(&self.segment(path, number))?;
            let length = segment * PAGE as u64;
            if file.metadata()?.len() < length {
                file.set_len(length)?;
            }
            left -= segment;
            number += 1;
            // A full segment is followed by one, if only by an empty one.
            if left == 0 && segment < SEGMENT {
                return Ok(());
            }
        }
    }

    /// Removes a relation's file and its segments.
    pub(super) fn remove(&self, path: &str) {
        let mut number = 0;
        while fs::remove_file(self.segment(path, number)).is_ok() {
            number += 1;
        }
    }

    fn segment(&self, path: &str, number: u64) -> PathBuf {
        if number == 0 { self.data.join(path) } else { self.data.join(format!("{path}.{number}")) }
    }

    fn open(&self, path: &Path) -> io::Result<fs::File> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        if let Some((uid, gid)) = self.owner {
            chown(path, Some(uid), Some(gid))?;
        }
        Ok(file)
    }
}
