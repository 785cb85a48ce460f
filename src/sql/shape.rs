//! What a statement asks for, as a small tree of our own: detectors and advice match on it, not on
//! the parser's hundreds of types.
//!
//! A statement is an arena of [`Block`]s: one per SELECT (or VALUES, or the scan that an UPDATE or
//! DELETE does), so that "at any depth" is a plain loop. [`Block::parent`] and [`Block::role`] say
//! how they nest.

use std::ops::Range;

use super::StatementKind;
use crate::names::RelName;

mod outline;
mod resolve;

pub(crate) use resolve::outer_reach;
pub(super) use resolve::{outer, output_block, output_names};

/// Index into [`Shape::blocks`].
pub type BlockId = usize;

#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub kind: StatementKind,
    /// Every query block; the outermost first, a block before those inside it.
    pub blocks: Vec<Block>,
    /// What an INSERT, UPDATE, DELETE or MERGE writes to (the outermost one).
    pub target: Option<Target>,
    /// INSERT, UPDATE, DELETE or MERGE inside a WITH.
    pub writes_in_cte: bool,
    /// `SELECT … INTO t` or CREATE TABLE AS.
    pub creates_table: bool,
    /// Every function called anywhere, lower case unless quoted, with its schema where given.
    /// Operators, casts and the grammar's own forms (COALESCE, EXTRACT, …) are not listed.
    pub functions: Vec<RelName>,
    /// Every column that an expression names, anywhere; the name of a whole row looks like one.
    pub references: Vec<Reference>,
}

/// A column where it is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    pub column: ColumnRef,
    /// Block and position of the table in whose ON it stands, subqueries in there included.
    pub on: Option<(BlockId, usize)>,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "clauses that are there or not")]
pub struct Block {
    pub role: Role,
    pub parent: Option<BlockId>,
    /// FROM in order (for UPDATE and DELETE the target is the first).
    pub tables: Vec<TableRef>,
    /// There is a WHERE (of which `conditions` holds what could be read).
    pub filtered: bool,
    /// The top-level conjuncts of WHERE and of each ON / USING.
    pub conditions: Vec<Condition>,
    pub projection: Vec<Projected>,
    /// The subqueries inside of the projection, in order.
    pub projected_subqueries: Vec<BlockId>,
    /// The operators between the arms of UNION, INTERSECT and EXCEPT, in order.
    pub set_operations: Vec<SetOperation>,
    /// DISTINCT or DISTINCT ON.
    pub distinct: bool,
    /// The columns of DISTINCT ON, where they are plain columns.
    pub distinct_on: Vec<ColumnRef>,
    /// How many keys DISTINCT ON has, expressions included; 0 for a plain DISTINCT.
    pub distinct_on_keys: usize,
    /// Of a CTE: AS MATERIALIZED or AS NOT MATERIALIZED, where it says either.
    pub materialized: Option<bool>,
    /// The projection or HAVING calls an aggregate, outside of a window.
    pub aggregates: bool,
    /// The aggregates of the projection, HAVING and ORDER BY, each once.
    pub aggregate_calls: Vec<AggregateCall>,
    /// The functions with OVER that stand there, each once.
    pub window_calls: Vec<WindowCall>,
    pub group_by: Vec<SortExpr>,
    /// GROUP BY names an output column by its number.
    pub groups_by_position: bool,
    pub having: bool,
    pub windows: bool,
    pub order_by: Vec<OrderKey>,
    pub limit: Option<Bound>,
    pub offset: Option<Bound>,
    /// FOR UPDATE, FOR SHARE …; the words as written, such as `FOR UPDATE SKIP LOCKED`.
    pub locking: Option<String>,
    /// Where the block stands in the statement's text, in bytes; empty when unknown.
    pub at: Range<usize>,
}

/// An aggregate outside of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AggregateCall {
    /// Lower case unless quoted.
    pub name: String,
    /// `count(DISTINCT x)`.
    pub distinct: bool,
    /// What its arguments name; none for `count(*)`.
    pub columns: Vec<ColumnRef>,
}

