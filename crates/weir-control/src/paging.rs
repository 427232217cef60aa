//! Pages of lists: what comes after or before a cursor, in the order that was asked for.

/// The order of a list, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<K = i64> {
    /// The id beside the page; it is not in the page and need not exist.
    pub cursor: Option<K>,
    /// Whether the page comes after the cursor in the order, or before it.
    pub after_cursor: bool,
    /// Records in the page.
    pub limit: usize,
    /// Order.
    pub order: Order,
}

/// How a page is cut out of all records: those beyond the cursor, from the nearest on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut<K> {
    /// Only greater ids.
    pub above: Option<K>,
    /// Only smaller ids.
    pub below: Option<K>,
    /// Whether the greatest id is the nearest.
    pub from_greatest: bool,
    /// Whether the page shows the nearest record last.
    pub reversed: bool,
}

impl<K> Page<K> {
    /// Returns how it is cut.
    pub(crate) fn cut(self) -> Cut<K> {
        let descending = self.order == Order::Descending;
        // Beyond the cursor in the order: smaller ids when descending, greater ones when ascending.
        let smaller = descending == self.after_cursor;
        // Without a cursor "before" has nothing to be before of: it is the first page too.
        let from_greatest = if self.cursor.is_some() { smaller } else { descending };
        let (above, below) = if smaller { (None, self.cursor) } else { (self.cursor, None) };
        Cut { above, below, from_greatest, reversed: from_greatest != descending }
    }
}

/// Cuts a page out of records in ascending order of id.
pub(crate) fn page_of<T, K: Ord>(mut records: Vec<T>, page: Page<K>, id: impl Fn(&T) -> K) -> Vec<T> {
    let limit = page.limit;
    let Cut { above, below, from_greatest, reversed } = page.cut();
    records.retain(|record| {
        above.as_ref().is_none_or(|above| id(record) > *above)
            && below.as_ref().is_none_or(|below| id(record) < *below)
    });
    if from_greatest {
        records.reverse();
    }
    records.truncate(limit);
    if reversed {
        records.reverse();
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(cursor: Option<i64>, after_cursor: bool, limit: usize, order: Order) -> Vec<i64> {
        let page = Page { cursor, after_cursor, limit, order };
        page_of((1..=9).collect(), page, |id| *id)
    }

    #[test]
    fn pages_go_on_beyond_the_cursor() {
        assert_eq!(ids(None, true, 3, Order::Descending), [9, 8, 7]);
        assert_eq!(ids(Some(7), true, 3, Order::Descending), [6, 5, 4]);
        assert_eq!(ids(None, true, 3, Order::Ascending), [1, 2, 3]);
        assert_eq!(ids(Some(3), true, 3, Order::Ascending), [4, 5, 6]);
        assert_eq!(ids(Some(100), true, 2, Order::Descending), [9, 8], "the cursor need not exist");
    }

    #[test]
    fn pages_before_the_cursor_are_nearest_to_it_and_keep_the_order() {
        assert_eq!(ids(Some(4), false, 3, Order::Descending), [7, 6, 5]);
        assert_eq!(ids(Some(7), false, 3, Order::Ascending), [4, 5, 6]);
        assert_eq!(ids(None, false, 2, Order::Descending), [9, 8]);
    }
}
