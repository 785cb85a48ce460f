//! Takes a snapshot of a database, reads the file again, and tells two of them apart.

mod assumed;
mod diff;

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};

use super::{Outcome, output, tell};
use crate::{
    catalog::{
        redact,
        snapshot::{Relation, Snapshot},
    },
    error::Error,
    server::{Environment, Server, Target, Wishes},
    sources::schema,
};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct SnapshotArgs {
    #[command(subcommand)]
    what: Option<SnapshotCommand>,
    /// postgres://user@host:port/database, or key=value pairs [default: as libpq finds it]
    #[arg(value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// The file; a name that ends in .zst is compressed [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also how often tables and indexes are read and written
    #[arg(long, conflicts_with = "schema")]
    activity: bool,
    /// Take the values of columns out: others of the same order, length and frequency come in their place
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    assumed: assumed::AssumedArgs,
    /// The URL stands on the command line.
    #[arg(skip)]
    pub(super) named: bool,
}

#[derive(Debug, Subcommand)]
enum SnapshotCommand {
    /// Tell what changed from one snapshot to another, and whether plans are likely to follow
    Diff(diff::DiffArgs),
}

pub(super) fn run(args: &SnapshotArgs) -> Result<Outcome, Error> {
    if let Some(SnapshotCommand::Diff(args)) = &args.what {
        return diff::run(args);
    }
    if args.assumed.wanted() {
        if args.named {
            return Err(Error::Usage {
                what: "a snapshot is of a server or of --schema, not of both".to_owned(),
                hint: Some("leave the URL out, or --schema".to_owned()),
            });
        }
        let (snapshot, assumptions) = args.assumed.snapshot()?;
        return finish(args, snapshot, &assumptions);
    }
    let target = Target::resolve(args.database_url.as_deref(), &Environment::of_process())?;
    for warning in target.warnings() {
        tell(&format!("warning: {warning}"));
    }
    let mut server = Server::connect(&target)?;
    let snapshot = server.snapshot(Wishes { activity: args.activity })?;
    finish(args, snapshot, &[])
}

/// Writes it, and says what of it is not as it is on the server.
fn finish(args: &SnapshotArgs, mut snapshot: Snapshot, assumptions: &[String]) -> Result<Outcome, Error> {
    if args.redact {
        redacted(&mut snapshot);
    }
    let text = snapshot.render();
    match &args.output {
        Some(path) => write(path, &text)?,
        None => output::print(&text)?,
    }
    for unseen in snapshot.not_seen.iter().filter(|unseen| unseen.what != assumed::REFUSED) {
        tell(&format!("not seen: {} ({}): {}", unseen.what, unseen.count, unseen.why));
    }
    if let Some(path) = &args.output {
        tell(&format!("{}: {}", path.display(), summary(&snapshot)));
    }
    for line in assumptions {
        tell(line);
    }
    Ok(Outcome::Clean)
}

/// Takes the values out; the types of the columns stand in the DDL.
fn redacted(snapshot: &mut Snapshot) {
    let ddl: String = snapshot.schema.iter().map(|piece| format!("{};\n", piece.sql)).collect();
    let schema = schema::read(&ddl);
    let enums = snapshot.schema.iter().filter(|piece| piece.kind == "enum");
    let enums = enums.flat_map(|piece| {
        let bare = piece.name.rsplit('.').next().unwrap_or_default();
        [piece.name.clone(), bare.to_owned()]
    });
    let type_of = |relation: &Relation, column: &str| {
        let table = schema.known()?.table(&relation.rel_name())?;
        Some(table.column(column)?.type_name.clone())
    };
    let enums = enums.collect();
    redact::redact(snapshot, &type_of, &enums);
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
