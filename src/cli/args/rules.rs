//! `sargable rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::rules;

#[derive(Args, Debug)]
pub(in crate::cli) struct RulesArgs {
    #[command(subcommand)]
    pub(in crate::cli) what: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RulesCommand {
    /// Every rule, those of .sargable/rules included
    List(ListArgs),
    /// One rule: why, what instead, thresholds, examples, how to allow and configure it, references
    Show {
        /// Its name or code
        rule: String,
        #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
        format: RulesFormat,
    },
    /// Run the examples of rules: each bad one must give its `because`, each good one nothing
    Test {
        /// A folder of rules, with the plans of their examples in DIR/plans [default: the built-in rules and
        /// those of .sargable/rules]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// The JSON Schema of rule files, for editors
    Schema,
}

/// Which rules are listed: those that all flags let through.
#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    /// Only rules of these sets: default, pedantic, preview
    #[arg(long, value_name = "SET", value_delimiter = ',')]
    pub(in crate::cli) set: Vec<rules::Set>,
    /// Only rules about these: predicate, join, sorting, migration …
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    pub(in crate::cli) category: Vec<rules::Category>,
    /// Only rules that need no more than these: syntax, schema, plan, statistics, workload
    #[arg(long, value_name = "NEED", value_delimiter = ',')]
    pub(in crate::cli) needs: Vec<rules::Needs>,
    /// Only rules of these severities: note, warning, error
    #[arg(long, value_enum, value_name = "SEVERITY", value_delimiter = ',')]
    pub(in crate::cli) severity: Vec<SeverityName>,
    #[arg(long, value_enum, default_value_t = RulesFormat::Text)]
    pub(in crate::cli) format: RulesFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SeverityName {
    Note,
    Warning,
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RulesFormat {
    Text,
    Json,
    Markdown,
}
