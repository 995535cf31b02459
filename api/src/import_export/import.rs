//! Reading a file into the database: all of it or nothing, some hundred rows at a time.
//!
//! Rows are checked against what is in the database by then and written into the one transaction at once, so that memory does
//! not grow with the file. Where anything is wrong the rest is still checked, up to a limit, and all is rolled back; a dry run
//! does the same and is rolled back as well.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use chrono::NaiveDate;
use entity::event;
use sea_orm::{ColumnTrait, EntityTrait, ModelTrait, QueryFilter, QuerySelect, Value as Stored};
use serde_json::Value;

use super::check::{Checking, subject};
use super::source::{Given, Source};
use super::state::{Import, write};
use super::{Counts, Defaults, FileList, Incoming, ROWS_AT_ONCE, Row, import_all, key_of, schema_of};
use crate::auth::actor::Actor;
use crate::crud::references::{existing, unknown};
use crate::crud::twins;
use crate::http::body;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::store::clock::Calendar;
use crate::store::events;
use crate::store::kind::Kind;
use crate::store::progress::Progress;
use crate::store::transaction::{Origin, Store, WriteTransaction};

/// Why nothing was imported.
pub enum Refused {
    /// The file: every field error that was found, a line each.
    File(String),
    /// The database.
    Database(ApiError),
}

/// Imports a JSON file or a folder of CSV files. A dry run checks all of it and leaves nothing behind.
pub async fn run(store: &Store, path: &Path, dry_run: bool, progress: Progress) -> Result<Counts, Refused> {
    let mut source = Source::open(path).map_err(Refused::File)?;
    let origin = Origin { actor: Actor::system("import"), request_id: None, address: None };
    let mut outcome = None;
    let written = store
        .transact(origin, async |transaction: &WriteTransaction| {
            let imported = import(transaction, store.calendar(), &mut source, progress).await?;
            let stays = imported.is_ok() && !dry_run;
            outcome = Some(imported);
            // What is not to stay is rolled back by an error, which nobody sees.
            if stays { Ok(()) } else { Err(ApiError::new(codes::CONFLICT)) }
        })
        .await;
    match (outcome, written) {
        (Some(Err(field_errors)), _) => Err(Refused::File(field_errors)),
        (Some(Ok(counts)), Err(_)) if dry_run => Ok(counts),
        (Some(Ok(counts)), Ok(())) => Ok(counts),
        (_, Err(error)) => Err(Refused::Database(error)),
        (None, Ok(())) => Err(Refused::Database(ApiError::unexpected("an import ended without an outcome"))),
    }
}

/// Imports a JSON text within a change.
pub async fn insert(transaction: &WriteTransaction, calendar: &Calendar, json: &'static str) -> ApiResult<()> {
    let mut source = Source::of_text(json).map_err(ApiError::unexpected)?;
    let imported = import(transaction, calendar, &mut source, Progress::silent()).await?;
    imported.map(drop).map_err(ApiError::unexpected)
}

/// Imports all lists, or gives what is wrong with them.
async fn import(
    transaction: &WriteTransaction,
    calendar: &Calendar,
    source: &mut Source,
    progress: Progress,
) -> ApiResult<Result<Counts, String>> {
    let actor = transaction.origin.actor.name.clone();
    let defaults = Defaults { now: transaction.now, today: transaction.today, actor, calendar: calendar.clone() };
    let last = event::Entity::find().select_only().column_as(event::Column::Seq.max(), "last");
    let last = last.into_tuple::<Option<i64>>().one(&transaction.db).await?.flatten();
    let mut import = Import {
        transaction,
        defaults,
        checking: Checking::default(),
        began_after: last.unwrap_or_default(),
        statuses: HashMap::new(),
        beginnings: 0,
        records: HashMap::new(),
        leading: HashMap::new(),
        progress,
    };
    let counts = import_all(&mut import, source).await?;
    Ok(import.checking.result().map(|()| counts))
}

