//! The vocabulary of `match:`: named conditions over a statement's shape, the catalog and the plan.
//!
//! Closed and typed: these structs are the whole of it, and `docs/rule-format.md` describes every key. All
//! keys of one map must hold of the same thing: the keys of `predicate:` of one predicate, those of a
//! whole `match:` of one block of the statement (a SELECT at any depth, or the scan of an UPDATE or
//! DELETE). What the conditions mean is the business of `detect::matching`.

mod check;
mod template;
mod values;
mod words;

pub use check::check;
pub use template::{Part, Placeholder, Template};
pub use values::{Bounds, Limits, OneOf, Threshold};
pub use words::*;

use schemars::JsonSchema;
use serde::Deserialize;

/// Conditions that must all hold of one block of a statement.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Match {
    /// Each of these holds.
    pub all: Option<Vec<Match>>,
    /// At least one of these holds.
    pub any: Option<Vec<Match>>,
    /// This is known not to hold.
    pub not: Option<Box<Match>>,
    /// This is not known to hold: an exception that counts only where the facts are there.
    pub unless: Option<Box<Match>>,
    /// What the statement does, a leading WITH aside.
    pub statement: Option<OneOf<StatementWord>>,
    /// Where the block stands in its statement.
    pub block: Option<OneOf<BlockWord>>,
    /// Clauses that are there, all of them.
    pub has: Option<OneOf<ClauseWord>>,
    /// Clauses that are not there, none of them.
    pub lacks: Option<OneOf<ClauseWord>>,
    /// There is such a condition in WHERE or ON.
    pub predicate: Option<PredicateMatch>,
    /// Such a function is called.
    pub function: Option<FunctionMatch>,
    /// How many items FROM lists, joined ones included.
    pub tables: Option<Bounds>,
    /// FROM lists such a table.
    pub table: Option<TableMatch>,
    /// There is such a join.
    pub join: Option<JoinMatch>,
    /// The block is sorted, and so.
    pub order: Option<OrderMatch>,
    /// The block is grouped, and so.
    pub group: Option<GroupMatch>,
    /// There is a LIMIT, and such a one.
    pub limit: Option<BoundMatch>,
    /// There is an OFFSET, and such a one.
    pub offset: Option<BoundMatch>,
    /// The block is a UNION, INTERSECT or EXCEPT.
    pub set_operation: Option<SetMatch>,
    /// What SELECT lists.
    pub projection: Option<ProjectionMatch>,
    /// What the statement writes to.
    pub writes: Option<WriteMatch>,
    /// A block inside of this one, at any depth, matches.
    pub contains: Option<Box<Match>>,
    /// A block around this one, at any distance, matches.
    pub inside: Option<Box<Match>>,
    /// The plan has such a node, at any depth.
    pub node: Option<NodeMatch>,
}

/// One condition `column operator operand` of WHERE or ON, at any place in AND, OR and NOT.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PredicateMatch {
    pub operator: Option<OneOf<OperatorWord>>,
    pub operand: Option<OneOf<OperandWord>>,
    /// Members of IN (…).
    pub length: Option<Bounds>,
    pub sargable: Option<OneOf<SargableWord>>,
    pub clause: Option<OneOf<PlaceWord>>,
    /// Whether the column stands inside of an expression.
    pub wrapped: Option<bool>,
    /// A function that the expression around the column calls.
    pub function: Option<OneOf<String>>,
    /// Whether the expression around the column casts.
    pub cast: Option<bool>,
    /// Whether it is an alternative of an OR.
    pub in_or: Option<bool>,
    /// The column that is tested.
    pub column: Option<ColumnMatch>,
    /// The column that it is compared with.
    pub other_column: Option<ColumnMatch>,
    /// The table of the column that is tested.
    pub table: Option<TableMatch>,
    /// How many such predicates the block has.
    pub count: Option<Bounds>,
}

/// A column, by the catalog but for its name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ColumnMatch {
    pub name: Option<OneOf<String>>,
    /// Without length or precision: `text`, `integer`, `timestamptz`.
    #[serde(rename = "type")]
    pub data_type: Option<OneOf<String>>,
    pub nullable: Option<bool>,
    /// Whether it alone identifies a row.
    pub unique: Option<bool>,
    /// There is such an index on it.
    pub indexed_by: Option<IndexMatch>,
    /// There is no such index on it.
    pub not_indexed_by: Option<IndexMatch>,
}

/// An index that holds the column (or, with `expression: true`, the expression around it) as a key.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IndexMatch {
    /// Access method: `btree`, `gin` …
    pub method: Option<OneOf<String>>,
    /// Operator class, where it is not the type's default: `text_pattern_ops`.
    pub opclass: Option<OneOf<String>>,
    /// Whether it is the first key.
    pub leading: Option<bool>,
    pub partial: Option<bool>,
    /// Whether the key is the expression around the column rather than the column.
    pub expression: Option<bool>,
}

