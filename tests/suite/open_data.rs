//! Open data as files: every list and every figure of the public as CSV, and all of them in one ZIP.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use renaksi_tests::csv::{Table, is_cell_of};
use renaksi_tests::document::{Document, Operation};
use renaksi_tests::{Actor, Answer, App, Backend, on_both_databases, on_shared_servers, on_sqlite, tier};
use serde_json::{Map, Value, json};
use zip::ZipArchive;

use super::statements::Place;

/// Of which members of a figure a line is made; the others stand on each line. Lists and other figures are not here.
const PARTS: [(&str, &[&str]); 7] = [
    ("get_public_summary", &["totals", "dimensions"]),
    ("get_public_timeline", &["steps"]),
    ("get_public_scoreboard", &["rows"]),
    ("get_public_scorecard", &[]),
    ("get_public_kpi_standing", &[]),
    ("get_public_kpi_series", &["baseline", "targets", "actuals"]),
    ("get_public_reconciliation", &["totals", "dimensions"]),
];

on_both_databases! {
    async fn every_csv_has_what_its_json_has(app) {
        let place = Place::fill(&app).await;
        let anyone = app.anyone();
        let mut asked = 0;
        for operation in tables() {
            let path = place.path_of(&operation);
            let rows = rows_of(&anyone, &operation, &path).await;
            assert!(!rows.is_empty(), "{path} has nothing to compare");
            let table = Table::read(&csv(&anyone, &path).await.text(), ',');
            holds(&path, &table, &rows, false);
            // The same under the path that says it, and in the form for spreadsheets.
            let named = anyone.get(format!("{path}.csv?separator=semicolon&bom=true")).await.is(200);
            assert_eq!(named.media_type(), "text/csv");
            let text = named.text();
            let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
            holds(&path, &Table::read(text, ';'), &rows, true);
            let tab = anyone.get(format!("{path}.csv?separator=tab")).await.is(200);
            assert_eq!(Table::read(&tab.text(), '\t'), table, "{path}");
            asked += 1;
        }
        assert!(asked > 25, "only {asked} tables");
    }

    async fn filters_order_and_fields_work_as_for_json(app) {
        let anyone = app.anyone();
        for query in [
            "status=running&sort=-name", "q=sehat", "fields=name,code", "fields=code,progress&sort=-progress", "as_of=2022-10-04&dimension=governance",
            "as_of=2022-10-04&fields=code,status&sort=-code",
        ] {
            let rows = anyone.all(&format!("/v1/public/programmes?{query}&limit=7")).await;
            let table = Table::read(&csv(&anyone, &format!("/v1/public/programmes?{query}")).await.text(), ',');
            holds(query, &table, &rows, false);
            if let Some(fields) = query.split('&').find_map(|pair| pair.strip_prefix("fields=")) {
                let mut wanted = fields.split(',').collect::<Vec<_>>();
                wanted.sort_unstable();
                let mut columns = table.columns.iter().map(String::as_str).collect::<Vec<_>>();
                columns.sort_unstable();
                assert_eq!(columns, wanted, "{query}");
            }
        }
        let rows = anyone.all("/v1/public/standings?sort=-progress&standing=no_data&limit=3").await;
        let table = Table::read(&csv(&anyone, "/v1/public/standings?sort=-progress&standing=no_data").await.text(), ',');
        holds("standings", &table, &rows, false);
    }

    async fn what_is_downloaded_pushes_back_unchanged(app) {
        let (admin, anyone) = (app.admin().await, app.anyone());
        for (list, push) in [("measurements", "measurements"), ("programmes", "programmes")] {
            for form in ["", "?separator=semicolon&bom=true", "?separator=tab"] {
                let file = anyone.get(format!("/v1/public/{list}.csv{form}")).await.is(200);
                let pushed = admin.push(format!("/v1/push/{push}?rows=all"), "text/csv", file.bytes()).await.is(200);
                let received = pushed.at("received").as_u64().unwrap();
                assert!(received >= 2, "{pushed:?}");
                assert_eq!(pushed.at("unchanged"), received, "{list}{form}: {pushed:?}");
            }
        }
    }
}

