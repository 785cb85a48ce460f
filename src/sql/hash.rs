//! A 64-bit hash of our own: the same in every run, on every machine, and fast on short texts.
//!
//! Eight bytes at a time through a 64×64→128-bit multiplication whose halves are folded together
//! (the construction of wyhash). Not for keys that an attacker chooses.

const K0: u64 = 0x9e37_79b9_7f4a_7c15;
const K1: u64 = 0xbf58_476d_1ce4_e5b9;
const K2: u64 = 0x94d0_49bb_1331_11eb;

/// Mixes two words into one.
#[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ K0) * u128::from(b ^ K1);
    (product as u64) ^ ((product >> 64) as u64)
}

pub(super) fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut state = K2;
    for word in words {
        state = mix(state, u64::from_le_bytes(*word)).wrapping_add(K2);
    }
    mix(mix(state, tail(bytes, rest)), bytes.len() as u64)
}

/// The last bytes, fewer than eight, as a word filled up with zeros: read in one or two steps that overlap,
/// since to copy them one by one takes longer than all the rest of a short text.
fn tail(bytes: &[u8], rest: &[u8]) -> u64 {
    let missing = 8 - rest.len();
    if let (Some(word), 1..) = (bytes.last_chunk::<8>(), rest.len()) {
        return u64::from_le_bytes(*word) >> (8 * missing);
    }
    if let (Some(low), Some(high)) = (rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*low))
            | u64::from(u32::from_le_bytes(*high)) << (8 * (rest.len() - 4));
    }
    rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_never_changes() {
        assert_eq!(hash(b""), 0x0f45_d051_f0de_121a);
        assert_eq!(hash(b"SELECT ?"), 0xe45d_0390_976e_db61);
    }

    #[test]
    fn the_last_bytes_count_as_if_zeros_followed() {
        for len in 0..40_u8 {
            let bytes: Vec<u8> = (0..len).map(|byte| byte.wrapping_mul(37) ^ 0xa5).collect();
            let (_, rest) = bytes.as_chunks::<8>();
            let mut filled = [0; 8];
            filled[..rest.len()].copy_from_slice(rest);
            assert_eq!(tail(&bytes, rest), u64::from_le_bytes(filled), "{len}");
        }
    }

    #[test]
    fn length_and_order_matter() {
        assert_ne!(hash(b"a"), hash(b"a\0"));
        assert_ne!(mix(hash(b"a"), hash(b"b")), mix(hash(b"b"), hash(b"a")));
    }
}
