//! The rules, for a person who wants to know why.

use super::{
    Outcome,
    args::{ColorWhen, RulesArgs, RulesCommand},
    output,
};
use crate::{error::Error, report::text, rules};

pub(super) fn run(args: &RulesArgs) -> Result<Outcome, Error> {
    let style = output::style(true, ColorWhen::Auto);
    let text = match &args.what {
        RulesCommand::List => text::rules(&rules::BUILTIN, &style),
        RulesCommand::Show { rule } => text::rule(rules::find(rule)?, &style),
    };
    output::print(&text)?;
    Ok(Outcome::Clean)
}
