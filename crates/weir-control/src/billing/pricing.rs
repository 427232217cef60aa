//! What SPUs cost for a time. Values in, values out.

use std::time::Duration;

use weir_base::money::Money;
use weir_base::time::millis;

const HOUR_MILLIS: i128 = 3_600_000;

/// Returns the charge for a time at a price per SPU and hour, and what is too small to be charged. That is put into
/// the next charge, so that a time costs the same in however many pieces it is charged.
pub fn charge(price: Money, spus: i64, time: Duration, remainder: i64) -> (Money, i64) {
    let whole =
        i128::from(price.micros()) * i128::from(spus) * i128::from(millis(time)) + i128::from(remainder);
    let micros = i64::try_from(whole / HOUR_MILLIS).unwrap_or(i64::MAX);
    // Below the number of milliseconds of an hour.
    let rest = i64::try_from(whole % HOUR_MILLIS).unwrap_or(0);
    (Money::from_micros(micros), rest)
}

/// Returns what SPUs cost in an hour.
pub fn per_hour(price: Money, spus: i64) -> Money {
    charge(price, spus, Duration::from_secs(3_600), 0).0
}

/// Returns the price per SPU and hour of what was paid for at once, rounded down; 0 for no time.
pub fn price_of(amount: Money, spus: i64, time: Duration) -> Money {
    let spu_time = i128::from(spus) * i128::from(millis(time));
    if spu_time == 0 {
        return Money::ZERO;
    }
    Money::from_micros(
        i64::try_from(i128::from(amount.micros()) * HOUR_MILLIS / spu_time).unwrap_or(i64::MAX),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Money = Money::from_micros(500_000);

    #[test]
    fn an_hour_costs_the_price_and_a_minute_a_sixtieth() {
        assert_eq!(per_hour(PRICE, 4), "2".parse().unwrap());
        assert_eq!(charge(PRICE, 3, Duration::from_secs(60), 0), (Money::from_micros(25_000), 0));
    }

    #[test]
    fn what_is_paid_at_once_has_a_price() {
        let day = Duration::from_secs(86_400);
        assert_eq!(price_of("24".parse().unwrap(), 2, day), PRICE);
        assert_eq!(price_of(PRICE, 2, Duration::ZERO), Money::ZERO);
    }

    #[test]
    fn a_time_costs_the_same_in_however_many_pieces() {
        // A generator of its own, so that a failure is the same everywhere.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |most: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % most
        };
        for _ in 0..200 {
            let price = Money::from_micros(i64::try_from(next(2_000_000)).unwrap());
            let spus = i64::try_from(next(400)).unwrap() + 1;
            let (mut time, mut charged, mut remainder) = (Duration::ZERO, Money::ZERO, 0);
            for _ in 0..next(50) + 1 {
                let piece = Duration::from_millis(next(90_000));
                let (more, rest) = charge(price, spus, piece, remainder);
                (time, charged, remainder) = (time + piece, charged + more, rest);
            }
            assert_eq!((charged, remainder), charge(price, spus, time, 0), "{price} {spus} {time:?}");
        }
    }

    #[test]
    fn a_month_by_the_minute_is_a_month() {
        let (mut charged, mut remainder) = (Money::ZERO, 0);
        for _ in 0..30 * 24 * 60 {
            let (more, rest) = charge(PRICE, 7, Duration::from_millis(60_000), remainder);
            (charged, remainder) = (charged + more, rest);
        }
        assert_eq!((charged, remainder), ("2520".parse().unwrap(), 0));
    }
}
