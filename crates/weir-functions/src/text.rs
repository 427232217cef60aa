//! String functions. Positions and lengths count Unicode code points.

use arrow::datatypes::{DataType, Int32Type, Int64Type};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use datafusion_common::Result;

use crate::kernel::{Arguments, Kernel, booleans, primitives, row_error, strings};
use crate::registry::Parameter::{Integer, IntegerOrText, NumberOrText, Text};
use crate::registry::{Call, Context, Family, Function, Parameter};
use crate::{digest, json, pattern};

/// The longest string that padding and repeating make, in characters.
const LONGEST: i64 = 16 * 1024 * 1024;

const fn text(
    name: &'static str,
    synopsis: &'static str,
    meaning: &'static str,
    parameters: &'static [Parameter],
    build: fn(&[DataType], &Context) -> Call,
) -> Function {
    Function::new(Family::Text, name, synopsis, meaning, parameters, build)
}

/// The string functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    text("CHAR_LENGTH", "CHAR_LENGTH(s)", "Number of characters.", &[Text], |_, _| char_length()),
    text("CHARACTER_LENGTH", "CHARACTER_LENGTH(s)", "Number of characters.", &[Text], |_, _| char_length()),
    text("LOWER", "LOWER(s)", "Lower case.", &[Text], |_, _| map1("lower", |s| Some(s.to_lowercase()))),
    text("UPPER", "UPPER(s)", "Upper case.", &[Text], |_, _| map1("upper", |s| Some(s.to_uppercase()))),
    text(
        "INITCAP",
        "INITCAP(s)",
        "First letter of each alphanumeric word upper case, the rest lower case.",
        &[Text],
        |_, _| map1("initcap", |s| Some(initcap(s))),
    ),
    text("LTRIM", "LTRIM(s)", "Removes leading spaces.", &[Text], |_, _| {
        map1("ltrim", |s| Some(s.trim_start_matches(' ').to_string()))
    }),
    text("RTRIM", "RTRIM(s)", "Removes trailing spaces.", &[Text], |_, _| {
        map1("rtrim", |s| Some(s.trim_end_matches(' ').to_string()))
    }),
    text(
        "CONCAT",
        "CONCAT(s1, s2, ...)",
        "Concatenates the arguments, leaving NULL ones out.",
        &[Text],
        |types, _| concat(types.len()),
    )
    .variadic(),
    text(
        "CONCAT_WS",
        "CONCAT_WS(separator, s1, s2, ...)",
        "Joins the arguments that are not NULL; a NULL separator counts as empty.",
        &[Text, Text],
        |types, _| concat_ws(types.len()),
    )
    .variadic(),
    text(
        "LPAD",
        "LPAD(s, length, pad)",
        "Pads s on the left, or cuts it, to length characters.",
        PAD,
        |_, _| padding("lpad", |s, padding| format!("{padding}{s}")),
    ),
    text(
        "RPAD",
        "RPAD(s, length, pad)",
        "Pads s on the right, or cuts it, to length characters.",
        PAD,
        |_, _| padding("rpad", |s, padding| format!("{s}{padding}")),
    ),
    text(
        "REPEAT",
        "REPEAT(s, n)",
        "s repeated n times; empty when n is not positive.",
        &[Text, Integer],
        |_, _| repeat(),
    ),
    text(
        "REPLACE",
        "REPLACE(s, from, to)",
        "Replaces every occurrence of from by to.",
        &[Text; 3],
        |_, _| {
            string("replace", 3, |a, row| {
                let (Some(s), Some(from), Some(to)) =
                    (a.text(0)?.get(row), a.text(1)?.get(row), a.text(2)?.get(row))
                else {
                    return Ok(None);
                };
                Ok(Some(if from.is_empty() { s.to_string() } else { s.replace(from, to) }))
            })
        },
    ),
    text(
        "SUBSTRING",
        "SUBSTRING(s FROM p [FOR n])",
        "n characters from position p, counted from 1, or from the end when p is negative.",
        &[Text, Integer, Integer],
        |types, _| substring(types.len()),
    )
    .optional(1),
    text(
        "POSITION",
        "POSITION(x IN s)",
        "Position of the first x in s from 1, 0 when absent.",
        &[Text; 2],
        |_, _| position(),
    ),
    text(
        "OVERLAY",
        "OVERLAY(s PLACING r FROM p [FOR n])",
        "Replaces n characters of s from position p by r; n is the length of r when left out.",
        &[Text, Text, Integer, Integer],
        |types, _| overlay(types.len()),
    )
    .optional(1),
    text(
        "HASH_CODE",
        "HASH_CODE(v)",
        "Absolute value of the 32-bit Java hash code.",
        &[NumberOrText],
        |types, _| digest::hash_code(&types[0]),
    ),
    text(
        "IS_ALPHA",
        "IS_ALPHA(s)",
        "Whether s is not empty and all letters; FALSE for NULL.",
        &[Text],
        |_, _| test("is_alpha", |s| !s.is_empty() && s.chars().all(char::is_alphabetic)),
    ),
    text(
        "IS_DIGITS",
        "IS_DIGITS(s)",
        "Whether s is not empty and all digits; FALSE for NULL.",
        &[Text],
        |_, _| test("is_digits", |s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())),
    ),
    text("IS_NUMBER", "IS_NUMBER(s)", "Whether s is a decimal number; FALSE for NULL.", &[Text], |_, _| {
        test("is_number", pattern::is_number)
    }),
    text(
        "IS_URL",
        "IS_URL(s)",
        "Whether s is an absolute http, https or ftp URL; FALSE for NULL.",
        &[Text],
        |_, _| test("is_url", pattern::is_url),
    ),
    text(
        "JSON_VALUE",
        "JSON_VALUE(json, path)",
        "The text at a path such as `$.a[0].b`; NULL when absent or not JSON.",
        &[Text, Text],
        |_, _| string("json_value", 2, |a, row| json::value(a.text(0)?.get(row), a.text(1)?.get(row))),
    ),
    text(
        "KEY_VALUE",
        "KEY_VALUE(s, pair_separator, key_separator, key)",
        "The value of a key in a string of pairs; NULL when absent.",
        &[Text; 4],
        |_, _| key_value(),
    ),
    text(
        "MD5",
        "MD5(s)",
        "MD5 in lower-case hexadecimal; the empty string gives itself.",
        &[Text],
        |_, _| map1("md5", |s| Some(digest::md5(s))),
    ),
    text("SHA1", "SHA1(s)", "SHA-1 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha1", |s| Some(digest::sha1(s)))
    }),
    text("SHA224", "SHA224(s)", "SHA-224 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha224", |s| digest::sha2(s, 224))
    }),
    text("SHA256", "SHA256(s)", "SHA-256 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha256", |s| digest::sha2(s, 256))
    }),
    text("SHA384", "SHA384(s)", "SHA-384 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha384", |s| digest::sha2(s, 384))
    }),
    text("SHA512", "SHA512(s)", "SHA-512 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha512", |s| digest::sha2(s, 512))
    }),
    text("SHA2", "SHA2(s, bits)", "SHA-2 of 224, 256, 384 or 512 bits.", &[Text, Integer], |_, _| sha2()),
    text("TO_BASE64", "TO_BASE64(s)", "Base64 of the UTF-8 bytes.", &[Text], |_, _| {
        map1("to_base64", |s| Some(BASE64.encode(s)))
    }),
    text("FROM_BASE64", "FROM_BASE64(s)", "Decodes base64 to a string.", &[Text], |_, _| {
        string("from_base64", 1, |a, row| a.text(0)?.get(row).map(from_base64).transpose())
    }),
    text("BIN", "BIN(n)", "Binary digits of an integer.", &[Integer], |_, _| {
        string("bin", 1, |a, row| Ok(a.primitive::<Int64Type>(0)?.get(row).map(|n| format!("{n:b}"))))
    }),
    text(
        "HEX",
        "HEX(n | s)",
        "Upper-case hexadecimal of an integer or of UTF-8 bytes.",
        &[IntegerOrText],
        |types, _| hex(&types[0]),
    ),
    text("UUID", "UUID()", "A random version 4 UUID in lower case.", &[], |_, _| Call {
        function: Kernel::new("uuid", 0, DataType::Utf8, |a| {
            strings(a.rows, |_| Ok(Some(uuid::Uuid::new_v4().to_string())))
        })
        .volatile(0)
        .into_function(),
        returns: DataType::Utf8,
    }),
    text(
        "REGEXP_REPLACE",
        "REGEXP_REPLACE(s, regex, r)",
        "Replaces every match by r, where $1 is a group.",
        &[Text; 3],
        |_, _| pattern::regexp_replace(),
    ),
    text(
        "REGEXP_EXTRACT",
        "REGEXP_EXTRACT(s, regex [, group])",
        "A group of the first match, the whole match without a group; NULL when there is none.",
        &[Text, Text, Integer],
        |types, _| pattern::regexp_extract(types.len()),
    )
    .optional(1),
    text(
        "STRING_TO_ARRAY",
        "STRING_TO_ARRAY(s, regex)",
        "Splits s at each match of a regular expression.",
        &[Text, Text],
        |_, _| pattern::string_to_array(),
    ),
];

