//! The lint step: findings by the place in a file, held against what a team settled about them.
//!
//! ```text
//! findings of queries ─▶ place (one finding for each place of the query)
//!                      ─▶ suppress (comments that allow a rule; those that match nothing are findings)
//!                      ─▶ diff (only changed lines) ─▶ baseline (only new ones) ─▶ share (only hot ones)
//!                      ─▶ fix (edits that keep what a statement means)
//!                      ─▶ Checked + the findings that are left
//! ```
//!
//! Pure: which files changed, what the baseline holds and what the configuration says come in as data.
//! Nothing that is taken away is lost: [`Checked`] has the findings that were allowed or known before,
//! and counts the others.

pub mod baseline;
mod checked;
pub mod diff;
pub mod fix;
mod place;
pub mod policy;
pub mod suppress;

pub use baseline::Baseline;
pub use checked::{Checked, Hidden, Job, Links, State, Suppressed, check};
pub use diff::Changed;
pub use place::{place, soften};
pub use policy::{Flags, Policy, Profile};
