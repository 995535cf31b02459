//! Writing the database into a file, or a folder of CSV files.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ConnectionTrait, EntityTrait, ModelTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Map, Value, json};

use super::{Counts, FORMAT, FileList, Row, columns_of, export_all, key_of};
use crate::csv::writer::{Dialect, Writer};
use crate::store::files;
use crate::store::output::Failed;
use crate::store::progress::Progress;
use crate::store::snapshots;
use crate::store::transaction::Store;

/// Rows of one statement.
const ROWS_AT_ONCE: u64 = 1000;

/// Where an export goes.
pub(super) enum Sink {
    /// A JSON text.
    Json(Box<dyn Write>),
    /// A folder of CSV files, and the file that is being written.
    Csv(PathBuf, Option<(BufWriter<File>, Writer)>),
}

/// Writes everything as JSON, to a file or to standard output, as it is at one instant.
pub async fn json(store: &Store, path: Option<&Path>, progress: Progress) -> Result<Counts, Failed> {
    let out: Box<dyn Write> = match path {
        Some(path) => Box::new(BufWriter::new(files::create(path)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let mut sink = Sink::Json(out);
    if let Sink::Json(out) = &mut sink {
        write!(out, "{{\n\"format\": {FORMAT}")?;
    }
    let counts = all(store, &mut sink, progress).await?;
    if let Sink::Json(out) = &mut sink {
        writeln!(out, "\n}}")?;
        out.flush()?;
    }
    Ok(counts)
}

/// Writes everything as CSV files into a folder, as it is at one instant.
pub async fn csv(store: &Store, folder: &Path, progress: Progress) -> Result<Counts, Failed> {
    fs::create_dir_all(folder)?;
    all(store, &mut Sink::Csv(folder.to_owned(), None), progress).await
}

async fn all(store: &Store, sink: &mut Sink, mut progress: Progress) -> Result<Counts, Failed> {
    let db = store.snapshot().await?;
    let counts = export_all(&db, sink, &mut progress).await?;
    db.rollback().await?;
    Ok(counts)
}

impl Sink {
    fn begin<K: FileList>(&mut self, list: &str) -> io::Result<()> {
        match self {
            Self::Json(out) => write!(out, ",\n\"{list}\": ["),
            Self::Csv(folder, file) => {
                let mut out = BufWriter::new(files::create(&folder.join(format!("{list}.csv")))?);
                let writer = Writer::new(Dialect::PLAIN, columns_of::<K>());
                out.write_all(writer.header().as_bytes())?;
                *file = Some((out, writer));
                Ok(())
            }
        }
    }

    fn row(&mut self, row: Map<String, Value>, is_first: bool) -> io::Result<()> {
        match self {
            Self::Json(out) => {
                out.write_all(if is_first { b"\n" } else { b",\n" })?;
                Ok(serde_json::to_writer(out, &row)?)
            }
            Self::Csv(_, file) => file.as_mut().map_or(Ok(()), |(out, writer)| out.write_all(writer.row(&row).as_bytes())),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Json(out) => out.write_all(b"\n]"),
            Self::Csv(_, file) => file.as_mut().map_or(Ok(()), |(out, _)| out.flush()),
        }
    }
}

/// Writes the rows of a list in the order of their keys, some at a time: memory does not grow with the list.
pub(super) async fn export_list<K: FileList>(
    list: &'static str,
    db: &impl ConnectionTrait,
    sink: &mut Sink,
    progress: &mut Progress,
) -> Result<usize, Failed> {
    let (mut count, mut last) = (0, None);
    sink.begin::<K>(list)?;
    loop {
        let rows = after::<K>(last.as_ref()).limit(ROWS_AT_ONCE).all(db).await?;
        let since = if K::AUDITED.snapshots.is_some() {
            snapshots::known_since(db, K::AUDITED.name, rows.iter().map(key_of::<K>).collect()).await?
        } else {
            HashMap::new()
        };
        for row in &rows {
            sink.row(shown::<K>(row, &since)?, count == 0)?;
            count += 1;
        }
        progress.add(list, rows.len(), count);
        let is_last = (rows.len() as u64) < ROWS_AT_ONCE;
        last = rows.into_iter().last();
        if is_last {
            break;
        }
    }
    sink.end()?;
    Ok(count)
}

/// The rows that come after a row, in their order.
pub(super) fn after<K: FileList>(last: Option<&Row<K>>) -> sea_orm::Select<K::Entity> {
    let order = K::order();
    let mut select = K::Entity::find();
    if let Some(last) = last {
        let columns: Vec<Expr> = order.iter().map(|column| Expr::col(*column)).collect();
        let values: Vec<Expr> = order.iter().map(|column| Expr::val(last.get(*column))).collect();
        select = select.filter(Expr::tuple(columns).gt(Expr::tuple(values)));
    }
    order.into_iter().fold(select, |select, column| select.order_by(column, Order::Asc))
}

/// A row as it stands in the file: what is null is left out.
fn shown<K: FileList>(row: &Row<K>, since: &HashMap<String, NaiveDate>) -> Result<Map<String, Value>, Failed> {
    let mut shown = K::show(row)?;
    if let Some(since) = since.get(&key_of::<K>(row)) {
        shown.insert("since".to_owned(), json!(since));
    }
    without_nulls(&mut shown);
    Ok(shown)
}

fn without_nulls(members: &mut Map<String, Value>) {
    members.retain(|_, value| *value != Value::Null);
    for value in members.values_mut() {
        match value {
            Value::Object(inner) => without_nulls(inner),
            Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(without_nulls),
            _ => {}
        }
    }
}
