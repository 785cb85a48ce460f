//! Every detector by the name that its rule's YAML file uses, one line each.

use super::Detector;

/// In no order.
#[rustfmt::skip]
pub const ALL: &[(&str, Detector)] = &[
    ("seq_scan", Detector::Query(super::seq_scan::detect)),
    ("missing_index", Detector::Query(super::missing_index::detect)),
    ("index_order", Detector::Query(super::index_order::detect)),
    ("select_star", Detector::Query(super::select_star::detect)),
    ("unbounded_select", Detector::Query(super::unbounded_select::detect)),
    ("n_plus_one", Detector::Workload(super::n_plus_one::detect)),
    ("pool_size", Detector::Workload(super::pool_size::detect)),
    ("duplicate_query", Detector::Workload(super::n_plus_one::duplicates)),
    ("unused_suppression", Detector::Comments),
    ("unknown_rule_in_suppression", Detector::Comments),
    ("write_loop", Detector::Workload(super::n_plus_one::write_loops)),
];
