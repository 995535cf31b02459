//! THE URL TABLE: every route of the service, grouped by who calls it. Nothing is mounted anywhere else but the pages
//! of `app.rs`.

use entity::{action_report, measurement};

use crate::http::table::Table;
use crate::public::lists;
use crate::resources::actions::Action;
use crate::resources::awards::Award;
use crate::resources::commitments::Commitment;
use crate::resources::council_members::CouncilMember;
use crate::resources::crud;
use crate::resources::dimensions::Dimension;
use crate::resources::evaluations::findings::Finding;
use crate::resources::evaluations::{Evaluation, follow_ups};
use crate::resources::kpis::{self, Kpi};
use crate::resources::masterplans::Masterplan;
use crate::resources::opds::Opd;
use crate::resources::programmes::{Programme, coverage, transitions};
use crate::resources::quick_wins::QuickWin;
use crate::resources::regions::Region;
use crate::resources::surveys::Survey;
use crate::resources::{auth, clients, me, obligations, reporting, reviews, users};
use crate::{aggregates, feed, health, public, push, webhooks};

/// Every route, in `table`.
pub fn all(mut table: Table) -> Table {
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
    coverage::mount(table);
    crud::mount::<QuickWin>(table);
    crud::mount::<Kpi>(table);
    kpis::targets::mount(table);
    reporting::routes::mount::<measurement::Model>(table);
    crud::mount::<Action>(table);
    reporting::routes::mount::<action_report::Model>(table);
    reviews::mount(table);
    push::mount(table);
    crud::mount::<Evaluation>(table);
    aggregates::close::mount(table);
    aggregates::record::mount(table);
    crud::mount::<Finding>(table);
    follow_ups::mount(table);
    crud::mount::<Award>(table);
    crud::mount::<Survey>(table);
    crud::mount::<Commitment>(table);
    crud::mount::<CouncilMember>(table);
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
    public::coverage::mount(table);
    lists::mount::<QuickWin>(table);
    lists::mount::<Kpi>(table);
    lists::mount::<Action>(table);
    lists::mount::<Evaluation>(table);
    aggregates::record::mount_public(table);
    lists::mount::<Finding>(table);
    lists::mount::<Award>(table);
    lists::mount::<Survey>(table);
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