const PAD: &[Parameter] = &[Text, Integer, Text];

/// Makes a call whose result is a string computed row by row.
pub(crate) fn string<S>(
    name: &'static str,
    arguments: usize,
    value: fn(&Arguments, usize) -> Result<Option<S>>,
) -> Call
where
    S: AsRef<str> + 'static,
{
    let kernel = Kernel::new(name, arguments, DataType::Utf8, move |a| strings(a.rows, |row| value(a, row)));
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn map1(name: &'static str, value: fn(&str) -> Option<String>) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Utf8, move |a| {
        let s = a.text(0)?;
        strings(a.rows, |row| Ok(s.get(row).and_then(value)))
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn test(name: &'static str, holds: fn(&str) -> bool) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Boolean, move |a| {
        let s = a.text(0)?;
        booleans(a.rows, |row| Ok(Some(s.get(row).is_some_and(holds))))
    });
    Call { function: kernel.into_function(), returns: DataType::Boolean }
}

fn integer(
    name: &'static str,
    arguments: usize,
    value: fn(&Arguments, usize) -> Result<Option<i32>>,
) -> Call {
    let kernel = Kernel::new(name, arguments, DataType::Int32, move |a| {
        primitives::<Int32Type>(a.rows, |row| value(a, row))
    });
    Call { function: kernel.into_function(), returns: DataType::Int32 }
}

