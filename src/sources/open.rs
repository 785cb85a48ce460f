//! Paths → readers of plain bytes: folders are walked, gzip and zstd are undone.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use crate::error::Error;

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
    /// Only stdin's: files are opened again when it is their turn.
    stdin: Option<Box<dyn Read + Send>>,
}

impl Source {
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The bytes from the beginning. Call once.
    pub(super) fn reader(&mut self) -> Result<Box<dyn Read + Send>, Error> {
        match self.stdin.take() {
            Some(rest) => Ok(Box::new(io::Cursor::new(self.head.clone()).chain(rest))),
            None => open(&self.path).map_err(|source| Error::Read { path: self.path.clone(), source }),
        }
    }
}

/// Every file that `paths` name, sorted within a folder. A missing one is `Error::Read`.
pub(super) fn sources(paths: &[PathBuf]) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let stdin: Box<dyn Read + Send> = Box::new(io::stdin());
            let (head, damage, rest) = decompress(stdin)
                .map(|mut reader| {
                    let (head, damage) = read_head(&mut reader);
                    (head, damage, reader)
                })
                .map_err(|source| Error::Read { path: path.clone(), source })?;
            sources.push(Source { path: path.clone(), head, damage, found: false, stdin: Some(rest) });
        } else if path.is_dir() {
            let mut files = Vec::new();
            walk(path, &mut files)?;
            for file in files {
                sources.push(look(file, true)?);
            }
        } else {
            sources.push(look(path.clone(), false)?);
        }
    }
    Ok(sources)
}

fn look(path: PathBuf, found: bool) -> Result<Source, Error> {
    let (head, damage) = match open(&path) {
        Ok(mut reader) => read_head(&mut reader),
        Err(source) => return Err(Error::Read { path, source }),
    };
    Ok(Source { path, head, damage, found, stdin: None })
}

fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    decompress(Box::new(File::open(path)?))
}

/// Every file below a folder, in the order of names; hidden ones and symbolic links to folders are left out.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let error = |source| Error::Read { path: folder.to_owned(), source };
    let mut entries: Vec<_> =
        fs::read_dir(folder).map_err(error)?.collect::<Result<_, _>>().map_err(error)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(error)?;
        if kind.is_dir() {
            walk(&path, files)?;
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
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
