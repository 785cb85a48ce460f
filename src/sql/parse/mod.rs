//! sqlparser's tree → [`Shape`]. The only module that names sqlparser's types.
//!
//! Names are resolved as far as the text allows: aliases, CTE names with their scopes, correlated
//! references. Conditions are cut into conjuncts and each is turned so that the column stands left.
//! What no part of the walk reaches cannot hide: functions, locks and writes are collected by
//! sqlparser's own visitor over the whole tree ([`facts`]).

mod condition;
mod facts;
mod from;
mod operand;
mod pattern;
mod projection;
mod query;
mod scope;
mod source;
mod write;

use sqlparser::{ast::Statement, dialect::PostgreSqlDialect, parser::Parser};

use self::{scope::Builder, source::Source};
use super::{
    Normalizer,
    shape::{Role, Shape},
};

/// Why a statement has no shape, in words for a person, such as sqlparser's message with line and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotParsed {
    pub why: String,
}

impl NotParsed {
    fn new(why: impl Into<String>) -> NotParsed {
        NotParsed { why: why.into() }
    }
}

/// Nested subqueries and parentheses that we follow.
const DEPTH: usize = 400;

/// Operators in one statement: chains of AND, OR, UNION and the like are as deep as they are long.
const MOST_OPERATORS: usize = 250_000;

/// Stack for [`DEPTH`] levels, and for each operator of a chain; only touched as far as it is used.
const STACK: usize = 32 << 20;
const STACK_PER_OPERATOR: usize = 4 << 10;

/// Parses exactly one statement. Placeholders (`$1`, `?`, `:name`, `%s`, `%(name)s`, `@p1`) are
/// operands like any other. A utility statement has a shape without blocks, but for CREATE TABLE AS.
/// Never panics, also on deep nesting.
pub fn parse(sql: &str) -> Result<Shape, NotParsed> {
    let scanned = Normalizer::default().scan(sql.as_bytes());
    match scanned.statements {
        0 => return Err(NotParsed::new("there is no statement")),
        1 => {}
        several => return Err(NotParsed::new(format!("{several} statements in one text"))),
    }
    let source = Source::new(sql);
    if source.operators > MOST_OPERATORS {
        return Err(NotParsed::new(format!("more than {MOST_OPERATORS} operators in one statement")));
    }
    stacker::grow(STACK + source.operators * STACK_PER_OPERATOR, || {
        let statements = Parser::new(&PostgreSqlDialect {})
            .with_recursion_limit(DEPTH)
            .try_with_sql(&source.rewritten)
            .and_then(|mut parser| parser.parse_statements())
            .map_err(|error| NotParsed::new(message(&error.to_string())))?;
        let [statement] = statements.as_slice() else {
            return Err(NotParsed::new(format!("read as {} statements", statements.len())));
        };
        let mut builder = Builder::new(&source);
        builder.statement(statement);
        let mut shape = builder.into_shape(scanned.kind);
        facts::collect(statement, &mut shape);
        Ok(shape)
    })
}

fn message(error: &str) -> String {
    error.strip_prefix("sql parser error: ").unwrap_or(error).to_owned()
}

impl Builder<'_> {
    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => {
                self.query(query, Role::Root, None);
            }
            Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_) | Statement::Merge(_) => {
                let root = self.block(Role::Root, None);
                self.write(statement, root);
            }
            Statement::CreateTable(table) => {
                if let Some(query) = &table.query {
                    self.query(query, Role::Root, None);
                }
            }
            _ => {}
        }
    }
}
