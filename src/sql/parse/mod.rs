//! sqlparser's tree → [`Shape`]. The only module that names sqlparser's types.
//!
//! Names are resolved as far as the text allows: aliases, CTE names with their scopes, correlated
//! references. Conditions are cut into conjuncts and each is turned so that the column stands left.
//! What no part of the walk reaches cannot hide: functions, locks and writes are collected by
//! sqlparser's own visitor over the whole tree (`facts`).

mod condition;
mod facts;
mod forms;
mod from;
mod lists;
mod matching;
mod operand;
mod pattern;
mod projection;
mod query;
mod scope;
mod source;
mod write;

use sqlparser::{ast::Statement, dialect::PostgreSqlDialect, parser::Parser, tokenizer::Token};

use self::{forms::Forms, scope::Builder, source::Source};
use super::shape::{Role, Shape};

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

const TOO_DEEP: &str = "too deeply nested: more than 400 levels";

/// Operators in one statement: chains of AND, OR, UNION and the like are as deep as they are long.
const MOST_OPERATORS: usize = 110_000;

/// Stack for [`DEPTH`] levels, and for each operator of a chain; only touched as far as it is used.
const STACK: usize = 32 << 20;
const STACK_PER_OPERATOR: usize = if cfg!(debug_assertions) { 16 << 10 } else { 4 << 10 };

/// Parses exactly one statement. Placeholders (`$1`, `?`, `:name`, `%s`, `%(name)s`, `@p1`) are
/// operands like any other. A utility statement has a shape without blocks, but for CREATE TABLE AS.
/// Never panics, also on deep nesting.
pub fn parse(sql: &str) -> Result<Shape, NotParsed> {
    let source = Source::new(sql, Forms::default());
    match source.boundary.statements() {
        0 => return Err(NotParsed::new("there is no statement")),
        1 => {}
        several => return Err(NotParsed::new(format!("{several} statements in one text"))),
    }
    if source.operators > MOST_OPERATORS {
        return Err(NotParsed::new(format!("more than {MOST_OPERATORS} operators in one statement")));
    }
    if source.depth > DEPTH {
        return Err(NotParsed::new(TOO_DEEP));
    }
    let first = read(&source);
    let Err(why) = &first else { return first };
    match forms::read(sql) {
        Ok(forms) if !forms.edits.is_empty() => {
            // Where it fails again, the first message has the statement's own words and places.
            read(&Source::new(sql, forms)).map_err(|_| why.clone())
        }
        _ => first,
    }
}

fn read(source: &Source<'_>) -> Result<Shape, NotParsed> {
    with_stack(source, || {
        let statements = Parser::new(&PostgreSqlDialect {})
            .with_recursion_limit(DEPTH)
            .try_with_sql(&source.rewritten)
            .and_then(|mut parser| parser.parse_statements())
            .map_err(|error| NotParsed::new(message(&error.to_string())))?;
        let [statement] = statements.as_slice() else {
            return Err(NotParsed::new(format!("read as {} statements", statements.len())));
        };
        let mut builder = Builder::new(source);
        builder.statement(statement);
        let mut shape = builder.into_shape(source.boundary.kind());
        facts::collect(statement, &mut shape)?;
        for block in &mut shape.blocks {
            block.locking = block.locking.take().map(|words| source.restore(words));
        }
        shape.functions.retain(|name| !Forms::is_stand_in(name));
        shape.functions.extend_from_slice(&source.forms.functions);
        shape.functions.sort();
        shape.functions.dedup();
        Ok(shape)
    })
}

/// Runs it here where the stack has room for what the text holds, which it nearly always has: a stack of its
/// own costs as much as parsing a statement.
fn with_stack<R>(source: &Source<'_>, read: impl FnOnce() -> R) -> R {
    let operators = source.operators * STACK_PER_OPERATOR;
    let needed = operators + (source.depth + 4) * (2 * STACK / DEPTH);
    stacker::maybe_grow(needed, STACK + operators, read)
}

/// An expression as the tree prints it, without parentheses around it; `None` when it cannot be read.
pub fn expression(text: &str) -> Option<String> {
    let source = Source::new(text, Forms::default());
    if source.operators > MOST_OPERATORS || source.depth > DEPTH {
        return None;
    }
    with_stack(&source, || {
        let mut parser = Parser::new(&PostgreSqlDialect {})
            .with_recursion_limit(DEPTH)
            .try_with_sql(&source.rewritten)
            .ok()?;
        let expr = parser.parse_expr().ok()?;
        let whole = parser.peek_token_ref().token == Token::EOF;
        whole.then(|| source.restore(operand::stripped(&expr).to_string()))
    })
}

fn message(error: &str) -> String {
    if error.contains("recursion limit exceeded") {
        return TOO_DEEP.to_owned();
    }
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
