//! What is known of the savepoints of a job after something has happened. Values in, values out.
//!
//! Nothing that the service has put somewhere is forgotten before it is removed: a savepoint whose life has ended is a
//! leftover, and so is what may be left of one that could not be written. Only what the service has put there itself is
//! ever removed.

use weir_base::id::JobId;
use weir_base::savepoint::{SavepointAsk, SavepointPlace};
use weir_store::SavepointFacts;

/// Returns all places but one, as leftovers. No worker may be writing any more.
pub(crate) fn places_but(savepoint: &SavepointFacts, kept: Option<&SavepointPlace>) -> Vec<SavepointPlace> {
    let ended = savepoint.latest.iter().chain(&savepoint.spent);
    let unfinished = savepoint.unfinished.iter().map(|ask| &ask.place);
    let mut places = Vec::new();
    for place in savepoint.leftovers.iter().chain(ended).chain(unfinished) {
        if Some(place) != kept && !places.contains(place) {
            places.push(place.clone());
        }
    }
    places
}

/// Whether what is at a place is the service's, and may be removed.
pub(crate) fn is_removable(savepoint: &SavepointFacts, place: &SavepointPlace, job: JobId) -> bool {
    place.belongs_to(job) && !savepoint.named.contains(place)
}

/// Whether what is at a place is being removed.
pub(crate) fn is_going(savepoint: &SavepointFacts, place: &SavepointPlace, job: JobId) -> bool {
    savepoint.leftovers.contains(place) && is_removable(savepoint, place, job)
}

/// A caller names a place. What the service does not know to be its own there, it must not remove.
pub(crate) fn with_named(savepoint: &SavepointFacts, place: &SavepointPlace, job: JobId) -> SavepointFacts {
    let mut after = savepoint.clone();
    let is_known = after.named.contains(place) || places_but(savepoint, None).contains(place);
    if place.belongs_to(job) && !is_known {
        after.named.push(place.clone());
    }
    after
}

/// A savepoint that is there becomes that of the job.
pub(crate) fn imported(savepoint: &SavepointFacts, place: &SavepointPlace, job: JobId) -> SavepointFacts {
    SavepointFacts {
        latest: Some(place.clone()),
        leftovers: places_but(savepoint, Some(place)),
        named: with_named(savepoint, place, job).named,
        ..SavepointFacts::default()
    }
}

/// A run begins.
pub(super) fn of_run(savepoint: &SavepointFacts, resume: bool) -> SavepointFacts {
    let spent = savepoint.current().cloned();
    SavepointFacts {
        resume: resume && spent.is_some(),
        leftovers: places_but(savepoint, spent.as_ref()),
        spent,
        named: savepoint.named.clone(),
        ..SavepointFacts::default()
    }
}

/// The job is replaced by another one, which has none.
pub(super) fn of_replaced(savepoint: &SavepointFacts) -> SavepointFacts {
    SavepointFacts {
        leftovers: places_but(savepoint, None),
        named: savepoint.named.clone(),
        ..SavepointFacts::default()
    }
}

/// The job runs, so that no run starts from its former savepoint any more.
pub(super) fn without_spent(savepoint: &SavepointFacts) -> SavepointFacts {
    let mut leftovers = savepoint.leftovers.clone();
    let spent = savepoint.spent.iter().filter(|place| Some(*place) != savepoint.latest.as_ref());
    add(&mut leftovers, spent);
    SavepointFacts { spent: None, leftovers, resume: false, ..savepoint.clone() }
}

/// Nobody waits any more for the savepoint that was asked for. A worker may have begun to write it, and may do so still.
pub(super) fn without_ask(savepoint: &SavepointFacts, failure: String) -> SavepointFacts {
    let is_begun = |ask: &SavepointAsk| {
        // At a path of somebody else's choice nothing is removed; what waited for a removal was not begun.
        ask.stop && !savepoint.leftovers.contains(&ask.place)
    };
    let unfinished = savepoint.unfinished.clone();
    let unfinished = unfinished.or_else(|| savepoint.ask.clone().filter(is_begun));
    SavepointFacts { ask: None, unfinished, failure, ..savepoint.clone() }
}

/// No worker writes any more what nobody waits for.
pub(super) fn without_unfinished(savepoint: &SavepointFacts) -> SavepointFacts {
    let mut leftovers = savepoint.leftovers.clone();
    // One that a run may start from has an older checkpoint in the same place: it goes with that one.
    let begun = savepoint.unfinished.iter().map(|ask| &ask.place);
    let begun = begun
        .filter(|place| ![&savepoint.latest, &savepoint.spent].into_iter().flatten().any(|of| of == *place));
    add(&mut leftovers, begun);
    SavepointFacts { unfinished: None, leftovers, ..savepoint.clone() }
}

/// Leftovers were removed.
pub(super) fn without_leftovers(savepoint: &SavepointFacts, gone: &[SavepointPlace]) -> SavepointFacts {
    let mut after = savepoint.clone();
    after.leftovers.retain(|place| !gone.contains(place));
    after
}

/// The savepoint that was asked for is there.
pub(super) fn written(savepoint: &SavepointFacts, ask: Option<&SavepointAsk>) -> SavepointFacts {
    let latest = ask.map(|ask| ask.place.clone()).or_else(|| savepoint.latest.clone());
    let mut leftovers = savepoint.leftovers.clone();
    leftovers.retain(|place| Some(place) != latest.as_ref());
    SavepointFacts { latest, leftovers, ask: None, failure: String::new(), ..savepoint.clone() }
}

/// The worker is gone. A savepoint that nobody waited for any more may be there all the same.
pub(super) fn written_late(savepoint: &SavepointFacts, ask: &SavepointAsk) -> SavepointFacts {
    SavepointFacts { unfinished: None, ..written(savepoint, Some(ask)) }
}

fn add<'p>(leftovers: &mut Vec<SavepointPlace>, places: impl Iterator<Item = &'p SavepointPlace>) {
    for place in places {
        if !leftovers.contains(place) {
            leftovers.push(place.clone());
        }
    }
}
