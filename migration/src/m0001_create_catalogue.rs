//! The masterplan and everything it consists of: dimensions, OPDs, regions, programmes, Quick Wins, KPIs, awards.

use sea_orm_migration::prelude::*;

use crate::columns::{Columns, index, part_of, refers};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = Columns::of(manager);
        create_places(manager, &columns).await?;
        create_programmes(manager, &columns).await?;
        create_kpis(manager, &columns).await?;
        create_awards(manager, &columns).await?;
        for table in ["programme", "quick_win", "kpi", "award"] {
            // What is not published costs the public lists nothing.
            let published = Index::create().name(format!("ix_{table}_published")).table(table).col("code").take();
            manager.create_index(published.clone().and_where(Expr::cust("published")).take()).await?;
        }
        Ok(())
    }
}

async fn create_places(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let region = c
        .coded_table("region", vec![c.required_text("name"), c.required_text("level"), c.text("parent")])
        .foreign_key(&mut refers("region", "parent", "region"))
        .take();
    manager.create_table(region).await?;
    let masterplan = c
        .coded_table(
            "masterplan",
            vec![
                c.required_text("title"),
                c.required_text("region"),
                c.text("legal_basis"),
                c.integer("start_year"),
                c.integer("end_year"),
                c.required_text("status"),
                c.text("description"),
            ],
        )
        .foreign_key(&mut refers("masterplan", "region", "region"))
        .take();
    manager.create_table(masterplan).await?;
    let dimension = c.coded_table(
        "dimension",
        vec![c.required_text("name"), c.text("name_en"), c.integer("position").not_null().take(), c.text("description")],
    );
    manager.create_table(dimension).await?;
    let opd = c
        .coded_table(
            "opd",
            vec![
                c.required_text("name"),
                c.text("short_name"),
                c.text("parent"),
                c.text("head_name"),
                c.text("head_title"),
                c.text("email"),
                c.text("phone"),
                c.text("website"),
                c.boolean("active"),
            ],
        )
        .foreign_key(&mut refers("opd", "parent", "opd"))
        .take();
    manager.create_table(opd).await?;
    index(manager, "region", &["parent", "code"]).await?;
    index(manager, "region", &["level", "code"]).await?;
    index(manager, "region", &["name", "code"]).await?;
    index(manager, "masterplan", &["region"]).await?;
    index(manager, "dimension", &["position", "code"]).await?;
    index(manager, "opd", &["parent", "code"]).await?;
    index(manager, "opd", &["name", "code"]).await
}

async fn create_programmes(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let programme = c
        .coded_table(
            "programme",
            vec![
                c.required_text("masterplan"),
                c.required_text("dimension"),
                c.required_text("name"),
                c.text("description"),
                c.required_text("lead_opd"),
                c.json("supporting_opds").not_null().take(),
                c.required_text("status"),
                c.date("start_date"),
                c.date("end_date"),
                c.decimal("budget"),
                c.text("funding_source"),
                c.json("regions").not_null().take(),
                c.boolean("published"),
                c.json("provenance"),
            ],
        )
        .foreign_key(&mut refers("programme", "masterplan", "masterplan"))
        .foreign_key(&mut refers("programme", "dimension", "dimension"))
        .foreign_key(&mut refers("programme", "lead_opd", "opd"))
        .take();
    manager.create_table(programme).await?;
    for (table, column, to) in [("programme_supporting_opd", "opd", "opd"), ("programme_region", "region", "region")] {
        let link = Table::create()
            .table(table)
            .col(c.required_text("programme"))
            .col(c.required_text(column))
            .primary_key(Index::create().col("programme").col(column))
            .foreign_key(&mut part_of(table, "programme", "programme"))
            .foreign_key(&mut refers(table, column, to))
            .take();
        manager.create_table(link).await?;
        index(manager, table, &[column]).await?;
    }
    let status_change = Table::create()
        .table("status_change")
        .col(c.uuid("id").primary_key().take())
        .col(c.required_text("programme"))
        .col(c.integer("seq").not_null().take())
        .col(c.text("from_status"))
        .col(c.required_text("to_status"))
        .col(c.date("effective_on").not_null().take())
        .col(c.text("reason"))
        .col(c.required_text("recorded_by"))
        .col(c.instant("recorded_at").not_null().take())
        .foreign_key(&mut part_of("status_change", "programme", "programme"))
        .take();
    manager.create_table(status_change).await?;
    manager
        .create_index(Index::create().name("ux_status_change").table("status_change").col("programme").col("seq").unique().take())
        .await?;
    let quick_win = c
        .coded_table(
            "quick_win",
            vec![
                c.required_text("dimension"),
                c.text("programme"),
                c.required_text("opd"),
                c.required_text("name"),
                c.text("description"),
                c.required_text("status"),
                c.date("started_on"),
                c.text("outcome"),
                c.boolean("published"),
                c.json("provenance"),
            ],
        )
        .foreign_key(&mut refers("quick_win", "dimension", "dimension"))
        .foreign_key(&mut refers("quick_win", "programme", "programme"))
        .foreign_key(&mut refers("quick_win", "opd", "opd"))
        .take();
    manager.create_table(quick_win).await?;
    for column in ["masterplan", "dimension", "lead_opd", "status", "name", "updated_at", "created_at"] {
        index(manager, "programme", &[column, "code"]).await?;
    }
    for column in ["dimension", "programme", "opd"] {
        index(manager, "quick_win", &[column, "code"]).await?;
    }
    Ok(())
}

