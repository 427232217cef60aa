//! Digests and hash codes.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int32Type, Int64Type};
use datafusion_common::Result;
use sha1::Digest as _;

use crate::kernel::{Kernel, primitives, row_error};
use crate::registry::Call;

/// Appends bytes in hexadecimal.
pub(crate) fn write_hex(bytes: &[u8], digits: &[u8; 16], out: &mut String) -> Result<()> {
    for byte in bytes {
        out.push(char::from(digits[usize::from(byte >> 4)]));
        out.push(char::from(digits[usize::from(byte & 15)]));
    }
    Ok(())
}

fn write_digest(digest: &[u8], out: &mut String) -> Result<()> {
    write_hex(digest, b"0123456789abcdef", out)
}

/// Appends the MD5 digest in hexadecimal; the empty string gives itself.
pub(crate) fn md5(s: &str, out: &mut String) -> Result<()> {
    use md5::Digest as _;
    if s.is_empty() { Ok(()) } else { write_digest(&md5::Md5::digest(s), out) }
}

/// Appends the SHA-1 digest in hexadecimal.
pub(crate) fn sha1(s: &str, out: &mut String) -> Result<()> {
    write_digest(&sha1::Sha1::digest(s), out)
}

/// Appends the SHA-2 digest of so many bits in hexadecimal.
pub(crate) fn sha2(s: &str, bits: i64, out: &mut String) -> Result<()> {
    match bits {
        224 => write_digest(&sha2::Sha224::digest(s), out),
        256 => write_digest(&sha2::Sha256::digest(s), out),
        384 => write_digest(&sha2::Sha384::digest(s), out),
        512 => write_digest(&sha2::Sha512::digest(s), out),
        _ => row_error(format!("SHA2 of {bits} bits does not exist; use 224, 256, 384 or 512")),
    }
}

/// The absolute value as `Math.abs` has it, except that the one value without a positive
/// counterpart gives the greatest INT.
fn absolute(hash: i32) -> i32 {
    hash.checked_abs().unwrap_or(i32::MAX)
}

fn fold(bits: u64) -> i32 {
    (bits ^ (bits >> 32)) as u32 as i32
}

fn hash_text(s: &str) -> i32 {
    s.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn hash_double(value: f64) -> i32 {
    fold(if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() })
}

fn hash_float(value: f32) -> i32 {
    (if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() }) as i32
}

/// Returns the function `HASH_CODE` for a type.
pub(crate) fn hash_code(of: &DataType) -> Call {
    let of = of.clone();
    let variant = of.to_string();
    let kernel = Kernel::new("hash_code", 1, DataType::Int32, move |a| match &of {
        DataType::Utf8 => {
            let s = a.text(0)?;
            primitives::<Int32Type>(a.rows, |row| Ok(s.get(row).map(|s| absolute(hash_text(s)))))
        }
        DataType::Float32 => {
            let n = a.primitive::<Float32Type>(0)?;
            primitives::<Int32Type>(a.rows, |row| Ok(n.get(row).map(|n| absolute(hash_float(n)))))
        }
        DataType::Float64 => {
            let n = a.primitive::<Float64Type>(0)?;
            primitives::<Int32Type>(a.rows, |row| Ok(n.get(row).map(|n| absolute(hash_double(n)))))
        }
        DataType::Int64 => {
            let n = a.primitive::<Int64Type>(0)?;
            primitives::<Int32Type>(a.rows, |row| Ok(n.get(row).map(|n| absolute(fold(n as u64)))))
        }
        DataType::Decimal128(..) => {
            let values = cast(&a.array(0)?, &DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>();
            Ok(std::sync::Arc::new(values.unary::<_, Int32Type>(|n| absolute(hash_double(n)))) as _)
        }
        _ => {
            let values = cast(&a.array(0)?, &DataType::Int32)?;
            let values = values.as_primitive::<Int32Type>();
            Ok(std::sync::Arc::new(values.unary::<_, Int32Type>(absolute)) as _)
        }
    });
    Call { function: kernel.variant(variant).into_function(), returns: DataType::Int32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_code_is_that_of_java() {
        assert_eq!(absolute(hash_text("overspeed")), 748_836_877);
        assert_eq!(absolute(hash_text("web-one")), 1_222_255_725);
        assert_eq!(fold(4_294_967_296), 1);
        assert_eq!(hash_double(1.0), 1_072_693_248);
    }

    #[test]
    fn md5_keeps_the_empty_string() {
        let mut out = String::new();
        md5("", &mut out).expect("a digest");
        assert_eq!(out, "");
        md5("weir", &mut out).expect("a digest");
        assert_eq!(out, "57c6838eabf401f73f6dd50093408e33");
    }
}
