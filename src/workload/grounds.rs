//! What a log offers to tell units of work apart, counted over its executions.

use serde::{Deserialize, Serialize};

use super::units::Step;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Executions that name neither a session nor a trace or request.
    pub without_session: u64,
    /// Executions whose end is known in whole seconds only, and that name no trace or request.
    pub coarse: u64,
}

impl Grounds {
    /// Hot.
    pub(super) fn count(&mut self, step: &Step) {
        self.coarse += u64::from(step.coarse && step.unit.is_none());
    }

    pub(super) fn merge(&mut self, other: &Grounds) {
        self.without_session += other.without_session;
        self.coarse += other.coarse;
    }
}
