//! THE URL TABLE: every route of the service, grouped by who calls it. Nothing is mounted anywhere else but the pages
//! of `app.rs`.

use entity::{action_report, measurement};

use crate::http::table::Table;
use crate::public::coverage::PublicCoverage;
use crate::public::measurements::PublicMeasurement;
use crate::public::targets::PublicTarget;
use crate::public::transitions::PublicTransition;
use crate::resources::evaluations::follow_ups;
use crate::resources::programmes::{coverage, transitions};
use crate::resources::{auth, clients, kpis, me, obligations, reporting, reviews, users};
use crate::{aggregates, charts, dataset, feed, health, kinds, problems, public, push, webhooks};

/// Every route, in `table`.
pub fn all(mut table: Table) -> Table {
    resources(&mut table);
    everybody(&mut table);
    identity(&mut table);
    health::mount(&mut table);
    problems::mount(&mut table);
    table
}

/// Those who log in: the Kominfo office, the council, the OPDs.
fn resources(table: &mut Table) {
    kinds::mount(table);
    transitions::mount(table);
    coverage::mount(table);
    kpis::targets::mount(table);
    reporting::routes::mount::<measurement::Model>(table);
    reporting::routes::mount::<action_report::Model>(table);
    reviews::mount(table);
    push::mount(table);
    aggregates::close::mount(table);
    aggregates::record::mount(table);
    follow_ups::mount(table);
    aggregates::routes::mount(table);
    aggregates::standings::mount(table);
    feed::events::mount(table);
    feed::stream::mount(table);
    feed::tickets::mount(table);
    webhooks::subscriptions::mount(table);
}

/// Third parties, without a login.
fn everybody(table: &mut Table) {
    kinds::mount_public(table);
    public::parts::mount::<PublicTransition>(table);
    public::parts::mount::<PublicCoverage>(table);
    public::parts::mount::<PublicTarget>(table);
    public::parts::mount::<PublicMeasurement>(table);
    public::metadata::mount(table);
    aggregates::record::mount_public(table);
    aggregates::routes::mount_public(table);
    aggregates::standings::mount_public(table);
    charts::routes::mount_public(table);
    dataset::zip::mount(table);
    dataset::catalogue::mount(table);
    feed::events::mount_public(table);
    feed::stream::mount_public(table);
}

/// Logging in, and who may.
fn identity(table: &mut Table) {
    auth::mount(table);
    me::mount(table);
    obligations::mount(table);
    users::mount(table);
    clients::mount(table);
}