fn count(characters: usize) -> Result<Option<i32>> {
    match i32::try_from(characters) {
        Ok(count) => Ok(Some(count)),
        Err(_) => row_error("a string is longer than INT can count".to_string()),
    }
}

fn char_length() -> Call {
    integer("char_length", 1, |a, row| match a.text(0)?.get(row) {
        Some(s) => count(s.chars().count()),
        None => Ok(None),
    })
}

fn position() -> Call {
    integer("position", 2, |a, row| {
        let (Some(x), Some(s)) = (a.text(0)?.get(row), a.text(1)?.get(row)) else { return Ok(None) };
        match s.find(x) {
            Some(byte) => count(s[..byte].chars().count() + 1),
            None => Ok(Some(0)),
        }
    })
}

fn initcap(s: &str) -> String {
    let mut result = String::with_capacity(s.len());
    let mut inside = false;
    for c in s.chars() {
        if inside {
            result.extend(c.to_lowercase());
        } else {
            result.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric();
    }
    result
}

fn concat(arguments: usize) -> Call {
    string("concat", arguments, |a, row| {
        let mut result = String::new();
        for index in 0..a.len() {
            result.push_str(a.text(index)?.get(row).unwrap_or_default());
        }
        Ok(Some(result))
    })
}

fn concat_ws(arguments: usize) -> Call {
    string("concat_ws", arguments, |a, row| {
        let separator = a.text(0)?.get(row).unwrap_or_default();
        let mut parts = Vec::with_capacity(a.len());
        for index in 1..a.len() {
            parts.extend(a.text(index)?.get(row));
        }
        Ok(Some(parts.join(separator)))
    })
}

fn padding(name: &'static str, join: fn(&str, &str) -> String) -> Call {
    let kernel = Kernel::new(name, 3, DataType::Utf8, move |a| {
        let (s, length, pad) = (a.text(0)?, a.primitive::<Int64Type>(1)?, a.text(2)?);
        strings(a.rows, |row| {
            let (Some(s), Some(length), Some(pad)) = (s.get(row), length.get(row), pad.get(row)) else {
                return Ok(None);
            };
            pad_to(s, length, pad, join)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn pad_to(s: &str, length: i64, pad: &str, join: fn(&str, &str) -> String) -> Result<Option<String>> {
    let Ok(wanted) = usize::try_from(length) else { return Ok(None) };
    if length > LONGEST {
        return row_error(format!("padding to {length} characters is more than the limit of {LONGEST}"));
    }
    let present = s.chars().count();
    if wanted <= present {
        return Ok(Some(s.chars().take(wanted).collect()));
    }
    if pad.is_empty() {
        return Ok(None);
    }
    let fill: String = pad.chars().cycle().take(wanted - present).collect();
    Ok(Some(join(s, &fill)))
}

fn repeat() -> Call {
    string("repeat", 2, |a, row| {
        let (Some(s), Some(n)) = (a.text(0)?.get(row), a.primitive::<Int64Type>(1)?.get(row)) else {
            return Ok(None);
        };
        let times = usize::try_from(n).unwrap_or(0);
        let limit = usize::try_from(LONGEST).unwrap_or(usize::MAX);
        if s.len().saturating_mul(times) > limit {
            return row_error(format!("a string repeated {n} times is longer than the limit of {LONGEST}"));
        }
        Ok(Some(s.repeat(times)))
    })
}

fn substring(arguments: usize) -> Call {
    string("substring", arguments, |a, row| {
        let (Some(s), Some(from)) = (a.text(0)?.get(row), a.primitive::<Int64Type>(1)?.get(row)) else {
            return Ok(None);
        };
        let length = if a.len() == 3 {
            match a.primitive::<Int64Type>(2)?.get(row) {
                Some(length) => usize::try_from(length).unwrap_or(0),
                None => return Ok(None),
            }
        } else {
            usize::MAX
        };
        let skip = match usize::try_from(from) {
            Ok(from) => from.saturating_sub(1),
            Err(_) => match usize::try_from(from.unsigned_abs()) {
                Ok(back) if back <= s.chars().count() => s.chars().count() - back,
                _ => return Ok(Some(String::new())),
            },
        };
        Ok(Some(s.chars().skip(skip).take(length).collect()))
    })
}

fn overlay(arguments: usize) -> Call {
    string("overlay", arguments, |a, row| {
        let (Some(s), Some(r), Some(from)) =
            (a.text(0)?.get(row), a.text(1)?.get(row), a.primitive::<Int64Type>(2)?.get(row))
        else {
            return Ok(None);
        };
        let length = if a.len() == 4 {
            match a.primitive::<Int64Type>(3)?.get(row) {
                Some(length) => length,
                None => return Ok(None),
            }
        } else {
            i64::try_from(r.chars().count()).unwrap_or(i64::MAX)
        };
        let head = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
        let tail = usize::try_from(from.saturating_sub(1).saturating_add(length)).unwrap_or(0);
        let mut result: String = s.chars().take(head).collect();
        result.push_str(r);
        result.extend(s.chars().skip(tail));
        Ok(Some(result))
    })
}

fn key_value() -> Call {
    string("key_value", 4, |a, row| {
        let (Some(s), Some(pairs), Some(inner), Some(key)) =
            (a.text(0)?.get(row), a.text(1)?.get(row), a.text(2)?.get(row), a.text(3)?.get(row))
        else {
            return Ok(None);
        };
        if pairs.is_empty() || inner.is_empty() {
            return Ok(None);
        }
        let found = s.split(pairs).filter_map(|pair| pair.split_once(inner)).find(|(name, _)| *name == key);
        Ok(found.map(|(_, value)| value.to_string()))
    })
}

fn sha2() -> Call {
    string("sha2", 2, |a, row| {
        let (Some(s), Some(bits)) = (a.text(0)?.get(row), a.primitive::<Int64Type>(1)?.get(row)) else {
            return Ok(None);
        };
        match digest::sha2(s, bits) {
            Some(digest) => Ok(Some(digest)),
            None => row_error(format!("SHA2 of {bits} bits does not exist; use 224, 256, 384 or 512")),
        }
    })
}

fn from_base64(s: &str) -> Result<String> {
    let bytes = BASE64.decode(s.trim()).ok();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(decoded) => Ok(decoded),
        None => row_error("FROM_BASE64 was given text that is not base64 of a string".to_string()),
    }
}

fn hex(of: &DataType) -> Call {
    if *of == DataType::Utf8 {
        return string("hex", 1, |a, row| Ok(a.text(0)?.get(row).map(|s| hex::encode_upper(s.as_bytes()))));
    }
    string("hex_integer", 1, |a, row| Ok(a.primitive::<Int64Type>(0)?.get(row).map(|n| format!("{n:X}"))))
}

/// The end of a string that `TRIM` works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrimSide {
    /// Both ends.
    Both,
    /// The start.
    Leading,
    /// The end.
    Trailing,
}

/// Returns the function behind `TRIM`: arguments are the string and what to remove repeatedly.
pub fn trim(side: TrimSide) -> Call {
    let kernel = Kernel::new("trim", 2, DataType::Utf8, move |a| {
        let (s, what) = (a.text(0)?, a.text(1)?);
        strings(a.rows, |row| {
            let (Some(mut s), Some(what)) = (s.get(row), what.get(row)) else { return Ok(None) };
            if what.is_empty() {
                return Ok(Some(s));
            }
            if side != TrimSide::Trailing {
                s = s.trim_start_matches(what);
            }
            if side != TrimSide::Leading {
                s = s.trim_end_matches(what);
            }
            Ok(Some(s))
        })
    });
    Call { function: kernel.variant(format!("{side:?}")).into_function(), returns: DataType::Utf8 }
}
