//! `sargable.yaml`: what a team settles once for all runs.
//!
//! In: the file that stands in the working folder or above it in the same repository, or that a flag
//! names. Out: [`Config`], strictly read: an unknown key, a pattern that is none, a key that comes twice
//! are errors with file, line and column. What the file leaves out is at its default.
//!
//! One struct a topic, one topic a key: `logs` says how logs are read, `check` what the lint step does.

mod check;
mod facts;
mod glob;
mod readers;
mod values;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

pub use check::{Check, FailOn, Override, SetName, Setting, Word};
pub use facts::{Fact, Unit};
pub use glob::Glob;
pub use readers::{Form, JsonLines, Name, Reader, RegexLines};
pub use values::{KeyPath, Placeholders, Scalar};

use crate::{error::Error, yaml};

/// The file's name, wherever it stands.
pub const FILE: &str = "sargable.yaml";

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    #[serde(default)]
    pub logs: Logs,
    #[serde(default)]
    pub check: Check,
    /// DDL files and folders that say what tables there are, from the file's folder on.
    #[serde(default)]
    schema: Vec<PathBuf>,
    /// Where it was read; `None` where there is no file.
    #[serde(skip)]
    origin: Option<Origin>,
}

/// How logs are read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Logs {
    /// Formats of the user's own, in the order in which they are tried.
    #[serde(default, deserialize_with = "readers::by_name")]
    pub readers: Vec<(Name, Reader)>,
}

#[derive(Clone, Debug)]
struct Origin {
    path: PathBuf,
    text: String,
}

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Config, Error> {
        let text =
            fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Config::parse(path, text)
    }

    /// Reads the text of a file. `path` is named in errors, and the file's patterns begin in its folder.
    pub fn parse(path: &Path, text: String) -> Result<Config, Error> {
        let read: Result<Config, _> = yaml::read(text.strip_prefix('\u{feff}').unwrap_or(&text));
        let origin = Origin { path: path.to_owned(), text };
        match read {
            Ok(mut config) => {
                config.origin = Some(origin);
                let folder = config.folder();
                // `./db` is `db` to everybody.
                if folder.as_os_str() != "." {
                    config.schema.iter_mut().for_each(|path| *path = folder.join(&*path));
                }
                Ok(config)
            }
            Err(refused) => {
                let hint = match refused.meant {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => {
                        "docs/config.md has every key with its meaning; --no-config runs without the file"
                            .to_owned()
                    }
                };
                Err(origin.refuse(refused.place, refused.message, Some(hint)))
            }
        }
    }

    /// Reads the file of the working folder, or of the nearest folder above it that has one, up to the root
    /// of the repository; outside of a repository that of the working folder alone.
    pub fn find(working: &Path) -> Result<Config, Error> {
        let in_repository = working.ancestors().any(is_root);
        for folder in working.ancestors() {
            let path = folder.join(FILE);
            match fs::read_to_string(&path) {
                Ok(text) => return Config::parse(&path, text),
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(Error::Read { path, source }),
            }
            if !in_repository || is_root(folder) {
                break;
            }
        }
        Ok(Config::default())
    }

    /// Where it was read.
    pub fn path(&self) -> Option<&Path> {
        self.origin.as_ref().map(|origin| origin.path.as_path())
    }

    /// The folder that its patterns begin in: its own, or the working folder.
    pub fn folder(&self) -> PathBuf {
        let folder = self.path().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
    }

    /// The DDL files and folders that say what tables there are.
    pub fn schema(&self) -> Vec<PathBuf> {
        self.schema.clone()
    }

    /// Takes other files for the schema, from the working folder on.
    pub fn set_schema(&mut self, paths: Vec<PathBuf>) {
        self.schema = paths;
    }

    /// An error about a key that only the rest of the program can judge.
    pub fn refuse(&self, keys: &[&str], message: String, hint: Option<String>) -> Error {
        match &self.origin {
            Some(origin) => origin.refuse(yaml::place(&origin.text, keys), message, hint),
            None => Error::Config { place: FILE.to_owned(), message, hint },
        }
    }
}

/// A folder with `.git` in it; in a work tree of its own that is a file.
fn is_root(folder: &Path) -> bool {
    folder.join(".git").exists()
}

impl Origin {
    fn refuse(&self, place: Option<(usize, usize)>, message: String, hint: Option<String>) -> Error {
        let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
        Error::Config { place: format!("{}{place}", self.path.display()), message, hint }
    }
}
