//! Reading a file into the database: all of it or nothing.

use std::path::Path;

use chrono::NaiveDate;
use sea_orm::{Iterable, ModelTrait};
use serde_json::Value;

use super::check::Checking;
use super::source::Source;
use super::{Counts, Defaults, Everything, Incoming, Kind, ROWS_AT_ONCE, Told, history, schema_of};
use crate::auth::actor::Actor;
use crate::http::body;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::change::{Change, Happening, Origin, Store};
use crate::store::clock::Calendar;
use crate::store::{bulk, past};

/// Why nothing was imported.
pub enum Refused {
    /// The file: every fault that was found, a line each.
    File(String),
    /// The database.
    Database(ApiError),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Database(error)
    }
}

/// Imports a JSON file or a folder of CSV files. A dry run checks all of it and writes nothing.
pub async fn run(store: &Store, path: &Path, dry_run: bool) -> Result<Counts, Refused> {
    let source = Source::open(path).map_err(Refused::File)?;
    let origin = Origin { actor: Actor::system("import"), request_id: None, address: None };
    let mut refused = None;
    let imported = store
        .transact(origin, async |change: &Change| match checked(change, store.calendar(), source).await? {
            Err(faults) => {
                refused = Some(faults);
                Ok(Counts::new())
            }
            Ok((everything, defaults)) => {
                let counts = everything.counts();
                if !dry_run {
                    everything.write(change, &defaults).await?;
                }
                Ok(counts)
            }
        })
        .await?;
    refused.map_or(Ok(imported), |faults| Err(Refused::File(faults)))
}

/// Imports a JSON text within a change.
pub async fn insert(change: &Change, calendar: &Calendar, json: &str) -> ApiResult<()> {
    let source = Source::json(json.as_bytes()).map_err(ApiError::unexpected)?;
    let (everything, defaults) = checked(change, calendar, source).await?.map_err(ApiError::unexpected)?;
    everything.write(change, &defaults).await
}

/// All rows of a file, or every fault that it has.
async fn checked(change: &Change, calendar: &Calendar, mut source: Source) -> ApiResult<Result<(Everything, Defaults), String>> {
    let actor = change.origin.actor.name.clone();
    let defaults = Defaults { now: change.now, today: change.today, actor, calendar: calendar.clone() };
    let mut checking = Checking::new(&defaults);
    let mut everything = Everything::read(&mut source, &mut checking);
    drop(source);
    checking.follow(&change.db).await?;
    everything.clash(&mut checking, &change.db).await?;
    history::complete(change, &mut everything, &mut checking).await?;
    let faults = checking.result();
    Ok(faults.map(|()| (everything, defaults)))
}

/// Reads the rows of a list; what is wrong with one is noted.
pub(super) fn read_list<K: Kind>(list: &'static str, source: &mut Source, checking: &mut Checking<'_>) -> Vec<Incoming<K>> {
    let values = source.take::<K>(list).unwrap_or_else(|fault| {
        checking.say(format!("{list}: {fault}"));
        Vec::new()
    });
    let validator = body::cached(std::any::TypeId::of::<Incoming<K>>(), schema_of::<K>);
    let mut rows = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let mut value = match value {
            Ok(value) => value,
            Err(fault) => {
                checking.fault_at(list, index, "", fault);
                continue;
            }
        };
        let faults = body::faults_of(&value, &validator);
        checking.refer::<K>(list, index, &value);
        faults.iter().for_each(|fault| checking.fault(list, index, fault));
        if !faults.is_empty() {
            continue;
        }
        let was_taken = value.get("created_at").is_some_and(|instant| !instant.is_null());
        let since = if past::is_tracked(K::ONE) { take_day(&mut value) } else { None };
        match K::read(value, checking.defaults) {
            Ok(row) => {
                rows.push(Incoming { index, since, was_taken, row });
            }
            Err(faults) => faults.iter().for_each(|fault| checking.fault(list, index, fault)),
        }
    }
    checking.identify(list, &rows);
    rows
}

fn take_day(value: &mut Value) -> Option<NaiveDate> {
    value.as_object_mut()?.remove("since")?.as_str()?.parse().ok()
}

/// Writes the rows of a list with their events, some hundred a statement.
pub(super) async fn write_list<K: Kind>(change: &Change, defaults: &Defaults, rows: Vec<Incoming<K>>) -> ApiResult<()> {
    let columns = super::Column::<K>::iter().collect::<Vec<_>>();
    for some in rows.chunks(ROWS_AT_ONCE) {
        let values = some.iter().map(|incoming| Ok(columns.iter().map(|column| incoming.row.get(*column)).collect()));
        bulk::append::<K::Entity>(&change.db, &columns, values).await?;
        K::written(change, some).await?;
        let mut told = Vec::new();
        for Incoming { since, row, .. } in some {
            if let Some(one) = K::told(row)? {
                let since = since.unwrap_or_else(|| defaults.calendar.day_of(one.created_at));
                told.push((since.min(change.today), one));
            }
        }
        let happenings = told.iter().map(|(since, Told { key, version, after, .. })| {
            let (before, after) = (None, Some(after.clone()));
            (*since, Happening { resource: K::ONE, key, action: "imported", version: *version, before, after })
        });
        change.record_imported(happenings.collect()).await?;
    }
    Ok(())
}
