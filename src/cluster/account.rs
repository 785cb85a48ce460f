//! Which account the server runs under: ours, unless that is root, which PostgreSQL refuses.

use std::fs;

use crate::error::Error;

/// A line of `/etc/passwd`, as far as we need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// For root the account `postgres`, else `nobody`; for anyone else `None`: their own.
pub(super) fn for_server(our_uid: u32) -> Result<Option<Account>, Error> {
    if our_uid != 0 {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    unprivileged(&passwd).map(Some).ok_or_else(|| Error::Cluster {
        why: "PostgreSQL refuses to run as root, and /etc/passwd has neither `postgres` nor `nobody`"
            .to_owned(),
        hint: Some("run sargable as an ordinary user".to_owned()),
    })
}

fn unprivileged(passwd: &str) -> Option<Account> {
    ["postgres", "nobody"].iter().find_map(|wanted| {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (name == *wanted && uid != 0).then_some(Account { uid, gid })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_comes_before_nobody_and_root_never() {
        let nobody = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(unprivileged(nobody), Some(Account { uid: 65534, gid: 65533 }));
        let both =
            format!("{nobody}postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(unprivileged(&both), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(unprivileged("root:x:0:0::/:\npostgres:x:0:0::/:\nbroken\n"), None);
    }
}
