//! A connected PostgreSQL: its catalog, its plans, and what it would plan with other indexes.
//!
//! This is the only async code of the library, and it is hidden here: [`Server`] has a synchronous face.
//! Everything that it asks is read-only, bounded in time, and rolled back; what it may send of a user's
//! statement is decided in `safety`. Only `scratch` builds something, on a server that a flag names for it.

mod catalog;
pub mod connect;
mod explain;
mod private;
pub mod raw;
mod safety;
mod scratch;
mod session;
mod snapshot;
mod statements;
mod what_if;

pub use connect::{Environment, Target};
pub use explain::{Explained, How, Limits, Wanted};
pub use private::Private;
pub use scratch::{Built, Identity, Scratch, Timed};
pub use snapshot::Wishes;
pub use what_if::HypoPg;

use std::{collections::HashMap, time::Duration};

use crate::error::Error;
use session::Session;

/// One connection.
pub struct Server {
    session: Session,
    version: u32,
    /// By text, whether it parsed, and whether functions are trusted.
    verdicts: HashMap<(String, bool, bool), safety::Verdict>,
}

/// Time that a question of our own to the catalog may take.
const OWN_LIMIT: Duration = Duration::from_mins(1);

impl Server {
    pub fn connect(target: &Target) -> Result<Server, Error> {
        let mut session = Session::open(target)?;
        let failed = |failure: session::Failure| Error::Connect {
            target: target.to_string(),
            why: failure.why,
            hint: None,
        };
        session.learn_path().map_err(failed)?;
        let rows = session
            .rows(
                "SELECT pg_catalog.current_setting('server_version_num'::pg_catalog.text)::pg_catalog.int4",
                &[],
                OWN_LIMIT,
            )
            .map_err(failed)?;
        let version = rows.first().map_or(0, |row| row.get::<_, i32>(0)).unsigned_abs();
        Ok(Server { session, version, verdicts: HashMap::new() })
    }

    /// `server_version_num`, such as 150018.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// `user@host:port/database`.
    pub fn label(&self) -> String {
        self.session.label.clone()
    }

    /// Why the connection was lost, once it was: nothing more can be asked.
    pub fn lost(&self) -> Option<&str> {
        self.session.gone.as_deref()
    }

    /// Whether the server runs on this machine.
    pub fn is_local(&self) -> bool {
        self.session.local
    }
}
