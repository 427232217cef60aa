//! Bids.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder, TimestampMillisecondArray};

use super::model::{Model, price};
use super::table::Kind;
use crate::generate::{Dice, Words};

/// Channels that are not hot.
const CHANNELS: u64 = 10_000;
const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];
/// Filling up to the mean size of the model: 100 bytes, of which 32 are numbers; a fifth more or less.
const EXTRA_LEAST: usize = 54;
const EXTRA_SPREAD: u64 = 28;

/// Lanes of the dice: each value has its own, whatever columns are declared.
mod lane {
    pub const AUCTION: u64 = 0;
    pub const BIDDER: u64 = 2;
    pub const PRICE: u64 = 4;
    pub const CHANNEL: u64 = 5;
    pub const EXTRA: u64 = 7;
}

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BidColumn {
    Auction,
    Bidder,
    Price,
    Channel,
    Url,
    DateTime,
    Extra,
}

/// Makes bids.
pub(crate) struct Bids {
    words: Words,
    /// Name and address of each channel; the hot ones first.
    channels: Vec<(String, String)>,
}

impl Bids {
    pub fn new(seed: u64) -> Self {
        let words = Words::new(seed, EXTRA_LEAST + EXTRA_SPREAD as usize);
        let base = |number: u64| {
            let dice = Dice::new(seed, number);
            let [a, b, c] = [0, 1, 2].map(|lane| words.piece(dice.roll(lane), 5));
            format!("https://www.nexmark.com/{a}/{b}/{c}/item.htm?query=1")
        };
        let hot = HOT_CHANNELS.iter().enumerate().map(|(n, name)| ((*name).to_string(), base(n as u64)));
        let cold = (0..CHANNELS).map(|n| {
            let mut url = base(HOT_CHANNELS.len() as u64 + n);
            // One channel of ten does not tell its number.
            if Dice::new(seed, n).below(3, 10) > 0 {
                let _ = write!(url, "&channel_id={}", (n as u32).reverse_bits() >> 1);
            }
            (format!("channel-{n}"), url)
        });
        let channels = hot.chain(cold).collect();
        Self { words, channels }
    }

    /// Returns name and address of the channel of a bid: a hot one in one case of two.
    #[inline]
    fn channel(&self, dice: Dice) -> &(String, String) {
        let hot = HOT_CHANNELS.len() as u64;
        let index = match dice.below(lane::CHANNEL, 2) > 0 {
            true => dice.below(lane::CHANNEL + 1, hot),
            false => hot + dice.below(lane::CHANNEL + 1, CHANNELS),
        };
        &self.channels[index as usize]
    }

    fn strings<'a>(
        &'a self,
        model: &Model,
        events: &[u64],
        width: usize,
        value: impl Fn(Dice) -> &'a str,
    ) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(events.len(), events.len() * width);
        for event in events {
            builder.append_value(value(model.dice(*event)));
        }
        Arc::new(builder.finish())
    }
}

impl Kind for Bids {
    type Column = BidColumn;

    const COLUMNS: &'static [(&'static str, &'static str, BidColumn)] = &[
        ("auction", "BIGINT", BidColumn::Auction),
        ("bidder", "BIGINT", BidColumn::Bidder),
        ("price", "BIGINT", BidColumn::Price),
        ("channel", "STRING", BidColumn::Channel),
        ("url", "STRING", BidColumn::Url),
        ("date_time", "TIMESTAMP", BidColumn::DateTime),
        ("extra", "STRING", BidColumn::Extra),
    ];

    fn column(&self, model: &Model, column: &BidColumn, events: &[u64]) -> ArrayRef {
        let numbers = |value: &dyn Fn(u64, Dice) -> i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(
                events.iter().map(|event| value(*event, model.dice(*event))),
            ))
        };
        match column {
            BidColumn::Auction => {
                numbers(&|event, dice| model.auction_of_bid(event, dice, lane::AUCTION) as i64)
            }
            BidColumn::Bidder => numbers(&|event, dice| model.bidder(event, dice, lane::BIDDER) as i64),
            BidColumn::Price => numbers(&|_, dice| price(dice, lane::PRICE)),
            BidColumn::Channel => self.strings(model, events, 12, |dice| &self.channel(dice).0),
            BidColumn::Url => self.strings(model, events, 80, |dice| &self.channel(dice).1),
            BidColumn::DateTime => {
                let times = events.iter().map(|event| model.time(*event));
                Arc::new(TimestampMillisecondArray::from_iter_values(times))
            }
            BidColumn::Extra => self.strings(model, events, 70, |dice| {
                let length = EXTRA_LEAST + dice.below(lane::EXTRA, EXTRA_SPREAD) as usize;
                self.words.piece(dice.roll(lane::EXTRA + 1), length)
            }),
        }
    }
}
