//! Tags that applications write into comments: sqlcommenter (`key='value'`, URL-encoded) and
//! marginalia (`key:value`).

use std::collections::BTreeMap;

/// The tags of one statement, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(pub BTreeMap<String, String>);

impl Tags {
    /// Reads a comment's inside. Anything that is not a list of tags gives no tags.
    pub fn parse(comment: &str) -> Tags {
        let _ = comment;
        Tags::default()
    }

    /// The 32 hex digits of `traceparent`'s trace id: one per request, however many spans it has.
    pub fn trace_id(&self) -> Option<&str> {
        None
    }

    /// What names one request or job, beside a trace: `request_id`, `job_id` and their kin.
    pub fn request_id(&self) -> Option<&str> {
        None
    }

    /// Route, controller#action or job.
    pub fn route(&self) -> Option<String> {
        None
    }
}
