//! `--index` and `--hide`: the plan with indexes that do not exist, and without some that do.

use super::super::{args::ExplainArgs, planner::Planner, tell};
use crate::{
    catalog::{Catalog, IndexSpec},
    error::Error,
    names::RelName,
    plan::Probe,
    report::{
        plan_diff::{self, PlanDiff},
        what_if::{Answer, MadeUp},
    },
};

/// What a person asked for.
#[derive(Debug)]
pub(super) struct Question {
    indexes: Vec<IndexSpec>,
    hidden: Vec<RelName>,
}

impl Question {
    /// `None` where nothing was asked. Errors: an index that is none, or one to be hidden that is not there.
    pub(super) fn of(args: &ExplainArgs, catalog: Option<&Catalog>) -> Result<Option<Question>, Error> {
        if args.indexes.is_empty() && args.hidden.is_empty() {
            return Ok(None);
        }
        let Some(catalog) = catalog else {
            let hint = "name one with --snapshot, or with --database-url and HypoPG on it".to_owned();
            let what = "no server plans with --index".to_owned();
            return Err(Error::Usage { what, hint: Some(hint) });
        };
        let indexes = args.indexes.iter().map(|text| index(text, catalog)).collect::<Result<_, _>>()?;
        let hidden = args.hidden.iter().map(|name| existing(name, catalog)).collect::<Result<_, _>>()?;
        Ok(Some(Question { indexes, hidden }))
    }

    /// Errors: what cannot be planned so, in the server's words.
    pub(super) fn ask(
        &self,
        planner: &mut Planner,
        args: &ExplainArgs,
        catalog: &Catalog,
        probe: &Probe,
    ) -> Result<(Answer, PlanDiff), Error> {
        let failed = |why: String| Error::Usage { what: format!("what if: {why}"), hint: None };
        let mut oracle = planner.what_if(&args.server, catalog).map_err(failed)?;
        for index in &self.indexes {
            oracle.supports(index).map_err(|why| Error::Usage {
                what: format!("{}: {why}", index.create()),
                hint: Some("--snapshot costs B-tree, GIN, GiST, BRIN and hash".to_owned()),
            })?;
        }
        let before = oracle.estimate(probe, &[]).map_err(failed)?.plan;
        if !self.hidden.is_empty() {
            oracle.hide(&self.hidden).map_err(failed)?;
        }
        let after = oracle.estimate(probe, &self.indexes).map_err(failed)?;
        let mut answer = Answer::default();
        for (index, used) in self.indexes.iter().zip(after.used) {
            let size_bytes = oracle.size(index).map_err(failed)?;
            answer.indexes.push(MadeUp { sql: index.create(), size_bytes, used });
        }
        answer.hidden = self.hidden.iter().map(RelName::plain).collect();
        Ok((answer, plan_diff::diff(&before, &after.plan)))
    }
}

/// What a CREATE INDEX may say that the made-up one goes without.
const LEFT_OUT: [&str; 4] = ["UNIQUE", "COLLATE", "WITH", "TABLESPACE"];

/// `CREATE INDEX ON orders (total)`, or `orders (total)`.
fn index(text: &str, catalog: &Catalog) -> Result<IndexSpec, Error> {
    let words = || text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    for left_out in LEFT_OUT.iter().filter(|out| words().any(|word| word.eq_ignore_ascii_case(out))) {
        tell(&format!("note: --index {text:?} is planned without its {left_out}"));
    }
    let create = text.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("create"));
    let sql = if create { text.to_owned() } else { format!("CREATE INDEX ON {text}") };
    IndexSpec::read(sql.trim_end().trim_end_matches(';'), catalog).map_err(|why| Error::Usage {
        what: format!("--index {text:?} is not understood: {why}"),
        hint: Some(
            "it takes a whole CREATE INDEX, or only `orders (customer_id, created_at DESC)`".to_owned(),
        ),
    })
}

/// `orders_total_idx` or `shop.orders_total_idx`.
fn existing(name: &str, catalog: &Catalog) -> Result<RelName, Error> {
    let indexes = catalog.tables.iter().flat_map(|table| {
        table
            .indexes
            .iter()
            .map(|index| RelName { schema: table.name.schema.clone(), name: index.name.clone() })
    });
    let mut named = indexes.filter(|index| {
        let schema = index.schema.as_deref().unwrap_or_default();
        index.name == name || name.split_once('.') == Some((schema, index.name.as_str()))
    });
    match (named.next(), named.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(_)) => Err(Error::Usage {
            what: format!("--hide {name}: more than one schema has such an index"),
            hint: Some("name it with its schema".to_owned()),
        }),
        (None, _) => Err(Error::Usage { what: format!("--hide {name}: there is no such index"), hint: None }),
    }
}
