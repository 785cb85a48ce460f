//! Digests as files: compressed, written whole or not at all, and read beside logs.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write as _},
    path::Path,
};

use crate::{
    error::{Error, NotJudged},
    workload::{Digest, InputSummary, Workload, digest::MAGIC},
};

/// Whether a (decompressed) input begins as a digest does.
pub(super) fn is_digest(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

pub(super) fn read(reader: impl Read) -> io::Result<Digest> {
    Digest::read(&mut BufReader::new(reader))
}

/// Writes a digest, compressed with zstd. A file of that name is replaced once the new one is complete.
pub fn save(digest: &Digest, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = write(digest, &part).and_then(|()| fs::rename(&part, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&part);
        failed(source)
    })
}

fn write(digest: &Digest, path: &Path) -> io::Result<()> {
    let mut to = zstd::Encoder::new(BufWriter::new(File::create(path)?), zstd::DEFAULT_COMPRESSION_LEVEL)?;
    digest.write(&mut to)?;
    to.finish()?.flush()
}

/// Adds a digest to a run. Its logs become inputs of the run, named after the digest's file.
pub(super) fn append(
    name: &str,
    digest: Digest,
    workload: &mut Workload,
    inputs: &mut Vec<InputSummary>,
    not_judged: &mut NotJudged,
) {
    let mut theirs = digest.workload;
    theirs.renumber_inputs(u32::try_from(inputs.len()).unwrap_or(u32::MAX / 2));
    workload.merge(theirs);
    not_judged.merge(digest.not_judged);
    inputs.extend(digest.inputs.into_iter().map(|input| InputSummary {
        // A digest of digests names the log and the last digest that it came through.
        name: format!("{name}:{}", input.name.rsplit_once(':').map_or(input.name.as_str(), |(_, log)| log)),
        ..input
    }));
}
