//! Takes a snapshot of a database, and reads the file again.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Outcome, output, tell};
use crate::{
    catalog::snapshot::Snapshot,
    error::Error,
    server::{Environment, Server, Target, Wishes},
};

#[derive(Args, Debug)]
pub(super) struct SnapshotArgs {
    /// postgres://user@host:port/database, or key=value pairs [default: as libpq finds it]
    #[arg(value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The file; a name that ends in .zst is compressed [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also how often tables and indexes are read and written
    #[arg(long)]
    activity: bool,
}

pub(super) fn run(args: &SnapshotArgs) -> Result<Outcome, Error> {
    let target = Target::resolve(args.database_url.as_deref(), &Environment::of_process())?;
    for warning in target.warnings() {
        tell(&format!("warning: {warning}"));
    }
    let mut server = Server::connect(&target)?;
    let snapshot = server.snapshot(Wishes { activity: args.activity })?;
    let text = snapshot.render();
    match &args.output {
        Some(path) => write(path, &text)?,
        None => output::print(&text)?,
    }
    for unseen in &snapshot.not_seen {
        tell(&format!("not seen: {} ({}): {}", unseen.what, unseen.count, unseen.why));
    }
    if let Some(path) = &args.output {
        tell(&format!("{}: {}", path.display(), summary(&snapshot)));
    }
    Ok(Outcome::Clean)
}

/// `12 tables, 30 indexes, 80 columns with statistics`.
fn summary(snapshot: &Snapshot) -> String {
    let counted =
        |number: usize, one: &str, more: &str| format!("{number} {}", if number == 1 { one } else { more });
    let indexes = snapshot.relations.iter().filter(|relation| relation.is_index()).count();
    let columns = snapshot.relations.iter().map(|relation| relation.columns.len()).sum();
    [
        counted(snapshot.relations.len() - indexes, "table", "tables"),
        counted(indexes, "index", "indexes"),
        counted(columns, "column with statistics", "columns with statistics"),
    ]
    .join(", ")
}

/// # Errors
/// [`Error::Read`], or [`Error::Usage`] for a file that is no snapshot.
pub(super) fn read(path: &Path) -> Result<Snapshot, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    if is_compressed(path) {
        zstd::Decoder::new(file).and_then(|mut file| file.read_to_string(&mut text)).map_err(failed)?;
    } else {
        let mut file = file;
        file.read_to_string(&mut text).map_err(failed)?;
    }
    Snapshot::parse(&text).map_err(|why| Error::Usage {
        what: format!("{} is not a snapshot: {why}", path.display()),
        hint: Some("write one with `sargable snapshot URL -o FILE`".to_owned()),
    })
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    if is_compressed(path) {
        let bytes = zstd::encode_all(text.as_bytes(), 9).map_err(failed)?;
        return fs::write(path, bytes).map_err(failed);
    }
    fs::write(path, text).map_err(failed)
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "zst")
}