async fn create_kpis(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let kpi = c
        .coded_table(
            "kpi",
            vec![
                c.required_text("masterplan"),
                c.required_text("dimension"),
                c.text("programme"),
                c.required_text("opd"),
                c.required_text("name"),
                c.text("description"),
                c.required_text("unit_kind"),
                c.text("unit_label"),
                c.required_text("direction"),
                c.required_text("frequency"),
                c.integer("decimals").not_null().take(),
                c.text("baseline_period"),
                c.decimal("baseline_value"),
                c.json("baseline_provenance"),
                c.text("source"),
                c.text("method"),
                c.boolean("published"),
            ],
        )
        .foreign_key(&mut refers("kpi", "masterplan", "masterplan"))
        .foreign_key(&mut refers("kpi", "dimension", "dimension"))
        .foreign_key(&mut refers("kpi", "programme", "programme"))
        .foreign_key(&mut refers("kpi", "opd", "opd"))
        .take();
    manager.create_table(kpi).await?;
    let mut target = Table::create()
        .table("kpi_target")
        .col(c.required_text("kpi"))
        .col(c.required_text("period"))
        .col(c.date("period_end").not_null().take())
        .col(c.decimal("value").not_null().take())
        .col(c.required_text("kind"))
        .col(c.json("provenance"))
        .primary_key(Index::create().col("kpi").col("period"))
        .foreign_key(&mut refers("kpi_target", "kpi", "kpi"))
        .take();
    c.versioned(&mut target);
    manager.create_table(target).await?;
    let mut measurement = Table::create()
        .table("measurement")
        .col(c.required_text("kpi"))
        .col(c.required_text("period"))
        .col(c.integer("revision").not_null().take())
        .col(c.date("period_end").not_null().take())
        .col(c.decimal("value").not_null().take())
        .col(c.text("note"))
        .col(c.json("evidence").not_null().take())
        .col(c.instant("source_updated_at"))
        .col(c.json("provenance"))
        .col(c.required_text("state"))
        .col(c.date("known_on"))
        .col(c.boolean("latest"))
        .col(c.boolean("leads"))
        .col(c.required_text("reported_by"))
        .col(c.text("verified_by"))
        .col(c.instant("verified_at"))
        .primary_key(Index::create().col("kpi").col("period").col("revision"))
        .foreign_key(&mut refers("measurement", "kpi", "kpi"))
        .take();
    c.versioned(&mut measurement);
    manager.create_table(measurement).await?;
    for column in ["masterplan", "dimension", "programme", "opd", "name", "updated_at", "created_at"] {
        index(manager, "kpi", &[column, "code"]).await?;
    }
    index(manager, "measurement", &["kpi", "period_end", "revision"]).await?;
    let of_day = |name: &str| Index::create().name(name).table("measurement").col("kpi").col("known_on").take();
    // Parts of the table only: they answer as of any day without a look at the other measurements.
    manager.create_index(of_day("ux_measurement_leads").unique().and_where(Expr::cust("leads")).take()).await?;
    manager.create_index(of_day("ix_measurement_first").and_where(Expr::col("revision").eq(1)).take()).await
}

async fn create_awards(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let award = c.coded_table(
        "award",
        vec![
            c.required_text("name"),
            c.required_text("issuer"),
            c.text("category"),
            c.integer("year"),
            c.required_text("recipient_kind"),
            c.text("recipient_ref"),
            c.text("recipient_name"),
            c.boolean("published"),
            c.json("provenance"),
        ],
    );
    manager.create_table(award).await?;
    index(manager, "award", &["year", "code"]).await?;
    index(manager, "award", &["recipient_ref"]).await
}
