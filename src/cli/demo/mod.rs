//! `sargable demo`: the guide's claims, measured here on a private PostgreSQL.

pub mod shop;
pub mod statements;
pub mod traffic;
