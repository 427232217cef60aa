//! Finding the end of a string, or the next character of one that must be escaped, many bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Returns the position of the first quote, backslash or control character from `from` on, or the length.
///
/// Most strings of records are short: two words are looked at first, then blocks of 32 bytes, which the
/// compiler turns into vector instructions.
#[inline]
pub(crate) fn find_special(bytes: &[u8], from: usize) -> usize {
    let mut position = from;
    for _ in 0..2 {
        let Some(word) = word_at(bytes, position) else { return find_special_bytewise(bytes, position) };
        let found = special_in_word(word);
        if found != 0 {
            return position + (found.trailing_zeros() / 8) as usize;
        }
        position += 8;
    }
    find_special_in_blocks(bytes, position)
}

fn find_special_in_blocks(bytes: &[u8], mut position: usize) -> usize {
    while let Some(block) = bytes.get(position..).and_then(|rest| rest.first_chunk::<32>()) {
        let mut any = false;
        for byte in block {
            any |= is_special(*byte);
        }
        if any {
            break;
        }
        position += 32;
    }
    while let Some(word) = word_at(bytes, position) {
        let found = special_in_word(word);
        if found != 0 {
            return position + (found.trailing_zeros() / 8) as usize;
        }
        position += 8;
    }
    find_special_bytewise(bytes, position)
}

fn find_special_bytewise(bytes: &[u8], position: usize) -> usize {
    let rest = bytes.get(position..).unwrap_or_default();
    rest.iter().position(|byte| is_special(*byte)).map_or(bytes.len(), |length| position + length)
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < 0x20)
}

#[inline]
fn word_at(bytes: &[u8], position: usize) -> Option<u64> {
    bytes.get(position..)?.first_chunk().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Marks the special bytes of a word in their highest bits. The lowest mark is exact; those above it may
/// be wrong, because a subtraction borrows from the byte above.
#[inline]
fn special_in_word(word: u64) -> u64 {
    let zero_in = |x: u64| x.wrapping_sub(ONES) & !x;
    let quote = zero_in(word ^ (ONES * b'"' as u64));
    let backslash = zero_in(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | backslash | control) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_bytes_are_found_wherever_they_stand() {
        for special in [b'"', b'\\', 0, 0x1f] {
            for length in 0..100 {
                for plain in [b'a', b'!', b'#', 0x20, 0x7f, 0x80, 0xff] {
                    let mut bytes = vec![plain; length];
                    assert_eq!(find_special(&bytes, 0), length);
                    bytes.push(special);
                    bytes.extend_from_slice(&[plain, b'"', 0]);
                    assert_eq!(find_special(&bytes, 0), length, "{special} after {length} of {plain}");
                }
            }
        }
        assert_eq!(find_special(b"ab", 5), 2);
    }
}
