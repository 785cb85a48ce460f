//! "What if these indexes were there?", asked of the user's own server through HypoPG.
//!
//! HypoPG's indexes exist in the memory of one session only; nothing is created. They are removed after each
//! question, before its transaction ends. The extension is used where it is installed and is never
//! installed by us. A statement is planned only if [`safety`](super::safety) lets it be.

use tokio_postgres::types::Type;

use super::{
    Limits, OWN_LIMIT, Server,
    explain::{Values, explain, explain_generic},
    safety::Verdict,
    session::{Failure, Session},
};
use crate::{
    catalog::{IndexSpec, KeyExpr},
    names::quote_ident,
    plan::{Estimate, Plan, Probe, WhatIf},
    sql,
};

/// The oracle; it borrows the server for as long as it is asked.
pub struct HypoPg<'a> {
    server: &'a mut Server,
    /// Where the extension's functions are, quoted.
    schema: String,
    limits: Limits,
}

impl Server {
    /// The server's own what-if oracle, or how to get one.
    pub fn what_if(&mut self) -> Result<HypoPg<'_>, String> {
        let sql = "SELECT n.nspname::text
                     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
                    WHERE e.extname = 'hypopg'";
        let found = self.session.read_only(OWN_LIMIT, OWN_LIMIT, |session| session.rows(sql, &[], OWN_LIMIT));
        let rows = found.map_err(|failure| failure.why)?;
        let Some(row) = rows.first() else {
            return Err("HypoPG is not installed in this database: \
                        install its package (Debian: postgresql-NN-hypopg) and run CREATE EXTENSION hypopg"
                .to_owned());
        };
        let schema = quote_ident(row.get(0));
        Ok(HypoPg { server: self, schema, limits: Limits::default() })
    }
}

impl HypoPg<'_> {
    /// The same oracle with other limits than the default ones.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Runs `work` in a transaction with hypothetical indexes, whose numbers it gets in order.
    fn with<T>(
        &mut self,
        indexes: &[IndexSpec],
        work: impl FnOnce(&mut Session, &[u32]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let limits = self.limits;
        let create = format!("SELECT indexrelid FROM {}.hypopg_create_index($1)", self.schema);
        let reset = format!("SELECT {}.hypopg_reset()", self.schema);
        self.server.session.read_only(limits.statement_timeout, limits.lock_timeout, |session| {
            session.use_role_path(limits.statement_timeout)?;
            session.then(&reset, |session| {
                let mut numbers = Vec::new();
                for index in indexes {
                    let sql = index.create();
                    let rows = session.rows(&create, &[(&sql, Type::TEXT)], limits.statement_timeout)?;
                    numbers.extend(rows.first().map(|row| row.get::<_, u32>(0)));
                }
                work(session, &numbers)
            })
        })
    }

    /// Whether a statement may be planned, and the text of the indexes as well: the planner evaluates what
    /// is constant in their expressions.
    fn admit(&mut self, probe: Option<&Probe>, indexes: &[IndexSpec]) -> Result<(), String> {
        let probed = probe.map(|probe| (probe.sql.clone(), sql::parse::parse(&probe.sql).ok()));
        let own = indexes.iter().filter_map(|index| Some((as_select(index)?, None)));
        for (text, shape) in probed.into_iter().chain(own) {
            let verdict = self.server.verdict(&text, shape.as_ref(), &self.limits);
            if let Verdict::Refuse(why) = verdict.map_err(|failure| failure.why)? {
                return Err(format!("not planned: {why}"));
            }
        }
        Ok(())
    }
}

/// The expressions of an index as a statement that reads them; none for plain columns.
pub(super) fn as_select(index: &IndexSpec) -> Option<String> {
    let mut texts: Vec<&str> = index.predicate.iter().map(String::as_str).collect();
    texts.extend(index.keys.iter().filter_map(|key| match &key.expr {
        KeyExpr::Expression(text) => Some(text.as_str()),
        KeyExpr::Column(_) => None,
    }));
    (!texts.is_empty()).then(|| format!("SELECT {} FROM {}", texts.join(", "), index.table))
}

impl WhatIf for HypoPg<'_> {
    fn estimate(&mut self, probe: &Probe, indexes: &[IndexSpec]) -> Result<Estimate, String> {
        for index in indexes {
            self.supports(index)?;
        }
        self.admit(Some(probe), indexes)?;
        let (version, limit) = (self.server.version, self.limits.statement_timeout);
        let planned = self.with(indexes, |session, numbers| {
            let plan = match Values::of(probe) {
                Values::Known(values) => {
                    explain(session, &format!("EXPLAIN (FORMAT JSON) {}", probe.sql), &values, limit)?
                }
                Values::Unknown(count) => explain_generic(session, version, &probe.sql, count, limit)?,
            };
            Ok((plan, numbers.to_vec()))
        });
        let (plan, numbers) = planned.map_err(|failure| failure.why)?;
        let used = numbers.iter().map(|number| uses(&plan, *number)).collect();
        Ok(Estimate { cost: plan.root.total_cost, used, plan })
    }

    fn size(&mut self, index: &IndexSpec) -> Result<u64, String> {
        self.supports(index)?;
        self.admit(None, std::slice::from_ref(index))?;
        let size = format!("SELECT {}.hypopg_relation_size($1)::int8", self.schema);
        let bytes = self.with(std::slice::from_ref(index), |session, numbers| {
            let number = numbers.first().copied().unwrap_or(0);
            let rows = session.rows(&size, &[(&number, Type::OID)], OWN_LIMIT)?;
            Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0)).unsigned_abs())
        });
        bytes.map_err(|failure| failure.why)
    }

    fn supports(&self, index: &IndexSpec) -> Result<(), String> {
        match index.method.as_str() {
            "btree" => Ok(()),
            // HypoPG takes expressions for B-trees only.
            "brin" | "hash" if index.keys.iter().all(|key| matches!(key.expr, KeyExpr::Column(_))) => Ok(()),
            method => Err(format!("HypoPG cannot cost {method} indexes of this kind")),
        }
    }
}

/// HypoPG calls its indexes `<number>method_table_columns`.
fn uses(plan: &Plan, number: u32) -> bool {
    let name = format!("<{number}>");
    plan.nodes().iter().any(|node| node.index.as_ref().is_some_and(|index| index.starts_with(&name)))
}
