//! What was used, and the ledger.

use weir_base::id::ProjectId;
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_store::{
    BillingFilter, Book, EntryKind, Metered, NewEntry, NewUsage, Posting, PostingSubject, Store, StoreError,
    UsageChange, UsageMark,
};

use super::jobs::{audit, create, project};

fn micros(micros: i64) -> Money {
    Money::from_micros(micros)
}

fn posting(book: Book, amount: i64) -> Posting {
    Posting { book, amount: micros(amount), subject: None }
}

fn entry(domain: &str, kind: EntryKind, postings: Vec<Posting>) -> NewEntry {
    NewEntry { domain: domain.into(), kind, note: "n".into(), booked_at: Timestamp(1), postings }
}

fn top_up(domain: &str, amount: i64) -> NewEntry {
    let postings = vec![posting(Book::Payments, -amount), posting(Book::Balance, amount)];
    entry(domain, EntryKind::TopUp, postings)
}

pub(super) fn subject(usage: i64, begin: i64, end: i64) -> PostingSubject {
    PostingSubject {
        project: project(),
        what: Metered::Job,
        id: usage,
        name: "t1".into(),
        usage: Some(usage),
        spus: 2,
        price: micros(500_000),
        begin: Timestamp(begin),
        end: Timestamp(end),
    }
}

pub(super) fn charge(domain: &str, amount: i64, subject: PostingSubject) -> NewEntry {
    let revenue = Posting { book: Book::Revenue, amount: micros(amount), subject: Some(subject) };
    entry(domain, EntryKind::Usage, vec![revenue, posting(Book::Balance, -amount)])
}

fn begin(id: i64, at: i64) -> UsageChange {
    UsageChange::Begin(NewUsage {
        project: project(),
        what: Metered::Job,
        id,
        name: "t1".into(),
        spus: 2,
        at: Timestamp(at),
    })
}

async fn total_of_the_ledger(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM ledger_postings")
        .fetch_one(store.pool())
        .await
        .unwrap()
}

async fn entries_add_up_and_balances_follow(store: Store) {
    assert_eq!(store.balance("a").await.unwrap(), Money::ZERO);
    assert_eq!(store.book(&top_up("a", 5), &[audit("topUp")]).await.unwrap(), micros(5));
    assert_eq!(store.book(&top_up("b", 7), &[]).await.unwrap(), micros(7));
    assert_eq!(store.book(&charge("a", 9, subject(1, 0, 10)), &[]).await.unwrap(), micros(-4));
    let lame = entry("a", EntryKind::TopUp, vec![posting(Book::Balance, 100)]);
    assert!(matches!(store.book(&lame, &[]).await, Err(StoreError::Unbalanced)));
    let beyond = store.book(&top_up("b", i64::MAX - 3), &[]).await;
    assert!(matches!(beyond, Err(StoreError::Unbalanced)), "more than can be kept");
    assert_eq!(store.balance("a").await.unwrap(), micros(-4));
    assert_eq!(store.balance("b").await.unwrap(), micros(7));
    assert_eq!(store.accounts_in_arrears().await.unwrap(), ["a"]);
    store.book(&top_up("a", 4), &[]).await.unwrap();
    assert_eq!(store.accounts_in_arrears().await.unwrap(), Vec::<String>::new(), "0 is enough");
    assert_eq!(total_of_the_ledger(&store).await, 0);
}

async fn the_ledger_does_not_change(store: Store) {
    store.book(&charge("a", 9, subject(1, 0, 10)), &[]).await.unwrap();
    for statement in [
        "UPDATE ledger_entries SET balance_after = 0",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_postings SET amount = 0",
        "DELETE FROM ledger_postings",
    ] {
        let error = sqlx::query(statement).execute(store.pool()).await.unwrap_err().to_string();
        assert!(error.contains("the ledger is append-only"), "{statement}: {error}");
    }
    assert_eq!(store.balance("a").await.unwrap(), micros(-9));
}

