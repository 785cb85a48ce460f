//! Paths → readers of plain bytes: folders are walked, gzip and zstd are undone.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;

use super::tail::{Piped, Stop, Tail};

/// How much of an input is looked at to recognise it.
const HEAD: usize = 64 * 1024;

/// A file (or stdin) whose beginning was read.
pub(super) struct Source {
    /// As the user named it; below a folder, with the folder's name.
    pub path: PathBuf,
    /// The first bytes, decompressed.
    pub head: Vec<u8>,
    /// Why `head` ends early.
    pub damage: Option<io::Error>,
    /// Found in a folder, not named.
    pub found: bool,
    /// What follows `head`, where it cannot be read twice (stdin, a pipe): files are opened again when it is
    /// their turn.
    rest: Option<Box<dyn Read + Send>>,
    /// Wait for more at the end.
    follow: Option<Stop>,
}

impl Source {
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The bytes from the beginning. Call once.
    pub(super) fn reader(&mut self) -> io::Result<Box<dyn Read + Send>> {
        match (self.rest.take(), &self.follow) {
            (Some(rest), Some(stop)) => {
                let rest = Piped::new(rest, Arc::clone(stop));
                Ok(Box::new(io::Cursor::new(self.head.clone()).chain(rest)))
            }
            (Some(rest), None) => Ok(Box::new(io::Cursor::new(self.head.clone()).chain(rest))),
            (None, Some(stop)) => Ok(Box::new(Tail::open(&self.path, self.found, Arc::clone(stop))?)),
            (None, None) => open(&self.path),
        }
    }

    /// Reading will not end before `stop` says so.
    pub(super) fn follow(&mut self, stop: &Stop) {
        self.follow = Some(Arc::clone(stop));
    }
}

/// Every file that `paths` name, sorted within a folder. One that cannot be read has nothing but damage.
pub(super) fn sources(paths: &[PathBuf]) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            sources.push(look(path.clone(), decompress(Box::new(io::stdin())), false));
        } else if path.is_dir() {
            walk(path, &mut sources);
        } else {
            sources.push(look(path.clone(), open(path), false));
        }
    }
    sources
}

fn look(path: PathBuf, opened: io::Result<Box<dyn Read + Send>>, found: bool) -> Source {
    match opened {
        Ok(mut reader) => {
            let (head, damage) = read_head(&mut reader);
            let again = path.as_os_str() != "-" && path.is_file();
            let rest = (!again).then_some(reader);
            Source { path, head, damage, found, rest, follow: None }
        }
        Err(error) => unreadable(path, error),
    }
}

/// Counted as if it were named, since a person should hear of it.
fn unreadable(path: PathBuf, error: io::Error) -> Source {
    Source { path, head: Vec::new(), damage: Some(error), found: false, rest: None, follow: None }
}

fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    decompress(Box::new(File::open(path)?))
}

/// Every file below a folder, in the order of names; hidden ones, symbolic links to folders and those to
/// nothing are left out.
fn walk(folder: &Path, sources: &mut Vec<Source>) {
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => return sources.push(unreadable(folder.to_owned(), error)),
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&path, sources);
        } else if path.is_file() {
            let opened = open(&path);
            sources.push(look(path, opened, true));
        }
    }
}

fn decompress(mut reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::with_capacity(4);
    reader.by_ref().take(4).read_to_end(&mut magic)?;
    let kind = magic.clone();
    let whole = io::Cursor::new(magic).chain(reader);
    Ok(match kind.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(1 << 16, whole))),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}

fn read_head(reader: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::with_capacity(HEAD);
    let damage = reader.take(HEAD as u64).read_to_end(&mut head).err();
    (head, damage)
}
