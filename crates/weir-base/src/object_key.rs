//! What may be the key of an object, or a folder, in a bucket.

/// Whether a text is a key: parts between slashes, none of them empty or a step (`.`, `..`), without control characters. What
/// walks about in a bucket is no place in it: stores write such steps as names, or refuse them.
pub fn is_object_key(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.chars().any(char::is_control);
    text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_parts_that_are_names() {
        for key in ["a", "a/b.zip", "...", ".a/..b", "a b"] {
            assert!(is_object_key(key), "{key}");
        }
        for text in ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "a\nb"] {
            assert!(!is_object_key(text), "{text}");
        }
    }
}
