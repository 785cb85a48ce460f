//! The text of a plan in any format → [`Plan`].

use super::{NotAPlan, Plan, keys::DEEPEST, paste, text, xml, yaml};

/// Bytes of a text that is read: a plan of thousands of nodes.
const LARGEST: usize = 16 * 1024 * 1024;

impl Plan {
    /// Reads what EXPLAIN prints in any of its formats, what `auto_explain` logs, or what `psql` shows of
    /// either; the first characters tell the format. A plan nested deeper than 60 nodes is refused, or its
    /// reading would run out of stack.
    pub fn from_text(text: &str) -> Result<Plan, NotAPlan> {
        if text.len() > LARGEST {
            return Err(NotAPlan { why: format!("it is larger than {} MB", LARGEST / 1024 / 1024) });
        }
        let text = paste::unwrapped(text);
        let text = text.trim_end();
        let begins = text.trim_start();
        let json = match begins.as_bytes().first() {
            Some(b'[' | b'{') => serde_json::from_str(begins).map_err(|error| not_json(&error))?,
            Some(b'<') => xml::read(begins)?,
            _ if is_yaml(begins) => yaml::read(begins)?,
            _ => text::read(text)?,
        };
        Plan::from_json(json)
    }
}

fn not_json(error: &serde_json::Error) -> NotAPlan {
    match error.classify() {
        serde_json::error::Category::Syntax if error.to_string().contains("recursion limit") => {
            NotAPlan { why: format!("its nodes are nested deeper than {DEEPEST}") }
        }
        _ => NotAPlan { why: format!("it is not JSON: {error}") },
    }
}

/// `auto_explain` puts the quoted query before the tree; the text form does not quote it.
fn is_yaml(text: &str) -> bool {
    text.starts_with("- Plan:")
        || text.starts_with("Plan:")
        || text.starts_with("Query Text: \"") && text.contains("\nPlan:")
}
