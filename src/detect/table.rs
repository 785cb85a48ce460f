//! Every detector by the name that its rule's YAML file uses, one line each.

use super::Detector::{self, OfQuery, OfWorkload};

/// In no order.
#[rustfmt::skip]
pub const ALL: &[(&str, Detector)] = &[
    ("seq_scan", OfQuery(super::seq_scan::detect)),
    ("missing_index", OfQuery(super::missing_index::detect)),
    ("index_order", OfQuery(super::index_order::detect)),
    ("select_star", OfQuery(super::select_star::detect)),
    ("unbounded_select", OfQuery(super::unbounded_select::detect)),
    ("n_plus_one", OfWorkload(super::n_plus_one::detect)),
    ("pool_size", OfWorkload(super::pool_size::detect)),
    ("duplicate_query", OfWorkload(super::n_plus_one::duplicates)),
    ("write_loop", OfWorkload(super::n_plus_one::write_loops)),
];
