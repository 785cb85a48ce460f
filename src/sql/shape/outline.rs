//! A [`Shape`] as lines of text, for tests and for people who debug.

use std::fmt::Write;

use super::{
    Block, BlockId, Bound, Clause, ColumnRef, Condition, JoinKind, Operand, Predicate, Projected, Role,
    Shape, SortExpr, TableSource,
};

impl Shape {
    /// One line per fact, indented by block; a column of an outer block begins with `^`, one whose
    /// table is not known with `?.`.
    pub fn outline(&self) -> String {
        let mut out = String::new();
        if let Some(target) = &self.target {
            let _ = write!(out, "writes {} ({})", target.table.plain(), target.columns.join(", "));
            let _ = target.rows.map(|rows| write!(out, " rows {rows}"));
            out.push_str(if target.on_conflict { " on conflict" } else { "" });
            out.push_str(if target.returning { " returning\n" } else { "\n" });
        }
        for (said, word) in
            [(self.writes_in_cte, "writes in a CTE\n"), (self.creates_table, "creates a table\n")]
        {
            out.push_str(if said { word } else { "" });
        }
        if !self.functions.is_empty() {
            let names: Vec<String> = self.functions.iter().map(crate::names::RelName::plain).collect();
            let _ = writeln!(out, "calls {}", names.join(", "));
        }
        for id in 0..self.blocks.len() {
            self.block(id, &mut out);
        }
        out
    }

    fn block(&self, id: BlockId, out: &mut String) {
        let block = &self.blocks[id];
        let role = match &block.role {
            Role::Root => "root".to_owned(),
            Role::Cte { name } => format!("cte {name}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let parent = block.parent.map(|parent| format!(" in {parent}")).unwrap_or_default();
        let _ = writeln!(out, "{id} {role}{parent}");
        for line in self.lines(id, block) {
            let _ = writeln!(out, "  {line}");
        }
    }

    fn lines(&self, id: BlockId, block: &Block) -> Vec<String> {
        let mut lines = Vec::new();
        for table in &block.tables {
            let source = match &table.source {
                TableSource::Table(name) => name.plain(),
                TableSource::Cte { name, block } => format!("cte {name} {block}"),
                TableSource::Derived(block) => format!("derived {block}"),
                TableSource::Function(name) => format!("{}()", name.plain()),
                TableSource::Values => "values".to_owned(),
            };
            let join = match table.join {
                JoinKind::From => "from".to_owned(),
                other => format!("{other:?}").to_lowercase(),
            };
            let alias = table.alias.as_deref().filter(|alias| *alias != source);
            lines
                .push(format!("{join} {source}{}", alias.map(|name| format!(" {name}")).unwrap_or_default()));
        }
        lines.extend(block.conditions.iter().map(|condition| self.condition(condition, id)));
        if !block.projection.is_empty() {
            let items: Vec<String> = block.projection.iter().map(|item| self.item(item, id)).collect();
            lines.push(format!("select {}", items.join(", ")));
        }
        if block.distinct {
            let on: Vec<String> = block.distinct_on.iter().map(|column| self.column(column, id)).collect();
            lines.push(format!("distinct {}", on.join(", ")).trim_end().to_owned());
        }
        for (said, word) in
            [(block.aggregates, "aggregates"), (block.having, "having"), (block.windows, "windows")]
        {
            lines.extend(said.then(|| word.to_owned()));
        }
        if !block.group_by.is_empty() {
            let keys: Vec<String> = block.group_by.iter().map(|key| self.sort(key, id)).collect();
            lines.push(format!("group by {}", keys.join(", ")));
        }
        if !block.order_by.is_empty() {
            let keys: Vec<String> = block
                .order_by
                .iter()
                .map(|key| {
                    let desc = if key.desc { " desc" } else { "" };
                    let nulls = match (key.desc, key.nulls_first) {
                        (true, false) => " nulls last",
                        (false, true) => " nulls first",
                        _ => "",
                    };
                    format!("{}{desc}{nulls}", self.sort(&key.expr, id))
                })
                .collect();
            lines.push(format!("order by {}", keys.join(", ")));
        }
        for (word, bound) in [("limit", &block.limit), ("offset", &block.offset)] {
            lines.extend(bound.as_ref().map(|bound| match bound {
                Bound::Number(number) => format!("{word} {number}"),
                Bound::Parameter(text) => format!("{word} {text}"),
                Bound::Expression(text) => format!("{word} ({text})"),
            }));
        }
        lines.extend(block.locking.as_ref().map(|words| format!("locks {words}")));
        lines
    }

    fn column(&self, column: &ColumnRef, from: BlockId) -> String {
        let outer = if column.block == from { "" } else { "^" };
        let table = column.table.and_then(|table| self.blocks[column.block].tables.get(table));
        match table {
            Some(table) => format!("{outer}{}.{}", table.alias.as_deref().unwrap_or("-"), column.name),
            None => format!("{outer}?.{}", column.name),
        }
    }

    fn condition(&self, condition: &Condition, id: BlockId) -> String {
        let list = |conditions: &[Condition]| {
            let parts: Vec<String> = conditions.iter().map(|part| self.condition(part, id)).collect();
            parts.join("; ")
        };
        match condition {
            Condition::Test(predicate) => self.predicate(predicate, id),
            Condition::Any(conditions) => format!("any [{}]", list(conditions)),
            Condition::All(conditions) => format!("all [{}]", list(conditions)),
            Condition::Opaque { text, .. } => format!("opaque {text}"),
        }
    }

    fn predicate(&self, predicate: &Predicate, id: BlockId) -> String {
        let clause = match predicate.clause {
            Clause::Where => "where".to_owned(),
            Clause::On(table) => format!("on {table}"),
        };
        let column = self.column(&predicate.column, id);
        let subject = match &predicate.wrapped {
            Some(wrapped) => format!("{column} as `{wrapped}`"),
            None => column,
        };
        let operand = match &predicate.operand {
            Operand::Constant(text) => format!(" {text}"),
            Operand::Parameter(text) => format!(" parameter {text}"),
            Operand::List { len } => format!(" list of {len}"),
            Operand::Column(column) => format!(" column {}", self.column(column, id)),
            Operand::Subquery(block) => format!(" subquery {block}"),
            Operand::Expression(text) => format!(" expression {text}"),
            Operand::None => String::new(),
        };
        format!("{clause} {subject} {:?}{operand} {:?}", predicate.op, predicate.sargable)
    }

    fn item(&self, item: &Projected, id: BlockId) -> String {
        let named = |text: String, alias: &Option<String>| match alias {
            Some(alias) => format!("{text} as {alias}"),
            None => text,
        };
        match item {
            Projected::Star { table: None, .. } => "*".to_owned(),
            Projected::Star { table: Some(table), .. } => {
                format!("{}.*", self.blocks[id].tables[*table].alias.as_deref().unwrap_or("-"))
            }
            Projected::Column { column, alias } => named(self.column(column, id), alias),
            Projected::Expression { text, alias, .. } => named(format!("({text})"), alias),
        }
    }

    fn sort(&self, key: &SortExpr, id: BlockId) -> String {
        match key {
            SortExpr::Column(column) => self.column(column, id),
            SortExpr::Expression(text) => format!("({text})"),
        }
    }
}
