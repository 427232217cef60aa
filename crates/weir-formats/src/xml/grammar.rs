//! The rules of well-formed XML 1.0 that the parser leaves to its caller: characters, names, attributes,
//! references, the XML declaration.

/// Checks that every character of a document is one that XML allows.
pub(super) fn check_characters(document: &str) -> Result<(), String> {
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let bytes = document.as_bytes();
    if let Some(at) = bytes.iter().position(|byte| is_control(*byte)) {
        return Err(format!("the control character {} at byte {at}", bytes[at]));
    }
    // U+FFFE and U+FFFF are the only others; all of a UTF-8 text that begins with EF BF is near them.
    for at in memchr::memmem::find_iter(bytes, b"\xEF\xBF") {
        if matches!(bytes.get(at + 2), Some(0xBE | 0xBF)) {
            return Err(format!("a character that is none at byte {at}"));
        }
    }
    Ok(())
}

/// Returns whether a text is a name of an element, attribute or entity.
pub(super) fn is_name(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let mut characters = text.chars();
    characters.next().is_some_and(begins_name) && characters.all(continues_name)
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic()
        || matches!(c, ':' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}'
            | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}'
            | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}' | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(c: char) -> bool {
    begins_name(c)
        || c.is_ascii_digit()
        || matches!(c, '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Returns whether there is nothing but white space.
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|byte| is_space(*byte))
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// Returns the character that `&name;` stands for.
pub(super) fn resolve(name: &[u8]) -> Result<char, String> {
    let shown = String::from_utf8_lossy(name);
    let resolved = match name {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x', digits @ ..] => character(digits, 16),
        [b'#', digits @ ..] => character(digits, 10),
        _ if is_name(name) => {
            return Err(format!(
                "the entity `&{shown};`, which XML does not define; others are not expanded"
            ));
        }
        _ => None,
    };
    resolved.ok_or_else(|| format!("`&{shown};` stands for no character"))
}

fn character(digits: &[u8], radix: u32) -> Option<char> {
    let digits = std::str::from_utf8(digits).ok()?;
    // The standard library accepts a sign, XML does not.
    digits.chars().all(|digit| digit.is_digit(radix)).then_some(())?;
    let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    check_characters(character.encode_utf8(&mut [0; 4])).ok()?;
    Some(character)
}

/// Gives every attribute behind the name of a tag to `take`, and checks their grammar.
fn for_each_attribute<'a>(
    mut rest: &'a [u8],
    mut take: impl FnMut(&'a [u8], &'a [u8]) -> Result<(), String>,
) -> Result<(), String> {
    loop {
        let attribute = trim_start(rest);
        if attribute.is_empty() {
            return Ok(());
        }
        if attribute.len() == rest.len() {
            return Err("attributes without a blank between them".to_string());
        }
        let end = attribute.iter().position(|byte| *byte == b'=' || is_space(*byte));
        let (name, after) = attribute.split_at(end.unwrap_or(attribute.len()));
        let shown = || String::from_utf8_lossy(name);
        if !is_name(name) {
            return Err(format!("`{}` where an attribute should be", shown()));
        }
        let Some(value) = trim_start(after).strip_prefix(b"=").map(trim_start) else {
            return Err(format!("attribute `{}` without a value", shown()));
        };
        let [quote @ (b'"' | b'\''), value @ ..] = value else {
            return Err(format!("attribute `{}` without quotes around its value", shown()));
        };
        let Some(end) = memchr::memchr(*quote, value) else {
            return Err(format!("attribute `{}` without the quote at its end", shown()));
        };
        take(name, &value[..end])?;
        rest = &value[end + 1..];
    }
}

fn trim_start(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_space(**byte)).count();
    &text[blanks..]
}

/// Checks the attributes of a start tag, which columns never read. Takes time in proportion to their number.
pub(super) fn check_attributes(attributes: &[u8]) -> Result<(), String> {
    let mut names = Vec::new();
    for_each_attribute(attributes, |name, value| {
        names.push(name);
        if memchr::memchr(b'<', value).is_some() {
            return Err(format!("`<` in the value of attribute `{}`", String::from_utf8_lossy(name)));
        }
        let mut rest = value;
        while let Some(start) = memchr::memchr(b'&', rest) {
            rest = &rest[start + 1..];
            let Some(end) = memchr::memchr(b';', rest) else {
                return Err("`&` without `;`".to_string());
            };
            resolve(&rest[..end])?;
            rest = &rest[end + 1..];
        }
        Ok(())
    })?;
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("attribute `{}` twice in one tag", String::from_utf8_lossy(pair[0]))),
        None => Ok(()),
    }
}

/// Checks `<!DOCTYPE ...>` up to the declarations in brackets, of which nothing is used: neither entities nor
/// default values of attributes reach a column.
pub(super) fn check_doctype(doctype: &[u8]) -> Result<(), String> {
    match is_doctype(doctype) {
        Some(true) => Ok(()),
        _ => Err("a malformed DOCTYPE".to_string()),
    }
}

fn is_doctype(doctype: &[u8]) -> Option<bool> {
    let rest = blanks_then(doctype.strip_prefix(b"<!DOCTYPE")?.strip_suffix(b">")?)?;
    let end = rest.iter().position(|byte| is_space(*byte) || *byte == b'[').unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let rest = match blanks_then(rest) {
        Some(identifier) if identifier.starts_with(b"SYSTEM") => literal(&identifier[6..])?,
        Some(identifier) if identifier.starts_with(b"PUBLIC") => literal(literal(&identifier[6..])?)?,
        _ => rest,
    };
    let rest = trim_start(rest);
    let is_complete = rest.is_empty() || (rest.starts_with(b"[") && rest.trim_ascii_end().ends_with(b"]"));
    Some(is_name(name) && is_complete)
}

/// Returns what follows at least one blank.
fn blanks_then(text: &[u8]) -> Option<&[u8]> {
    Some(trim_start(text)).filter(|rest| rest.len() < text.len())
}

/// Returns what follows blanks and a text in quotes.
fn literal(text: &[u8]) -> Option<&[u8]> {
    let [quote @ (b'"' | b'\''), rest @ ..] = blanks_then(text)? else { return None };
    Some(&rest[memchr::memchr(*quote, rest)? + 1..])
}

/// Checks what stands in `<?xml ...?>` behind the word `xml`. The encoding it names is not looked at:
/// records are UTF-8, whatever they were when they were written.
pub(super) fn check_declaration(attributes: &[u8]) -> Result<(), String> {
    let mut next = 0;
    for_each_attribute(attributes, |name, value| {
        const NAMES: [&[u8]; 3] = [b"version", b"encoding", b"standalone"];
        let place = NAMES.iter().position(|known| *known == name).filter(|place| *place >= next);
        let is_valid = match place {
            Some(0) => value
                .strip_prefix(b"1.")
                .is_some_and(|minor| !minor.is_empty() && minor.iter().all(u8::is_ascii_digit)),
            Some(1) => {
                value.first().is_some_and(u8::is_ascii_alphabetic)
                    && value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
            }
            Some(2) => matches!(value, b"yes" | b"no"),
            _ => false,
        };
        if !is_valid || (next == 0 && place != Some(0)) {
            return Err(format!(
                "`{}` where it cannot be in the XML declaration",
                String::from_utf8_lossy(name)
            ));
        }
        next = place.map_or(next, |place| place + 1);
        Ok(())
    })?;
    match next {
        0 => Err("an XML declaration without a version".to_string()),
        _ => Ok(()),
    }
}