on_both_databases! {
    async fn the_zip_has_every_table_and_describes_every_column(app) {
        Place::fill(&app).await;
        let anyone = app.anyone();
        let zip = zip(&anyone).await;
        let files = unzipped(&zip);
        let package: Value = serde_json::from_str(&files["datapackage.json"]).unwrap();
        assert_eq!(package["licenses"][0]["name"], "CC-BY-4.0");
        let tables = resources(&package).filter(|resource| resource["type"] == "table").map(|resource| {
            let name = resource["name"].as_str().unwrap();
            let text = &files[&format!("{name}.csv")];
            // A file of the ZIP is what the list gives by itself.
            (name, resource, text, Table::read(text, ','))
        });
        let tables = tables.collect::<Vec<_>>();
        // Beside them there is what is known of the indicators, as it is told of each.
        let indicators: Vec<Value> = serde_json::from_str(&files["indicators.json"]).unwrap();
        let kpis = anyone.all("/v1/public/kpis?sort=code").await;
        assert_eq!(indicators.len(), kpis.len());
        for (told, kpi) in indicators.iter().zip(&kpis) {
            let path = format!("/v1/public/kpis/{}/metadata", kpi["code"].as_str().unwrap());
            assert_eq!(*told, anyone.get(path).await.is(200).json());
        }
        assert!(resources(&package).any(|resource| resource["path"] == "indicators.json"));
        assert_eq!(files.len(), tables.len() + 2, "{:?}", files.keys());
        for (name, resource, text, table) in &tables {
            let source = resource["sources"][0]["path"].as_str().unwrap();
            let path = &source[source.find("/v1/public/").unwrap()..];
            assert_eq!(anyone.get(path).await.is(200).text(), **text, "{name}");
            let fields = resource["schema"]["fields"].as_array().unwrap();
            assert_eq!(fields.iter().map(|field| field["name"].as_str().unwrap()).collect::<Vec<_>>(), table.columns, "{name}");
            for field in fields {
                for member in ["title", "title_id", "description", "description_id", "type"] {
                    assert!(field[member].as_str().is_some_and(|text| !text.is_empty()), "{name} {field}");
                }
                types_hold(name, field, table);
            }
            keys_hold(name, resource, table, &tables.iter().map(|(name, .., table)| (*name, table)).collect());
        }
        assert!(tables.iter().filter(|(.., table)| !table.rows.is_empty()).count() > 15);
    }

    async fn the_zip_of_one_state_is_always_the_same(app) {
        let anyone = app.anyone();
        let first = settled(&anyone).await;
        let again = anyone.get(ZIP).await.is(200);
        assert_eq!((first.etag(), first.bytes()), (again.etag(), again.bytes()));
        anyone.get(ZIP).if_none_match(&first.etag()).await.is(304);
        let admin = app.admin().await;
        let etag = admin.etag_of("/v1/opds/DLH").await;
        admin.patch("/v1/opds/DLH", json!({ "website": "https://dlh.example" })).if_match(&etag).await.is(200);
        let changed = settled(&anyone).await;
        assert_ne!(changed.etag(), first.etag());
        assert!(unzipped(&changed)["opds.csv"].contains("https://dlh.example"));
        anyone.get(ZIP).if_none_match(&first.etag()).await.is(200);
    }

    async fn a_long_csv_is_whole_and_takes_little_memory(app) {
        let rows = seed(&app, tier::size(8_000, 1_000_000));
        let fresh = app.replica();
        let anyone = fresh.anyone();
        let first = Table::read(&csv(&anyone, "/v1/public/measurements?kpi=RIBUAN-1").await.text(), ',');
        let before = peak_memory(&fresh);
        let answer = anyone.get("/v1/public/measurements.csv").await.is(200);
        let grown = peak_memory(&fresh) - before;
        assert!(grown < 24 * 1024, "{grown} KiB for {rows} rows");
        assert_eq!(answer.header("content-length"), None, "it is sent while it is made");
        let table = Table::read(&answer.text(), ',');
        let (kpi, period) = (table.column("kpi"), table.column("period"));
        let keys = table.rows.iter().map(|row| (&row[kpi], &row[period])).collect::<Vec<_>>();
        assert!(keys.is_sorted_by(|one, other| one < other), "in order, and none twice");
        assert_eq!(keys.iter().filter(|(kpi, _)| kpi.starts_with("RIBUAN-")).count(), rows);
        assert!(table.rows.iter().filter(|row| row[kpi] == "RIBUAN-1").eq(&first.rows));
        anyone.get("/v1/public/measurements.csv").if_none_match(&answer.etag()).await.is(304);
        let date = answer.header("last-modified").expect("a date");
        anyone.get("/v1/public/measurements.csv").header("If-Modified-Since", date).await.is(304);
        if !tier::is_heavy() {
            let json = anyone.all("/v1/public/measurements?limit=200").await;
            holds("measurements", &table, &json, false);
        }
    }
}

