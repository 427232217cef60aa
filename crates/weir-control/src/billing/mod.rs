//! Metering and billing: what ran is charged every minute, and what cannot be paid is stopped.
//!
//! [`usage`] says from the facts of jobs and clusters what begins and ends to cost; the store writes it with these
//! facts. [`settlement`] turns it into entries of the ledger at a [`pricing`] that loses nothing to rounding. `meter`
//! does that every minute. Without [`BillingOptions`] nothing is metered.

mod account;
mod arrears;
mod meter;
pub mod pricing;
pub mod settlement;
mod turns;
pub(crate) mod usage;

pub use account::{AccountView, History, of_operated_account, operator_top_up};
pub(crate) use turns::Turns;

use std::time::Duration;

use weir_base::money::Money;

/// How an installation charges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingOptions {
    /// For an SPU and hour.
    pub price: Money,
    /// Unit of all money.
    pub unit: Unit,
    /// Time between two settlements.
    pub interval: Duration,
}

impl Default for BillingOptions {
    fn default() -> Self {
        Self { price: Money::from_micros(500_000), unit: Unit::Cny, interval: Duration::from_secs(60) }
    }
}

/// A unit of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// Renminbi.
    #[default]
    Cny,
    /// Hong Kong dollars.
    Hkd,
    /// Euros.
    Eur,
    /// German marks.
    Dem,
    /// US dollars.
    Usd,
}

impl Unit {
    /// Every unit with its name.
    pub const ALL: [(&'static str, Self); 5] =
        [("CNY", Self::Cny), ("HKD", Self::Hkd), ("EUR", Self::Eur), ("DEM", Self::Dem), ("USD", Self::Usd)];

    /// Returns the unit of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, unit)| unit)
    }

    /// Returns its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, unit)| *unit == self).map_or("", |(name, _)| name)
    }
}
