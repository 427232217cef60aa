//! String functions. Positions and lengths count Unicode code points.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Int64Type};
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD as BASE64};
use datafusion_common::Result;

use crate::kernel::{Kernel, booleans, row_error, strings, written};
use crate::registry::Parameter::{Integer, IntegerOrText, NumberOrText, Regex, Text};
use crate::registry::{Call, Context, Family, Function, Parameter};
use crate::slicing::{self, End};
pub use crate::slicing::{TrimSide, trim};
use crate::{digest, json, pattern};

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
    text("CHAR_LENGTH", "CHAR_LENGTH(s)", "Number of characters.", &[Text], |_, _| slicing::char_length()),
    text("CHARACTER_LENGTH", "CHARACTER_LENGTH(s)", "Number of characters.", &[Text], |_, _| slicing::char_length()),
    text("LOWER", "LOWER(s)", "Lower case.", &[Text], |_, _| case("lower", <[u8]>::to_ascii_lowercase, str::to_lowercase)),
    text("UPPER", "UPPER(s)", "Upper case.", &[Text], |_, _| case("upper", <[u8]>::to_ascii_uppercase, str::to_uppercase)),
    text(
        "INITCAP",
        "INITCAP(s)",
        "First letter of each alphanumeric word upper case, the rest lower case.",
        &[Text],
        |_, _| initcap(),
    ),
    text("LTRIM", "LTRIM(s)", "Removes leading spaces.", &[Text], |_, _| {
        cut("ltrim", |s| s.trim_start_matches(' '))
    }),
    text("RTRIM", "RTRIM(s)", "Removes trailing spaces.", &[Text], |_, _| {
        cut("rtrim", |s| s.trim_end_matches(' '))
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
        |_, _| slicing::pad("lpad", End::Left),
    ),
    text(
        "RPAD",
        "RPAD(s, length, pad)",
        "Pads s on the right, or cuts it, to length characters.",
        PAD,
        |_, _| slicing::pad("rpad", End::Right),
    ),
    text(
        "REPEAT",
        "REPEAT(s, n)",
        "s repeated n times; empty when n is not positive.",
        &[Text, Integer],
        |_, _| slicing::repeat(),
    ),
    text(
        "REPLACE",
        "REPLACE(s, from, to)",
        "Replaces every occurrence of from by to.",
        &[Text; 3],
        |_, _| replace(),
    ),
    text(
        "SUBSTRING",
        "SUBSTRING(s FROM p [FOR n])",
        "n characters from position p; the first is 1, as 0 is; a negative p counts from the end; NULL for a negative n.",
        &[Text, Integer, Integer],
        |types, _| slicing::substring(types.len()),
    )
    .optional(1),
    text(
        "POSITION",
        "POSITION(x IN s)",
        "Position of the first x in s from 1, 0 when absent.",
        &[Text; 2],
        |_, _| slicing::position(),
    ),
    text(
        "OVERLAY",
        "OVERLAY(s PLACING r FROM p [FOR n])",
        "Replaces n characters of s from position p by r; n is the length of r when left out; s itself when there is no such position.",
        &[Text, Text, Integer, Integer],
        |types, _| slicing::overlay(types.len()),
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
        |_, _| test("is_alpha", pattern::is_alpha),
    ),
    text(
        "IS_DIGITS",
        "IS_DIGITS(s)",
        "Whether s is not empty and all digits; FALSE for NULL.",
        &[Text],
        |_, _| test("is_digits", pattern::is_digits),
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
        |_, _| json::json_value(),
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
        |_, _| map1("md5", digest::md5),
    ),
    text("SHA1", "SHA1(s)", "SHA-1 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha1", digest::sha1)
    }),
    text("SHA224", "SHA224(s)", "SHA-224 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha224", |s, out| digest::sha2(s, 224, out))
    }),
    text("SHA256", "SHA256(s)", "SHA-256 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha256", |s, out| digest::sha2(s, 256, out))
    }),
    text("SHA384", "SHA384(s)", "SHA-384 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha384", |s, out| digest::sha2(s, 384, out))
    }),
    text("SHA512", "SHA512(s)", "SHA-512 in lower-case hexadecimal.", &[Text], |_, _| {
        map1("sha512", |s, out| digest::sha2(s, 512, out))
    }),
    text("SHA2", "SHA2(s, bits)", "SHA-2 of 224, 256, 384 or 512 bits.", &[Text, Integer], |_, _| sha2()),
    text("TO_BASE64", "TO_BASE64(s)", "Base64 of the UTF-8 bytes.", &[Text], |_, _| {
        map1("to_base64", |s, out| {
            BASE64.encode_string(s, out);
            Ok(())
        })
    }),
    text("FROM_BASE64", "FROM_BASE64(s)", "Decodes base64 to a string.", &[Text], |_, _| {
        map1("from_base64", from_base64)
    }),
    text("BIN", "BIN(n)", "Binary digits of an integer.", &[Integer], |_, _| {
        of_integer("bin", |n, out| write!(out, "{n:b}"))
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
        "Replaces every match by r, where `$1` is a group and a backslash makes the next character plain.",
        &[Text, Regex, Text],
        |_, _| pattern::regexp_replace(),
    ),
    text(
        "REGEXP_EXTRACT",
        "REGEXP_EXTRACT(s, regex [, group])",
        "A group of the first match, the whole match without a group; NULL when there is none.",
        &[Text, Regex, Integer],
        |types, _| pattern::regexp_extract(types.len()),
    )
    .optional(1),
    text(
        "STRING_TO_ARRAY",
        "STRING_TO_ARRAY(s, regex)",
        "Splits s at each match of a regular expression.",
        &[Text, Regex],
        |_, _| pattern::string_to_array(),
    ),
];