/// Imports a list; gives how many rows it has.
pub(super) async fn import_list<K: FileList>(
    import: &mut Import<'_>,
    source: &mut Source,
    list: &'static str,
) -> ApiResult<usize> {
    if import.checking.is_full() {
        return Ok(0);
    }
    import.checking.enter::<K>(list);
    K::prepare(import, source);
    let (mut count, mut index, mut tree) = (0, 0, Vec::new());
    let mut given = match source.rows::<K>(list) {
        Ok(rows) => rows,
        Err(field_error) => {
            import.checking.refuse_list(list, &field_error);
            return Ok(0);
        }
    };
    loop {
        let some = match given.next(ROWS_AT_ONCE) {
            Ok(some) if some.is_empty() => break,
            Ok(some) => some,
            Err(field_error) => {
                import.checking.refuse_list(list, &field_error);
                break;
            }
        };
        if let Some(kind) = K::TARGET.filter(|_| index == 0 && K::IS_CODED) {
            twins::lock(import.transaction, kind).await?;
        }
        let read = read_rows::<K>(import, list, index, some);
        index += read.0;
        if K::PARENT.is_some() {
            tree.extend(read.1);
        } else {
            count += take_in(import, list, read.1).await?;
            import.progress.add(list, read.0, index);
        }
        if import.checking.is_full() {
            return Ok(count);
        }
    }
    if let Some(parent) = K::PARENT {
        let sorted = parents_first(import, list, tree, parent);
        for some in in_chunks(sorted) {
            count += take_in(import, list, some).await?;
        }
    }
    K::finish(import).await?;
    Ok(count + K::more(import))
}

fn in_chunks<T>(rows: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut rows = rows.into_iter().peekable();
    std::iter::from_fn(move || rows.peek().is_some().then(|| rows.by_ref().take(ROWS_AT_ONCE).collect()))
}

/// How many rows were given, and those of them that can be read; what is wrong with the others is noted.
fn read_rows<K: FileList>(
    import: &mut Import<'_>,
    list: &'static str,
    first: usize,
    given: Vec<Given>,
) -> (usize, Vec<Incoming<K>>) {
    let validator = body::cached(std::any::TypeId::of::<Incoming<K>>(), schema_of::<K>);
    let (count, mut rows) = (given.len(), Vec::with_capacity(given.len()));
    for (index, value) in (first..).zip(given) {
        let mut value = match value {
            Ok(value) => value,
            Err(field_error) => {
                import.checking.refuse_unread(list, index, &field_error);
                continue;
            }
        };
        K::tidy(&mut value);
        let field_errors = body::field_errors_of(&value, &validator);
        if !field_errors.is_empty() {
            import.checking.refuse_value::<K>(list, index, &value, &field_errors);
            continue;
        }
        let (subject, references) = (subject::<K>(&value), K::references(&value));
        let whole = K::WHOLE.and_then(|(member, _)| value[member].as_str().map(str::to_owned));
        let was_taken = value.get("created_at").is_some_and(|instant| !instant.is_null());
        let since = if K::AUDITED.snapshots.is_some() { take_day(&mut value) } else { None };
        match K::read(value.clone(), &import.defaults) {
            Ok(row) => rows.push(Incoming { index, since, was_taken, row, subject, references, whole, is_sound: true }),
            Err(field_errors) => import.checking.refuse_value::<K>(list, index, &value, &field_errors),
        }
    }
    (count, rows)
}

fn take_day(value: &mut Value) -> Option<NaiveDate> {
    value.as_object_mut()?.remove("since")?.as_str()?.parse().ok()
}

/// Checks rows against what is there by now, and writes those that are sound.
async fn take_in<K: FileList>(import: &mut Import<'_>, list: &'static str, mut rows: Vec<Incoming<K>>) -> ApiResult<usize> {
    leave_out_consequences(import, list, &mut rows);
    follow(import, list, &mut rows).await?;
    clash(import, list, &mut rows).await?;
    if K::IS_CODED {
        refuse_twins(import, list, &mut rows).await?;
    }
    rows.retain(|row| row.is_sound);
    K::complete(import, list, &mut rows).await?;
    rows.retain(|row| row.is_sound);
    write(import, &mut rows).await?;
    K::after_write(import, &rows).await?;
    Ok(rows.len())
}

