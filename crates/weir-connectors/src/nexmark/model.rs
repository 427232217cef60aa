//! The proportions and ids of the Nexmark model. Numbers are those of the public generator.

use crate::generate::Dice;

/// Events of one round: one person, three auctions, 46 bids.
pub(crate) const ROUND: u64 = 50;
pub(crate) const PERSONS: u64 = 1;
pub(crate) const AUCTIONS: u64 = 3;
/// Ids begin here, so that they are easily told from counts.
pub(crate) const FIRST_ID: u64 = 1_000;
pub(crate) const FIRST_CATEGORY: u64 = 10;
pub(crate) const CATEGORIES: u64 = 5;

/// Auctions that are open at one time.
const IN_FLIGHT_AUCTIONS: u64 = 100;
/// People who act at one time.
const ACTIVE_PEOPLE: u64 = 1_000;
/// Ids beyond the newest that may be used already: events are not quite in order.
const LEAD: u64 = 10;
/// One id of so many is hot.
const HOT_STRIDE: u64 = 100;

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub seed: u64,
    pub start_ms: i64,
    pub events_per_second: u64,
}

impl Model {
    /// Returns the event time of an event in milliseconds.
    #[inline]
    pub fn time(&self, event: u64) -> i64 {
        // A division of 64 bits is several times faster than one of 128; no run reaches the limit.
        let passed = event.saturating_mul(1_000) / self.events_per_second;
        self.start_ms.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX))
    }

    #[inline]
    pub fn dice(&self, event: u64) -> Dice {
        Dice::new(self.seed, event)
    }

    /// Returns the auction that a bid is for: the hot one in one case of two.
    #[inline]
    pub fn auction_of_bid(&self, event: u64, dice: Dice, lane: u64) -> u64 {
        let last = last_auction(event);
        if dice.below(lane, 2) > 0 {
            return FIRST_ID + last / HOT_STRIDE * HOT_STRIDE;
        }
        let least = last.saturating_sub(IN_FLIGHT_AUCTIONS);
        FIRST_ID + least + dice.below(lane + 1, last - least + 1 + LEAD)
    }

    /// Returns the person who bids: a hot one in three cases of four.
    #[inline]
    pub fn bidder(&self, event: u64, dice: Dice, lane: u64) -> u64 {
        if dice.below(lane, 4) > 0 {
            return FIRST_ID + last_person(event) / HOT_STRIDE * HOT_STRIDE + 1;
        }
        FIRST_ID + any_person(event, dice, lane + 1)
    }

    /// Returns the person who sells: a hot one in three cases of four.
    #[inline]
    pub fn seller(&self, event: u64, dice: Dice, lane: u64) -> u64 {
        if dice.below(lane, 4) > 0 {
            return FIRST_ID + last_person(event) / HOT_STRIDE * HOT_STRIDE;
        }
        FIRST_ID + any_person(event, dice, lane + 1)
    }

    /// Returns when an auction ends that begins with an event.
    pub fn expires(&self, event: u64, dice: Dice, lane: u64) -> i64 {
        // So long that about as many auctions are open as the model says.
        let events = IN_FLIGHT_AUCTIONS * ROUND / AUCTIONS;
        let horizon = (self.time(event + events) - self.time(event)).max(1);
        self.time(event) + 1 + dice.below(lane, 2 * horizon as u64) as i64
    }
}

/// Returns the number of the newest person at an event, from 0.
#[inline]
pub(crate) fn last_person(event: u64) -> u64 {
    // The only person of a round is its first event.
    event / ROUND
}

/// Returns the number of the newest auction at an event, from 0.
#[inline]
pub(crate) fn last_auction(event: u64) -> u64 {
    let (round, place) = (event / ROUND, event % ROUND);
    match place.checked_sub(PERSONS) {
        Some(place) => round * AUCTIONS + place.min(AUCTIONS - 1),
        // The person comes first: the newest auction is that of the round before.
        None => (round * AUCTIONS).saturating_sub(1),
    }
}

#[inline]
fn any_person(event: u64, dice: Dice, lane: u64) -> u64 {
    let people = last_person(event) + 1;
    let active = people.min(ACTIVE_PEOPLE);
    people - active + dice.below(lane, active + LEAD)
}

/// Returns a price in cents: evenly spread over the orders of magnitude up to a million.
#[inline]
pub(crate) fn price(dice: Dice, lane: u64) -> i64 {
    // exp is faster than powf; ln(10) * 6 spans six orders of magnitude.
    ((dice.fraction(lane) * 6.0 * std::f64::consts::LN_10).exp() * 100.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_ids_follow_the_rounds() {
        assert_eq!((0..6).map(last_auction).collect::<Vec<_>>(), [0, 0, 1, 2, 2, 2]);
        assert_eq!((49..54).map(last_auction).collect::<Vec<_>>(), [2, 2, 3, 4, 5]);
        assert_eq!((48..52).map(last_person).collect::<Vec<_>>(), [0, 0, 1, 1]);
        let model = Model { seed: 1, start_ms: 5, events_per_second: 10_000 };
        assert_eq!((model.time(0), model.time(9), model.time(10), model.time(10_000)), (5, 5, 6, 1_005));
        for event in (4..100_000).step_by(997) {
            let dice = model.dice(event);
            let auction = model.auction_of_bid(event, dice, 0) - FIRST_ID;
            assert!(auction <= last_auction(event) + LEAD);
            assert!((100..=100_000_000).contains(&price(dice, 5)));
            assert!(model.expires(event, dice, 7) > model.time(event));
        }
    }
}
