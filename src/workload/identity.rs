//! Who sends an execution: looked up once, and known again for as long as nothing about it changes.
//!
//! Only for speed. The cache of a piece of a log belongs to that piece, since indexes count within it.

use super::{
    chatter::Transactions,
    event::Event,
    senders::Senders,
    values::{hash, short},
};

/// What an execution's session and names come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Identity {
    /// Index of the sender.
    pub(super) sender: u32,
    /// Hash of the database's name; 0 where the log does not name it.
    pub(super) database: u64,
    /// Key of the session among the transactions.
    pub(super) transactions: u64,
    /// Hash of database and user, which a session never changes.
    pub(super) owner: u32,
    /// Hash of database, user and application.
    pub(super) application: u32,
    /// The number of its context among the steps of units of work, where it has neither route nor unit.
    pub(super) context: Option<u32>,
}

impl Identity {
    pub(super) fn of(event: &Event<'_>, senders: &mut Senders) -> Identity {
        let add =
            |known: u32, name: Option<&[u8]>| short(hash(name.unwrap_or_default())) ^ known.rotate_left(5);
        let owner = add(add(0, event.database), event.user);
        let database = event.database.map_or(0, hash);
        Identity {
            sender: senders.index_of(event),
            database,
            transactions: event.session.map_or(0, |session| Transactions::of(session, database)),
            owner,
            application: add(owner, event.application),
            context: None,
        }
    }
}

/// Each in the one slot that its hash gives it: the last one stays.
const SLOTS: usize = 256;

#[derive(Clone, Debug, Default)]
pub(super) struct Identities {
    /// Empty until the first one.
    slots: Vec<(u64, Identity)>,
}

impl Identities {
    /// Hot.
    pub(super) fn of(&mut self, event: &Event<'_>, senders: &mut Senders) -> &mut Identity {
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, (0, Identity::default()));
        }
        let who = event.who();
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits are wanted")]
        let slot = &mut self.slots[who as usize % SLOTS];
        if slot.0 != who {
            *slot = (who, Identity::of(event, senders));
        }
        &mut slot.1
    }

    /// Indexes have changed.
    pub(super) fn forget(&mut self) {
        self.slots.clear();
    }
}
