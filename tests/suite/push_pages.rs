//! What a push costs does not grow with what is there: its rows are neighbours in the indexes, so that it writes few pages.

use std::fs;
use std::path::PathBuf;

use renaksi_tests::{App, on_sqlite};
use serde_json::json;

use super::push::{JSON, PUSH, counted, new_kpi};

const KPIS: u64 = 300;
const YEARS: u64 = 10;
/// Most of a page is left to the entries of one KPI by then.
const NUMBERS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <";

on_sqlite! {
    async fn the_rows_of_a_push_are_written_side_by_side(app) {
        let (client, kpi) = (app.client_dinkes().await, new_kpi(&app.admin().await, "DINKES").await);
        multiply(&app, "kpi", &[("code", "'N' || (1000 + i)")], &format!("code = '{kpi}'"), KPIS);
        let codes = (1..=KPIS).map(|number| format!("N{}", 1000 + number));
        let push = async |period: &str| {
            let rows = codes.clone().map(|code| json!({ "kpi": code, "period": period, "value": "4" })).collect::<Vec<_>>();
            counted(&client.push(PUSH, JSON, json!(rows).to_string()).await.is(200), [KPIS, KPIS, 0, 0, 0, 0]);
        };
        push("2023-01").await;
        // As if they had been pushed in as many months before.
        let period = "(2013 + (i - 1) / 12) || '-' || substr('0' || ((i - 1) % 12 + 1), -2)";
        let of_push = "kpi LIKE 'N____' AND period = '2023-01'";
        let end = format!("date({period} || '-01', '+1 month', '-1 day')");
        multiply(&app, "measurement", &[("period", period), ("period_end", &end)], of_push, YEARS * 12);
        let key = format!("substr(\"key\", 1, 6) || {period}");
        let of_push = "resource = 'measurement' AND \"key\" LIKE 'N____/2023-01'";
        multiply(&app, "event", &[("key", &key), ("id", "randomblob(16)"), ("seq", "NULL")], of_push, YEARS * 12);
        app.database().tamper("UPDATE feed_head SET horizon = (SELECT MAX(seq) FROM event)");

        while !app.database().query("PRAGMA wal_checkpoint(TRUNCATE)").starts_with("0|") {}
        push("2023-02").await;
        let pages = fs::metadata(log_file(&app)).unwrap().len() / 4_096;
        println!("{pages} pages for {KPIS} rows");
        // One for the primary key of each measurement, and of all else only as many as the rows fill.
        assert!(pages < KPIS * 2, "{pages} pages were written for {KPIS} rows");
    }
}

/// Writes rows of a table again, `times` times, with other values in some columns, which may depend on `i`.
fn multiply(app: &App, table: &str, others: &[(&str, &str)], rows: &str, times: u64) {
    let named = others.iter().map(|(column, _)| format!("'{column}'")).collect::<Vec<_>>().join(", ");
    let columns =
        format!("SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('{table}') WHERE name NOT IN ({named})");
    let same = app.database().query(&columns);
    let (columns, values): (Vec<_>, Vec<_>) = others.iter().map(|(column, value)| (format!("\"{column}\""), *value)).unzip();
    let (columns, values) = (columns.join(", "), values.join(", "));
    app.database().tamper(&format!(
        "{NUMBERS} {times}) INSERT INTO {table} ({columns}, {same}) SELECT {values}, {same} FROM n CROSS JOIN {table} WHERE {rows}"
    ));
}

/// The write-ahead log of the service's database.
fn log_file(app: &App) -> PathBuf {
    PathBuf::from(format!("{}-wal", app.database().url().trim_start_matches("sqlite://")))
}
