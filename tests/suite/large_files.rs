//! Import, export and the verification of the audit log take memory that does not grow with the file, and tell how far they are.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use renaksi_tests::server::command;
use renaksi_tests::workplace::Workplace;
use renaksi_tests::{Backend, Database, tier, unique};

/// The most memory of a command, whatever the size of the file: a debug build takes more than a release.
const MOST_KIBIBYTES: u64 = 150 * 1024;
/// The months of a KPI in the file.
const MONTHS: usize = 192;

#[test]
fn many_measurements_take_little_memory_on_sqlite() {
    there_and_back(Backend::Sqlite);
}

#[test]
fn many_measurements_take_little_memory_on_postgres() {
    there_and_back(Backend::Postgres);
}

fn there_and_back(backend: Backend) {
    if !backend.is_wanted() {
        return;
    }
    let kpis = tier::size(20, 5_209);
    let (file, exported) = (Workplace::get().join(unique::word() + ".json"), Workplace::get().join(unique::word() + ".json"));
    write(&file, kpis).unwrap();
    let database = Database::empty(backend);
    let measurements = kpis * MONTHS;
    let imported = ran(&database, &["import", file.to_str().unwrap()]);
    assert!(imported.stdout.contains(&format!("measurements: {measurements}\n")), "{imported:?}");
    // Without a terminal, lines tell how far it is.
    assert_eq!(
        imported.stderr.lines().filter(|line| line.starts_with("import: ")).count(),
        (measurements + kpis + 3) / 50_000,
        "{imported:?}"
    );
    let written = ran(&database, &["export", "--output", exported.to_str().unwrap()]);
    assert!(written.stderr.contains(&format!("measurements: {measurements}\n")), "{written:?}");
    assert!(fs::metadata(&exported).unwrap().len() > 50 * measurements as u64);
    let verified = ran(&database, &["audit", "verify"]);
    assert!(verified.stderr.contains("audit verify: comparing every row"), "{verified:?}");
    for (what, ran) in [("import", imported), ("export", written), ("audit verify", verified)] {
        println!("{} of {measurements} measurements on {}: {} MiB, {:?}", what, backend.name(), ran.most / 1024, ran.elapsed);
        assert!(ran.most > 1_000 && ran.most < MOST_KIBIBYTES, "{what} took {} KiB", ran.most);
    }
}

/// A file with so many KPIs, each with a measurement for every month since 2009.
fn write(path: &Path, kpis: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    write!(
        out,
        r#"{{"format":1,"regions":[{{"code":"52.08","name":"Kabupaten Lombok Utara","level":"regency"}}],
"masterplans":[{{"code":"M","title":"Masterplan","region":"52.08","status":"active"}}],
"dimensions":[{{"code":"living","name":"Living","name_en":"Living","position":1}}],
"opds":[{{"code":"DINKES","name":"Dinas Kesehatan","active":true}}],"kpis":["#
    )?;
    for kpi in 0..kpis {
        let comma = if kpi == 0 { "" } else { "," };
        write!(
            out,
            r#"{comma}
{{"code":"K-{kpi}","masterplan":"M","dimension":"living","opd":"DINKES","name":"KPI {kpi}","unit":{{"kind":"count","label":"orang"}},"direction":"increase","frequency":"monthly","decimals":1,"published":true}}"#
        )?;
    }
    write!(out, r#"],"measurements":["#)?;
    for number in 0..kpis * MONTHS {
        let (kpi, month) = (number / MONTHS, number % MONTHS);
        let (comma, year, month) = (if number == 0 { "" } else { "," }, 2009 + month / 12, month % 12 + 1);
        write!(out, "{comma}\n{{\"kpi\":\"K-{kpi}\",\"period\":\"{year}-{month:02}\",\"value\":\"{}\"}}", number % 1000)?;
    }
    writeln!(out, "]}}")?;
    out.flush()
}

/// What a command printed, and the most memory that it had.
#[derive(Debug)]
struct Ran {
    stdout: String,
    stderr: String,
    most: u64,
    elapsed: Duration,
}

fn ran(database: &Database, arguments: &[&str]) -> Ran {
    let since = Instant::now();
    let mut process = command(&[arguments, &["--database-url", &database.url()]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let most = watched(&mut process);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { stdout: text(output.stdout), stderr: text(output.stderr), most, elapsed: since.elapsed() }
}

/// The highest mark of the memory of a process that it reached until it ended, in KiB.
fn watched(process: &mut Child) -> u64 {
    let file = format!("/proc/{}/status", process.id());
    let mut most = 0;
    while process.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(&file).unwrap_or_default();
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        most = mark.unwrap_or(0).max(most);
        thread::sleep(Duration::from_millis(5));
    }
    most
}