/// A function with OVER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowCall {
    /// Lower case unless quoted.
    pub name: String,
    /// It has PARTITION BY, or is over a window of the WINDOW clause, which may have one.
    pub partitioned: bool,
    /// The same of ORDER BY.
    pub ordered: bool,
}

/// How a block is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// The statement itself, or the scan of an UPDATE or DELETE.
    Root,
    /// One arm of UNION, INTERSECT or EXCEPT; the parent block is the set operation itself.
    SetArm,
    Cte {
        name: String,
    },
    /// A subquery in FROM.
    Derived {
        lateral: bool,
    },
    Exists {
        negated: bool,
    },
    /// `x IN (SELECT …)`, `= ANY (SELECT …)`.
    In {
        negated: bool,
    },
    /// A subquery used as a value, in a projection, a condition or anywhere else.
    Scalar,
    /// The SELECT or VALUES that an INSERT reads from.
    InsertSource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRef {
    pub source: TableSource,
    /// The alias, or the table's own name: what columns are qualified with.
    pub alias: Option<String>,
    pub join: JoinKind,
    pub joined_by: JoinedBy,
    pub at: Range<usize>,
}

/// What its JOIN says of the rows that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinedBy {
    /// A comma, CROSS JOIN, or no join at all.
    Nothing,
    On,
    Using,
    Natural,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableSource {
    Table(RelName),
    /// A name that a WITH of this statement defines.
    Cte {
        name: String,
        block: BlockId,
    },
    Derived(BlockId),
    /// A function in FROM.
    Function(RelName),
    Values,
}

/// How a table joins what stands before it in FROM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// The first item, or after a comma.
    From,
    Inner,
    Left,
    Right,
    Full,
    Cross,
}

/// What stands between two arms of a compound query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetOperation {
    pub kind: SetKind,
    /// ALL: duplicates are kept.
    pub all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    Union,
    Intersect,
    Except,
}

/// A column as the statement names it, resolved as far as the text allows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnRef {
    /// Position in the `tables` of `block`; `None` when unqualified among several tables until
    /// [`Shape::resolve`] was told the columns.
    pub table: Option<usize>,
    /// The block whose FROM holds the table: an outer one for a correlated reference.
    pub block: BlockId,
    /// With its qualifier where nothing in sight is called so: the row `excluded`, a composite's field.
    pub name: String,
}

/// One condition of a conjunction.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    Test(Predicate),
    /// OR of alternatives.
    Any(Vec<Condition>),
    /// AND inside an OR.
    All(Vec<Condition>),
    /// Something else: a bare function call, a boolean expression, a subquery test without a column.
    Opaque {
        text: String,
        at: Range<usize>,
    },
}

