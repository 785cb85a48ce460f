//! Names for advised indexes: readable, the same in every run, never longer than PostgreSQL keeps.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, IndexKey, IndexSpec, KeyExpr};

/// `NAMEDATALEN - 1`: what is longer, the server cuts
/// (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>).
const LONGEST: usize = 63;

/// Names that are taken in a schema, and those that were given in this run.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<(String, String)>,
}

impl Names {
    /// Tables and indexes share one space of names in each schema.
    pub(super) fn of(catalog: &Catalog) -> Names {
        let mut taken = BTreeSet::new();
        for table in &catalog.tables {
            let schema = table.name.schema.clone().unwrap_or_default();
            taken.insert((schema.clone(), table.name.name.clone()));
            for index in &table.indexes {
                taken.insert((schema.clone(), index.name.clone()));
            }
        }
        Names { taken }
    }

    /// `orders_user_id_created_at_idx`, as the server itself would name it; with words of the condition and
    /// of what it carries, so that two indexes on the same keys can be told apart.
    pub(super) fn give(&mut self, spec: &IndexSpec) -> String {
        let mut words = vec![spec.table.name.clone()];
        words.extend(spec.keys.iter().map(key));
        if !spec.include.is_empty() {
            words.push("incl".to_owned());
            words.extend(spec.include.iter().cloned());
        }
        if let Some(condition) = &spec.predicate {
            words.push("where".to_owned());
            words.push(plain(condition));
        }
        let whole = words.join("_");
        let schema = spec.table.schema.clone().unwrap_or_default();
        let mut number = 0;
        loop {
            let suffix = if number == 0 { "_idx".to_owned() } else { format!("_idx{number}") };
            let name = fitted(&whole, &suffix);
            if self.taken.insert((schema.clone(), name.clone())) {
                return name;
            }
            number += 1;
        }
    }
}

fn key(key: &IndexKey) -> String {
    match &key.expr {
        KeyExpr::Column(name) => name.clone(),
        KeyExpr::Expression(text) => plain(text),
    }
}

/// The words of an expression: `lower((email)::text)` → `lower_email_text`.
fn plain(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("_")
}

/// Cut where it is too long, with a hash of the whole in place of its end.
fn fitted(whole: &str, suffix: &str) -> String {
    if whole.len() + suffix.len() <= LONGEST {
        return format!("{whole}{suffix}");
    }
    // FNV-1a: the same on every machine and in every version.
    let hash =
        whole.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let mut end = LONGEST - suffix.len() - "_00000000".len();
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{hash:08x}{suffix}", &whole[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::RelName;

    fn spec(columns: &[&str]) -> IndexSpec {
        IndexSpec::btree(RelName::new(Some("public"), "orders"), columns)
    }

    #[test]
    fn names_are_readable_unique_and_short() {
        let mut names = Names::default();
        assert_eq!(names.give(&spec(&["user_id", "created_at"])), "orders_user_id_created_at_idx");
        assert_eq!(names.give(&spec(&["user_id", "created_at"])), "orders_user_id_created_at_idx1");
        let mut partial = spec(&["run_at"]);
        partial.predicate = Some("status = 'pending'".to_owned());
        partial.include = vec!["id".to_owned()];
        assert_eq!(names.give(&partial), "orders_run_at_incl_id_where_status_pending_idx");
        let long = spec(&["a_rather_long_column_name_é", "another_long_column_name", "third"]);
        let name = names.give(&long);
        assert!(name.len() <= LONGEST && name.starts_with("orders_a_rather_long_"), "{name}");
        assert_eq!(name, Names::default().give(&long), "the same in every run");
    }
}
