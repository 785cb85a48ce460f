//! A workload in a file: what logs told, without the logs.
//!
//! Digests of many hosts or many days add up exactly, as their logs would: calls, times, percentiles,
//! errors. The edge of a log is the edge of its digest, though: a unit of work or a statement that goes on
//! in the next log is cut there.
//!
//! The encoding is CBOR behind a line that names the version. Fields may be added to a version, with a
//! default for digests that lack them.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{InputSummary, Workload};
use crate::error::NotJudged;

/// The logs of one run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Digest {
    /// Of the program that made it.
    pub made_by: String,
    /// Statements and bind values are in it as they were sent.
    pub literals: bool,
    /// Not closed, so that more can be added.
    pub workload: Workload,
    /// What was read, for [`super::Position::input`].
    pub inputs: Vec<InputSummary>,
    pub not_judged: NotJudged,
}

/// Every digest begins so; a version follows, and the end of the line.
pub const MAGIC: &[u8] = b"sargable.digest/";

const VERSION: u32 = 1;

impl Digest {
    /// Before [`Workload::close`]. Without `literals` a statement is kept as its normalised text alone.
    pub fn of(
        workload: &Workload,
        inputs: &[InputSummary],
        not_judged: &NotJudged,
        literals: bool,
    ) -> Digest {
        let mut workload = workload.clone();
        let mut inputs = inputs.to_vec();
        if !literals {
            workload.forget_literals();
            for input in &mut inputs {
                input.skipped_samples.iter_mut().for_each(|sample| {
                    // `line 12: …` without what the line says.
                    let place = sample.split(':').next().map_or(0, str::len);
                    sample.truncate(place);
                });
            }
        }
        let made_by = concat!("sargable ", env!("CARGO_PKG_VERSION")).to_owned();
        Digest { made_by, literals, workload, inputs, not_judged: not_judged.clone() }
    }

    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(MAGIC)?;
        writeln!(to, "{VERSION}")?;
        ciborium::into_writer(self, to).map_err(io::Error::other)
    }

    /// Errors: a version that is not ours, or bytes that are no digest (or not all of one).
    pub fn read(from: &mut impl BufRead) -> io::Result<Digest> {
        let mut line = Vec::new();
        io::Read::take(&mut *from, 64).read_until(b'\n', &mut line)?;
        let version = line.strip_prefix(MAGIC).and_then(|version| std::str::from_utf8(version).ok());
        let version = version.and_then(|version| version.trim_end().parse::<u32>().ok());
        match version {
            Some(VERSION) => {}
            Some(version) => {
                return Err(io::Error::other(format!(
                    "it is a digest of version {version}, and this program reads version {VERSION}"
                )));
            }
            None => return Err(io::Error::other("it is no digest")),
        }
        ciborium::from_reader(from).map_err(|err| io::Error::other(format!("the digest is damaged: {err}")))
    }
}
