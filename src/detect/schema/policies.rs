//! Row-level security: what is worked out for each row.

use super::of_table;
use crate::{
    catalog::Catalog,
    detect::{Report, words},
    names::quote_ident,
    rules::Rule,
    sql::ddl::Policy,
};

/// A function of the session is called for each row, where a subquery would call it once.
pub(in crate::detect) fn per_row(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in catalog.tables.iter().filter(|table| table.row_security) {
        for policy in &table.policies {
            let Some(call) =
                [&policy.using, &policy.check].into_iter().flatten().find_map(|text| bare_call(text))
            else {
                continue;
            };
            let because = format!(
                "the policy \"{}\" of {} calls {call}() for each row",
                policy.name,
                table.name.plain()
            );
            let instead = format!(
                "Write (SELECT {call}(…)) in place of {call}(…) in ALTER POLICY {} ON {}: the subquery runs once.",
                quote_ident(&policy.name),
                table.name
            );
            report.findings.push(of_table(rule, table, because, instead));
        }
    }
}

/// The first function of the session that stands in no subquery.
fn bare_call(text: &str) -> Option<&'static str> {
    const CALLS: &[&str] = &["auth.uid", "auth.jwt", "auth.role", "auth.email", "current_setting"];
    let lower = text.to_lowercase();
    CALLS.iter().copied().find(|call| {
        lower.match_indices(call).any(|(at, _)| {
            let before = lower[..at].trim_end();
            let whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') || before.len() < at;
            let called = lower[at + call.len()..].trim_start().starts_with('(');
            // Somewhere in a subquery that has opened and not closed: it runs once, or is a matter of its own.
            let mut open: Vec<bool> = Vec::new();
            for (place, c) in lower[..at].char_indices() {
                match c {
                    '(' => open.push(lower[place + 1..].trim_start().starts_with("select")),
                    ')' => {
                        open.pop();
                    }
                    _ => {}
                }
            }
            whole && called && !open.contains(&true)
        })
    })
}

/// Each of several permissive policies is worked out for each row.
pub(in crate::detect) fn several_permissive(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in catalog.tables.iter().filter(|table| table.row_security) {
        for command in ["select", "insert", "update", "delete"] {
            let concerns = |policy: &&Policy| policy.permissive && (policy.command == command);
            let own: Vec<&Policy> = table.policies.iter().filter(concerns).collect();
            let Some(first) = own.first() else { continue };
            let same: Vec<String> = own
                .iter()
                .filter(|policy| policy.roles == first.roles)
                .map(|policy| format!("\"{}\"", policy.name))
                .collect();
            if same.len() < 2 {
                continue;
            }
            let because = format!(
                "{} has {} permissive policies for {} by {}: {}",
                table.name.plain(),
                same.len(),
                command.to_uppercase(),
                first.roles.join(", "),
                words::list(&same)
            );
            let instead = "Join their conditions with OR in one policy.".to_owned();
            report.findings.push(of_table(rule, table, because, instead));
        }
    }
}
