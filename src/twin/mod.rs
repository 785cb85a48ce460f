//! A private server that stands in for the one that a snapshot was taken of: it has the schema, the statistics, the
//! settings and the file sizes, and no rows. What it plans is what production would plan.
//!
//! In: a [`Snapshot`]. Out: a [`Twin`] to connect to, and what of the snapshot it could not carry.
//!
//! The snapshot is somebody's file: its DDL runs as a role that may do nothing outside of this database, and so
//! does every statement that is planned here. Only the figures are written by a superuser.

mod absent;
mod columns;
mod draft;
mod entries;
mod expressions;
mod extensions;
mod figures;
mod files;
mod groups;
mod measure;
mod pages;
mod schema;
mod what_if;

use std::{collections::BTreeMap, path::PathBuf};

pub use draft::{Draft, Statement};
pub use what_if::Hypothetical;

use crate::{
    catalog::{Catalog, snapshot::Snapshot},
    cluster::{self, Cluster},
    error::{Error, NotJudged},
    names::{quote_ident, quote_literal},
    server::raw::{Session, Target},
};
use files::Files;

/// The database on the private server, and the role that owns it.
const DATABASE: &str = "production";
const ROLE: &str = "production";

/// What may be chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folder of `initdb` and `postgres`; `None` looks in the usual places for the snapshot's version.
    pub bin: Option<PathBuf>,
}

/// The server runs as long as this lives.
#[derive(Debug)]
pub struct Twin {
    cluster: Cluster,
    files: Files,
    snapshot: Snapshot,
    /// What of the snapshot is missing here, by the name that a query would use.
    missing: Vec<Missing>,
}

/// Something of the snapshot that is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub kind: String,
    pub name: String,
    pub why: String,
}

impl Twin {
    /// Starts a private server and gives it what the snapshot holds.
    ///
    /// # Errors
    /// Without a server's programs, or when the server fails. What merely does not fit is in [`Twin::missing`].
    pub fn start(snapshot: Snapshot, options: &Options) -> Result<Twin, Error> {
        if snapshot.server.block_size != 8192 {
            return Err(Error::Cluster {
                why: format!(
                    "the snapshot's server has blocks of {} bytes, and ours have 8192",
                    snapshot.server.block_size
                ),
                hint: None,
            });
        }
        let settings = cluster::Settings {
            bin: options.bin.clone(),
            major: Some(snapshot.server.version / 10_000),
            set: vec![
                ("max_locks_per_transaction".to_owned(), "1024".to_owned()),
                ("shared_buffers".to_owned(), "16MB".to_owned()),
            ],
            ..cluster::Settings::default()
        };
        let cluster = Cluster::start(&settings)?;
        let files = Files { data: cluster.data_folder(), owner: cluster.owner() };
        let mut twin = Twin { cluster, files, snapshot, missing: Vec::new() };
        twin.carry()?;
        Ok(twin)
    }

    fn carry(&mut self) -> Result<(), Error> {
        let first = connect(&self.cluster, "postgres", cluster::USER)?;
        first.batch(&format!("CREATE ROLE {ROLE} LOGIN"))?;
        self.create_database(&first)?;
        let admin = connect(&self.cluster, DATABASE, cluster::USER)?;
        self.missing.extend(extensions::create(&admin, &self.snapshot)?);
        let several = |user| -> Result<Vec<Session>, Error> {
            let count = schema::sessions(&self.snapshot);
            (0..count).map(|_| connect(&self.cluster, DATABASE, user)).collect()
        };
        let owners = several(ROLE)?;
        self.missing.extend(schema::replay(&admin, &owners, &self.snapshot)?);
        self.missing.extend(figures::settings(&admin, &self.snapshot, DATABASE)?);
        let derived = match owners.first() {
            Some(owner) => expressions::derive(owner, &self.snapshot)?,
            None => Vec::new(),
        };
        drop(owners);
        let admins = several(cluster::USER)?;
        self.missing.extend(figures::write(&admins, &self.snapshot, &derived, &self.files)?);
        admin.batch(include_str!("queries/helpers.sql"))
    }

