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
    ("join_without_equality", Detector::Query(super::join::conditions::no_equality)),
    ("or_in_join", Detector::Query(super::join::conditions::any_of_equalities)),
    ("join_type_mismatch", Detector::Query(super::join::conditions::types_differ)),
    ("unused_join", Detector::Query(super::join::outer::unused)),
    ("left_join_undone", Detector::Query(super::join::outer::undone)),
    ("anti_join_column", Detector::Query(super::join::outer::anti_join)),
    ("self_join_on_key", Detector::Query(super::join::same_table::detect)),
    ("distinct_over_join", Detector::Query(super::join::fan_out::distinct)),
    ("fan_out_aggregate", Detector::Query(super::join::fan_out::aggregate)),
    ("write_without_join", Detector::Query(super::join::conditions::unbound_write)),
    ("correlated_subquery", Detector::Query(super::subquery::correlated::compared)),
    ("correlated_in", Detector::Query(super::subquery::correlated::in_subquery)),
    ("distinct_in_subquery", Detector::Query(super::subquery::useless::distinct)),
    ("order_in_subquery", Detector::Query(super::subquery::useless::order)),
    ("unused_cte", Detector::Query(super::subquery::useless::cte)),
    ("union_of_distinct_rows", Detector::Query(super::subquery::union::detect)),
    ("window_total", Detector::Query(super::subquery::window::total)),
    ("distinct_on_without_order", Detector::Query(super::sorting::distinct::on_without_order)),
    ("redundant_distinct", Detector::Query(super::sorting::distinct::redundant)),
    ("distinct_aggregates", Detector::Query(super::sorting::distinct::aggregates)),
    ("nulls_order", Detector::Query(super::sorting::order::nulls)),
];
