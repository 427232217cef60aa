//! Cutting the bytes of an object into records at a delimiter.

/// The complete records of some bytes, each with its offset.
pub(crate) struct Records<'a> {
    data: &'a [u8],
    delimiter: &'a [u8],
    position: usize,
}

impl<'a> Records<'a> {
    pub fn new(data: &'a [u8], delimiter: &'a [u8]) -> Self {
        Self { data, delimiter, position: 0 }
    }

    /// Returns how many bytes the records so far took, delimiters included.
    pub fn consumed(&self) -> usize {
        self.position
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.data[self.position..];
        let length = match self.delimiter {
            [] => return None,
            [byte] => memchr::memchr(*byte, rest)?,
            _ => memchr::memmem::find(rest, self.delimiter)?,
        };
        let offset = self.position;
        self.position += length + self.delimiter.len();
        Some((offset, without_carriage_return(&rest[..length], self.delimiter)))
    }
}

/// Returns a record without the carriage return that stands before the default delimiter, a line feed.
pub fn without_carriage_return<'a>(record: &'a [u8], delimiter: &[u8]) -> &'a [u8] {
    match record.strip_suffix(b"\r") {
        Some(rest) if delimiter == b"\n" => rest,
        _ => record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(data: &'a [u8], delimiter: &'a [u8]) -> (Vec<(usize, &'a [u8])>, usize) {
        let mut records = Records::new(data, delimiter);
        (records.by_ref().collect(), records.consumed())
    }

    #[test]
    fn cuts_at_the_delimiter_and_leaves_the_rest() {
        let records: Vec<(usize, &[u8])> = vec![(0, b"a"), (3, b""), (4, b"b")];
        assert_eq!(split(b"a\r\n\nb\nc", b"\n"), (records, 6));
        let records: Vec<(usize, &[u8])> = vec![(0, b"a\r"), (4, b"b")];
        assert_eq!(split(b"a\r||b|||c", b"||"), (records, 7));
        assert_eq!(split(b"abc", b""), (vec![], 0));
        assert_eq!(split(b"", b"\n"), (vec![], 0));
    }
}