const PAD: &[Parameter] = &[Text, Integer, Text];

/// Makes a function of one string that writes its result into a buffer.
fn map1(name: &'static str, write: fn(&str, &mut String) -> Result<()>) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Utf8, move |a| {
        let s = a.text(0)?;
        written(a.rows, |row, out| match s.get(row) {
            Some(s) => write(s, out).map(|()| true),
            None => Ok(false),
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Makes a function that gives a part of its argument.
fn cut(name: &'static str, part: fn(&str) -> &str) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Utf8, move |a| {
        let s = a.text(0)?;
        strings(a.rows, |row| Ok(s.get(row).map(part)))
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Makes `LOWER` or `UPPER`: a column of ASCII is converted as one piece, in which offsets do not move.
fn case(name: &'static str, ascii: fn(&[u8]) -> Vec<u8>, any: fn(&str) -> String) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Utf8, move |a| {
        let array = a.array(0)?;
        if let Some(column) = array.as_string_opt::<i32>()
            && column.values().is_ascii()
        {
            let values = Buffer::from_vec(ascii(column.values()));
            let (offsets, nulls) = (column.offsets().clone(), column.nulls().cloned());
            return Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?));
        }
        let s = a.text(0)?;
        strings(a.rows, |row| Ok(s.get(row).map(any)))
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

fn initcap() -> Call {
    map1("initcap", |s, out| {
        let mut inside = false;
        for c in s.chars() {
            if inside {
                out.extend(c.to_lowercase());
            } else {
                out.extend(c.to_uppercase());
            }
            inside = c.is_alphanumeric();
        }
        Ok(())
    })
}

fn concat(arguments: usize) -> Call {
    let kernel = Kernel::new("concat", arguments, DataType::Utf8, |a| {
        let parts = (0..a.len()).map(|index| a.text(index)).collect::<Result<Vec<_>>>()?;
        written(a.rows, |row, out| {
            parts.iter().filter_map(|part| part.get(row)).for_each(|part| out.push_str(part));
            Ok(true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn concat_ws(arguments: usize) -> Call {
    let kernel = Kernel::new("concat_ws", arguments, DataType::Utf8, |a| {
        let separator = a.text(0)?;
        let parts = (1..a.len()).map(|index| a.text(index)).collect::<Result<Vec<_>>>()?;
        written(a.rows, |row, out| {
            let separator = separator.get(row).unwrap_or_default();
            for (index, part) in parts.iter().filter_map(|part| part.get(row)).enumerate() {
                if index > 0 {
                    out.push_str(separator);
                }
                out.push_str(part);
            }
            Ok(true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn replace() -> Call {
    let kernel = Kernel::new("replace", 3, DataType::Utf8, |a| {
        let (s, from, to) = (a.text(0)?, a.text(1)?, a.text(2)?);
        written(a.rows, |row, out| {
            let (Some(s), Some(from), Some(to)) = (s.get(row), from.get(row), to.get(row)) else {
                return Ok(false);
            };
            let mut end = 0;
            // Nothing stands everywhere; it is not replaced.
            for (start, _) in s.match_indices(from).take_while(|_| !from.is_empty()) {
                out.push_str(&s[end..start]);
                out.push_str(to);
                end = start + from.len();
            }
            out.push_str(&s[end..]);
            Ok(true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn key_value() -> Call {
    let kernel = Kernel::new("key_value", 4, DataType::Utf8, |a| {
        let (s, pairs, inner, key) = (a.text(0)?, a.text(1)?, a.text(2)?, a.text(3)?);
        strings(a.rows, |row| {
            let (Some(s), Some(pairs), Some(inner), Some(key)) =
                (s.get(row), pairs.get(row), inner.get(row), key.get(row))
            else {
                return Ok(None);
            };
            if pairs.is_empty() || inner.is_empty() {
                return Ok(None);
            }
            let mut found = s.split(pairs).filter_map(|pair| pair.split_once(inner));
            Ok(found.find(|(name, _)| *name == key).map(|(_, value)| value))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn sha2() -> Call {
    let kernel = Kernel::new("sha2", 2, DataType::Utf8, |a| {
        let (s, bits) = (a.text(0)?, a.primitive::<Int64Type>(1)?);
        written(a.rows, |row, out| {
            let (Some(s), Some(bits)) = (s.get(row), bits.get(row)) else { return Ok(false) };
            digest::sha2(s, bits, out).map(|()| true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// The usual alphabet; `=` at the end may be missing.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn from_base64(s: &str, out: &mut String) -> Result<()> {
    let bytes = FORGIVING.decode(s.trim()).ok();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(decoded) => {
            out.push_str(&decoded);
            Ok(())
        }
        None => row_error("FROM_BASE64 was given text that is not base64 of a string".to_string()),
    }
}

/// Makes a function of an integer that writes its result into a buffer.
fn of_integer(name: &'static str, write: fn(i64, &mut String) -> std::fmt::Result) -> Call {
    let kernel = Kernel::new(name, 1, DataType::Utf8, move |a| {
        let n = a.primitive::<Int64Type>(0)?;
        written(a.rows, |row, out| match n.get(row) {
            Some(n) => Ok(write(n, out).is_ok()),
            None => Ok(false),
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

fn hex(of: &DataType) -> Call {
    if *of == DataType::Utf8 {
        return map1("hex", |s, out| digest::write_hex(s.as_bytes(), b"0123456789ABCDEF", out));
    }
    of_integer("hex_integer", |n, out| write!(out, "{n:X}"))
}
