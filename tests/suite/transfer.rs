//! Import and export: what was exported and is imported again is the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use renaksi_tests::server::command;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Database, Server, on_both_databases, tier, unique};
use serde_json::{Value, json};

on_both_databases! {
    async fn the_demo_is_its_own_export(app) {
        let (file, again) = (fresh("json"), fresh("json"));
        succeeds(&app.command(&["export", "--output", text(&file)]));
        let other = Database::empty(app.backend());
        let told = succeeds(&on(&other, &["import", text(&file)]));
        assert!(told.contains("programmes: 40\n") && told.contains("action_reports: 52\n"), "{told}");
        succeeds(&on(&other, &["export", "--output", text(&again)]));
        assert_eq!(fs::read_to_string(&file).unwrap(), fs::read_to_string(&again).unwrap());
        // Figures of the day that the data describes are the same, too.
        let server = Server::start(&other.url());
        let there = renaksi_tests::Actor::new(server.url(), None);
        for path in ["/v1/public/summary?as_of=2022-10-04", "/v1/public/summary?as_of=2022-10-03", "/v1/public/kpis/STUNTING/standing?as_of=2022-10-04"] {
            assert_eq!(there.get(path).await.is(200).json(), app.anyone().get(path).await.is(200).json(), "{path}");
        }
        there.get("/v1/public/summary?as_of=2022-10-04").await.is(200).has("totals/planned", 40).has("totals/running", 35);
    }

    async fn csv_carries_the_same(app) {
        let (folder, file, again) = (fresh("csv"), fresh("json"), fresh("json"));
        succeeds(&app.command(&["export", "--format", "csv", "--output", text(&folder)]));
        succeeds(&app.command(&["export", "--output", text(&file)]));
        let other = Database::empty(app.backend());
        succeeds(&on(&other, &["import", text(&folder)]));
        succeeds(&on(&other, &["export", "--output", text(&again)]));
        assert_eq!(fs::read_to_string(&file).unwrap(), fs::read_to_string(&again).unwrap());
    }

    async fn a_large_database_comes_back_byte_by_byte(app) {
        let size = tier::size(Size::SMALL, Size::FULL);
        let file = fresh("json");
        fs::write(&file, generated(20221004, &size).to_string()).unwrap();
        let (one, other) = (Database::empty(app.backend()), Database::empty(app.backend()));
        let (first, second) = (fresh("json"), fresh("json"));
        let since = Instant::now();
        let planned = succeeds(&on(&one, &["import", text(&file), "--dry-run"]));
        assert_eq!(planned, succeeds(&on(&one, &["import", text(&file)])));
        succeeds(&on(&one, &["export", "--output", text(&first)]));
        let told = succeeds(&on(&other, &["import", text(&first)]));
        assert_eq!(planned, told);
        succeeds(&on(&other, &["export", "--output", text(&second)]));
        eprintln!("{}: {} reports there and back in {:?}", app.backend().name(), size.reports, since.elapsed());
        assert!(fs::read(&first).unwrap() == fs::read(&second).unwrap(), "an export of the import differs");
        for line in [format!("programmes: {}\n", size.programmes), format!("action_reports: {}\n", size.reports)] {
            assert!(told.contains(&line), "{told}");
        }
        // What was given is there.
        let exported: Value = serde_json::from_slice(&fs::read(&first).unwrap()).unwrap();
        let given: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for (list, key) in [("opds", "code"), ("programmes", "code"), ("actions", "id")] {
            let keys = |value: &Value| value[list].as_array().unwrap().iter().map(|row| row[key].to_string()).collect::<BTreeSet<_>>();
            assert_eq!(keys(&exported), keys(&given), "{list}");
        }
    }

    async fn every_fault_is_named_and_nothing_is_written(app) {
        let mut data = generated(7, &Size { opds: 3, programmes: 3, actions: 5, reports: 6 });
        for (code, parent) in [("X-1", "X-2"), ("X-2", "X-1")] {
            data["opds"].as_array_mut().unwrap().push(json!({ "code": code, "name": "Melingkar", "parent": parent }));
        }
        data["actions"][3]["targets"]["q2"] = json!("-1");
        data["actions"][4]["opd"] = json!("NOBODY");
        data["programmes"][2]["colour"] = json!("red");
        data["transitions"] = json!([{ "programme": "P-1", "to": "completed", "effective_on": "2022-05-01" }]);
        data["action_reports"][0]["action"] = json!("unknown-action");
        data["action_reports"][1]["revision"] = json!(7);
        let file = fresh("json");
        fs::write(&file, data.to_string()).unwrap();
        let before = export_of(&app);
        let refused = app.command(&["import", text(&file)]);
        assert_eq!(refused.status.code(), Some(1));
        let told = String::from_utf8(refused.stderr).unwrap();
        for fault in [
            "actions[3]/targets/q2: ", "actions[4]/opd: There is no OPD `NOBODY`", "programmes[2]/colour: ", "opds[3]/parent: ", "opds[4]/parent: ",
            "transitions[0]/to: ", "action_reports[0]/action: `unknown-action` is not among the actions", "action_reports[1]/revision: Expected",
        ] {
            assert!(told.contains(fault), "`{fault}` is not in\n{told}");
        }
        assert_eq!(export_of(&app), before);
    }

    async fn of_what_is_wrong_the_cause_is_named_and_not_what_follows(app) {
        let (folder, other) = (fresh("csv"), Database::empty(app.backend()));
        succeeds(&app.command(&["export", "--format", "csv", "--output", text(&folder)]));
        for (list, broken) in [("kpis", "code"), ("opds", "code"), ("regions", "level"), ("programmes", "masterplan")] {
            let path = folder.join(format!("{list}.csv"));
            let whole = fs::read_to_string(&path).unwrap();
            let (header, rows) = whole.split_once("\r\n").unwrap();
            let header = header.split(',').map(|name| if name == broken { "kodee" } else { name }).collect::<Vec<_>>().join(",");
            fs::write(&path, format!("{header}\r\n{rows}")).unwrap();
            let told = faults_of(&on(&other, &["import", text(&folder)]));
            assert!(told.len() == 1 && told[0].starts_with(&format!("{list}: ")) && told[0].contains("kodee"), "{told:?}");
            fs::write(&path, whole).unwrap();
        }
        // One row that is faulty, with all that stands below it.
        let mut data: Value = serde_json::from_str(&export_of(&app)).unwrap();
        let programme = data["programmes"].as_array_mut().unwrap().iter_mut().find(|row| row["code"] == "SL-01").unwrap();
        programme["published"] = json!("perhaps");
        let file = fresh("json");
        fs::write(&file, data.to_string()).unwrap();
        let told = faults_of(&on(&other, &["import", text(&file)]));
        assert!(told.len() == 1 && told[0].contains("/published: "), "{told:?}");
        // Nothing was left behind by any of these.
        succeeds(&on(&other, &["import", text(&folder)]));
    }

    async fn an_import_changes_nothing_that_is_there(app) {
        let before: Value = serde_json::from_str(&export_of(&app)).unwrap();
        let mut file = generated(11, &Size { opds: 3, programmes: 4, actions: 6, reports: 12 });
        // What is there already is refused, whatever else the file says of it.
        file.as_object_mut().unwrap().remove("dimensions");
        let path = fresh("json");
        fs::write(&path, file.to_string()).unwrap();
        succeeds(&app.command(&["import", text(&path)]));
        let after: Value = serde_json::from_str(&export_of(&app)).unwrap();
        for (list, rows) in before.as_object().unwrap().iter().filter(|(_, rows)| rows.is_array()) {
            let there = after[list].as_array().unwrap().iter().map(Value::to_string).collect::<BTreeSet<_>>();
            for row in rows.as_array().unwrap() {
                assert!(there.contains(&row.to_string()), "{list}: {row} is not as it was");
            }
            let added = file[list].as_array().map_or(0, Vec::len);
            assert!(there.len() >= rows.as_array().unwrap().len() + added, "{list}");
        }
        let mut again = json!({ "opds": [{ "code": "BARU", "name": "Baru" }, { "code": "DLH", "name": "Lain" }] });
        fs::write(&path, again.to_string()).unwrap();
        assert_eq!(faults_of(&app.command(&["import", text(&path)])), ["opds[1]: `DLH` is in the database already."]);
        // Nor may it stand beside it with another case.
        again["opds"][1]["code"] = json!("dlh");
        fs::write(&path, again.to_string()).unwrap();
        let told = faults_of(&app.command(&["import", text(&path)]));
        assert!(told.len() == 1 && told[0].starts_with("opds[1]/code: `dlh` differs only in case"), "{told:?}");
        assert_eq!(serde_json::from_str::<Value>(&export_of(&app)).unwrap(), after);
    }

    async fn rows_that_follow_on_each_other_may_stand_far_apart(app) {
        // Revisions, transitions and the order in which values became known, over more rows than are taken in at once.
        let file = |shuffled: bool| {
            let mut data = generated(13, &Size { opds: 2, programmes: 2, actions: 1, reports: 1 });
            let mut random = StdRng::seed_from_u64(31);
            let mut measurements = Vec::new();
            for number in 0..900_u32 {
                let kpi = format!("M-{}", number % 3);
                let (year, month) = (1990 + number / 36, 1 + number / 3 % 12);
                let known = format!("{}-{month:02}-{:02}", year + 1, 1 + random.random_range(0..3));
                measurements.push(json!({ "kpi": kpi, "period": format!("{year}-{month:02}"), "value": number.to_string(), "known_on": known }));
            }
            if shuffled {
                for at in (1..measurements.len()).rev() {
                    measurements.swap(at, random.random_range(0..=at));
                }
            }
            let corrections = measurements.iter().step_by(2).map(|first| {
                let mut second = first.clone();
                (second["revision"], second["value"], second["reason"]) = (json!(2), json!("0.5"), json!("salah"));
                second["known_on"] = json!("2020-01-01");
                second
            });
            let corrections = corrections.collect::<Vec<_>>();
            measurements.extend(corrections);
            let kpi = |number: u32| json!({
                "code": format!("M-{number}"), "masterplan": "MP", "dimension": "environment", "opd": "OPD-1", "name": "Uji", "published": true,
                "unit": { "kind": "index" }, "direction": "increase", "frequency": "monthly",
            });
            data["kpis"].as_array_mut().unwrap().extend((0..3).map(kpi));
            data["measurements"].as_array_mut().unwrap().extend(measurements);
            data
        };
        let mut seen = Vec::new();
        for shuffled in [false, true] {
            let (database, path) = (Database::empty(app.backend()), fresh("json"));
            fs::write(&path, file(shuffled).to_string()).unwrap();
            succeeds(&on(&database, &["import", text(&path)]));
            let server = Server::start(&database.url());
            let there = renaksi_tests::Actor::new(server.url(), None);
            let mut standings = Vec::new();
            for kpi in 0..3 {
                for day in ["1991-06-02", "1995-02-02", "2003-11-03", "2015-01-01", "2019-12-31", "2020-01-01", "2022-01-01"] {
                    let mut standing = there.get(format!("/v1/public/kpis/M-{kpi}/standing?as_of={day}")).await.is(200).json();
                    standing.as_object_mut().unwrap().remove("explanation");
                    standings.push(standing);
                }
            }
            seen.push(standings);
        }
        assert!(seen[0].iter().any(|standing| !standing["latest"].is_null()), "{:?}", seen[0]);
        // The shuffled file corrects other rows, but the same day is led by the same period.
        for (one, other) in seen[0].iter().zip(&seen[1]) {
            assert_eq!(one["latest"]["period"], other["latest"]["period"], "{one} and {other}");
        }
    }

    async fn memory_does_not_grow_with_the_file(app) {
        if !cfg!(target_os = "linux") {
            return;
        }
        // Rows of 2 kB each, more than the page cache of SQLite holds: the large file is 16 MB, or 40 MB.
        let (few, many) = tier::size((2_500, 8_000), (2_500, 20_000));
        let mut peaks = Vec::new();
        for rows in [few, many] {
            let (database, path) = (Database::empty(app.backend()), fresh("json"));
            let mut data = generated(17, &Size { opds: 2, programmes: 2, actions: 1, reports: 1 });
            let kpis = (0..rows / 100).map(|number| json!({
                "code": format!("M-{number}"), "masterplan": "MP", "dimension": "environment", "opd": "OPD-1", "name": "Uji",
                "unit": { "kind": "index" }, "direction": "increase", "frequency": "monthly",
            }));
            data["kpis"].as_array_mut().unwrap().extend(kpis);
            let measurements = (0..rows).map(|number| json!({
                "kpi": format!("M-{}", number / 100), "period": format!("{}-{:02}", 2000 + number % 100 / 12, 1 + number % 100 % 12),
                "value": number.to_string(), "note": "x".repeat(2_000),
            }));
            data["measurements"].as_array_mut().unwrap().extend(measurements);
            fs::write(&path, data.to_string()).unwrap();
            peaks.push(peak_of(&mut command(&["import", text(&path), "--database-url", &database.url()])));
            peaks.push(peak_of(&mut command(&["export", "--output", text(&fresh("json")), "--database-url", &database.url()])));
        }
        // In KiB, five eighths of what the files differ by.
        let most = (many - few) * 2 * 5 / 8;
        for (small, large) in [(peaks[0], peaks[2]), (peaks[1], peaks[3])] {
            assert!(large < small + most, "{small} KiB became {large} KiB");
        }
    }

    async fn ids_and_members_of_a_file_are_taken_as_elsewhere(app) {
        let mut data = generated(5, &Size { opds: 2, programmes: 2, actions: 2, reports: 4 });
        for (list, member) in [("actions", "id"), ("action_reports", "action")] {
            for row in data[list].as_array_mut().unwrap() {
                row[member] = json!(row[member].as_str().unwrap().to_uppercase());
            }
        }
        let (file, database) = (fresh("json"), Database::empty(app.backend()));
        fs::write(&file, [b"\xef\xbb\xbf".as_slice(), data.to_string().as_bytes()].concat()).unwrap();
        succeeds(&on(&database, &["import", text(&file)]));
        assert!(succeeds(&on(&database, &["export"])).contains(&id_of(1)));
        let twice = data.to_string().replacen("\"title\":\"Masterplan uji\"", "\"title\":\"Satu\",\"title\":\"Dua\"", 1);
        fs::write(&file, twice).unwrap();
        let told = faults_of(&on(&Database::empty(app.backend()), &["import", text(&file)]));
        assert!(told.len() == 1 && told[0].starts_with("masterplans[0]: `title` stands in this object twice"), "{told:?}");
    }

    async fn an_export_is_read_by_its_owner_alone(app) {
        use std::os::unix::fs::PermissionsExt;
        let (file, folder) = (fresh("json"), fresh("csv"));
        // One that was there, and was open to all.
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        succeeds(&app.command(&["export", "--output", text(&file)]));
        succeeds(&app.command(&["export", "--format", "csv", "--output", text(&folder)]));
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).chain([file]);
        for path in files {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
    }

    async fn what_is_there_is_not_imported_again(app) {
        let file = fresh("json");
        succeeds(&app.command(&["export", "--output", text(&file)]));
        for arguments in [vec!["import", text(&file)], vec!["import", text(&file), "--dry-run"]] {
            let refused = app.command(&arguments);
            assert_eq!(refused.status.code(), Some(1), "{refused:?}");
            let told = String::from_utf8(refused.stderr).unwrap();
            assert!(told.contains("`SG-01` is in the database already"), "{told}");
        }
        assert_eq!(export_of(&app), fs::read_to_string(&file).unwrap());
    }

    async fn a_dry_run_writes_nothing(app) {
        let file = fresh("json");
        let data = json!({ "opds": [{ "code": "BAPPEDA", "name": "Badan Perencanaan Pembangunan Daerah", "active": true }] });
        fs::write(&file, data.to_string()).unwrap();
        let before = export_of(&app);
        let planned = succeeds(&app.command(&["import", text(&file), "--dry-run"]));
        assert!(planned.contains("opds: 1\n"), "{planned}");
        assert_eq!(export_of(&app), before);
        assert_eq!(succeeds(&app.command(&["import", text(&file)])), planned);
        assert_ne!(export_of(&app), before);
        let admin = app.admin().await;
        admin.get("/v1/opds/BAPPEDA/history").await.is(200).has("data/0/action", "imported");
    }

    async fn no_secret_leaves_the_database(app) {
        let exported = export_of(&app);
        for secret in ["argon2", "password", "secret", "@demo.invalid", "demo-dinkes"] {
            assert!(!exported.contains(secret), "`{secret}` is exported");
        }
    }
}