/// Leaves out rows that follow on a faulty one, or are a part of one.
fn leave_out_consequences<K: FileList>(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<K>]) {
    for row in rows {
        let checking = &import.checking;
        let follows = K::IN_ORDER && checking.is_spoiled(list, row.subject.as_deref());
        let is_part = K::WHOLE.is_some_and(|(_, wholes)| checking.is_spoiled(wholes, row.whole.as_deref()));
        if follows || is_part {
            import.checking.drop_row(list, row);
        }
    }
}

/// Looks for all that is referred to: one statement for each kind.
async fn follow<K: FileList>(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<K>]) -> ApiResult<()> {
    let mut wanted: BTreeMap<&'static Kind, BTreeSet<String>> = BTreeMap::new();
    for (_, target, key) in rows.iter().flat_map(|row| &row.references) {
        wanted.entry(target).or_default().insert(key.clone());
    }
    let mut there: BTreeMap<&'static Kind, BTreeSet<String>> = BTreeMap::new();
    for (target, keys) in wanted {
        there.insert(target, existing(&import.transaction.db, target, &keys).await?);
    }
    if let Some(own) = K::TARGET {
        // What stands above others in a tree comes before them, perhaps with them.
        there.entry(own).or_default().extend(rows.iter().filter(|row| row.is_sound).map(|row| key_of::<K>(&row.row)));
    }
    for row in rows.iter_mut().filter(|row| row.is_sound) {
        for (pointer, target, key) in std::mem::take(&mut row.references) {
            if there.get(target).is_some_and(|there| there.contains(&key)) {
                continue;
            }
            if import.checking.is_spoiled_target(target, &key) {
                import.checking.drop_row(list, row);
            } else {
                import.checking.refuse(list, row, &unknown(pointer, target, &key));
            }
        }
    }
    let Some((member, wholes)) = K::WHOLE else { return Ok(()) };
    let imported = imported_now(import, member, rows).await?;
    for row in rows.iter_mut().filter(|row| row.is_sound) {
        let whole = row.whole.clone().unwrap_or_default();
        if !imported.contains(&whole) {
            import.checking.refuse_at(
                list,
                row,
                &format!("/{member}"),
                format!("`{whole}` is not among the {wholes} of the file."),
            );
        }
    }
    Ok(())
}

/// The wholes of some parts that this very import has brought.
async fn imported_now<K: FileList>(import: &Import<'_>, resource: &str, rows: &[Incoming<K>]) -> ApiResult<HashSet<String>> {
    use event::Column;
    let keys = rows.iter().filter_map(|row| row.whole.as_deref()).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let events = events::about_any(&import.transaction.db, resource, &keys);
    let events = events.filter(Column::Seq.gt(import.began_after)).filter(Column::Action.eq("imported"));
    let keys = events.select_only().column(Column::Key).into_tuple::<String>().all(&import.transaction.db).await?;
    Ok(keys.into_iter().collect())
}

/// Refuses what stands in the file twice, and what is in the database already.
async fn clash<K: FileList>(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<K>]) -> ApiResult<()> {
    if K::IN_ORDER {
        return Ok(());
    }
    let known = there_already(import, rows).await?;
    let mut own = HashSet::new();
    for row in rows.iter_mut().filter(|row| row.is_sound) {
        let key = key_of::<K>(&row.row);
        // A part came with its whole, which was not there before.
        let is_of_file = own.contains(&key) || (known.contains(&key) && K::WHOLE.is_some());
        if is_of_file || (known.contains(&key) && is_imported::<K>(import, &key).await?) {
            import.checking.refuse_at(list, row, "", format!("`{key}` stands there twice."));
        } else if known.contains(&key) {
            import.checking.refuse_at(list, row, "", format!("`{key}` is in the database already."));
        }
        own.insert(key);
    }
    Ok(())
}

