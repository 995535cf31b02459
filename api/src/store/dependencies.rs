//! What an answer depends on, recorded while it is made: the tables that its statements read, and who may be given the same answer.
//!
//! Nobody has to declare it, so nobody can forget to: every statement passes through here, and every extractor says whom it serves.

use std::cell::Cell;

use super::tables::Tables;

tokio::task_local! {
    static RECORD: Cell<Dependencies>;
}

/// What of its tables an answer counts, and so which events change it. An event that changes something of a later variant changes
/// those before it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// All rows as they are now.
    Everything,
    /// What is in force now: of reports only those that are verified or handed in.
    InForce,
    /// What was in force at the end of a past day.
    InForceThen,
}

/// Who may be given the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Nobody said yet.
    Unknown,
    /// Everybody.
    Public,
    /// All who may read everything.
    Readers,
    /// Whoever asked, and nobody else.
    Person,
}

/// What an answer depends on.
#[derive(Clone, Copy, Debug)]
pub struct Dependencies {
    /// The tables that were read.
    pub tables: Tables,
    /// What of them counts.
    pub counted: Counted,
    /// The number of the last change that was known before anything was read.
    pub since: u64,
    /// Who may be given the answer.
    pub audience: Audience,
    /// The tables that were written; in debug builds only, to check that the audit log tells of them.
    pub written: Tables,
    /// What counts in statements that are recorded from now on.
    counting: Counted,
}

impl Dependencies {
    fn none(since: u64, counting: Counted) -> Self {
        Self {
            tables: Tables::default(),
            counted: Counted::InForceThen,
            since,
            audience: Audience::Unknown,
            written: Tables::default(),
            counting,
        }
    }
}

/// Does work and says what the result depends on. `since` is the number of the last change that is known now.
///
/// What is recorded here is not recorded for the work around it, until that is told with [`add`].
pub async fn recorded<T>(since: u64, counting: Counted, work: impl Future<Output = T>) -> (T, Dependencies) {
    RECORD.scope(Cell::new(Dependencies::none(since, counting)), async { (work.await, RECORD.with(Cell::get)) }).await
}

/// Does work in a transaction and says which tables it wrote; in release builds, which do not check that, none.
pub async fn writing<T>(since: u64, work: impl Future<Output = T>) -> (T, Tables) {
    if !cfg!(debug_assertions) {
        return (work.await, Tables::default());
    }
    let (done, record) = recorded(since, Counted::Everything, work).await;
    (done, record.written)
}

/// Notes a statement.
pub fn note_statement(sql: &str) {
    change(|record| {
        record.tables |= Tables::in_sql(sql);
        record.counted = record.counted.min(record.counting);
        if cfg!(debug_assertions) {
            record.written |= Tables::written_in(sql);
        }
    });
}

/// Notes who may be given the answer; the narrower of two audiences holds.
pub fn note_audience(audience: Audience) {
    change(|record| {
        record.audience = match record.audience {
            Audience::Unknown => audience,
            known if known == audience => known,
            _ => Audience::Person,
        };
    });
}

/// Notes that the answer holds something that was made earlier, or elsewhere.
pub fn add(part: &Dependencies) {
    change(|record| {
        record.tables |= part.tables;
        record.counted = record.counted.min(part.counted);
        record.since = record.since.min(part.since);
        record.written |= part.written;
    });
}

fn change(how: impl FnOnce(&mut Dependencies)) {
    // Whoever is no request keeps no answer.
    let _ = RECORD.try_with(|cell| {
        let mut record = cell.get();
        how(&mut record);
        cell.set(record);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_read_within_is_told_to_what_is_around_it() {
        let ((), outer) = recorded(7, Counted::Everything, async {
            let ((), inner) = recorded(5, Counted::InForceThen, async { note_statement("SELECT 1 FROM past") }).await;
            assert_eq!((inner.tables.names(), inner.counted), (vec!["past"], Counted::InForceThen));
            note_audience(Audience::Public);
            add(&inner);
        })
        .await;
        assert_eq!((outer.tables.names(), outer.counted, outer.since), (vec!["past"], Counted::InForceThen, 5));
        assert_eq!(outer.audience, Audience::Public);
        let ((), mixed) = recorded(9, Counted::Everything, async {
            add(&outer);
            note_statement("SELECT 1 FROM kpi");
        })
        .await;
        assert_eq!((mixed.tables.names(), mixed.counted), (vec!["kpi", "past"], Counted::Everything));
    }

    #[tokio::test]
    async fn whom_two_say_differently_it_is_for_one_person() {
        let ((), both) = recorded(0, Counted::Everything, async {
            note_audience(Audience::Readers);
            note_audience(Audience::Readers);
            note_audience(Audience::Person);
        })
        .await;
        assert_eq!(both.audience, Audience::Person);
    }
}