/// What a file that is no import is answered with.
#[test]
fn a_file_that_is_none_is_refused() {
    let url = format!("sqlite://{}", fresh("db").display());
    for (content, told) in [
        ("{", "EOF"),
        (r#"{ "villages": [] }"#, "`villages` is no list"),
        (r#"{ "format": 9 }"#, "reads format 1"),
        (r#"{ "opds": {} }"#, "opds: "),
    ] {
        let file = fresh("json");
        fs::write(&file, content).unwrap();
        let refused = command(&["import", text(&file), "--database-url", &url]).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert!(stderr.contains(told), "{content}: {stderr}");
    }
}

fn on(database: &Database, arguments: &[&str]) -> Output {
    command(&[arguments, &["--database-url", &database.url()]].concat()).output().unwrap()
}

fn export_of(app: &renaksi_tests::App) -> String {
    succeeds(&app.command(&["export"]))
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What is wrong with a file, a line each.
fn faults_of(output: &Output) -> Vec<String> {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    let faults = told.split_once("nothing was imported:\n").unwrap_or_else(|| panic!("{told}")).1;
    faults.lines().map(str::to_owned).collect()
}

/// The most memory that a command took, in KiB, as far as it was seen while it ran.
fn peak_of(command: &mut std::process::Command) -> u64 {
    let mut running = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while running.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", running.id())).unwrap_or_default();
        let seen = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak = peak.max(seen.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(running.wait().unwrap().success());
    peak
}

fn fresh(extension: &str) -> PathBuf {
    Workplace::get().join_in_memory(format!("{}.{extension}", unique::word()))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// How much a generated file holds.
struct Size {
    opds: usize,
    programmes: usize,
    actions: usize,
    reports: usize,
}

impl Size {
    const FULL: Self = Self { opds: 50, programmes: 500, actions: 5_000, reports: 20_000 };
    const SMALL: Self = Self { opds: 50, programmes: 60, actions: 300, reports: 1_200 };
}

/// A file as an export writes it, out of a seed: each action has a report for each of four quarters, some of them corrected.
fn generated(seed: u64, size: &Size) -> Value {
    let mut random = StdRng::seed_from_u64(seed);
    let mut pick = |below: usize| random.random_range(0..below);
    let stamp = |version: usize| json!({ "version": version, "created_at": "2022-02-01T03:04:05.000006Z", "updated_at": "2022-03-01T03:04:05.6Z" });
    let stamped = |mut row: Value, version: usize| {
        row.as_object_mut().unwrap().extend(stamp(version).as_object().unwrap().clone());
        row
    };
    let opds = (1..=size.opds).map(|number| {
        // The tree stands upside down in the file: what is above comes last.
        let parent = if number < size.opds && pick(3) == 0 { json!(format!("OPD-{}", size.opds)) } else { Value::Null };
        stamped(json!({ "code": format!("OPD-{number}"), "name": format!("Dinas \"{number}\", bagian\nke-{}", pick(9)), "active": pick(9) > 0, "parent": parent }), 1 + pick(5))
    });
    let opds = opds.collect::<Vec<_>>();
    let programmes = (1..=size.programmes).map(|number| {
        let (lead, other) = (format!("OPD-{}", 1 + pick(size.opds)), format!("OPD-{}", 1 + pick(size.opds)));
        stamped(
            json!({
                "code": format!("P-{number}"), "masterplan": "MP", "dimension": "environment", "name": format!("Program {number}"), "lead_opd": lead,
                "supporting_opds": [other], "regions": ["99.01"], "budget": format!("{}.25", pick(1_000_000)), "published": pick(2) == 0,
                "description": if pick(4) == 0 { json!("") } else { json!("= +\"kutip\", koma\r\nbaris") },
                "provenance": { "publisher": "Uji", "basis": "derived" },
            }),
            1 + pick(5),
        )
    });
    let programmes = programmes.collect::<Vec<_>>();
    let transitions = (1..=size.programmes).filter(|number| number % 3 > 0).map(|number| {
        json!({ "programme": format!("P-{number}"), "to": "running", "effective_on": format!("2022-03-{:02}", 1 + number % 28), "reason": "dimulai" })
    });
    let transitions = transitions.collect::<Vec<_>>();
    let actions = (1..=size.actions).map(|number| {
        let targets = [pick(10), 10 + pick(10), 20 + pick(10), 30 + pick(10)].map(|target| target.to_string());
        stamped(
            json!({
                "id": id_of(number), "programme": format!("P-{}", 1 + number % size.programmes), "opd": format!("OPD-{}", 1 + pick(size.opds)),
                "title": format!("Renaksi {number}"), "year": 2022, "weight": format!("{}.5", 1 + pick(4)),
                "targets": { "q1": targets[0], "q2": targets[1], "q3": targets[2], "q4": targets[3] }, "published": pick(2) == 0,
            }),
            1 + pick(5),
        )
    });
    let actions = actions.collect::<Vec<_>>();
    let reports = (0..size.reports).map(|number| {
        let (action, quarter) = (1 + number / 4 % size.actions, 1 + number % 4);
        let mut row = json!({
            "action": id_of(action), "quarter": quarter, "realisation": format!("{}.{}", pick(40), pick(10)), "narrative": "Berjalan",
            "evidence": [{ "title": "Foto", "url": "https://contoh.invalid/foto.jpg" }],
        });
        match pick(4) {
            0 => row["state"] = json!("draft"),
            1 => row["state"] = json!("submitted"),
            2 => row["known_on"] = json!("2022-04-12"),
            _ => {}
        }
        stamped(row, 1 + pick(5))
    });
    let reports = reports.collect::<Vec<_>>();
    json!({
        "regions": [{ "code": "99.01", "name": "Uji Coba", "level": "district", "parent": "99" }, { "code": "99", "name": "Uji", "level": "regency" }],
        "masterplans": [{ "code": "MP", "title": "Masterplan uji", "region": "99", "status": "active" }],
        "dimensions": [{ "code": "environment", "name": "Lingkungan", "position": 1 }],
        "opds": opds, "programmes": programmes, "transitions": transitions, "actions": actions, "action_reports": reports,
        "kpis": [{
            "code": "K-1", "masterplan": "MP", "dimension": "environment", "opd": "OPD-1", "name": "Sampah terangkut", "unit": { "kind": "percent" },
            "direction": "increase", "frequency": "yearly", "baseline": { "period": "2020", "value": "10.5" }, "published": true,
        }],
        "targets": [{ "kpi": "K-1", "period": "2024", "value": "80", "kind": "commitment" }],
        "measurements": [
            { "kpi": "K-1", "period": "2021", "value": "12.25", "provenance": { "date": "2022-01-31" } },
            { "kpi": "K-1", "period": "2021", "revision": 2, "value": "12.5", "reason": "Salah ketik", "known_on": "2022-03-01" },
            { "kpi": "K-1", "period": "2020", "value": "11", "state": "submitted", "submitted_by": "someone@contoh.invalid" },
        ],
        "evaluations": [{ "code": "E-1", "masterplan": "MP", "held_on": "2022-10-04", "reported_counts": [{ "dimension": "environment", "planned": 3, "running": 2 }] }],
        "findings": [{ "evaluation": "E-1", "text": "Temuan", "state": "in_progress", "follow_ups": [
            { "by": "someone@contoh.invalid", "at": "2022-11-01T01:02:03Z", "text": "Dimulai", "state": "in_progress" }, { "by": "x", "at": "2022-11-02T01:02:03Z", "text": "Lanjut" },
        ] }],
        "commitments": [{ "title": "Komitmen", "signatories": ["OPD-1", "OPD-2"] }],
        "council_members": [{ "name": "Ketua", "role": "chair", "since": "2022-01-01" }],
    })
}

fn id_of(number: usize) -> String {
    format!("017e1234-5678-7abc-8def-{number:012x}")
}