/// A table in FROM, that is written to, or that a plan's node reads.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TableMatch {
    pub name: Option<OneOf<String>>,
    /// What stands in FROM.
    pub source: Option<OneOf<SourceWord>>,
    pub kind: Option<OneOf<TableKindWord>>,
    /// By the statistics.
    pub rows: Option<Bounds>,
    /// Of the heap, by the statistics.
    pub bytes: Option<Bounds>,
    /// Number of its columns.
    pub columns: Option<Bounds>,
    pub primary_key: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FunctionMatch {
    /// Lower case, without its schema.
    pub name: Option<OneOf<String>>,
    /// Where it is called; anywhere in the statement if it is not said.
    #[serde(rename = "in")]
    pub place: Option<OneOf<CallWord>>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JoinMatch {
    pub kind: Option<OneOf<JoinWord>>,
    pub natural: Option<bool>,
    /// Whether anything in WHERE or ON ties the joined table to another one, or bounds it to one row.
    /// What may tie it, we take to do so.
    pub linked: Option<bool>,
    /// Whether a column of it is equal to one of another table.
    pub equality: Option<bool>,
    /// The table that is joined.
    pub table: Option<TableMatch>,
    /// How many such joins the block has.
    pub count: Option<Bounds>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OrderMatch {
    /// What a key is.
    pub by: Option<OneOf<KeyWord>>,
    /// A function that a key calls.
    pub function: Option<OneOf<String>>,
    /// Whether some keys ascend and others descend.
    pub mixed_directions: Option<bool>,
    /// Whether a key places its NULLs otherwise than its direction does.
    pub nulls_moved: Option<bool>,
    /// Number of keys.
    pub keys: Option<Bounds>,
    /// From how many tables the keys come.
    pub tables: Option<Bounds>,
    /// A key is such a column.
    pub column: Option<ColumnMatch>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GroupMatch {
    /// What a key is.
    pub by: Option<OneOf<KeyWord>>,
    /// A function that a key calls.
    pub function: Option<OneOf<String>>,
    /// Number of keys.
    pub keys: Option<Bounds>,
}

/// LIMIT or OFFSET.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BoundMatch {
    pub kind: Option<OneOf<BoundWord>>,
    pub number: Option<Bounds>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetMatch {
    pub kind: Option<OneOf<SetWord>>,
    /// Whether one of the operations keeps duplicates (ALL).
    pub all: Option<bool>,
    /// Number of the queries that are combined.
    pub arms: Option<Bounds>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProjectionMatch {
    pub star: Option<bool>,
    /// Number of items; a star is one.
    pub columns: Option<Bounds>,
    pub scalar_subquery: Option<bool>,
    pub aggregate: Option<bool>,
    pub window: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WriteMatch {
    pub kind: Option<OneOf<WriteWord>>,
    pub table: Option<TableMatch>,
    /// Number of columns that are set or inserted; 0 where INSERT names none.
    pub columns: Option<Bounds>,
    /// One of them is such a column.
    pub column: Option<ColumnMatch>,
    /// Rows of VALUES.
    pub rows: Option<Bounds>,
}

/// One node of the plan. What only EXPLAIN ANALYZE measures is not known without it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeMatch {
    /// As EXPLAIN names it: `Seq Scan`.
    #[serde(rename = "type")]
    pub node_type: Option<OneOf<NodeWord>>,
    /// The table that it reads.
    pub table: Option<TableMatch>,
    /// Whether it filters the rows that it read.
    pub filter: Option<bool>,
    /// Rows that it gave in all loops, measured.
    pub rows: Option<Bounds>,
    /// Rows that the planner expects of one loop.
    pub estimated_rows: Option<Bounds>,
    /// By which factor the estimate is wrong, either way; measured.
    pub misestimate: Option<Bounds>,
    /// Rows that its filters threw away in all loops, measured.
    pub removed: Option<Bounds>,
    /// Measured.
    pub loops: Option<Bounds>,
    /// Kilobytes that it wrote to disk for want of `work_mem`, measured.
    pub spill: Option<Bounds>,
    /// 8 kB blocks that it and its children touched, measured.
    pub buffers: Option<Bounds>,
    /// Milliseconds of itself alone, measured.
    pub milliseconds: Option<Bounds>,
    /// The planner's total cost, its children's included.
    pub cost: Option<Bounds>,
    /// A node below it, at any depth, matches.
    pub contains: Option<Box<NodeMatch>>,
    /// How many such nodes the plan has.
    pub count: Option<Bounds>,
}
