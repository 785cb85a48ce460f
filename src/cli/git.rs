//! What git knows of a folder: the root of its repository, and which lines changed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{error::Error, lint::Changed};

/// The root of the repository that holds the folder.
pub(super) fn root(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    folder.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned)
}

/// Lines of the working tree that are not in `rev`, or not in what this branch and `rev` have in common;
/// files that git does not know are new as a whole.
pub(super) fn changed_since(rev: &str) -> Result<Changed, Error> {
    // A revision that begins with a dash would be an option.
    if rev.starts_with('-') {
        return Err(Error::Usage { what: format!("`{rev}` is no revision"), hint: None });
    }
    // Where the histories have nothing in common (a shallow clone), the commit itself is compared with.
    let diff = diff(&["--merge-base", rev, "--"]).or_else(|_| diff(&[rev, "--"]))?;
    let mut changed = parse(&diff)?;
    let new = git(&["ls-files", "--others", "--exclude-standard", "--full-name", "-z", ":/"])?;
    new.split('\0').filter(|file| !file.is_empty()).for_each(|file| changed.add_file(file));
    Ok(changed)
}

/// Lines that are staged.
pub(super) fn staged() -> Result<Changed, Error> {
    parse(&diff(&["--cached", "--"])?)
}

/// Reads a unified diff.
pub(super) fn parse(diff: &str) -> Result<Changed, Error> {
    Changed::parse(diff).map_err(|why| Error::Usage {
        what: format!("the diff is not understood: {why}"),
        hint: Some("pipe in what `git diff --unified=0` prints".to_owned()),
    })
}

fn diff(what: &[&str]) -> Result<String, Error> {
    let plain = ["diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-relative", "--no-textconv"];
    let prefixes = ["--src-prefix=a/", "--dst-prefix=b/"];
    git(&[&plain[..], &prefixes, what].concat())
}

fn git(args: &[&str]) -> Result<String, Error> {
    let failed = |why: String| Error::Usage {
        what: format!("git cannot say what changed: {why}"),
        hint: Some("in CI, fetch the commit to compare with first (fetch-depth: 0)".to_owned()),
    };
    let out = Command::new("git").args(args).output().map_err(|error| failed(error.to_string()))?;
    if out.status.success() {
        return Ok(String::from_utf8_lossy(&out.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&out.stderr);
    Err(failed(said.lines().next().unwrap_or("it failed").to_owned()))
}
