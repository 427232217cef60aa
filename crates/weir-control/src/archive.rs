//! ZIP archives, in memory: those that the service writes, and those that users bring.
//!
//! What ordinary tools write is read: files as they are or deflated, without encryption and below 4 GB.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// Longest contents of an archive that is written: whoever has it made has them in memory beside it.
const MOST_WRITTEN: usize = 64 << 20;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_BYTES: usize = 22;
/// A comment of 64 KB may follow the end.
const LONGEST_COMMENT: usize = 65_535;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const ENCRYPTED: u16 = 1;
/// 1 January 1980, the first day that the format knows.
const FIRST_DAY: u16 = 0x21;

/// Makes an archive of files.
pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let total: usize = files.iter().map(|(_, contents)| contents.len()).sum();
    let (Ok(count), true) = (u16::try_from(files.len()), total <= MOST_WRITTEN) else {
        return Err(format!("{} files with {total} bytes are too much for one archive", files.len()));
    };
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for (name, contents) in files {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(contents).and_then(|()| encoder.finish());
        let packed = packed.map_err(|error| format!("{name}: {error}"))?;
        let mut header = Vec::new();
        for number in [20, UTF8, DEFLATED, 0, FIRST_DAY] {
            header.extend(number.to_le_bytes());
        }
        header.extend(crc32fast::hash(contents).to_le_bytes());
        header.extend(as_u32(packed.len())?.to_le_bytes());
        header.extend(as_u32(contents.len())?.to_le_bytes());
        let length = u16::try_from(name.len()).map_err(|_| format!("the name {name} is too long"))?;
        header.extend(length.to_le_bytes());
        header.extend(0_u16.to_le_bytes());
        // The entry of the directory: the header once more, and where the file begins.
        directory.extend(CENTRAL.to_le_bytes());
        directory.extend(20_u16.to_le_bytes());
        directory.extend(&header);
        directory.extend([0; 10]);
        directory.extend(as_u32(archive.len())?.to_le_bytes());
        directory.extend(name.as_bytes());
        archive.extend(LOCAL.to_le_bytes());
        archive.extend(&header);
        archive.extend(name.as_bytes());
        archive.extend(packed);
    }
    let start = as_u32(archive.len())?;
    let length = as_u32(directory.len())?;
    archive.extend(directory);
    archive.extend(END.to_le_bytes());
    archive.extend([0; 4]);
    archive.extend(count.to_le_bytes());
    archive.extend(count.to_le_bytes());
    archive.extend(length.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    Ok(archive)
}

fn as_u32(length: usize) -> Result<u32, String> {
    u32::try_from(length).map_err(|_| "it is too long for an archive".to_string())
}

/// Returns the files of an archive, in its order, each unpacked when it is asked for. `left` is how many bytes all of
/// them may have, so that a small archive cannot fill the memory; what they have is taken off it.
pub(crate) fn unpack<'a>(
    bytes: &'a [u8],
    left: &'a mut usize,
) -> Result<impl Iterator<Item = Result<(String, Vec<u8>), String>> + 'a, String> {
    let mut files = entries(bytes)?;
    files.retain(|entry| !entry.name.ends_with('/'));
    Ok(files.into_iter().map(|entry| {
        let failed = |reason: &str| format!("{}: {reason}", entry.name);
        let contents = entry.contents(bytes, *left).ok_or_else(|| failed("it is damaged or too long"))?;
        if crc32fast::hash(&contents) != entry.crc {
            return Err(failed("its check sum is wrong"));
        }
        *left -= contents.len();
        Ok((entry.name, contents))
    }))
}

/// A file, as the directory of the archive has it.
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed: usize,
    offset: usize,
}

impl Entry {
    /// Unpacks the file, when it has at most `most` bytes.
    fn contents(&self, bytes: &[u8], most: usize) -> Option<Vec<u8>> {
        let header = bytes.get(self.offset..)?;
        if u32_at(header, 0)? != LOCAL {
            return None;
        }
        let start = 30 + usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?);
        let packed = header.get(start..start.checked_add(self.packed)?)?;
        let mut contents = Vec::new();
        // What the directory says of sizes is not believed.
        let limit = u64::try_from(most).ok()? + 1;
        match self.method {
            STORED => packed.take(limit).read_to_end(&mut contents).ok()?,
            DEFLATED => DeflateDecoder::new(packed).take(limit).read_to_end(&mut contents).ok()?,
            _ => return None,
        };
        (contents.len() <= most).then_some(contents)
    }
}