/// `column operator operand`, turned round where the text has it the other way.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    pub column: ColumnRef,
    /// The expression around the column when it is not bare: `lower(email)`, `created_at::date`,
    /// `a + 1`; normalised as PostgreSQL would print it as far as we can.
    pub wrapped: Option<String>,
    pub op: Op,
    pub operand: Operand,
    /// Whether a B-tree on the column (or expression) could serve it, and if not, why not.
    pub sargable: Sargable,
    pub clause: Clause,
    pub text: String,
    pub at: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Eq,
    NotEq,
    Lt,
    LtEq,
    Gt,
    GtEq,
    Between,
    /// IN (…), = ANY (…).
    In,
    NotIn,
    IsNull,
    IsNotNull,
    /// A bare boolean column, `IS TRUE`; `IsFalse` for NOT column.
    IsTrue,
    IsFalse,
    Like,
    ILike,
    NotLike,
    /// `~`, `~*`, SIMILAR TO.
    Regex,
    IsDistinctFrom,
    IsNotDistinctFrom,
    /// `@>` (`<@` turned round is `ContainedBy`).
    Contains,
    ContainedBy,
    /// jsonb `?`, `?|`, `?&`.
    HasKey,
    /// `&&`.
    Overlaps,
    /// `@@`.
    Matches,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A constant as SQL text: `7`, `'paid'`, `now() - interval '1 day'` (constant within a statement).
    Constant(String),
    /// `$1`, `?`, `:name` … as written.
    Parameter(String),
    /// A list of constants or parameters: IN (…), with its length.
    List {
        len: usize,
    },
    /// Another table's column: a join, or a correlation.
    Column(ColumnRef),
    Subquery(BlockId),
    /// An expression that names columns.
    Expression(String),
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sargable {
    Yes,
    /// The column is inside an expression: an index on that expression would serve it.
    Wrapped,
    /// A pattern that begins with a wildcard, or is not known to begin otherwise.
    LeadingWildcard,
    /// `<>`, NOT IN, NOT LIKE, IS DISTINCT FROM and their kin.
    Negated,
    /// The operator needs another kind of index (GIN, `GiST`).
    OtherIndexKind,
    /// Column against column of the same table, or the column on both sides.
    SelfComparison,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    Where,
    /// ON or USING of the join that brings in `tables[n]`.
    On(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Projected {
    /// `*`, or `t.*` with the table's position.
    Star {
        table: Option<usize>,
        at: Range<usize>,
    },
    Column {
        column: ColumnRef,
        alias: Option<String>,
    },
    Expression {
        text: String,
        alias: Option<String>,
        aggregate: bool,
        columns: Vec<ColumnRef>,
    },
}

/// What GROUP BY or ORDER BY sorts on.
#[derive(Clone, Debug, PartialEq)]
pub enum SortExpr {
    Column(ColumnRef),
    /// Any other expression; ordinals and output aliases are resolved to what they stand for.
    Expression(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct OrderKey {
    pub expr: SortExpr,
    pub desc: bool,
    /// Written as the number of an output column.
    pub ordinal: bool,
    /// As the key sorts, default applied: NULLS FIRST for DESC, NULLS LAST for ASC.
    pub nulls_first: bool,
}

/// LIMIT or OFFSET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    Number(u64),
    Parameter(String),
    Expression(String),
}

/// What a data-modifying statement writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub kind: WriteKind,
    pub table: RelName,
    /// Columns set or inserted, where they are named.
    pub columns: Vec<String>,
    /// Rows of a VALUES list.
    pub rows: Option<usize>,
    pub returning: bool,
    pub on_conflict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    Insert,
    Update,
    Delete,
    Merge,
}

impl Block {
    /// Where it stands within the statement, in bytes; empty when it is the statement itself.
    pub fn within(&self) -> Range<usize> {
        if self.role == Role::Root { 0..0 } else { self.at.clone() }
    }
}

impl Shape {
    /// Whether the statement only reads, as far as its text tells (not what its functions do): a
    /// SELECT, VALUES or TABLE without a row lock, INTO, or a write in a WITH, at any depth.
    pub fn reads_only(&self) -> bool {
        matches!(self.kind, StatementKind::Select | StatementKind::With)
            && !self.blocks.is_empty()
            && self.target.is_none()
            && !self.writes_in_cte
            && !self.creates_table
            && self.blocks.iter().all(|block| block.locking.is_none())
    }

    /// The base table behind a column, if it is resolved and is one.
    pub fn table_of(&self, column: &ColumnRef) -> Option<&RelName> {
        match &self.blocks.get(column.block)?.tables.get(column.table?)?.source {
            TableSource::Table(name) => Some(name),
            _ => None,
        }
    }

    /// Every base table that the statement reads or writes, sorted, once.
    pub fn tables(&self) -> Vec<&RelName> {
        let read =
            self.blocks.iter().flat_map(|block| &block.tables).filter_map(|table| match &table.source {
                TableSource::Table(name) => Some(name),
                _ => None,
            });
        let mut all: Vec<&RelName> = read.chain(self.target.as_ref().map(|target| &target.table)).collect();
        all.sort();
        all.dedup();
        all
    }
}

impl Block {
    /// The tests that every row must pass: top-level conjuncts that are plain predicates.
    pub fn tests(&self) -> impl Iterator<Item = &Predicate> {
        self.conditions.iter().filter_map(|condition| match condition {
            Condition::Test(predicate) => Some(predicate),
            _ => None,
        })
    }
}
