//! Persons.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder, TimestampMillisecondArray};

use super::model::{FIRST_ID, Model, last_person};
use super::table::Kind;
use crate::generate::{Dice, Words};

const FIRST_NAMES: [&str; 11] =
    ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"];
const LAST_NAMES: [&str; 9] =
    ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"];
const CITIES: [&str; 10] = [
    "Phoenix",
    "Los Angeles",
    "San Francisco",
    "Boise",
    "Portland",
    "Bend",
    "Redmond",
    "Seattle",
    "Kent",
    "Cheyenne",
];
const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
/// Filling up to the mean size of the model, 200 bytes; a fifth more or less.
const EXTRA_LEAST: usize = 90;
const EXTRA_SPREAD: u64 = 50;

/// Lanes of the dice.
mod lane {
    pub const FIRST_NAME: u64 = 0;
    pub const LAST_NAME: u64 = 1;
    pub const EMAIL: u64 = 2;
    pub const CREDIT_CARD: u64 = 4;
    pub const CITY: u64 = 8;
    pub const STATE: u64 = 9;
    pub const EXTRA: u64 = 10;
}

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PersonColumn {
    Id,
    Name,
    Email,
    CreditCard,
    City,
    State,
    DateTime,
    Extra,
}

/// Makes persons.
pub(crate) struct Persons {
    words: Words,
}

impl Persons {
    pub fn new(seed: u64) -> Self {
        Self { words: Words::new(seed, EXTRA_LEAST + EXTRA_SPREAD as usize) }
    }

    /// Appends the value of a text column. Writing to a builder cannot fail.
    fn write(&self, column: &PersonColumn, dice: Dice, out: &mut StringBuilder) {
        let one_of = |words: &[&'static str], lane: u64| words[dice.below(lane, words.len() as u64) as usize];
        let piece = |lane: u64, length: usize| self.words.piece(dice.roll(lane), length);
        let _ = match column {
            PersonColumn::Name => {
                write!(
                    out,
                    "{} {}",
                    one_of(&FIRST_NAMES, lane::FIRST_NAME),
                    one_of(&LAST_NAMES, lane::LAST_NAME)
                )
            }
            PersonColumn::Email => write!(out, "{}@{}.com", piece(lane::EMAIL, 7), piece(lane::EMAIL + 1, 5)),
            PersonColumn::CreditCard => {
                let [a, b, c, d] = [0, 1, 2, 3].map(|n| dice.below(lane::CREDIT_CARD + n, 10_000));
                write!(out, "{a:04} {b:04} {c:04} {d:04}")
            }
            PersonColumn::City => out.write_str(one_of(&CITIES, lane::CITY)),
            PersonColumn::State => out.write_str(one_of(&STATES, lane::STATE)),
            _ => {
                let length = EXTRA_LEAST + dice.below(lane::EXTRA, EXTRA_SPREAD) as usize;
                out.write_str(piece(lane::EXTRA + 1, length))
            }
        };
        // Ends the value that was written.
        out.append_value("");
    }
}

impl Kind for Persons {
    type Column = PersonColumn;

    const COLUMNS: &'static [(&'static str, &'static str, PersonColumn)] = &[
        ("id", "BIGINT", PersonColumn::Id),
        ("name", "STRING", PersonColumn::Name),
        ("email_address", "STRING", PersonColumn::Email),
        ("credit_card", "STRING", PersonColumn::CreditCard),
        ("city", "STRING", PersonColumn::City),
        ("state", "STRING", PersonColumn::State),
        ("date_time", "TIMESTAMP", PersonColumn::DateTime),
        ("extra", "STRING", PersonColumn::Extra),
    ];

    fn column(&self, model: &Model, column: &PersonColumn, events: &[u64]) -> ArrayRef {
        match column {
            PersonColumn::Id => {
                let ids = events.iter().map(|event| (FIRST_ID + last_person(*event)) as i64);
                Arc::new(Int64Array::from_iter_values(ids))
            }
            PersonColumn::DateTime => {
                let times = events.iter().map(|event| model.time(*event));
                Arc::new(TimestampMillisecondArray::from_iter_values(times))
            }
            text => {
                let mut builder = StringBuilder::with_capacity(events.len(), events.len() * 40);
                for event in events {
                    self.write(text, model.dice(*event), &mut builder);
                }
                Arc::new(builder.finish())
            }
        }
    }
}
