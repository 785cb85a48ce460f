//! The calls in an expression as the catalog stores it (`pg_node_tree`): which functions and operators it
//! calls, and which of these have no column among their arguments. Those the planner evaluates.
//!
//! A node is `{KIND :field value …}`; braces inside of values are escaped.
//! <https://www.postgresql.org/docs/current/catalog-pg-index.html>

use std::collections::BTreeSet;

/// Numbers of `pg_proc` and `pg_operator`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) functions: BTreeSet<u32>,
    pub(super) operators: BTreeSet<u32>,
    pub(super) constant_functions: BTreeSet<u32>,
    pub(super) constant_operators: BTreeSet<u32>,
}

/// A node that is not closed yet.
#[derive(Default)]
struct Node {
    functions: Vec<u32>,
    operators: Vec<u32>,
    column: bool,
}

pub(super) fn calls(tree: &str) -> Calls {
    let mut calls = Calls::default();
    let mut open: Vec<Node> = Vec::new();
    // The characters with a meaning stand apart from words; an escaped one stays within its word.
    let mut words = tree.split_inclusive([' ', '\n', '{', '}', '(', ')']).peekable();
    let mut field = String::new();
    let mut escaped = false;
    while let Some(piece) = words.next() {
        let within = std::mem::take(&mut escaped);
        let word = piece.trim_end_matches([' ', '\n', '{', '}', '(', ')']);
        // An even number of them are escaped themselves.
        if word.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1 {
            escaped = true;
            continue;
        }
        if within {
            // What is left of an escaped word names nothing; its end still counts.
        } else if let Some(name) = word.strip_prefix(':') {
            name.clone_into(&mut field);
        } else if let (Some(node), Ok(number)) = (open.last_mut(), word.parse::<u32>()) {
            match field.as_str() {
                "funcid" | "opfuncid" | "hashfuncid" | "negfuncid" | "aggfnoid" => {
                    node.functions.push(number);
                }
                "opno" | "opnos" => node.operators.push(number),
                _ => {}
            }
        }
        match piece.as_bytes().last() {
            Some(b'{') => {
                let column = words.peek().is_some_and(|kind| kind.trim_end_matches([' ', '}']) == "VAR");
                open.push(Node { column, ..Node::default() });
                field.clear();
            }
            Some(b'}') => {
                let Some(node) = open.pop() else { continue };
                if let Some(parent) = open.last_mut() {
                    parent.column |= node.column;
                }
                if !node.column {
                    calls.constant_functions.extend(&node.functions);
                    calls.constant_operators.extend(&node.operators);
                }
                calls.functions.extend(&node.functions);
                calls.operators.extend(&node.operators);
                field.clear();
            }
            _ => {}
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::calls;

    #[test]
    fn columns_make_the_difference() {
        // total + f(1), and g(total), as PostgreSQL 15 writes them (shortened).
        let tree = "({OPEXPR :opno 551 :opfuncid 177 :args ({VAR :varno 1 :varattno 3} {FUNCEXPR :funcid 16400 :funcformat 0 \
                    :args ({CONST :consttype 23 :constvalue 4 [ 1 0 0 0 0 0 0 0 ]}) :location 12})} \
                    {FUNCEXPR :funcid 16500 :args ({VAR :varno 1})} {NAMED :name a\\ {\\{VAR\\}} {NAMED :name b\\\\} {OPEXPR :opno 98 :opfuncid 65 :args <>}})";
        let calls = calls(tree);
        assert_eq!(calls.functions.into_iter().collect::<Vec<_>>(), [65, 177, 16400, 16500]);
        assert_eq!(calls.constant_functions.into_iter().collect::<Vec<_>>(), [65, 16400]);
        assert_eq!(calls.operators.into_iter().collect::<Vec<_>>(), [98, 551]);
        assert_eq!(calls.constant_operators.into_iter().collect::<Vec<_>>(), [98]);
    }
}
