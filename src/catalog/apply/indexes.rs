//! The indexes that DDL statements make, named as PostgreSQL names them.

use crate::{
    catalog::{Catalog, Index, IndexKey, IndexSpec, KeyExpr, Table},
    names::RelName,
    sql::ddl::{self, CreateIndex, Ddl, Keys},
};

impl Table {
    /// CREATE INDEX; one of that name is not made again.
    pub(super) fn create_index(&mut self, create: CreateIndex) {
        if self.indexes.iter().any(|index| Some(&index.name) == create.name.as_ref()) {
            return;
        }
        let (name, unique) = (create.name.clone(), create.unique);
        let spec = spec(self.name.clone(), create);
        self.push_index(name, spec, unique, false);
    }

    /// The index of a primary key or unique constraint; one of that name on the same columns is not made again.
    pub(super) fn constraint_index(&mut self, name: Option<String>, keys: Keys, primary: bool) {
        match keys {
            Keys::Index(used) => {
                let Some(index) = self.indexes.iter_mut().find(|index| index.name == used) else { return };
                (index.constraint, index.primary, index.unique) = (true, primary, true);
                if let Some(name) = name {
                    index.name = name;
                }
            }
            Keys::Columns { columns, include } => {
                let names: Vec<&str> = columns.iter().map(String::as_str).collect();
                let spec = IndexSpec { include, ..IndexSpec::btree(self.name.clone(), &names) };
                let suffix = if primary { "pkey".to_owned() } else { format!("{}_key", names.join("_")) };
                let called = name.unwrap_or_else(|| format!("{}_{suffix}", self.name.name));
                if self.indexes.iter().any(|index| index.name == called && index.spec.keys == spec.keys) {
                    return;
                }
                self.push_index(Some(called), spec, true, true);
                if let Some(index) = self.indexes.last_mut() {
                    index.primary = primary;
                }
            }
        }
    }

    /// The index of an exclusion constraint.
    pub(super) fn exclusion_index(&mut self, name: Option<String>, index: CreateIndex) {
        let keys: Vec<&str> =
            index.keys.iter().filter(|key| key.column).map(|key| key.text.as_str()).collect();
        let name = name.unwrap_or_else(|| format!("{}_{}_excl", self.name.name, keys.join("_")));
        let spec = spec(self.name.clone(), index);
        self.push_index(Some(name), spec, false, true);
    }

    /// Adds an index; one without a name gets it as `ChooseIndexName()` of PostgreSQL would.
    fn push_index(&mut self, name: Option<String>, spec: IndexSpec, unique: bool, constraint: bool) {
        let name = name.unwrap_or_else(|| {
            let keys: Vec<&str> = spec
                .keys
                .iter()
                .map(|key| match &key.expr {
                    KeyExpr::Column(name) => name.as_str(),
                    KeyExpr::Expression(expr) => {
                        expr.split('(').next().filter(|f| !f.is_empty()).unwrap_or("expr")
                    }
                })
                .collect();
            format!("{}_{}_idx", self.name.name, keys.join("_"))
        });
        let definition = spec.create();
        self.indexes.push(Index {
            name,
            spec,
            unique,
            primary: false,
            constraint,
            valid: true,
            bytes: None,
            scans: None,
            definition,
            at: None,
        });
    }
}

impl IndexSpec {
    /// What a CREATE INDEX statement makes, on the table that it means in `catalog`. Errors say why it makes none.
    pub fn read(sql: &str, catalog: &Catalog) -> Result<IndexSpec, String> {
        let create = match ddl::read(sql) {
            Ok(Ddl::CreateIndex(create)) => create,
            Ok(_) => return Err("it is no CREATE INDEX".to_owned()),
            Err(not_read) => return Err(not_read.to_string()),
        };
        let table = catalog
            .table(&create.table)
            .ok_or_else(|| format!("there is no table {}", create.table.plain()))?;
        let spec = spec(table.name.clone(), create);
        let columns = spec.keys.iter().filter_map(|key| match &key.expr {
            KeyExpr::Column(name) => Some(name),
            KeyExpr::Expression(_) => None,
        });
        match columns.chain(&spec.include).find(|name| table.column(name).is_none()) {
            Some(name) => Err(format!("{} has no column {name}", table.name.plain())),
            None => Ok(spec),
        }
    }

    /// Whether a column is among its keys or payload.
    pub(super) fn uses(&self, column: &str) -> bool {
        self.keys.iter().any(|key| matches!(&key.expr, KeyExpr::Column(name) if name == column))
            || self.include.iter().any(|name| name == column)
    }

    pub(super) fn rename_column(&mut self, from: &str, to: &str) {
        let keys = self.keys.iter_mut().filter_map(|key| match &mut key.expr {
            KeyExpr::Column(name) => Some(name),
            KeyExpr::Expression(_) => None,
        });
        for name in keys.chain(&mut self.include).filter(|name| *name == from) {
            to.clone_into(name);
        }
    }
}

fn spec(table: RelName, index: CreateIndex) -> IndexSpec {
    IndexSpec {
        table,
        method: index.method,
        keys: index.keys.into_iter().map(key).collect(),
        include: index.include,
        predicate: index.predicate,
    }
}

fn key(key: ddl::Key) -> IndexKey {
    IndexKey {
        expr: if key.column { KeyExpr::Column(key.text) } else { KeyExpr::Expression(key.text) },
        desc: key.desc,
        nulls_first: key.nulls_first,
        opclass: key.opclass,
    }
}
