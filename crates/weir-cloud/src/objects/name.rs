//! Which names buckets may have.

use std::net::Ipv4Addr;

/// Whether a text may be the name of a bucket. The rules are those of S3 and OBS; they also keep names
/// from leaving the directory and from being hidden files.
pub fn is_bucket_name(name: &str) -> bool {
    let is_letter_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| is_letter_or_digit(*byte) || matches!(byte, b'-' | b'.'))
        && bytes.first().copied().is_some_and(is_letter_or_digit)
        && bytes.last().copied().is_some_and(is_letter_or_digit)
        && !["..", ".-", "-."].iter().any(|pair| name.contains(pair))
        && name.parse::<Ipv4Addr>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_object_services() {
        for good in ["abc", "a-b.c", "0ab", "a".repeat(63).as_str()] {
            assert!(is_bucket_name(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "",
            "ab",
            "Abc",
            "a_b",
            ".abc",
            "abc.",
            "-abc",
            "a..b",
            "a.-b",
            "..",
            "a/b",
            "1.2.3.4",
            long.as_str(),
        ] {
            assert!(!is_bucket_name(bad), "{bad}");
        }
    }
}
