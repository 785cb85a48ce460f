//! What loggers write for a terminal.

use std::borrow::Cow;

/// A line without the terminal's colours and other escape sequences (ECMA-48, 5.4).
pub(super) fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    const ESCAPE: u8 = 0x1b;
    if !line.contains(&ESCAPE) {
        return Cow::Borrowed(line);
    }
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        if byte != ESCAPE {
            out.push(byte);
            at += 1;
            continue;
        }
        at += 1;
        let last = match line.get(at) {
            Some(b'[') => {
                line[at + 1..].iter().position(|b| (0x40..=0x7e).contains(b)).map(|end| at + 1 + end)
            }
            // A title or a link, up to a bell or `ESC \`.
            Some(b']') => line[at..].iter().position(|&b| b == 7 || b == ESCAPE).map(|end| {
                let end = at + end;
                if line[end] == ESCAPE { end + 1 } else { end }
            }),
            _ => Some(at),
        };
        at = last.map_or(line.len(), |last| last + 1);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go() {
        assert_eq!(
            &*plain(b"  \x1b[1m\x1b[36mUser Load (0.3ms)\x1b[0m  SELECT"),
            b"  User Load (0.3ms)  SELECT"
        );
        assert_eq!(&*plain(b"\x1b]8;;file:///a\x07a.rb\x1b]8;;\x1b\\ \x1bMx\x1b[1"), b"a.rb x");
        assert!(matches!(plain(b"SELECT"), Cow::Borrowed(_)));
    }
}
