//! ORDER BY that an index would give but for where it puts NULLs.

use crate::{
    catalog::IndexKey,
    detect::{
        Facts, Report,
        access::{self, same},
        index_use, words,
    },
    finding::Confidence,
    rules::Rule,
};

pub(in crate::detect) fn nulls(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    for access in access::all(shape, catalog) {
        // Beyond a LIMIT the sort is of all rows anyway, and an index seldom pays.
        if !access.limited() || access.order.is_empty() {
            continue;
        }
        let wanted: Vec<IndexKey> = access
            .order
            .iter()
            .filter(|key| !access.pinned(&index_use::key_of(&key.expr)))
            .map(|key| IndexKey {
                expr: index_use::key_of(&key.expr),
                desc: key.desc,
                nulls_first: key.nulls_first,
                opclass: None,
            })
            .collect();
        // How the index would have to be read, or nothing if it is about other columns.
        let fits = |keys: &[IndexKey], nulls: bool| {
            let keys: Vec<&IndexKey> = keys.iter().skip_while(|key| access.pinned(&key.expr)).collect();
            let backwards =
                keys.first().zip(wanted.first()).is_some_and(|(key, wanted)| key.desc != wanted.desc);
            !wanted.is_empty()
                && keys.len() >= wanted.len()
                && keys.iter().zip(&wanted).all(|(key, wanted)| {
                    same(&key.expr, &wanted.expr)
                        && (key.desc != wanted.desc) == backwards
                        && (!nulls || (key.nulls_first != wanted.nulls_first) == backwards)
                })
        };
        let usable =
            || {
                access.table.indexes.iter().filter(|index| {
                    index.valid && index.spec.method == "btree" && index.spec.predicate.is_none()
                })
            };
        if usable().any(|index| fits(&index.spec.keys, true)) {
            continue;
        }
        let Some(index) = usable().find(|index| fits(&index.spec.keys, false)) else { continue };
        let never_null = wanted.iter().all(|key| match &key.expr {
            crate::catalog::KeyExpr::Column(name) => {
                access.table.column(name).is_some_and(|column| column.not_null)
            }
            crate::catalog::KeyExpr::Expression(_) => false,
        });
        let sorted: Vec<String> = wanted.iter().map(IndexKey::sql).collect();
        let because = format!(
            "ORDER BY {} LIMIT sorts all rows found: index {} has the columns in that order, but puts NULLs at the \
             other end",
            words::list(&sorted),
            index.name
        );
        let instead = if never_null {
            "Leave NULLS FIRST / NULLS LAST out: the column is never NULL, and the index then gives the order."
                .to_owned()
        } else {
            let mut spec = index.spec.clone();
            let pinned = spec.keys.iter().take_while(|key| access.pinned(&key.expr)).count();
            spec.keys.splice(pinned..pinned + wanted.len(), wanted);
            format!("{}; or sort as the index does, if NULLs may come at its end", spec.create_concurrently())
        };
        let finding = facts.finding(rule, Confidence::Shape, because, instead);
        report.findings.push(finding.with("never_null", never_null));
    }
}
