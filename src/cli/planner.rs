//! Who is asked for plans: the user's server, or a private one that has a snapshot.

use super::{
    args::{ExplainMode, ServerArgs},
    complain, gather, snapshot, tell,
    verify::Verifier,
};
use crate::{
    catalog::Catalog,
    error::{Error, NotJudged},
    plan::WhatIf,
    server::{Environment, Server, Target},
    twin::{Options, Twin},
};

pub(super) struct Planner {
    pub(super) server: Server,
    /// The private server behind it, which stops with this.
    twin: Option<Twin>,
    /// The scratch server of `--verify`.
    pub(super) verifier: Option<Verifier>,
}

impl Planner {
    /// What flags or environment name; `None` when they name nothing.
    pub(super) fn connect(args: &ServerArgs) -> Result<Option<Planner>, Error> {
        if let Some(path) = &args.snapshot {
            return Planner::of_snapshot(path, args).map(Some);
        }
        let environment = Environment::of_process();
        if args.database_url.is_none() && !environment.names_a_server() {
            return Ok(None);
        }
        let target = Target::resolve(args.database_url.as_deref(), &environment)?;
        for warning in target.warnings() {
            tell(&format!("warning: {warning}"));
        }
        Ok(Some(Planner { server: Server::connect(&target)?, twin: None, verifier: None }))
    }

    fn of_snapshot(path: &std::path::Path, args: &ServerArgs) -> Result<Planner, Error> {
        let snapshot = snapshot::read(path)?;
        let twin = Twin::start(snapshot, &Options { bin: args.pg_bin.clone() })?;
        let target = Target::resolve(Some(&twin.url()), &Environment::default())?;
        Ok(Planner { server: Server::connect(&target)?, twin: Some(twin), verifier: None })
    }

    pub(super) fn catalog(&mut self) -> Result<(Catalog, NotJudged), Error> {
        let (mut catalog, mut not_judged) = self.server.catalog()?;
        if let Some(twin) = &self.twin {
            twin.correct(&mut catalog);
            // What was read there is all there is.
            not_judged = twin.not_judged();
        }
        Ok((catalog, not_judged))
    }

    /// The major version that makes the plans; 0 where it is not known.
    pub(super) fn major(&self, catalog: &Catalog) -> u32 {
        self.twin.as_ref().map_or(catalog.version / 10_000, Twin::major)
    }

    /// The catalog where there is a planner, and whether the server gave it when it was asked; why not was told.
    pub(super) fn seen(planner: Option<&mut Planner>, not_judged: &mut NotJudged) -> (Option<Catalog>, bool) {
        match planner.map(Planner::catalog) {
            None => (None, true),
            Some(Ok((catalog, unseen))) => {
                not_judged.merge(unseen);
                (Some(catalog), true)
            }
            Some(Err(err)) => {
                complain(&err);
                (None, false)
            }
        }
    }

    /// Whether the server asked is the one that plans are made for, not a private one in its place.
    pub(super) fn is_the_analysed_one(&self) -> bool {
        self.twin.is_none()
    }

    /// Of the server that writes logs.
    pub(super) fn log_line_prefix(&mut self) -> Option<String> {
        if self.twin.is_some() { None } else { self.server.log_line_prefix() }
    }

    /// Why the connection was lost, once it was.
    pub(super) fn lost(&self) -> Option<&str> {
        self.server.lost()
    }

    /// Whether the server that plans are made for runs on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.twin.is_none() && self.server.is_local()
    }

    pub(super) fn what_if<'a>(
        &'a mut self,
        args: &ServerArgs,
        catalog: &'a Catalog,
    ) -> Result<Box<dyn WhatIf + 'a>, String> {
        if args.explain == ExplainMode::Off {
            return Err("nothing is planned with --explain off".to_owned());
        }
        let limits = gather::limits(args);
        match &self.twin {
            Some(twin) => Ok(Box::new(twin.what_if(&mut self.server, catalog, limits))),
            None => Ok(Box::new(self.server.what_if()?.with_limits(limits))),
        }
    }
}
