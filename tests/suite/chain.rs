//! Nobody rewrites history without `renaksi audit verify` naming the place.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use renaksi_tests::guide::{self, Guide};
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Actor, App, Server, on_both_databases, unique};
use serde_json::{Value, json};

/// What `renaksi audit verify` says, and whether it found the trail whole.
pub(super) fn verified(app: &App, more: &[&str]) -> (bool, String) {
    let output = app.command(&[&["audit", "verify"], more].concat());
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// What `renaksi audit export` writes to a file, which it also tells on standard output.
fn exported(app: &App, more: &[&str]) -> String {
    let file = Workplace::get().join(unique::word());
    let printed = app.command(&[&["audit", "export"], more].concat());
    let written = app.command(&[&["audit", "export", "--output", file.to_str().unwrap()], more].concat());
    assert!(printed.status.success() && written.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap(), printed);
    printed
}

/// What the program of the guide says of a copy, and whether it found it whole.
fn verified_elsewhere(copy: &str) -> (bool, String) {
    let mut program = guide::runs("python", &Guide("chain.md").program("python"));
    let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, copy) = (program.stdin.take().unwrap(), copy.to_owned());
    // It ends at the first place that does not fit, and reads no further.
    let writing = std::thread::spawn(move || drop(stdin.write_all(copy.as_bytes())));
    let output = program.wait_with_output().unwrap();
    writing.join().unwrap();
    (output.status.success(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// The head, once all that was committed is sealed: what we write last stands there.
async fn head(app: &App) -> (i64, String) {
    let (admin, word) = (app.admin().await, unique::word());
    let etag = admin.etag_of("/v1/opds/DLH").await;
    admin.patch("/v1/opds/DLH", json!({ "head_title": word })).if_match(&etag).await.is(200);
    for _ in 0..200 {
        let head = admin.get("/v1/events/head").await.is(200);
        let position = head.at("position").as_i64().unwrap();
        let last = admin.get(format!("/v1/events?after={}", (position - 1).max(0))).await.is(200).rows();
        if last.first().is_some_and(|event| event["after"]["head_title"] == word.as_str()) {
            return (position, head.text_at("hash"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the feed does not come to rest");
}

/// The position of the first event of the block to which a position belongs.
fn block_of(app: &App, position: i64) -> i64 {
    let before = format!("SELECT COALESCE(MAX(position), 0) + 1 FROM event_seal WHERE hash <> '' AND position < {position}");
    app.database().query(&before).parse().unwrap()
}

/// Changes something behind the service's back, expects the place to be named, and changes it back.
fn breaks(app: &App, change: &str, back: &str, position: i64) {
    app.database().tamper(change);
    let (whole, text) = verified(app, &[]);
    assert!(!whole && text.contains(&format!("breaks at event {position}:")), "{change}: {text}");
    app.database().tamper(back);
    assert!(verified(app, &[]).0, "{back}");
}

on_both_databases! {
    async fn an_untouched_trail_is_whole(app) {
        let (position, hash) = head(&app).await;
        let (whole, text) = verified(&app, &[]);
        assert!(whole && text.contains(&format!("{position}:{hash}")), "{text}");
        assert!(verified(&app, &["--head", &format!("{position}:{hash}")]).0);
        assert!(!verified(&app, &["--head", &format!("{}:{hash}", position - 1)]).0, "another hash at that place");
        assert!(!verified(&app, &["--head", &format!("{}:{hash}", position + 1)]).0, "the end was cut off");
    }

    async fn a_copy_is_verified_without_the_service(app) {
        let (position, hash) = head(&app).await;
        let whole = exported(&app, &[]);
        assert_eq!(whole.lines().count() as i64, position);
        let (sound, text) = verified_elsewhere(&whole);
        assert!(sound && text.contains(&format!("Head: {position}:{hash}")), "{text}");
        // A copy is continued where it ended: at what was the head then, the end of a block.
        let lines = whole.lines().enumerate().filter(|(_, line)| line.contains(r#","block":""#));
        let half = i64::try_from(lines.map(|(place, _)| place + 1).find(|end| (*end as i64) < position).unwrap()).unwrap();
        let (first, rest) = whole.split_at(whole.match_indices('\n').nth(usize::try_from(half).unwrap() - 1).unwrap().0 + 1);
        assert_eq!(exported(&app, &["--after", &half.to_string()]), rest);
        assert_eq!(exported(&app, &["--after", &position.to_string()]), "");
        assert!(verified_elsewhere(first).0);
        let altered = whole.replacen("Lombok", "Lumbok", 1);
        let place = whole.lines().position(|line| line.contains("Lombok")).unwrap() + 1;
        let (sound, text) = verified_elsewhere(&altered);
        assert!(!sound && text.contains(&format!("breaks at event {place}")), "{text}");
        let (sound, text) = verified_elsewhere(rest);
        assert!(!sound && text.contains("breaks at event 1"), "{text}");
        // Two events change places, with their hashes; the last one goes.
        let mut lines = whole.lines().map(str::to_owned).collect::<Vec<_>>();
        let (one, other) = (lines[2].split_once(',').unwrap().1.to_owned(), lines[3].split_once(',').unwrap().1.to_owned());
        (lines[2], lines[3]) = (format!("{{\"position\":3,{other}"), format!("{{\"position\":4,{one}"));
        let (sound, text) = verified_elsewhere(&format!("{}\n", lines.join("\n")));
        assert!(!sound && text.contains("breaks in the block"), "{text}");
        let (sound, text) = verified_elsewhere(whole.split_at(whole.trim_end().rfind('\n').unwrap() + 1).0);
        assert!(!sound || text.contains(&format!("Head: {}:", position - 1)), "{text}");
        // What the feed shows, and its secrets are in neither.
        let event = serde_json::from_str::<Value>(whole.lines().nth(2).unwrap()).unwrap();
        let shown = app.admin().await.get("/v1/events?after=2&limit=1").await.is(200);
        for member in ["id", "resource", "key", "action", "after"] {
            assert_eq!(event["event"][member], shown.at(&format!("data/0/{member}")), "{member}");
        }
        assert_eq!(event["hash"], shown.at("data/0/hash"));
    }

    async fn whatever_is_altered_is_named(app) {
        head(&app).await;
        let of = |position: i64| format!("(SELECT seq FROM event_seal WHERE position = {position})");
        for (column, position) in [("\"key\"", 3), ("resource", 5), ("action", 7), ("actor_id", 9), ("actor_kind", 2)] {
            let change = |from: &str| format!("UPDATE event SET {column} = {from} WHERE seq = {}", of(position));
            breaks(&app, &change(&format!("{column} || 'x'")), &change(&format!("substr({column}, 1, length({column}) - 1)")), position);
        }
        let version = |by: &str| format!("UPDATE event SET version = version {by} WHERE seq = {}", of(11));
        breaks(&app, &version("+ 1"), &version("- 1"), 11);
        // The hash of a block, and one of its events together with its hash: the block is named, by its first event.
        let block = "(SELECT MIN(position) FROM event_seal WHERE hash <> '')";
        let hash = format!("UPDATE event_seal SET hash = replace(replace(replace(hash, 'a', 'g'), 'b', 'a'), 'g', 'b') WHERE position = {block}");
        breaks(&app, &hash, &hash, 1);
        app.database().tamper("CREATE TABLE aside AS SELECT seq, content_hash FROM event");
        let other = format!("UPDATE event SET content_hash = (SELECT content_hash FROM aside WHERE seq = {}) WHERE seq = {}", of(5), of(4));
        let back = format!("UPDATE event SET content_hash = (SELECT content_hash FROM aside WHERE seq = {0}) WHERE seq = {0}", of(4));
        breaks(&app, &other, &back, 4);
        // An event is altered so that nothing of it shows, and with it all that says what it was.
        let version = |by: &str, hash: &str| format!("UPDATE event SET version = version {by}, content_hash = {hash} WHERE seq = {}", of(11));
        let hash = format!("(SELECT content_hash FROM aside WHERE seq = {})", of(11));
        breaks(&app, &version("+ 1", "NULL"), &version("- 1", &hash), block_of(&app, 11));
        // What nobody but administrators may know of is shown to everybody.
        let hidden = "(SELECT MIN(s.position) FROM event_seal s WHERE s.resource = 'user')";
        let place = app.database().query(&format!("SELECT {hidden}")).parse().unwrap();
        let public = |is: &str| format!("UPDATE event_seal SET public = {is} WHERE position = {hidden}");
        breaks(&app, &public("TRUE"), &public("FALSE"), place);
        // One letter within what was recorded.
        app.database().tamper(&format!(
            "UPDATE event SET after = {} WHERE seq = {}",
            match app.backend() {
                renaksi_tests::Backend::Sqlite => "replace(after, 'Lombok', 'Lumbok')",
                renaksi_tests::Backend::Postgres => "replace(after::text, 'Lombok', 'Lumbok')::jsonb",
            },
            "(SELECT MIN(e.seq) FROM event e WHERE CAST(e.after AS text) LIKE '%Lombok%')"
        ));
        let (whole, text) = verified(&app, &[]);
        assert!(!whole && text.contains("was altered"), "{text}");
    }

    async fn a_row_that_is_not_what_its_last_event_says_is_named(app) {
        let admin = app.admin().await;
        let evaluation = admin.get("/v1/evaluations?limit=1").await.is(200).text_at("data/0/code");
        admin.post(format!("/v1/evaluations/{evaluation}/close"), json!({})).await.is(200);
        head(&app).await;
        assert!(verified(&app, &[]).0);
        let differs = |name: &str, change: &str, back: &str| {
            app.database().tamper(change);
            let (whole, text) = verified(&app, &[]);
            assert!(!whole && text.contains("the data differs from its history") && text.contains(name), "{change}: {text}");
            app.database().tamper(back);
            let (whole, text) = verified(&app, &[]);
            assert!(whole, "{back}: {text}");
        };
        let stunting = "WHERE kpi = 'STUNTING' AND period = '2022'";
        differs("measurement `STUNTING/2022/1`", &format!("UPDATE measurement SET value = value - 1 {stunting}"), &format!("UPDATE measurement SET value = value + 1 {stunting}"));
        for (name, table, column, key) in [
            ("programme `SL-01`", "programme", "name", "code = 'SL-01'"),
            ("opd `DLH`", "opd", "head_title", "code = 'DLH'"),
            ("kpi `STUNTING`", "kpi", "source", "code = 'STUNTING'"),
            ("user", "user_account", "email", "email LIKE 'viewer%'"),
            ("client `demo-dlh`", "client", "name", "id = 'demo-dlh'"),
            ("record of the evaluation", "evaluation_record", "content", "audience = 'published'"),
        ] {
            differs(name, &format!("UPDATE {table} SET {column} = {column} || 'x' WHERE {key}"), &format!("UPDATE {table} SET {column} = substr({column}, 1, length({column}) - 1) WHERE {key}"));
        }
        let first = "WHERE programme = 'SL-01' AND seq = 1";
        differs("transition `SL-01/1`", &format!("UPDATE status_change SET to_status = 'running' {first}"), &format!("UPDATE status_change SET to_status = 'planned' {first}"));
        differs("`supporting_opds` of programme `SL-01`", "INSERT INTO programme_supporting_opd (programme, opd) SELECT 'SL-01', code FROM opd WHERE code = 'DLH'", "DELETE FROM programme_supporting_opd WHERE programme = 'SL-01' AND opd = 'DLH'");
        app.database().tamper("CREATE TABLE signed AS SELECT * FROM commitment_signatory WHERE opd = (SELECT MIN(opd) FROM commitment_signatory)");
        differs("`signatories` of commitment", "DELETE FROM commitment_signatory WHERE opd IN (SELECT opd FROM signed)", "INSERT INTO commitment_signatory SELECT * FROM signed");
        // A row that is gone, one that nobody recorded, and what figures of past days read.
        app.database().tamper("CREATE TABLE aside AS SELECT * FROM kpi_target WHERE kpi = 'STUNTING'");
        differs("1 of the kind kpi_target are missing", "DELETE FROM kpi_target WHERE kpi = 'STUNTING'", "INSERT INTO kpi_target SELECT * FROM aside");
        differs("no event tells of it", "INSERT INTO kpi_target SELECT kpi, '2099', period_end, value, kind, provenance, version, created_at, updated_at FROM aside", "DELETE FROM kpi_target WHERE period = '2099'");
        let of = "WHERE resource = 'opd' AND \"key\" = 'DLH'";
        let (from, to) = match app.backend() {
            renaksi_tests::Backend::Sqlite => ("replace(content, 'Lingkungan', 'Linkungan')", "replace(content, 'Linkungan', 'Lingkungan')"),
            renaksi_tests::Backend::Postgres => ("replace(content::text, 'Lingkungan', 'Linkungan')::jsonb", "replace(content::text, 'Linkungan', 'Lingkungan')::jsonb"),
        };
        differs("for a past day", &format!("UPDATE past SET content = {from} {of}"), &format!("UPDATE past SET content = {to} {of}"));
    }

    async fn the_service_needs_no_right_to_alter_the_trail(app) {
        if app.backend() == renaksi_tests::Backend::Sqlite {
            return;
        }
        // As docs/chain.md says.
        let role = unique::database();
        let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/chain.md")).unwrap();
        let statements = guide.split_once("```sql\n").and_then(|(_, rest)| rest.split_once("```")).expect("docs/chain.md has a role").0;
        app.database().tamper(&statements.replace("renaksi_service", &role));
        let server = Server::start(&app.database().url().replace("postgres@", &format!("{role}@")));
        let admin = Actor::new(server.url(), Some(app.admin().await.token().to_owned()));
        admin.get("/health/ready").await.is(200);
        let etag = admin.etag_of("/v1/opds/DLH").await;
        let word = unique::word();
        admin.patch("/v1/opds/DLH", json!({ "head_title": word })).if_match(&etag).await.is(200);
        admin.log_in("viewer@demo.invalid", renaksi_tests::server::PASSWORD).await.is(200);
        head(&app).await;
        assert!(verified(&app, &[]).0);
        let may = |table: &str, right: &str| app.database().query(&format!("SELECT has_table_privilege('{role}', '{table}', '{right}')"));
        for table in ["event", "event_seal"] {
            assert_eq!([may(table, "INSERT"), may(table, "UPDATE"), may(table, "DELETE"), may(table, "TRUNCATE")], ["t", "f", "f", "f"], "{table}");
        }
        assert_eq!(may("programme", "UPDATE"), "t");
    }

    async fn what_is_removed_or_moved_is_named(app) {
        let (position, _) = head(&app).await;
        // Two events change places: by way of numbers that nothing has.
        let block = block_of(&app, 6);
        let swap = ["seq = -seq WHERE position IN (6, 7)", "position = 13 - position + 1000000 WHERE position IN (6, 7)", "position = position - 1000000, seq = -seq WHERE position > 1000000"];
        for step in swap {
            app.database().tamper(&format!("UPDATE event_seal SET {step}"));
        }
        let (whole, text) = verified(&app, &[]);
        assert!(!whole && text.contains(&format!("breaks at event {block}:")), "{text}");
        for step in swap {
            app.database().tamper(&format!("UPDATE event_seal SET {step}"));
        }
        assert!(verified(&app, &[]).0);
        app.database().tamper(&format!("DELETE FROM event WHERE seq = (SELECT seq FROM event_seal WHERE position = {position})"));
        let (whole, text) = verified(&app, &[]);
        assert!(!whole && text.contains(&format!("breaks at event {position}: an event is missing")), "{text}");
        app.database().tamper("DELETE FROM event WHERE seq = (SELECT seq FROM event_seal WHERE position = 8)");
        let (whole, text) = verified(&app, &[]);
        assert!(!whole && text.contains("breaks at event 8: an event is missing"), "{text}");
    }
}
