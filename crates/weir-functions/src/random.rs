//! Random numbers: `RAND` and `RAND_INTEGER`.
//!
//! With a literal seed the numbers are those of `java.util.Random`, one sequence for each call in the text of
//! the job. It begins with each run of the job; several subtasks share it.

use std::sync::{Mutex, PoisonError};

use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion_common::Result;
use rand::Rng as _;

use crate::kernel::{Arguments, Kernel, primitives, row_error};
use crate::registry::Call;

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

/// The linear congruential generator of Java.
#[derive(Debug, Clone)]
struct JavaRandom(u64);

impl JavaRandom {
    fn new(seed: i64) -> Self {
        Self((seed as u64 ^ MULTIPLIER) & MASK)
    }

    fn next(&mut self, bits: u32) -> u32 {
        self.0 = (self.0.wrapping_mul(MULTIPLIER).wrapping_add(0xB)) & MASK;
        (self.0 >> (48 - bits)) as u32
    }

    /// Returns a number from 0 to below 1.
    fn double(&mut self) -> f64 {
        let (high, low) = (u64::from(self.next(26)), u64::from(self.next(27)));
        ((high << 27) + low) as f64 / (1u64 << 53) as f64
    }

    /// Returns a number from 0 to below a positive bound.
    fn below(&mut self, bound: i32) -> i32 {
        let bound = bound as u32;
        if bound.is_power_of_two() {
            return ((u64::from(bound) * u64::from(self.next(31))) >> 31) as i32;
        }
        loop {
            let bits = self.next(31);
            let value = bits % bound;
            // The last, incomplete stretch of the range would prefer small numbers.
            if u64::from(bits - value) + u64::from(bound) <= 1 << 31 {
                return value as i32;
            }
        }
    }
}

/// The generators of the rows of one call.
enum Source<'a> {
    /// The machine's.
    Free,
    /// One sequence for all rows.
    Sequence(std::sync::MutexGuard<'a, Option<JavaRandom>>, Option<i64>),
    /// A seed in every row.
    Column(&'a Arguments),
}

impl<'a> Source<'a> {
    /// Chooses the generator by the form of the seed, the first argument when there is one.
    fn of(a: &'a Arguments, seeded: bool, sequence: &'a Mutex<Option<JavaRandom>>) -> Result<Self> {
        if !seeded {
            return Ok(Source::Free);
        }
        if !a.is_constant(0) {
            return Ok(Source::Column(a));
        }
        let seed = a.primitive::<Int64Type>(0)?.get(0);
        Ok(Source::Sequence(sequence.lock().unwrap_or_else(PoisonError::into_inner), seed))
    }

    /// Draws a number for a row: NULL when its seed is NULL.
    fn draw<T>(
        &mut self,
        row: usize,
        seeded: impl FnOnce(&mut JavaRandom) -> T,
        free: impl FnOnce() -> T,
    ) -> Result<Option<T>> {
        match self {
            Source::Free => Ok(Some(free())),
            Source::Sequence(_, None) => Ok(None),
            Source::Sequence(sequence, Some(seed)) => {
                Ok(Some(seeded(sequence.get_or_insert_with(|| JavaRandom::new(*seed)))))
            }
            Source::Column(a) => {
                Ok(a.primitive::<Int64Type>(0)?.get(row).map(|seed| seeded(&mut JavaRandom::new(seed))))
            }
        }
    }
}

/// Returns the function `RAND` with or without a seed.
pub(crate) fn rand_double(arguments: usize) -> Call {
    let sequence = Mutex::new(None);
    let kernel = Kernel::new("rand", arguments, DataType::Float64, move |a| {
        let mut source = Source::of(a, arguments == 1, &sequence)?;
        primitives::<Float64Type>(a.rows, |row| {
            source.draw(row, JavaRandom::double, || rand::rng().random::<f64>())
        })
    });
    let kernel = kernel.volatile(arguments).remembering(move || rand_double(arguments).function);
    Call { function: kernel.into_function(), returns: DataType::Float64 }
}

/// Returns the function `RAND_INTEGER` for a bound, or for a seed and a bound.
pub(crate) fn rand_integer(arguments: usize) -> Call {
    let sequence = Mutex::new(None);
    let kernel = Kernel::new("rand_integer", arguments, DataType::Int32, move |a| {
        let bounds = a.primitive::<Int64Type>(arguments - 1)?;
        let mut source = Source::of(a, arguments == 2, &sequence)?;
        primitives::<Int32Type>(a.rows, |row| {
            let Some(bound) = bounds.get(row) else { return Ok(None) };
            match i32::try_from(bound) {
                Ok(bound) if bound > 0 => {
                    source.draw(row, |random| random.below(bound), || rand::rng().random_range(0..bound))
                }
                _ => row_error(format!("RAND_INTEGER needs a positive INT as its bound, not {bound}")),
            }
        })
    });
    let kernel = kernel.volatile(arguments).remembering(move || rand_integer(arguments).function);
    Call { function: kernel.into_function(), returns: DataType::Int32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_numbers_are_those_of_java() {
        assert_eq!(JavaRandom::new(42).double(), 0.727_563_680_032_868_1);
        let mut random = JavaRandom::new(42);
        let drawn: Vec<i32> = (0..5).map(|_| random.below(100)).collect();
        assert_eq!(drawn, [30, 63, 48, 84, 70]);
        let mut random = JavaRandom::new(-7);
        let drawn: Vec<i32> =
            (0..4).flat_map(|_| [random.below(1 << 30), random.below(i32::MAX)]).take(4).collect();
        assert_eq!(drawn, [288_967_331, 1_935_951_297, 722_822_795, 2_031_187_707]);
        let mut random = JavaRandom::new(i64::MIN);
        assert!((0..1000).map(|_| random.below(i32::MAX)).all(|n| n >= 0));
    }
}
