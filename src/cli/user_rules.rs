//! The rules of a project: `.sargable/rules/*.yaml`, beside the built-in ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::Error,
    rules::{self, Rule},
};

/// Rules with their file and its text.
pub(super) type Files = Vec<(PathBuf, String, Result<Rule, Error>)>;

/// The built-in rules and those of the project that the working folder is in.
pub(super) fn all() -> Result<Vec<Rule>, Error> {
    let mut all = rules::BUILTIN.clone();
    if let Some(folder) = here()? {
        let built_in = all.len();
        for (path, text, rule) in read(&folder)? {
            let rule = rule?;
            let taken = all.iter().find(|known| known.name == rule.name || known.code == rule.code);
            if let Some(known) = taken {
                let message =
                    format!("{} {} is taken by {} {}", rule.code, rule.name, known.code, known.name);
                return Err(rules::refused(&path.display().to_string(), &text, "code:", message));
            }
            all.push(rule);
        }
        all[built_in..].sort_by_key(|rule| rule.code);
    }
    Ok(all)
}

/// The folder of the project's own rules, if it has one.
pub(super) fn here() -> Result<Option<PathBuf>, Error> {
    let here = std::env::current_dir().map_err(|source| Error::Read { path: PathBuf::from("."), source })?;
    let found = folder(&here);
    // As a person would write it, where it is below.
    Ok(found.map(|path| path.strip_prefix(&here).map(Path::to_owned).unwrap_or(path)))
}

/// The nearest `.sargable/rules`, from a folder up to the root of its repository; without a repository only
/// in the folder itself.
fn folder(from: &Path) -> Option<PathBuf> {
    let root = from.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(from);
    let within = from.ancestors().take_while(|folder| folder.starts_with(root));
    within.map(|folder| folder.join(".sargable/rules")).find(|folder| folder.is_dir())
}

/// Every rule of a folder with its file and text, sorted by file.
pub(super) fn read(folder: &Path) -> Result<Files, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => paths.push(path),
            Some("yml") => {
                let message = "rename it to end with .yaml".to_owned();
                return Err(Error::Rule { path: path.display().to_string(), message });
            }
            _ => {}
        }
    }
    paths.sort();
    let mut read = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
        let rule = rules::load(&path.display().to_string(), &text).and_then(|rule| own(&path, &text, rule));
        read.push((path, text, rule));
    }
    Ok(read)
}

/// Refuses a code of the built-in series, unless it is that rule.
fn own(path: &Path, text: &str, rule: Rule) -> Result<Rule, Error> {
    let same = |known: &Rule| known.code == rule.code && known.name == rule.name;
    if rule.code.is_built_in() && !rules::BUILTIN.iter().any(same) {
        let message = format!("{}: codes of SG are the built-in rules'; take letters of your own", rule.code);
        return Err(rules::refused(&path.display().to_string(), text, "code:", message));
    }
    Ok(rule)
}
