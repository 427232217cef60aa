//! How a record finds its partition. Pure: numbers in, numbers out.
//!
//! The hash space 0 to 2^63-1 is cut into equal ranges, one per active partition; the last one takes
//! the remainder. Ranges shown to users and the choice of a partition come from the same division.

use sha2::{Digest, Sha256};

/// The largest hash: 2^63-1.
pub const MAX_HASH: u64 = i64::MAX as u64;

/// Returns the hash of a key: the first 8 bytes of its SHA-256, big-endian, without the sign bit.
pub fn hash_of_key(key: &str) -> u64 {
    let digest = Sha256::digest(key.as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first) & MAX_HASH
}

/// Returns the index of the partition whose range holds `hash`, among `count` active ones.
pub fn partition_of(hash: u64, count: u32) -> u32 {
    let count = u64::from(count.max(1));
    let index = (hash.min(MAX_HASH) / (MAX_HASH / count)).min(count - 1);
    u32::try_from(index).expect("the index is below a count that is a u32")
}

/// Returns the first and the last hash of the partition with `index` among `count` active ones.
pub fn hash_range(index: u32, count: u32) -> (u64, u64) {
    let count = u64::from(count.max(1));
    let (index, width) = (u64::from(index).min(count - 1), MAX_HASH / count);
    let last = if index == count - 1 { MAX_HASH } else { (index + 1) * width - 1 };
    (index * width, last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hashes_are_those_of_the_published_client() {
        assert_eq!(hash_of_key("0"), 6_912_158_355_717_386_040);
        assert_eq!(hash_of_key("abc"), 4_213_142_463_398_924_266);
    }

    #[test]
    fn ranges_of_one_and_two_partitions_are_the_documented_ones() {
        assert_eq!(hash_range(0, 1), (0, 9_223_372_036_854_775_807));
        assert_eq!(hash_range(0, 2), (0, 4_611_686_018_427_387_902));
        assert_eq!(hash_range(1, 2), (4_611_686_018_427_387_903, 9_223_372_036_854_775_807));
    }

    proptest! {
        #[test]
        fn the_range_of_the_chosen_partition_holds_the_hash(hash in 0..=MAX_HASH, count in 1_u32..2000) {
            let index = partition_of(hash, count);
            prop_assert!(index < count);
            let (first, last) = hash_range(index, count);
            prop_assert!(first <= hash && hash <= last);
        }

        #[test]
        fn ranges_cover_everything_without_gap_or_overlap(count in 1_u32..500) {
            let mut expected = 0;
            for index in 0..count {
                let (first, last) = hash_range(index, count);
                prop_assert_eq!(first, expected);
                prop_assert_eq!(partition_of(first, count), index);
                prop_assert_eq!(partition_of(last, count), index);
                expected = last + 1;
            }
            prop_assert_eq!(expected, MAX_HASH + 1);
        }
    }
}
