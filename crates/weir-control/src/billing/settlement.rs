//! What was used since it was last charged for, as entries of the ledger. Values in, values out.

use std::collections::BTreeMap;

use weir_base::money::Money;
use weir_base::text::format_timestamp;
use weir_base::time::Timestamp;
use weir_store::{
    Book, ClusterRecord, EntryKind, Metered, NewEntry, Posting, PostingSubject, UsageMark, UsageRecord,
};

use super::pricing::{charge, price_of};

/// What a settlement writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// One entry for each account that is charged.
    pub entries: Vec<NewEntry>,
    /// How far use is charged for after it.
    pub marks: Vec<UsageMark>,
}

/// Charges accounts for what they used until `now`, at a price per SPU and hour.
pub fn settle(used: &[(String, UsageRecord)], price: Money, now: Timestamp) -> Settlement {
    let mut charges: BTreeMap<&str, Vec<Posting>> = BTreeMap::new();
    let mut marks = Vec::new();
    for (domain, usage) in used {
        let until = usage.ended_at.unwrap_or(now).max(usage.settled_until);
        let time = until.since(usage.settled_until);
        let (amount, remainder) = charge(price, usage.spus, time, usage.remainder);
        let ended = usage.ended_at.is_some();
        // What is too small to be charged stays where it is, unless it is the last.
        if amount == Money::ZERO && !ended {
            continue;
        }
        marks.push(UsageMark {
            usage: usage.usage,
            before: usage.settled_until,
            until,
            remainder,
            settled: ended,
        });
        if amount > Money::ZERO {
            charges.entry(domain).or_default().push(revenue(usage, price, amount, until));
        }
    }
    let entries = charges.into_iter().map(|(domain, postings)| entry(domain, postings, now)).collect();
    Settlement { entries, marks }
}

fn revenue(usage: &UsageRecord, price: Money, amount: Money, until: Timestamp) -> Posting {
    let subject = PostingSubject {
        project: usage.project.clone(),
        what: usage.what,
        id: usage.id,
        name: usage.name.clone(),
        usage: Some(usage.usage),
        spus: usage.spus,
        price,
        begin: usage.settled_until,
        end: until,
    };
    Posting { book: Book::Revenue, amount, subject: Some(subject) }
}

/// Returns an entry that takes what revenue receives from the balance of an account.
fn entry(domain: &str, mut postings: Vec<Posting>, now: Timestamp) -> NewEntry {
    let sum: Money = postings.iter().map(|posting| posting.amount).sum();
    postings.push(Posting { book: Book::Balance, amount: -sum, subject: None });
    NewEntry {
        domain: domain.to_string(),
        kind: EntryKind::Usage,
        note: String::new(),
        booked_at: now,
        postings,
    }
}