on_sqlite! {
    async fn who_does_not_read_holds_two_downloads_of_one_state_and_no_more(app) {
        let rows = seed(&app, 150_000);
        let fresh = app.replica();
        // Neither of them reads on after the head.
        let (mut one, other) = (unread(&fresh), unread(&fresh));
        let refused = fresh.anyone().get("/v1/public/measurements.csv").await.is_status(429).has_problem("too_many_requests");
        assert!(refused.header("retry-after").is_some());
        fresh.anyone().get(ZIP).await.is(429);
        // What is short goes on, and so does everything else.
        csv(&fresh.anyone(), "/v1/public/programmes").await;
        csv(&fresh.anyone(), "/v1/public/measurements?kpi=RIBUAN-1&period=2001-01").await;
        fresh.anyone().get("/v1/public/summary").await.is(200);
        // Rows that go meanwhile are in what was asked for before.
        app.database().tamper("DELETE FROM measurement WHERE kpi LIKE 'RIBUAN-9%'");
        let mut rest = Vec::new();
        one.read_to_end(&mut rest).unwrap();
        let text = unchunked(&rest);
        assert_eq!(text.lines().filter(|line| line.starts_with("RIBUAN-")).count(), rows);
        drop((one, other));
        for _ in 0..100 {
            let answer = fresh.anyone().get("/v1/public/measurements.csv").await;
            if answer.status() == 200 {
                assert!(!answer.text().contains("RIBUAN-9"), "those rows are gone now");
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("whoever goes gives the place back");
    }
}

on_shared_servers! {
    async fn a_csv_is_a_file_with_a_name_that_caches_can_keep(app) {
        let anyone = app.anyone();
        let whole = csv(&anyone, "/v1/public/quick-wins").await;
        assert_eq!(whole.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        assert_eq!(whole.header("content-disposition"), Some("attachment; filename=\"quick-wins.csv\""));
        assert_eq!(whole.header("cache-control"), Some("public, max-age=0, must-revalidate"));
        assert!(whole.headers("vary").contains("Accept"), "{whole:?}");
        assert!(whole.text().ends_with("\r\n"));
        let etag = whole.etag();
        let known = anyone.get("/v1/public/quick-wins").header("Accept", "text/csv").if_none_match(&etag).await.is(304);
        assert!(known.bytes().is_empty());
        let json = anyone.get("/v1/public/quick-wins").await.is(200);
        assert_ne!(json.etag(), etag);
        assert!(json.headers("vary").contains("Accept"), "{json:?}");
        let part = csv(&anyone, "/v1/public/programmes/SL-01/transitions").await;
        assert_eq!(part.header("content-disposition"), Some("attachment; filename=\"programmes-SL-01-transitions.csv\""));
        let head = anyone.head("/v1/public/quick-wins.csv").await.is(200);
        assert_eq!((head.media_type(), head.bytes().len()), ("text/csv", 0));
    }

    async fn what_means_nothing_for_a_csv_is_refused(app) {
        let anyone = app.anyone();
        for parameter in ["limit", "cursor", "count", "expand"] {
            let path = format!("/v1/public/programmes.csv?{parameter}=1");
            anyone.get(path).await.is_status(400).has_problem("invalid_parameter").has_fault_in_parameter(parameter);
        }
        anyone.get("/v1/public/programmes.csv?separator=pipe").await.is_status(400).has_fault_in_parameter("separator");
        anyone.get("/v1/public/programmes.csv?bom=yes").await.is_status(400).has_fault_in_parameter("bom");
        anyone.get("/v1/public/programmes.csv?colour=red").await.is_status(400).has_fault_in_parameter("colour");
        anyone.get("/v1/public/programmes/SL-01").header("Accept", "text/csv").await.is(406);
        anyone.get("/v1/public/programmes/SL-01.csv").await.is(404);
        anyone.get("/v1/public/programmes/NOWHERE/transitions.csv").await.is_status(404).has_problem("not_found");
        anyone.get("/v1/public/kpis/NOWHERE/series.csv").await.is_status(404).has_problem("not_found");
        anyone.post("/v1/public/programmes.csv", json!({})).await.is_status(405).has_problem("method_not_allowed");
        // The path is asked for a file, whatever a program accepts by default.
        let answer = anyone.get("/v1/public/programmes.csv").header("Accept", "application/json").await.is(200);
        assert_eq!(answer.media_type(), "text/csv");
    }

    async fn a_formula_stays_a_text(app) {
        let (admin, code) = (app.admin().await, renaksi_tests::unique::code("P"));
        let name = "=HYPERLINK(\"http://evil.invalid\";\"=1+1\")";
        let programme = json!({ "code": code, "masterplan": "KLU-SC", "dimension": "living", "name": name, "lead_opd": "DINKES", "published": true });
        admin.create("/v1/programmes", programme).await;
        let text = csv(&app.anyone(), &format!("/v1/public/programmes?code={code}")).await.text();
        assert!(text.contains("\"'=HYPERLINK("), "{text}");
        let table = Table::read(&text, ',');
        assert_eq!(table.rows[0][table.column("name")], format!("'{name}"));
        admin.delete(format!("/v1/programmes/{code}")).if_match(&admin.etag_of(&format!("/v1/programmes/{code}")).await).await.is(204);
    }
}

/// Every public operation that offers CSV.
fn tables() -> Vec<Operation> {
    let has_csv = |operation: &Operation| operation.value["responses"]["200"]["content"].get("text/csv").is_some();
    let tables = Document::get().operations().into_iter().filter(has_csv).collect::<Vec<_>>();
    assert!(tables.iter().all(|operation| operation.path.starts_with("/v1/public/") && operation.method == "GET"));
    tables
}

async fn csv(anyone: &Actor, path: &str) -> Answer {
    let answer = anyone.get(path).header("Accept", "text/csv").await.is(200);
    assert_eq!(answer.media_type(), "text/csv", "{answer:?}");
    answer
}

/// The lines that a table must have, from all pages of the JSON.
async fn rows_of(anyone: &Actor, operation: &Operation, path: &str) -> Vec<Value> {
    let id = operation.value["operationId"].as_str().unwrap();
    let Some((_, parts)) = PARTS.iter().find(|(known, _)| *known == id) else {
        // Small pages, so that there are several.
        return anyone.all(&format!("{path}?limit=3")).await;
    };
    let whole = anyone.get(path).await.is(200).json();
    if parts.is_empty() {
        return vec![whole];
    }
    let mut beside = whole.as_object().unwrap().clone();
    beside.retain(|name, _| !parts.contains(&name.as_str()));
    let mut rows = Vec::new();
    for part in *parts {
        let entries = match &whole[*part] {
            Value::Array(entries) => entries.clone(),
            Value::Null => Vec::new(),
            one => vec![one.clone()],
        };
        for entry in entries {
            let mut row = beside.clone();
            if parts.len() > 1 {
                row.insert("part".to_owned(), json!(part));
            }
            row.extend(entry.as_object().unwrap().clone());
            rows.push(Value::Object(row));
        }
    }
    rows
}

/// Compares a table with rows of JSON: line by line, cell by cell, and nothing of the JSON may lack a column.
fn holds(path: &str, table: &Table, rows: &[Value], has_decimal_comma: bool) {
    assert_eq!(table.rows.len(), rows.len(), "{path}: lines");
    for (line, row) in table.rows.iter().zip(rows) {
        let mut told = Vec::new();
        for (name, cell) in table.columns.iter().zip(line) {
            let value = name.split('.').fold(row, |value, member| &value[member]);
            assert!(is_cell_of(cell, value, has_decimal_comma), "{path}: `{name}` is {cell:?} of {row}");
            told.push(name.clone());
        }
        for leaf in leaves(row) {
            let is_told = told.iter().any(|name| leaf == *name || leaf.starts_with(&format!("{name}.")));
            assert!(is_told, "{path}: no column has `{leaf}` of {row}");
        }
    }
}

/// The places of a row at which a value is.
fn leaves(row: &Value) -> Vec<String> {
    fn walk(place: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    walk(&if place.is_empty() { name.clone() } else { format!("{place}.{name}") }, value, found);
                }
            }
            Value::Null => {}
            _ => found.push(place.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk("", row, &mut found);
    found
}

const ZIP: &str = "/v1/public/dataset.zip";

async fn zip(anyone: &Actor) -> Answer {
    let zip = anyone.get(ZIP).await.is(200);
    assert_eq!(zip.media_type(), "application/zip");
    zip
}

/// The ZIP once every event has its place: only then does the state have a name.
async fn settled(anyone: &Actor) -> Answer {
    for _ in 0..200 {
        let zip = zip(anyone).await;
        if zip.header("etag").is_some() {
            return zip;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the state never gets a name");
}

fn unzipped(zip: &Answer) -> BTreeMap<String, String> {
    let mut archive = ZipArchive::new(Cursor::new(zip.bytes())).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let (mut file, mut text) = (archive.by_index(index).unwrap(), String::new());
        let name = file.name().unwrap().into_owned();
        file.read_to_string(&mut text).unwrap();
        files.insert(name, text);
    }
    files
}

fn resources(package: &Value) -> impl Iterator<Item = &Value> {
    package["resources"].as_array().unwrap().iter()
}

/// Every cell is of the type that its column has.
fn types_hold(name: &str, field: &Value, table: &Table) {
    let column = table.column(field["name"].as_str().unwrap());
    let words = field["constraints"]["enum"].as_array();
    for cell in table.rows.iter().map(|row| row[column].as_str()) {
        if cell.is_empty() {
            assert!(field["constraints"]["required"] != true, "{name}: {field} is empty");
            continue;
        }
        let fits = match field["type"].as_str().unwrap() {
            "integer" => cell.parse::<i64>().is_ok(),
            "number" => cell.parse::<f64>().is_ok(),
            "boolean" => ["true", "false"].contains(&cell),
            "date" => cell.parse::<chrono::NaiveDate>().is_ok(),
            "datetime" => chrono::DateTime::parse_from_rfc3339(cell).is_ok(),
            "array" => serde_json::from_str::<Vec<Value>>(cell).is_ok(),
            "object" => serde_json::from_str::<Map<String, Value>>(cell).is_ok(),
            "list" => !cell.contains(';') || !cell.starts_with('['),
            "string" => words.is_none_or(|words| words.iter().any(|word| word == cell)),
            other => panic!("{name}: what is a {other}?"),
        };
        assert!(fits, "{name}: {cell:?} in {field}");
    }
}

/// A key is unique, and what refers to another table finds its row there.
fn keys_hold(name: &str, resource: &Value, table: &Table, tables: &BTreeMap<&str, &Table>) {
    let schema = &resource["schema"];
    let cells = |table: &Table, fields: &Value| {
        let columns = fields.as_array().unwrap().iter().map(|field| table.column(field.as_str().unwrap())).collect::<Vec<_>>();
        table.rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    if schema["primaryKey"].is_array() {
        let mut keys = cells(table, &schema["primaryKey"]);
        let number = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), number, "{name}: a key stands twice");
    }
    for foreign in schema["foreignKeys"].as_array().into_iter().flatten() {
        let to = foreign["reference"]["resource"].as_str().filter(|to| !to.is_empty()).unwrap_or(name);
        let known = cells(tables[to], &foreign["reference"]["fields"]);
        for key in cells(table, &foreign["fields"]).into_iter().filter(|key| !key[0].is_empty()) {
            assert!(known.contains(&key), "{name}: {key:?} of {foreign} is not in {to}");
        }
    }
}

/// Adds so many verified values of KPIs, in the database itself, and says how many there are.
fn seed(app: &App, rows: usize) -> usize {
    const YEARS: usize = 25;
    const OF_EACH: usize = YEARS * 12;
    let kpis = rows.div_ceil(OF_EACH);
    let (count, month, day, date) = match app.backend() {
        Backend::Sqlite => (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
            "printf('%04d-%02d', 1999 + (m.i + 11) / 12, (m.i - 1) % 12 + 1)",
            "date(printf('%04d-%02d-01', 1999 + (m.i + 11) / 12, (m.i - 1) % 12 + 1), '+1 month', '-1 day')",
            "'2023-01-10'",
        ),
        Backend::Postgres => (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
            "to_char(make_date(1999 + (m.i + 11) / 12, (m.i - 1) % 12 + 1, 1), 'YYYY-MM')",
            "(make_date(1999 + (m.i + 11) / 12, (m.i - 1) % 12 + 1, 1) + interval '1 month' - interval '1 day')::date",
            "date '2023-01-10'",
        ),
    };
    let columns = columns_of(app, "kpi").into_iter().map(|column| match column.as_str() {
        "code" => "'RIBUAN-' || n.i".to_owned(),
        "published" => "TRUE".to_owned(),
        "frequency" => "'monthly'".to_owned(),
        "programme" => "NULL".to_owned(),
        other => format!("k.{other}"),
    });
    let names = columns_of(app, "kpi").join(", ");
    let values = columns.collect::<Vec<_>>().join(", ");
    app.database().tamper(&format!(
        "INSERT INTO kpi ({names}) {count}{kpis}) SELECT {values} FROM n CROSS JOIN kpi k WHERE k.code = 'TPS3R-DESA'"
    ));
    let columns = columns_of(app, "measurement").into_iter().map(|column| match column.as_str() {
        "kpi" => "'RIBUAN-' || n.i".to_owned(),
        "period" => month.to_owned(),
        "period_end" => day.to_owned(),
        "value" => "(m.i * 7 % 1000) / 8.0".to_owned(),
        "known_on" => date.to_owned(),
        "counts_from" => "NULL".to_owned(),
        "leads" => "FALSE".to_owned(),
        "provenance" => "NULL".to_owned(),
        other => format!("s.{other}"),
    });
    let values = columns.collect::<Vec<_>>().join(", ");
    let names = columns_of(app, "measurement").join(", ");
    app.database().tamper(&format!(
        "INSERT INTO measurement ({names}) {count}{OF_EACH}), n2(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n2 WHERE i < {kpis}) \
         SELECT {values} FROM n2 n CROSS JOIN n m CROSS JOIN (SELECT * FROM measurement WHERE state = 'verified' AND revision = 1 LIMIT 1) s"
    ));
    kpis * OF_EACH
}

/// The columns of a table.
fn columns_of(app: &App, table: &str) -> Vec<String> {
    let sql = match app.backend() {
        Backend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
        Backend::Postgres => format!("SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"),
    };
    app.database().query(&sql).lines().map(str::to_owned).collect()
}

/// The most KiB of memory that a service has taken.
fn peak_memory(app: &App) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.server().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A connection that asks for a long download and reads its first bytes only.
fn unread(app: &App) -> TcpStream {
    let mut connection = TcpStream::connect(app.address()).unwrap();
    connection.write_all(b"GET /v1/public/measurements.csv HTTP/1.1\r\nHost: renaksi\r\nConnection: close\r\n\r\n").unwrap();
    let mut head = [0; 15];
    connection.read_exact(&mut head).unwrap();
    assert!(head.ends_with(b" 200 OK"), "{}", String::from_utf8_lossy(&head));
    connection
}

/// The body of an answer that came in chunks, up to the one that ends it (RFC 9112 §7.1).
fn unchunked(answer: &[u8]) -> String {
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head that ends");
    let (mut rest, mut body) = (&answer[end + 4..], Vec::new());
    loop {
        let line = rest.windows(2).position(|bytes| bytes == b"\r\n").expect("the last chunk");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return String::from_utf8(body).unwrap();
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}
