//! Where the rows of each data set come from, all of them out of one snapshot of the database.

use std::sync::LazyLock;

use entity::value::period::Frequency;
use futures_util::future::LocalBoxFuture;
use sea_orm::DatabaseTransaction;
use serde_json::{Value, json};

use super::list::{DATASETS, Dataset};
use crate::aggregates::routes;
use crate::aggregates::scoreboard::{self, Scoreboard, ScoreboardRequest};
use crate::aggregates::standings;
use crate::aggregates::summary::{self, Summary};
use crate::aggregates::timeline::{self, Timeline};
use crate::crud::public::pages_of_all;
use crate::http::language::Language;
use crate::http::operation::Operation;
use crate::http::problem::ApiResult;
use crate::kinds;
use crate::public::coverage::PublicCoverage;
use crate::public::measurements::PublicMeasurement;
use crate::public::parts::{Part, PartPages, described_all};
use crate::public::targets::PublicTarget;
use crate::public::transitions::PublicTransition;
use crate::resources::explanation::InLanguage;
use crate::store::kind::{Kind, Scope};
use crate::store::snapshots::AsOf;
use crate::store::transaction::Store;
use crate::tabular::columns::Tabular;
use crate::tabular::stream::Pages;

/// A data set with what it looks like, and how it is read.
pub(super) struct Source {
    /// The data set.
    pub(super) dataset: &'static Dataset,
    /// What it looks like.
    pub(super) table: Tabular,
    /// The kind whose list it is, if it is that of one.
    pub(super) kind: Option<&'static Kind>,
    read: Read,
}

enum Read {
    Kind(&'static Kind),
    Part(fn(AsOf) -> ApiResult<Box<dyn Pages>>),
    Figure(Compute),
}

/// Computes a figure as of the end of a day.
type Compute = for<'a> fn(&'a DatabaseTransaction, AsOf, Language) -> LocalBoxFuture<'a, ApiResult<Value>>;

/// The rows of a data set.
pub(super) enum Rows {
    /// Page by page.
    Pages(Box<dyn Pages>),
    /// Those of the answer with a figure.
    Figure(Value),
}

impl Source {
    /// Begins to read it.
    pub(super) async fn rows(&self, store: &Store, db: &DatabaseTransaction, as_of: AsOf, language: Language) -> ApiResult<Rows> {
        Ok(match &self.read {
            Read::Kind(kind) => Rows::Pages(Box::new(pages_of_all(kind, store, language)?)),
            Read::Part(pages) => Rows::Pages(pages(as_of)?),
            Read::Figure(compute) => Rows::Figure(compute(db, as_of, language).await?),
        })
    }
}

/// Every data set, in the order of [`DATASETS`].
pub(super) static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut known = kinds::public_tables()
        .into_iter()
        .map(|(kind, operation, table)| (operation, table, Read::Kind(kind)))
        .chain([
            part::<PublicTransition>(),
            part::<PublicCoverage>(),
            part::<PublicTarget>(),
            part::<PublicMeasurement>(),
            figure(routes::public_table::<Summary>(), |db, as_of, _| {
                Box::pin(async move { Ok(json!(summary::compute(db, Scope::Published, None, as_of).await?)) })
            }),
            figure(routes::public_table::<Timeline>(), |db, as_of, _| {
                let months = Frequency::Monthly;
                Box::pin(async move { Ok(json!(timeline::compute(db, Scope::Published, None, months, as_of).await?)) })
            }),
            figure(routes::public_table::<Scoreboard>(), |db, as_of, language| {
                let latest = ScoreboardRequest::latest(as_of);
                Box::pin(async move { Ok(json!(scoreboard::compute(db, Scope::Published, latest).await?.in_language(language))) })
            }),
            figure(standings::public_table(), |db, as_of, _| {
                Box::pin(async move { Ok(json!({ "data": standings::all(db, Scope::Published, as_of).await? })) })
            }),
        ])
        .collect::<Vec<_>>();
    let source = |dataset: &'static Dataset| {
        let place = known.iter().position(|(operation, ..)| operation.path == dataset.path);
        let place = place.unwrap_or_else(|| unreachable!("a test finds each data set at its path, but not {}", dataset.path));
        let (_, table, read) = known.swap_remove(place);
        let kind = if let Read::Kind(kind) = &read { Some(*kind) } else { None };
        Source { dataset, table, kind, read }
    };
    DATASETS.iter().map(source).collect()
});

fn part<P: Part>() -> (Operation, Tabular, Read) {
    let (operation, table) = described_all::<P>();
    (operation, table, Read::Part(|today| Ok(Box::new(PartPages::<P>::of_all(today)?))))
}

fn figure((operation, table): (Operation, Tabular), compute: Compute) -> (Operation, Tabular, Read) {
    (operation, table, Read::Figure(compute))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_has_its_source_and_every_public_kind_is_one() {
        assert_eq!(SOURCES.len(), DATASETS.len());
        let kinds = SOURCES.iter().filter(|source| source.kind.is_some()).count();
        assert_eq!(kinds, kinds::public_tables().len());
        for Source { dataset, table, .. } in SOURCES.iter() {
            for key in dataset.key {
                assert!(table.columns.iter().any(|column| column.column.name == *key), "{}: {key}", dataset.name);
            }
        }
    }
}
