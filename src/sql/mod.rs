//! SQL text → statements, fingerprints and [`Shape`]s.
//!
//! Two readers with two purposes. The byte scanner ([`normalize`], [`split`], [`tags`]) never fails,
//! allocates nothing per statement, and sees every execution of a log. The parser front ([`parse`])
//! runs once per fingerprint, drops sqlparser's tree after the [`Shape`] is taken, and says so when it
//! could not read a statement.

pub mod body;
mod boundary;
pub mod ddl;
pub mod embedded;
pub mod form;
mod hash;
mod keywords;
mod lex;
mod memo;
pub mod normalize;
pub mod parse;
mod recent;
pub mod shape;
pub mod spliced;
pub mod split;
pub mod tags;
pub mod template;

pub use normalize::{Fingerprint, Normalizer, Scanned, StatementKind};
pub use shape::Shape;
pub use spliced::Spliced;
pub use tags::Tags;

/// 16 hex digits that stand for a text: the same in every run and on every machine.
pub fn digest(text: &str) -> String {
    format!("{:016x}", hash::hash(text.as_bytes()))
}
