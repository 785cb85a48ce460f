//! The words that conditions are made of.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::yaml::nearest;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$word_doc])* $word,)+ }
    };
}

words!(StatementWord { Select, Insert, Update, Delete, Merge });
words!(WriteWord { Insert, Update, Delete, Merge });
words!(
    /// Where a block stands in its statement.
    BlockWord {
        /// The statement itself.
        Root,
        SetArm,
        Cte,
        /// A subquery in FROM.
        Derived,
        Lateral,
        Exists,
        NotExists,
        In,
        NotIn,
        /// A subquery that is a value.
        Scalar,
        InsertSource,
    }
);
words!(ClauseWord {
    From,
    Where,
    GroupBy,
    Having,
    OrderBy,
    Limit,
    Offset,
    Distinct,
    DistinctOn,
    Window,
    /// FOR UPDATE, FOR SHARE …
    Locking,
    With,
    Returning,
    OnConflict,
    /// SELECT … INTO, CREATE TABLE AS.
    Into,
});
words!(OperandWord {
    Constant,
    /// The constant NULL.
    Null,
    Parameter,
    /// IN (…) of constants and parameters.
    List,
    Column,
    Subquery,
    /// An expression that names columns.
    Expression,
    /// The operator has none: IS NULL, a bare boolean.
    None,
});
words!(SargableWord { Yes, Wrapped, LeadingWildcard, Negated, OtherIndexKind, SelfComparison });
words!(PlaceWord { Where, On });
words!(CallWord {
    /// Around the column of a predicate.
    Predicate,
    Projection,
    OrderBy,
    GroupBy,
    From,
});
words!(SourceWord { Table, Cte, Derived, Function, Values });
words!(TableKindWord { Table, Partitioned, Partition, View, MaterializedView, Foreign });
words!(JoinWord { Comma, Inner, Left, Right, Full, Cross });
words!(KeyWord {
    Column,
    Expression,
    /// The number of an output column.
    Ordinal,
});
words!(BoundWord { Number, Parameter, Expression });
words!(SetWord { Union, Intersect, Except });

/// An operator, as SQL spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OperatorWord {
    #[serde(rename = "=")]
    Eq,
    #[serde(rename = "<>")]
    NotEq,
    #[serde(rename = "<")]
    Lt,
    #[serde(rename = "<=")]
    LtEq,
    #[serde(rename = ">")]
    Gt,
    #[serde(rename = ">=")]
    GtEq,
    #[serde(rename = "between")]
    Between,
    #[serde(rename = "in")]
    In,
    #[serde(rename = "not in")]
    NotIn,
    #[serde(rename = "is null")]
    IsNull,
    #[serde(rename = "is not null")]
    IsNotNull,
    #[serde(rename = "is true")]
    IsTrue,
    #[serde(rename = "is false")]
    IsFalse,
    #[serde(rename = "like")]
    Like,
    #[serde(rename = "ilike")]
    ILike,
    #[serde(rename = "not like")]
    NotLike,
    #[serde(rename = "~")]
    Regex,
    #[serde(rename = "is distinct from")]
    IsDistinctFrom,
    #[serde(rename = "is not distinct from")]
    IsNotDistinctFrom,
    #[serde(rename = "@>")]
    Contains,
    #[serde(rename = "<@")]
    ContainedBy,
    #[serde(rename = "?")]
    HasKey,
    #[serde(rename = "&&")]
    Overlaps,
    #[serde(rename = "@@")]
    Matches,
    #[serde(rename = "other")]
    Other,
}

/// A node's type, as EXPLAIN names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeWord(pub &'static str);

/// `ExplainNode()` in PostgreSQL's explain.c, versions 13 to 18, in its formats other than text.
pub const NODE_TYPES: &[&str] = &[
    "Aggregate",
    "Append",
    "Bitmap Heap Scan",
    "Bitmap Index Scan",
    "BitmapAnd",
    "BitmapOr",
    "CTE Scan",
    "Custom Scan",
    "Foreign Scan",
    "Function Scan",
    "Gather",
    "Gather Merge",
    "Group",
    "Hash",
    "Hash Join",
    "Incremental Sort",
    "Index Only Scan",
    "Index Scan",
    "Limit",
    "LockRows",
    "Materialize",
    "Memoize",
    "Merge Append",
    "Merge Join",
    "ModifyTable",
    "Named Tuplestore Scan",
    "Nested Loop",
    "ProjectSet",
    "Recursive Union",
    "Result",
    "Sample Scan",
    "Seq Scan",
    "SetOp",
    "Sort",
    "Subquery Scan",
    "Table Function Scan",
    "Tid Range Scan",
    "Tid Scan",
    "Unique",
    "Values Scan",
    "WindowAgg",
    "WorkTable Scan",
];

impl<'de> Deserialize<'de> for NodeWord {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<NodeWord, D::Error> {
        let word = String::deserialize(from)?;
        NODE_TYPES.iter().find(|known| **known == word).map(|known| NodeWord(known)).ok_or_else(|| {
            let hint = nearest(&word, NODE_TYPES.iter().copied())
                .map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
            de::Error::custom(format!("there is no plan node `{word}`{hint}"))
        })
    }
}

impl JsonSchema for NodeWord {
    fn schema_name() -> Cow<'static, str> {
        "NodeWord".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": NODE_TYPES })
    }
}
