//! Auctions.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder, TimestampMillisecondArray};

use super::model::{CATEGORIES, FIRST_CATEGORY, FIRST_ID, Model, last_auction, price};
use super::table::Kind;
use crate::generate::{Dice, Words};

const NAME_LETTERS: u64 = 20;
const DESCRIPTION_LETTERS: u64 = 100;
/// Filling up to the mean size of the model, 500 bytes; a fifth more or less.
const EXTRA_LEAST: u64 = 300;
const EXTRA_SPREAD: u64 = 150;

/// Lanes of the dice.
mod lane {
    pub const NAME: u64 = 0;
    pub const DESCRIPTION: u64 = 2;
    pub const INITIAL_BID: u64 = 4;
    pub const RESERVE: u64 = 5;
    pub const EXPIRES: u64 = 6;
    pub const SELLER: u64 = 7;
    pub const CATEGORY: u64 = 9;
    pub const EXTRA: u64 = 10;
}

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AuctionColumn {
    Id,
    ItemName,
    Description,
    InitialBid,
    Reserve,
    DateTime,
    Expires,
    Seller,
    Category,
    Extra,
}

/// Makes auctions.
pub(crate) struct Auctions {
    words: Words,
}

impl Auctions {
    pub fn new(seed: u64) -> Self {
        Self { words: Words::new(seed, (EXTRA_LEAST + EXTRA_SPREAD) as usize) }
    }

    /// Makes texts of `least` letters and up to `spread` more.
    fn texts(&self, model: &Model, events: &[u64], lane: u64, least: u64, spread: u64) -> ArrayRef {
        let mut builder =
            StringBuilder::with_capacity(events.len(), events.len() * (least + spread / 2) as usize);
        for event in events {
            let dice = model.dice(*event);
            let length = least + dice.below(lane, spread);
            builder.append_value(self.words.piece(dice.roll(lane + 1), length as usize));
        }
        Arc::new(builder.finish())
    }
}

impl Kind for Auctions {
    type Column = AuctionColumn;

    const COLUMNS: &'static [(&'static str, &'static str, AuctionColumn)] = &[
        ("id", "BIGINT", AuctionColumn::Id),
        ("item_name", "STRING", AuctionColumn::ItemName),
        ("description", "STRING", AuctionColumn::Description),
        ("initial_bid", "BIGINT", AuctionColumn::InitialBid),
        ("reserve", "BIGINT", AuctionColumn::Reserve),
        ("date_time", "TIMESTAMP", AuctionColumn::DateTime),
        ("expires", "TIMESTAMP", AuctionColumn::Expires),
        ("seller", "BIGINT", AuctionColumn::Seller),
        ("category", "BIGINT", AuctionColumn::Category),
        ("extra", "STRING", AuctionColumn::Extra),
    ];

    fn column(&self, model: &Model, column: &AuctionColumn, events: &[u64]) -> ArrayRef {
        let numbers = |value: &dyn Fn(u64, Dice) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(
                events.iter().map(|event| value(*event, model.dice(*event))),
            ))
        };
        let times = |value: &dyn Fn(u64) -> i64| -> ArrayRef {
            Arc::new(TimestampMillisecondArray::from_iter_values(events.iter().map(|event| value(*event))))
        };
        match column {
            AuctionColumn::Id => numbers(&|event, _| (FIRST_ID + last_auction(event)) as i64),
            AuctionColumn::ItemName => self.texts(model, events, lane::NAME, 3, NAME_LETTERS - 3),
            AuctionColumn::Description => {
                self.texts(model, events, lane::DESCRIPTION, 3, DESCRIPTION_LETTERS - 3)
            }
            AuctionColumn::InitialBid => numbers(&|_, dice| price(dice, lane::INITIAL_BID)),
            AuctionColumn::Reserve => {
                numbers(&|_, dice| price(dice, lane::INITIAL_BID) + price(dice, lane::RESERVE))
            }
            AuctionColumn::DateTime => times(&|event| model.time(event)),
            AuctionColumn::Expires => times(&|event| model.expires(event, model.dice(event), lane::EXPIRES)),
            AuctionColumn::Seller => numbers(&|event, dice| model.seller(event, dice, lane::SELLER) as i64),
            AuctionColumn::Category => {
                numbers(&|_, dice| (FIRST_CATEGORY + dice.below(lane::CATEGORY, CATEGORIES)) as i64)
            }
            AuctionColumn::Extra => self.texts(model, events, lane::EXTRA, EXTRA_LEAST, EXTRA_SPREAD),
        }
    }
}
