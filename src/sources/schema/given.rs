//! Files and folders that are the schema by the user's word (`--schema`), whatever else is read.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::Error,
    sources::{
        folders::{self, Manner},
        scripts,
    },
    workload::Statement,
};

/// The statements of the schema's files.
#[derive(Debug, Default)]
pub(in crate::sources) struct Given {
    pub(super) statements: Vec<Statement>,
    files: BTreeSet<PathBuf>,
}

impl Given {
    /// Whether an input is one of them: its DDL then counts once.
    pub(super) fn holds(&self, file: &str) -> bool {
        !self.files.is_empty() && self.files.contains(&absolute(Path::new(file)))
    }
}

fn absolute(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Reads the files, and of folders those that are called `*.sql`, compressed or not.
///
/// Errors: one that cannot be read; a path that holds no statement.
pub(in crate::sources) fn given(paths: &[PathBuf]) -> Result<Given, Error> {
    let mut given = Given::default();
    let here = std::env::current_dir().unwrap_or_default();
    for path in paths {
        // Called as the inputs are called.
        let path = path.strip_prefix(&here).map_or_else(|_| path.clone(), |path| Path::new(".").join(path));
        let before = given.statements.len();
        let other = |file: &Path| path.is_dir() && !file.to_string_lossy().contains(".sql");
        let manner = Manner { left_out: &other, stdin: None, ignores: false };
        for named in folders::named(std::slice::from_ref(&path), manner) {
            let mut source = named.look();
            let unread = |source| Error::Read { path: path.clone(), source };
            if let Some(damage) = source.damage.take() {
                return Err(unread(damage));
            }
            let (text, ..) =
                source.reader().and_then(|mut reader| scripts::text(&mut *reader)).map_err(unread)?;
            given.statements.extend(scripts::of_text(&source.name(), &text));
            given.files.insert(absolute(&source.path));
        }
        if given.statements.len() == before {
            return Err(Error::Usage {
                what: format!("{}: the schema holds no statement", path.display()),
                hint: Some(
                    "name SQL files with CREATE TABLE, such as pg_dump --schema-only writes".to_owned(),
                ),
            });
        }
    }
    Ok(given)
}
