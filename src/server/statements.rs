//! What the server itself counted of each statement: `pg_stat_statements`.

use std::time::Duration;

use super::{
    OWN_LIMIT, Server,
    session::{Failure, Session},
};
use crate::{
    error::{Error, NotJudged},
    names::RelName,
    workload::CountedStatement,
};

/// What stands for the text of a statement that the role may not see.
const HIDDEN: &str = "<insufficient privilege>";

impl Server {
    /// The statements of the connected database since their last reset; those whose text the role may not see are
    /// counted. Fails where the extension is missing, in words that say how to get it.
    pub fn statements(&mut self) -> Result<(Vec<CountedStatement>, NotJudged), Error> {
        let read = self.session.read_only(OWN_LIMIT, Duration::from_secs(2), read);
        let rows = read.map_err(|failure| failure.into_error("reading pg_stat_statements"))?;
        let Some(rows) = rows else {
            return Err(Error::Server {
                doing: "reading pg_stat_statements".to_owned(),
                why: "the extension is not in this database".to_owned(),
                hint: Some(
                    "put it into shared_preload_libraries, restart, and CREATE EXTENSION pg_stat_statements"
                        .to_owned(),
                ),
            });
        };
        let mut not_judged = NotJudged::default();
        let hidden = rows.iter().filter(|counted| counted.text == HIDDEN).count() as u64;
        not_judged.add_many(
            "pg_stat_statements",
            "statements of other roles, whose text this one may not see (grant it pg_read_all_stats)",
            hidden,
        );
        Ok((rows.into_iter().filter(|counted| counted.text != HIDDEN).collect(), not_judged))
    }
}

/// `None`: the extension is not there.
fn read(session: &mut Session) -> Result<Option<Vec<CountedStatement>>, Failure> {
    let schema = "SELECT n.nspname::text FROM pg_catalog.pg_extension e \
                  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'";
    let schemas = session.rows(schema, &[], OWN_LIMIT)?;
    let Some(schema) = schemas.first() else { return Ok(None) };
    let view = RelName { schema: Some(schema.get(0)), name: "pg_stat_statements".to_owned() };
    let sql = include_str!("queries/statements.sql").replace("{statements}", &view.to_string());
    let us = |ms: Option<f64>| ms.map_or(0, micros);
    let rows = session.rows(&sql, &[], OWN_LIMIT)?;
    let counted = rows.iter().map(|row| CountedStatement {
        // The file of the texts may have been lost.
        text: row.get::<_, Option<String>>(0).unwrap_or_else(|| HIDDEN.to_owned()),
        calls: row.get::<_, i64>(1).unsigned_abs(),
        total_us: us(row.get(2)),
        min_us: us(row.get(3)),
        max_us: us(row.get(4)),
        rows: row.get::<_, i64>(5).unsigned_abs(),
        user: row.get(6),
        database: row.get(7),
    });
    Ok(Some(counted.collect()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time since a reset")]
fn micros(ms: f64) -> u64 {
    (ms * 1000.0).round().max(0.0) as u64
}