/// Whether a row that exists was written by this import.
async fn is_imported<K: FileList>(import: &Import<'_>, key: &str) -> ApiResult<bool> {
    use event::Column;
    let events = events::about(&import.transaction.db, K::AUDITED.name, key);
    let events = events.filter(Column::Seq.gt(import.began_after)).filter(Column::Action.eq("imported"));
    Ok(events.one(&import.transaction.db).await?.is_some())
}

/// The keys of those rows that are there.
async fn there_already<K: FileList>(import: &Import<'_>, rows: &[Incoming<K>]) -> ApiResult<HashSet<String>> {
    let (columns, db) = (K::order(), &import.transaction.db);
    let mut select = K::Entity::find().select_only();
    for column in &columns {
        let values = rows.iter().map(|row| row.row.get(*column)).collect::<Vec<Stored>>();
        select = select.column(*column).filter(column.is_in(values));
    }
    Ok(match columns.len() {
        1 => select.into_tuple::<String>().all(db).await?.into_iter().collect(),
        2 => {
            let keys = select.into_tuple::<(String, String)>().all(db).await?;
            keys.into_iter().map(|(of, part)| format!("{of}/{part}")).collect()
        }
        // Revisions follow each other, which is checked with them.
        _ => HashSet::new(),
    })
}

/// Refuses codes that differ only in case from one that is there, or from one of the file.
async fn refuse_twins<K: FileList>(import: &mut Import<'_>, list: &'static str, rows: &mut [Incoming<K>]) -> ApiResult<()> {
    let Some(own) = K::TARGET else { return Ok(()) };
    let keys = rows.iter().filter(|row| row.is_sound).map(|row| key_of::<K>(&row.row)).collect::<Vec<_>>();
    let twins = twins::of(&import.transaction.db, own, &keys.iter().map(String::as_str).collect()).await?;
    let mut first: HashMap<String, String> = HashMap::new();
    for row in rows.iter_mut().filter(|row| row.is_sound) {
        let key = key_of::<K>(&row.row);
        let earlier = first.entry(key.to_ascii_lowercase()).or_insert_with(|| key.clone());
        let twin = twins.get(&key).or((*earlier != key).then_some(&*earlier));
        // What an export holds was taken when codes that differ only in case stood beside each other.
        if let Some(twin) = twin.filter(|_| !row.was_taken) {
            import.checking.refuse(list, row, &twins::field_error(own, &key, twin));
        }
    }
    Ok(())
}

/// Puts what stands below something after it; a cycle is a field error.
fn parents_first<K: FileList>(
    import: &mut Import<'_>,
    list: &'static str,
    mut rows: Vec<Incoming<K>>,
    parent: fn(&Row<K>) -> Option<&str>,
) -> Vec<Incoming<K>> {
    let parents = rows.iter().map(|row| (key_of::<K>(&row.row), parent(&row.row).map(str::to_owned)));
    let parents = parents.collect::<HashMap<_, _>>();
    let depth = |key: &str| {
        let above = std::iter::successors(parents.get(key), |parent| parents.get(parent.as_deref()?));
        above.take(parents.len() + 1).count()
    };
    let depths = rows.iter().map(|row| depth(&key_of::<K>(&row.row))).collect::<Vec<_>>();
    for (row, _) in rows.iter_mut().zip(&depths).filter(|(_, depth)| **depth > parents.len()) {
        import.checking.refuse_at(list, row, "/parent", "It stands below itself.");
    }
    let mut sorted = depths.into_iter().zip(rows).filter(|(_, row)| row.is_sound).collect::<Vec<_>>();
    sorted.sort_by_key(|(depth, _)| *depth);
    sorted.into_iter().map(|(_, row)| row).collect()
}
