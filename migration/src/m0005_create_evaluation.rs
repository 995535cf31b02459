//! What an evaluation looks at: action plans and their reports, coverage, evaluations with findings, commitments, council,
//! surveys; and what things were like on past days.

use sea_orm_migration::prelude::*;

use crate::columns::{Columns, index, part_of, part_of_id, refers, refers_to_id};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[sea_orm_migration::async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let c = Columns::of(manager);
        create_actions(manager, &c).await?;
        create_coverage(manager, &c).await?;
        create_evaluations(manager, &c).await?;
        create_council(manager, &c).await?;
        create_past(manager, &c).await
    }
}

async fn create_actions(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let action = c
        .identified_table(
            "action",
            vec![
                c.required_text("programme"),
                c.required_text("opd"),
                c.required_text("title"),
                c.text("output_unit"),
                c.integer("year").not_null().take(),
                c.decimal("weight").not_null().take(),
                c.date("due_on"),
                c.decimal("target_q1").not_null().take(),
                c.decimal("target_q2").not_null().take(),
                c.decimal("target_q3").not_null().take(),
                c.decimal("target_q4").not_null().take(),
                c.boolean("published"),
                c.json("provenance"),
            ],
        )
        .foreign_key(&mut refers("action", "programme", "programme"))
        .foreign_key(&mut refers("action", "opd", "opd"))
        .take();
    manager.create_table(action).await?;
    for column in ["programme", "opd", "year", "title", "created_at", "updated_at"] {
        index(manager, "action", &[column, "id"]).await?;
    }
    published_only(manager, "action", "id").await?;
    let mut report = Table::create()
        .table("action_report")
        .col(c.required_text("action"))
        .col(c.integer("quarter").not_null().take())
        .col(c.integer("revision").not_null().take())
        .col(c.decimal("realisation").not_null().take())
        .col(c.text("narrative"))
        .col(c.text("obstacles"))
        .col(c.json("evidence").not_null().take())
        .col(c.instant("source_updated_at"))
        .col(c.required_text("state"))
        .col(c.date("handed_in_on"))
        .col(c.date("known_on"))
        .col(c.boolean("latest"))
        .col(c.text("reason"))
        .col(c.required_text("reported_by"))
        .col(c.text("submitted_by"))
        .col(c.instant("submitted_at"))
        .col(c.text("return_reason"))
        .col(c.text("returned_by"))
        .col(c.text("verified_by"))
        .col(c.instant("verified_at"))
        .primary_key(Index::create().col("action").col("quarter").col("revision"))
        .foreign_key(&mut refers_to_id("action_report", "action", "action"))
        .take();
    c.versioned(&mut report);
    manager.create_table(report).await?;
    // The inbox of the reviewer: what waits, the oldest first.
    let inbox = Index::create().name("ix_action_report_inbox").table("action_report").take();
    let inbox = ["submitted_at", "action", "quarter"].into_iter().fold(inbox, |mut index, column| index.col(column).take());
    manager.create_index(inbox.clone().and_where(Expr::col("state").eq("submitted")).take()).await?;
    // Every kind of report in one inbox.
    let waiting = "CREATE VIEW waiting_report AS \
                   SELECT 'measurement' AS kind, kpi || '/' || period AS \"key\", kpi, NULL AS action, submitted_at \
                   FROM measurement WHERE state = 'submitted' \
                   UNION ALL SELECT 'action_report', action || '/' || quarter, NULL, action, submitted_at \
                   FROM action_report WHERE state = 'submitted'";
    manager.get_connection().execute_unprepared(waiting).await?;
    Ok(())
}

async fn create_coverage(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let coverage = Table::create()
        .table("coverage")
        .col(c.required_text("programme"))
        .col(c.required_text("region"))
        .col(c.integer("seq").not_null().take())
        .col(c.required_text("status"))
        .col(c.date("effective_on").not_null().take())
        .col(c.required_text("recorded_by"))
        .col(c.instant("recorded_at").not_null().take())
        .primary_key(Index::create().col("programme").col("region").col("seq"))
        .foreign_key(&mut part_of("coverage", "programme", "programme"))
        .foreign_key(&mut refers("coverage", "region", "region"))
        .take();
    manager.create_table(coverage).await?;
    index(manager, "coverage", &["region"]).await
}

