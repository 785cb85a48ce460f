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
    ("duplicate_query", Detector::Workload(super::duplicate_query::detect)),
    ("write_loop", Detector::Workload(super::write_loop::detect)),
    ("select_then_insert", Detector::Workload(super::select_then_insert::detect)),
    ("count_then_page", Detector::Workload(super::count_then_page::detect)),
    ("waterfall", Detector::Workload(super::waterfall::detect)),
    ("cache_candidate", Detector::Workload(super::cache::detect)),
    ("transaction_chatter", Detector::Workload(super::chatter::transactions)),
    ("connection_chatter", Detector::Workload(super::chatter::connections)),
    ("unused_suppression", Detector::Comments),
    ("unknown_rule_in_suppression", Detector::Comments),
];
