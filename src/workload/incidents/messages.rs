//! Messages of the server, counted by what they say: errors by SQLSTATE, and what a server tells of
//! itself. Failed logins are counted by who tried as well.

use serde::{Deserialize, Serialize};

use super::{
    Kind, conditions, forms,
    tally::{Counts, Tally, known},
};
use crate::{sql::Fingerprint, workload::Event};

/// What makes two messages the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Message {
    pub kind: Kind,
    /// `None` where the log does not tell and the message is of no known form.
    pub sqlstate: Option<String>,
    /// With names but without values; `None` for a message of no known form, which may hold anything.
    pub text: Option<String>,
}

impl Message {
    /// The name of the SQLSTATE's condition.
    pub fn condition(&self) -> Option<&'static str> {
        self.sqlstate.as_deref().and_then(conditions::name)
    }
}

/// Somebody who could not log in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Login {
    pub user: Option<String>,
    pub host: Option<String>,
    pub message: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// ERROR, FATAL and PANIC.
    pub errors: Counts<Message, Tally>,
    /// LOG and WARNING.
    pub server: Counts<Message, Tally>,
    pub failed_logins: Counts<Login, Tally>,
}

impl Messages {
    /// Takes in an error. `sql` says whether a statement failed: the same words mean another thing
    /// when a session could not begin.
    pub(super) fn error(
        &mut self,
        event: &Event<'_>,
        sqlstate: Option<&[u8]>,
        message: &[u8],
        query: Option<Fingerprint>,
    ) {
        let mut key = message_key(sqlstate, message);
        if query.is_none() {
            session_failed(&mut key, message, sqlstate.is_some());
        }
        if key.kind == Kind::Login {
            let text =
                |name: Option<&[u8]>| known(name).map(|name| String::from_utf8_lossy(name).into_owned());
            let login = Login { user: text(event.user), host: text(event.host), message: key.text.clone() };
            if let Some(tally) = self.failed_logins.at(login) {
                tally.add(event, None);
            }
        }
        if let Some(tally) = self.errors.at(key) {
            tally.add(event, query);
        }
    }

    pub(super) fn server(&mut self, event: &Event<'_>, message: &[u8], query: Option<Fingerprint>) {
        // The state of a LOG or WARNING says nothing that the form does not.
        if let Some(tally) = self.server.at(Message { sqlstate: None, ..message_key(None, message) }) {
            tally.add(event, query);
        }
    }

    pub(super) fn merge(&mut self, other: Messages) {
        let add = |ours: &mut Tally, theirs: Tally| ours.merge(&theirs);
        self.errors.merge(other.errors, add);
        self.server.merge(other.server, add);
        self.failed_logins.merge(other.failed_logins, |ours, theirs| ours.merge(&theirs));
    }
}

fn message_key(sqlstate: Option<&[u8]>, message: &[u8]) -> Message {
    let logged = sqlstate.map(|state| String::from_utf8_lossy(state).into_owned());
    let Some(told) = forms::find(message) else {
        let kind = logged.as_deref().map_or(Kind::Other, Kind::of_sqlstate);
        return Message { kind, sqlstate: logged, text: None };
    };
    let known = Some(told.form.sqlstate.to_owned()).filter(|state| !state.is_empty());
    Message { kind: told.form.kind, sqlstate: logged.or(known), text: Some(told.shown) }
}

/// `role "app" does not exist` and its kin: a login that failed, where no statement did.
fn session_failed(key: &mut Message, message: &[u8], has_state: bool) {
    if message.starts_with(b"role \"") && key.kind == Kind::Missing {
        key.kind = Kind::Login;
        if !has_state {
            key.sqlstate = Some("28000".to_owned());
        }
    } else if message.starts_with(b"database \"") && key.kind == Kind::Missing {
        key.kind = Kind::Login;
    }
}
