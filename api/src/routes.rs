//! THE URL TABLE: every route of the service, grouped by who calls it. Nothing is mounted anywhere else but the pages
//! of `app.rs`.

use crate::http::table::Table;
use crate::public::lists;
use crate::resources::awards::Award;
use crate::resources::crud;
use crate::resources::dimensions::Dimension;
use crate::resources::kpis::{self, Kpi};
use crate::resources::masterplans::Masterplan;
use crate::resources::opds::Opd;
use crate::resources::programmes::{Programme, transitions};
use crate::resources::quick_wins::QuickWin;
use crate::resources::regions::Region;
use crate::resources::{auth, clients, me, obligations, reviews, users};
use crate::{aggregates, feed, health, public, push, webhooks};

/// Every route.
pub fn table() -> Table {
    let mut table = Table::default();
    resources(&mut table);
    everybody(&mut table);
    identity(&mut table);
    health::mount(&mut table);
    table
}

/// Those who log in: the Kominfo office, the council, the OPDs.
fn resources(table: &mut Table) {
    crud::mount::<Masterplan>(table);
    crud::mount::<Dimension>(table);
    crud::mount::<Opd>(table);
    crud::mount::<Region>(table);
    crud::mount::<Programme>(table);
    transitions::mount(table);
    crud::mount::<QuickWin>(table);
    crud::mount::<Kpi>(table);
    kpis::targets::mount(table);
    kpis::measurements::mount(table);
    reviews::mount(table);
    push::mount(table);
    crud::mount::<Award>(table);
    aggregates::routes::mount(table);
    feed::events::mount(table);
    feed::stream::mount(table);
    webhooks::subscriptions::mount(table);
}

/// Third parties, without a login.
fn everybody(table: &mut Table) {
    lists::mount::<Masterplan>(table);
    lists::mount::<Dimension>(table);
    lists::mount::<Opd>(table);
    lists::mount::<Region>(table);
    lists::mount::<Programme>(table);
    public::transitions::mount(table);
    lists::mount::<QuickWin>(table);
    lists::mount::<Kpi>(table);
    lists::mount::<Award>(table);
    aggregates::routes::mount_public(table);
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
