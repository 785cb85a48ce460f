//! Paths, folders and patterns that were named → the files that are to be read, in their order.
//!
//! Folders are walked. Hidden files, symbolic links to folders and those to nothing are left out, and what
//! ignore files name where a person's own files are looked for (a log may well be ignored).

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::open::{self, Source};
use crate::config::Glob;

/// A file that is to be read.
#[derive(Debug)]
pub(super) struct Named {
    path: PathBuf,
    /// In a folder.
    found: bool,
    /// It is read from standard input, whatever it is called.
    stdin: bool,
    /// Why a folder could not be listed.
    damage: Option<io::Error>,
    /// What it holds, where that is in memory.
    text: Option<String>,
}

impl Named {
    /// A file that is only in memory.
    pub(super) fn of_text(name: &str, text: String) -> Named {
        Named { path: PathBuf::from(name), found: false, stdin: false, damage: None, text: Some(text) }
    }

    /// Takes the text of this file, if there is one, for what the file holds.
    pub(super) fn or_text(mut self, texts: &BTreeMap<String, String>) -> Named {
        if let Some(text) = texts.get(&open::name(&self.path)) {
            self.text = Some(text.clone());
        }
        self
    }

    /// Opens it and reads its beginning.
    pub(super) fn look(self) -> Source {
        if let Some(text) = self.text {
            let mut source = Source::of_text(&self.path, text);
            source.found = self.found;
            return source;
        }
        match self.damage {
            // Counted as if it were named, since a person should hear of it.
            Some(error) => open::unreadable(self.path, error),
            None => open::source(self.path, self.found, self.stdin),
        }
    }
}

/// How folders are looked through.
#[derive(Clone, Copy)]
pub(super) struct Manner<'a> {
    /// Which files are none of ours.
    pub(super) left_out: &'a dyn Fn(&Path) -> bool,
    /// What .gitignore and .ignore name is left out.
    pub(super) ignores: bool,
    /// What standard input is called.
    pub(super) stdin: Option<&'a Path>,
}

/// Every file that `paths` name, sorted within a folder.
pub(super) fn named(paths: &[PathBuf], manner: Manner<'_>) -> Vec<Named> {
    let mut named = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            let path = manner.stdin.unwrap_or(path).to_owned();
            named.push(Named { path, found: false, stdin: true, damage: None, text: None });
        } else if path.is_dir() {
            walk(path, manner, &mut named);
        } else if let Some((folder, glob)) = pattern(path) {
            let mut all = Vec::new();
            walk(&folder, manner, &mut all);
            let here = std::env::current_dir().unwrap_or_default();
            all.retain(|one| one.damage.is_some() || glob.matches(&one.path, &here));
            if all.is_empty() {
                let none = io::Error::new(io::ErrorKind::NotFound, "no file has such a name");
                all.push(Named {
                    path: path.clone(),
                    found: false,
                    stdin: false,
                    damage: Some(none),
                    text: None,
                });
            }
            named.append(&mut all);
        } else if !(manner.left_out)(path) {
            named.push(Named { path: path.clone(), found: false, stdin: false, damage: None, text: None });
        }
    }
    named
}

/// A pattern that the shell left to us, with the folder that it begins in.
fn pattern(path: &Path) -> Option<(PathBuf, Glob)> {
    let wild = |part: &std::ffi::OsStr| part.as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte));
    if path.exists() || !wild(path.as_os_str()) {
        return None;
    }
    let folder: PathBuf = path.iter().take_while(|part| !wild(part)).collect();
    let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
    Some((folder, path.to_str()?.parse().ok()?))
}

fn walk(folder: &Path, manner: Manner<'_>, named: &mut Vec<Named>) {
    if !manner.ignores {
        return all(folder, manner, named);
    }
    let entries =
        ignore::WalkBuilder::new(folder).require_git(false).sort_by_file_name(std::cmp::Ord::cmp).build();
    for entry in entries {
        match entry {
            Ok(entry) => {
                let path = entry.into_path();
                if path.is_file() && !(manner.left_out)(&path) {
                    named.push(Named { path, found: true, stdin: false, damage: None, text: None });
                }
            }
            // Of a link to nothing nobody needs to hear.
            Err(error) => {
                let why = error.to_string();
                if let Some(error) =
                    error.into_io_error().filter(|error| error.kind() != io::ErrorKind::NotFound)
                {
                    let error = io::Error::new(error.kind(), why);
                    named.push(Named {
                        path: folder.to_owned(),
                        found: false,
                        stdin: false,
                        damage: Some(error),
                        text: None,
                    });
                }
            }
        }
    }
}

/// Every file below a folder, in the order of names.
fn all(folder: &Path, manner: Manner<'_>, named: &mut Vec<Named>) {
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => {
            named.push(Named {
                path: folder.to_owned(),
                found: false,
                stdin: false,
                damage: Some(error),
                text: None,
            });
            return;
        }
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all(&path, manner, named);
        } else if path.is_file() && !(manner.left_out)(&path) {
            named.push(Named { path, found: true, stdin: false, damage: None, text: None });
        }
    }
}
