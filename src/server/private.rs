//! A server of our own: there a transaction may write, as long as it is rolled back.
//!
//! Nothing here is for a user's server.

use tokio_postgres::types::{ToSql, Type};

use super::{
    Limits, OWN_LIMIT, Server,
    explain::{Values, explain, explain_generic},
    session::{Failure, Parameter, Session},
};
use crate::plan::{Plan, Probe};

/// A transaction that ends with a rollback.
pub struct Private<'a> {
    session: &'a mut Session,
    version: u32,
    limits: Limits,
}

impl Server {
    /// Runs `work` in a transaction that may write and is rolled back whatever happens. Names mean what they mean to
    /// the role.
    ///
    /// # Errors
    /// Those of `work`, or why the server could not be asked.
    pub fn privately<T>(
        &mut self,
        limits: &Limits,
        work: impl FnOnce(&mut Private<'_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let why = |failure: Failure| failure.why;
        let begin =
            format!("BEGIN; SET LOCAL statement_timeout = {}", limits.statement_timeout.as_millis().max(1));
        self.session.run(&begin, OWN_LIMIT).map_err(why)?;
        let mut private = Private { session: &mut self.session, version: self.version, limits: *limits };
        let outcome = work(&mut private);
        let ended = self.session.run("ROLLBACK", OWN_LIMIT);
        let value = outcome?;
        ended.map_err(why)?;
        Ok(value)
    }
}

impl Private<'_> {
    /// Rows of text: cast other types in the statement.
    pub fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Vec<Option<String>>>, String> {
        let values: Vec<Parameter<'_>> =
            values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = self.session.rows(sql, &values, OWN_LIMIT).map_err(|failure| failure.why)?;
        rows.iter()
            .map(|row| {
                (0..row.len())
                    .map(|at| row.try_get::<_, Option<String>>(at).map_err(|err| err.to_string()))
                    .collect()
            })
            .collect()
    }

    /// Plans a statement with its values, or for any where they are not known.
    pub fn explain(&mut self, probe: &Probe) -> Result<Plan, String> {
        let limit = self.limits.statement_timeout;
        let plan = match Values::of(probe) {
            Values::Known(values) => {
                explain(self.session, &format!("EXPLAIN (FORMAT JSON) {}", probe.sql), &values, limit)
            }
            Values::Unknown(count) => explain_generic(self.session, self.version, &probe.sql, count, limit),
        };
        plan.map_err(|failure| failure.why)
    }
}