    /// With production's encoding and collation where this machine has them.
    fn create_database(&mut self, session: &Session) -> Result<(), Error> {
        let origin = &self.snapshot.server;
        let create = |locale: &str| {
            format!(
                "CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0 ENCODING {} {locale}",
                quote_literal(&origin.encoding)
            )
        };
        let of = |collate: &str, ctype: &str| {
            format!("LC_COLLATE {} LC_CTYPE {}", quote_literal(collate), quote_literal(ctype))
        };
        let own = match (origin.provider.as_str(), &origin.locale) {
            ("i", Some(locale)) => {
                format!("LOCALE_PROVIDER icu ICU_LOCALE {} {}", quote_literal(locale), of("C", "C"))
            }
            ("b", Some(locale)) => {
                format!("LOCALE_PROVIDER builtin BUILTIN_LOCALE {} {}", quote_literal(locale), of("C", "C"))
            }
            _ => of(&origin.collate, &origin.ctype),
        };
        let Err(why) = session.batch(&create(&own)) else { return Ok(()) };
        let why = words(&why);
        // What sorts unlike C keeps doing so, or a plain index would serve LIKE here and not there.
        let plain = origin.provider != "i" && matches!(origin.collate.as_str(), "C" | "POSIX");
        let instead = if plain { ["C", "C"] } else { ["C.UTF-8", "C"] };
        for locale in instead {
            if session.batch(&create(&of(locale, locale))).is_ok() {
                self.missing.push(Missing {
                    kind: "collation".to_owned(),
                    name: origin.locale.clone().unwrap_or_else(|| origin.collate.clone()),
                    why: format!(
                        "{locale} stands in for it, so estimates for ranges of text may differ: {why}"
                    ),
                });
                return Ok(());
            }
        }
        session.batch(&format!("CREATE DATABASE {DATABASE} OWNER {ROLE} TEMPLATE template0"))
    }

    /// Where [`crate::server::Server`] connects to: as a role without any privilege but to this database.
    pub fn url(&self) -> String {
        self.cluster.url_as(DATABASE, ROLE)
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The private server's version; plans of another major version may differ.
    pub fn major(&self) -> u32 {
        self.cluster.binaries().major
    }

    /// What of the snapshot is not here.
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }

    /// What cannot be judged for want of it.
    pub fn not_judged(&self) -> NotJudged {
        let mut not_judged = NotJudged::default();
        if let Some(assumed) = &self.snapshot.assumed {
            not_judged.add("snapshot", format!("statistics assumed from {}", assumed.from));
        }
        for unseen in &self.snapshot.not_seen {
            not_judged.add_many(format!("snapshot: {}", unseen.what), unseen.why.clone(), unseen.count);
        }
        for missing in &self.missing {
            not_judged.add(format!("snapshot: {} {}", missing.kind, missing.name), missing.why.clone());
        }
        let (here, there) = (self.major(), self.snapshot.server.version / 10_000);
        if here != there {
            not_judged.add(
                "snapshot",
                format!("it is of PostgreSQL {there}, and planned by {here}: plans may differ"),
            );
        }
        not_judged
    }

    /// Puts production's own facts into a catalog that was read here.
    pub fn correct(&self, catalog: &mut Catalog) {
        let origin = &self.snapshot.server;
        catalog.version = origin.version;
        catalog.database.clone_from(&origin.database);
        catalog.c_collation = origin.provider == "b"
            || (origin.provider == "c" && matches!(origin.collate.as_str(), "C" | "POSIX"));
        catalog.settings = self.snapshot.settings.clone();
        catalog.extensions = self
            .snapshot
            .extensions
            .iter()
            .map(|extension| (extension.name.clone(), extension.version.clone()))
            .collect::<BTreeMap<_, _>>();
        // What this machine could install says nothing of production.
        catalog.available_extensions.clear();
        catalog.counted = self.snapshot.counted;
        catalog.absent = absent::of(&self.snapshot, &self.missing);
        let relations = self.snapshot.by_name();
        for table in &mut catalog.tables {
            let schema = table.name.schema.as_deref().unwrap_or_default();
            let of = |name: &str| relations.get(&(schema, name)).copied();
            table.activity = of(&table.name.name).and_then(|relation| relation.activity);
            for index in &mut table.indexes {
                index.scans = of(&index.name).and_then(|relation| relation.scans);
            }
        }
    }
}

/// A session of the private server's own socket.
fn connect(cluster: &Cluster, database: &str, user: &str) -> Result<Session, Error> {
    Session::connect(&Target {
        socket_dir: cluster.socket_dir(),
        port: cluster::PORT,
        user,
        database,
        application_name: "sargable",
    })
}

/// The server's own words, without what we were doing.
fn words(err: &Error) -> String {
    match err {
        Error::Server { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

/// `schema.name` as SQL text.
fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_ident(schema), quote_ident(name))
}