async fn use_begins_once_and_is_settled_once(store: Store) {
    store.change_usage(&[begin(1, 10), begin(1, 11), begin(2, 10)]).await.unwrap();
    let used = store.unsettled_usage().await.unwrap();
    assert_eq!(used.iter().map(|usage| (usage.id, usage.begun_at.0)).collect::<Vec<_>>(), [(1, 10), (2, 10)]);
    let mark = UsageMark {
        usage: used[0].usage,
        before: Timestamp(10),
        until: Timestamp(20),
        remainder: 3,
        settled: false,
    };
    let entries = [charge("a", 6, subject(used[0].usage, 10, 20))];
    store.settle(&entries, &[mark], Timestamp(20)).await.unwrap();
    let again = store.settle(&entries, &[mark], Timestamp(20)).await;
    assert!(matches!(again, Err(StoreError::Conflict)));
    assert_eq!(store.balance("a").await.unwrap(), micros(-6));
    assert_eq!(store.settled_at().await.unwrap(), Some(Timestamp(20)));
    // A clock that was set back does not take back what is in the ledger.
    let end = |id, at| UsageChange::End { what: Metered::Job, id, at: Timestamp(at) };
    store.change_usage(&[end(1, 15), end(2, 15), end(3, 15)]).await.unwrap();
    let used = store.unsettled_usage().await.unwrap();
    let ends: Vec<_> =
        used.iter().map(|usage| (usage.settled_until.0, usage.ended_at, usage.remainder)).collect();
    assert_eq!(ends, [(20, Some(Timestamp(20)), 3), (10, Some(Timestamp(15)), 0)]);
    let last = UsageMark { before: Timestamp(20), until: Timestamp(20), remainder: 0, settled: true, ..mark };
    store.settle(&[], &[last], Timestamp(25)).await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM usage_periods").fetch_one(store.pool()).await.unwrap();
    assert_eq!(kept, 1, "what is in the ledger to its end is not kept");
    store.stop_metering().await.unwrap();
    assert_eq!(store.unsettled_usage().await.unwrap(), []);
    assert_eq!(store.settled_at().await.unwrap(), None);
}

async fn a_deleted_job_is_used_no_longer(store: Store) {
    let job = create(&store, "t1").await;
    store.change_usage(&[begin(job.id.0, 10)]).await.unwrap();
    store.delete_jobs(std::slice::from_ref(&job), Timestamp(19), &[audit("deleteJob")]).await.unwrap();
    assert_eq!(store.unsettled_usage().await.unwrap()[0].ended_at, Some(Timestamp(19)));
}

async fn charges_are_listed_by_stretch_and_price(store: Store) {
    for (usage, begin) in [(1, 0), (1, 10), (2, 15), (1, 20)] {
        store.book(&charge("a", 6, subject(usage, begin, begin + 10)), &[]).await.unwrap();
    }
    let dearer = PostingSubject { price: micros(700_000), ..subject(1, 30, 40) };
    store.book(&charge("a", 9, dearer), &[]).await.unwrap();
    let cluster = PostingSubject { what: Metered::Cluster, ..subject(3, 2, 4) };
    store.book(&charge("a", 1, cluster), &[]).await.unwrap();
    let other = PostingSubject { project: ProjectId("p2".into()), ..subject(4, 0, 1) };
    store.book(&charge("a", 1, other), &[]).await.unwrap();
    let shown = async |filter: BillingFilter, offset, limit| {
        let lines = store.charges(&project(), &filter, offset, limit).await.unwrap();
        lines
            .iter()
            .map(|line| (line.id, line.charge.micros(), line.millis, line.begin.0, line.end.0))
            .collect::<Vec<_>>()
    };
    let all = BillingFilter::default();
    let expected = [(1, 9, 10, 30, 40), (2, 6, 10, 15, 25), (3, 1, 2, 2, 4), (1, 18, 30, 0, 30)];
    assert_eq!(shown(all, 0, 10).await, expected);
    assert_eq!(shown(all, 1, 2).await, expected[1..3]);
    assert_eq!(store.count_charges(&project(), &all).await.unwrap(), (4, micros(34)));
    let clusters = BillingFilter { what: Some(Metered::Cluster), ..all };
    assert_eq!(shown(clusters, 0, 10).await, expected[2..3]);
    // Of what goes on beyond a time only the part within counts, and parts add up to the whole.
    let of_time =
        |from, to| BillingFilter { from: Some(Timestamp(from)), to: Some(Timestamp(to)), what: None };
    assert_eq!(shown(of_time(10, 15), 0, 10).await, [(1, 3, 5, 10, 15)]);
    assert_eq!(store.count_charges(&project(), &of_time(10, 15)).await.unwrap(), (1, micros(3)));
    let mut sum = 0;
    for from in (0..40).step_by(7) {
        let lines = shown(of_time(from, from + 7), 0, 10).await;
        let listed: i64 = lines.iter().map(|line| line.1).sum();
        assert_eq!(
            store.count_charges(&project(), &of_time(from, from + 7)).await.unwrap().1,
            micros(listed)
        );
        sum += listed;
    }
    assert_eq!(sum, 34);
    assert_eq!(store.charged(&project()).await.unwrap(), micros(34));
    let used = store.charges_of_use(Metered::Job, &[1, 2]).await.unwrap();
    assert_eq!(
        used.iter().map(|used| (used.id, used.begin.0, used.charge.micros())).collect::<Vec<_>>(),
        [(1, 0, 18), (2, 15, 6), (1, 30, 9)]
    );
    let later = BillingFilter { from: Some(Timestamp(100)), ..all };
    assert_eq!(store.count_charges(&project(), &later).await.unwrap(), (0, Money::ZERO));
}

super::tests!(
    entries_add_up_and_balances_follow,
    the_ledger_does_not_change,
    use_begins_once_and_is_settled_once,
    a_deleted_job_is_used_no_longer,
    charges_are_listed_by_stretch_and_price,
);