/// Returns the entry for a cluster that is paid for in advance.
pub(crate) fn subscription(
    domain: &str,
    cluster: &ClusterRecord,
    amount: Money,
    (begin, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> NewEntry {
    let spus = cluster.definition.maximum_spu_quota + cluster.definition.manager_node_spu;
    let subject = PostingSubject {
        project: cluster.project.clone(),
        what: Metered::Cluster,
        id: cluster.id.0,
        name: cluster.name.clone(),
        usage: None,
        spus,
        price: price_of(amount, spus, end.since(begin)),
        begin,
        end,
    };
    let revenue = Posting { book: Book::Revenue, amount, subject: Some(subject) };
    let balance = Posting { book: Book::Balance, amount: -amount, subject: None };
    NewEntry {
        domain: domain.to_string(),
        kind: EntryKind::Subscription,
        note: format!("cluster {} until {}", cluster.id, format_timestamp(end.0)),
        booked_at: now,
        postings: vec![revenue, balance],
    }
}

/// Returns the entry for money that came in.
pub(crate) fn top_up(domain: &str, amount: Money, note: &str, now: Timestamp) -> NewEntry {
    let posting = |book, amount| Posting { book, amount, subject: None };
    NewEntry {
        domain: domain.to_string(),
        kind: EntryKind::TopUp,
        note: note.to_string(),
        booked_at: now,
        postings: vec![posting(Book::Payments, -amount), posting(Book::Balance, amount)],
    }
}

#[cfg(test)]
mod tests {
    use weir_base::id::ProjectId;

    use super::*;

    const PRICE: Money = Money::from_micros(500_000);

    fn usage(id: i64, spus: i64, settled_until: i64, ended_at: Option<i64>) -> UsageRecord {
        UsageRecord {
            usage: id,
            project: ProjectId("p".into()),
            what: Metered::Job,
            id,
            name: format!("j{id}"),
            spus,
            begun_at: Timestamp(0),
            ended_at: ended_at.map(Timestamp),
            settled_until: Timestamp(settled_until),
            remainder: 0,
        }
    }

    fn of(domain: &str, usage: UsageRecord) -> (String, UsageRecord) {
        (domain.to_string(), usage)
    }

    /// Does to what was used as the store does.
    fn carry_out(used: &mut Vec<(String, UsageRecord)>, settlement: &Settlement) {
        for mark in &settlement.marks {
            let (_, usage) = used.iter_mut().find(|(_, usage)| usage.usage == mark.usage).unwrap();
            assert_eq!(usage.settled_until, mark.before);
            (usage.settled_until, usage.remainder) = (mark.until, mark.remainder);
        }
        used.retain(|(_, usage)| {
            !settlement.marks.iter().any(|mark| mark.usage == usage.usage && mark.settled)
        });
    }

    #[test]
    fn an_account_has_one_entry_that_adds_up_to_nothing() {
        let used = [
            of("a", usage(1, 2, 0, None)),
            of("b", usage(2, 4, 0, Some(1_800_000))),
            of("a", usage(3, 1, 1_800_000, None)),
        ];
        let settlement = settle(&used, PRICE, Timestamp(3_600_000));
        let changes: Vec<_> = settlement
            .entries
            .iter()
            .map(|entry| (entry.domain.as_str(), entry.change_of_balance().unwrap().to_string()))
            .collect();
        assert_eq!(changes, [("a", "-1.25".to_string()), ("b", "-1.00".to_string())]);
        let settled: Vec<_> = settlement.marks.iter().map(|mark| (mark.until.0, mark.settled)).collect();
        assert_eq!(settled, [(3_600_000, false), (1_800_000, true), (3_600_000, false)]);
    }

    #[test]
    fn settling_twice_charges_once_and_in_pieces_charges_the_same() {
        let fresh = || vec![of("a", usage(1, 3, 0, None)), of("a", usage(2, 7, 5, Some(100_003)))];
        let total = |settlement: &Settlement| -> Money {
            settlement.entries.iter().map(|entry| entry.change_of_balance().unwrap()).sum()
        };
        let end = 1_000_000;
        let mut at_once = fresh();
        let whole = settle(&at_once, PRICE, Timestamp(end));
        carry_out(&mut at_once, &whole);
        assert_eq!(settle(&at_once, PRICE, Timestamp(end)), Settlement::default());
        let mut by_pieces = fresh();
        let mut sum = Money::ZERO;
        for step in [1, 2, 3, 4_999, 60_000, 60_001, 99_999, 100_003, 100_004, 777_777, end] {
            let settlement = settle(&by_pieces, PRICE, Timestamp(step));
            sum = sum + total(&settlement);
            carry_out(&mut by_pieces, &settlement);
        }
        assert_eq!(sum, total(&whole));
        assert_eq!(by_pieces, at_once);
    }

    #[test]
    fn a_clock_that_was_set_back_gives_nothing_back() {
        let used = [of("a", usage(1, 3, 5_000, None)), of("a", usage(2, 3, 5_000, Some(4_000)))];
        let settlement = settle(&used, PRICE, Timestamp(1_000));
        assert_eq!(settlement.entries, []);
        assert_eq!(settlement.marks.len(), 1, "what has ended is done with: {settlement:?}");
        assert_eq!(settlement.marks[0].until, Timestamp(5_000));
    }

    #[test]
    fn a_top_up_is_balanced() {
        let amount = "12.5".parse().unwrap();
        assert_eq!(top_up("a", amount, "", Timestamp(1)).change_of_balance(), Some(amount));
    }
}