async fn create_evaluations(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let evaluation = c
        .coded_table(
            "evaluation",
            vec![
                c.required_text("masterplan"),
                c.date("held_on").not_null().take(),
                c.text("venue"),
                c.text("chair"),
                c.text("summary"),
                c.json("reported_counts").not_null().take(),
                c.boolean("published"),
                c.json("provenance"),
                c.instant("closed_at"),
                c.text("closed_by"),
                c.text("record_sha256"),
                c.text("public_record_sha256"),
            ],
        )
        .foreign_key(&mut refers("evaluation", "masterplan", "masterplan"))
        .take();
    manager.create_table(evaluation).await?;
    for column in ["masterplan", "held_on", "created_at", "updated_at"] {
        index(manager, "evaluation", &[column, "code"]).await?;
    }
    published_only(manager, "evaluation", "code").await?;
    let dimension = Table::create()
        .table("evaluation_dimension")
        .col(c.required_text("evaluation"))
        .col(c.required_text("dimension"))
        .primary_key(Index::create().col("evaluation").col("dimension"))
        .foreign_key(&mut part_of("evaluation_dimension", "evaluation", "evaluation"))
        .foreign_key(&mut refers("evaluation_dimension", "dimension", "dimension"))
        .take();
    manager.create_table(dimension).await?;
    index(manager, "evaluation_dimension", &["dimension"]).await?;
    // Text, not JSON: what was frozen comes back byte by byte.
    let record = Table::create()
        .table("evaluation_record")
        .col(c.required_text("evaluation"))
        .col(c.required_text("audience"))
        .col(c.required_text("content"))
        .col(c.required_text("sha256"))
        .primary_key(Index::create().col("evaluation").col("audience"))
        .foreign_key(&mut refers("evaluation_record", "evaluation", "evaluation"))
        .take();
    manager.create_table(record).await?;
    let finding = c
        .identified_table(
            "finding",
            vec![
                c.required_text("evaluation"),
                c.text("programme"),
                c.text("opd"),
                c.required_text("text"),
                c.text("recommendation"),
                c.date("due_on"),
                c.required_text("state"),
                c.json("follow_ups").not_null().take(),
            ],
        )
        .foreign_key(&mut refers("finding", "evaluation", "evaluation"))
        .foreign_key(&mut refers("finding", "programme", "programme"))
        .foreign_key(&mut refers("finding", "opd", "opd"))
        .take();
    manager.create_table(finding).await?;
    for column in ["evaluation", "programme", "opd"] {
        index(manager, "finding", &[column, "id"]).await?;
    }
    Ok(())
}

async fn create_council(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let commitment = c.identified_table(
        "commitment",
        vec![c.required_text("title"), c.date("signed_on"), c.text("document_url"), c.json("signatories").not_null().take()],
    );
    manager.create_table(commitment).await?;
    let signatory = Table::create()
        .table("commitment_signatory")
        .col(c.required_text("commitment"))
        .col(c.required_text("opd"))
        .primary_key(Index::create().col("commitment").col("opd"))
        .foreign_key(&mut part_of_id("commitment_signatory", "commitment", "commitment"))
        .foreign_key(&mut refers("commitment_signatory", "opd", "opd"))
        .take();
    manager.create_table(signatory).await?;
    index(manager, "commitment_signatory", &["opd"]).await?;
    let member = c.identified_table(
        "council_member",
        vec![c.required_text("name"), c.text("position"), c.required_text("role"), c.date("since"), c.date("until")],
    );
    manager.create_table(member).await?;
    let survey = c
        .identified_table(
            "survey",
            vec![
                c.required_text("opd"),
                c.required_text("service"),
                c.required_text("period"),
                c.date("period_end").not_null().take(),
                c.integer("respondents"),
                c.json("scores").not_null().take(),
                c.boolean("published"),
            ],
        )
        .foreign_key(&mut refers("survey", "opd", "opd"))
        .take();
    manager.create_table(survey).await?;
    index(manager, "council_member", &["name", "id"]).await?;
    index(manager, "survey", &["opd", "id"]).await?;
    index(manager, "survey", &["period_end", "id"]).await?;
    published_only(manager, "survey", "id").await
}

/// What is not published costs the public lists nothing.
async fn published_only(manager: &SchemaManager<'_>, table: &'static str, key: &'static str) -> Result<(), DbErr> {
    let index = Index::create().name(format!("ix_{table}_published")).table(table).col(key).take();
    manager.create_index(index.clone().and_where(Expr::cust("published")).take()).await
}

/// What figures count, day by day: the answer to `as_of` when the things themselves have moved on.
async fn create_past(manager: &SchemaManager<'_>, c: &Columns) -> Result<(), DbErr> {
    let past = Table::create()
        .table("past")
        .col(c.required_text("resource"))
        .col(c.required_text("key"))
        .col(c.date("since").not_null().take())
        .col(c.date("until").not_null().take())
        .col(c.boolean("is_first"))
        .col(c.json("content").not_null().take())
        .primary_key(Index::create().col("resource").col("key").col("since"))
        .take();
    manager.create_table(past).await?;
    index(manager, "past", &["resource", "until"]).await?;
    // What was written before this step is taken to have been so since ever.
    manager
        .get_connection()
        .execute_unprepared(
            "INSERT INTO past (resource, \"key\", since, until, is_first, content) \
             SELECT resource, \"key\", '0001-01-01', '9999-12-31', TRUE, after FROM event e \
             WHERE resource IN ('masterplan', 'dimension', 'opd', 'programme', 'kpi', 'kpi_target') AND after IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM event l WHERE l.resource = e.resource AND l.\"key\" = e.\"key\" AND l.seq > e.seq)",
        )
        .await?;
    Ok(())
}