/// Reads the directory of an archive.
fn entries(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let no_archive = || "it is no ZIP archive".to_string();
    let last = bytes.len().checked_sub(END_BYTES).ok_or_else(no_archive)?;
    let first = last.saturating_sub(LONGEST_COMMENT);
    let end = (first..=last).rev().find(|at| u32_at(bytes, *at) == Some(END)).ok_or_else(no_archive)?;
    let read = || -> Option<Vec<Option<Entry>>> {
        let count = u16_at(bytes, end + 10)?;
        let mut at = usize::try_from(u32_at(bytes, end + 16)?).ok()?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let entry = bytes.get(at..)?;
            if u32_at(entry, 0)? != CENTRAL {
                return None;
            }
            let name = usize::from(u16_at(entry, 28)?);
            let more = usize::from(u16_at(entry, 30)?) + usize::from(u16_at(entry, 32)?);
            let is_open = u16_at(entry, 8)? & ENCRYPTED == 0;
            let found = Entry {
                name: String::from_utf8_lossy(entry.get(46..46 + name)?).into_owned(),
                method: u16_at(entry, 10)?,
                crc: u32_at(entry, 16)?,
                packed: usize::try_from(u32_at(entry, 20)?).ok()?,
                offset: usize::try_from(u32_at(entry, 42)?).ok()?,
            };
            entries.push(is_open.then_some(found));
            at = at.checked_add(46 + name + more)?;
        }
        Some(entries)
    };
    let entries = read().ok_or_else(|| "the directory of the archive is damaged".to_string())?;
    let open: Option<Vec<Entry>> = entries.into_iter().collect();
    open.ok_or_else(|| "it is encrypted".to_string())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Whether bytes are an archive; else why not.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    entries(bytes).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST_BYTES: usize = 1 << 20;

    fn unpack(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let mut left = MOST_BYTES;
        super::unpack(bytes, &mut left)?.collect()
    }

    fn files() -> Vec<(String, Vec<u8>)> {
        vec![("a.json".to_string(), b"{}".to_vec()), ("d/\u{e9}".to_string(), vec![7; 100_000])]
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        assert_eq!(unpack(&pack(&files()).unwrap()), Ok(files()));
        assert_eq!(unpack(&pack(&[]).unwrap()), Ok(Vec::new()));
    }

    #[test]
    fn what_another_tool_stored_is_unpacked() {
        let stored = b"PK\x03\x04\x14\0\0\0\0\0\0\0!\0\x89\xbd4\xe2\x0d\0\0\0\x0d\0\0\0\x0a\0\0\0job_1.json{\"format\": 1}\
            PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0!\0\x89\xbd4\xe2\x0d\0\0\0\x0d\0\0\0\x0a\0\0\0\0\0\0\0\0\0\0\0\x80\x01\0\0\0\0\
            job_1.jsonPK\x05\x06\0\0\0\0\x01\0\x01\x008\0\0\x005\0\0\0\0\0";
        assert_eq!(unpack(stored), Ok(vec![("job_1.json".to_string(), b"{\"format\": 1}".to_vec())]));
    }

    #[test]
    fn an_archive_that_breaks_off_or_is_changed_anywhere_is_refused() {
        let whole = pack(&files()).unwrap();
        for end in 0..whole.len() {
            assert!(unpack(&whole[..end]).is_err(), "{end}");
        }
        assert!(check(b"no archive, but longer than the end of one").is_err());
        let data = whole.windows(2).position(|two| two == b"{}");
        assert_eq!(data, None, "it is deflated");
        let mut changed = whole.clone();
        changed[14] ^= 1;
        assert_eq!(unpack(&changed), Ok(files()), "the directory counts");
        changed[36] ^= 0xff;
        assert!(unpack(&changed).is_err());
    }

    #[test]
    fn an_archive_that_unpacks_to_too_much_is_refused() {
        let bomb = pack(&[("zeros".to_string(), vec![0; MOST_BYTES + 1])]).unwrap();
        assert!(unpack(&bomb).unwrap_err().contains("too long"));
        let half = pack(&[("zeros".to_string(), vec![0; MOST_BYTES / 2 + 1])]).unwrap();
        let mut left = MOST_BYTES;
        for fits in [true, false] {
            let unpacked: Result<Vec<_>, String> = super::unpack(&half, &mut left).unwrap().collect();
            assert_eq!(unpacked.is_ok(), fits, "both together are too long");
        }
    }
}
