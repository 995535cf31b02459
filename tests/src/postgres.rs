//! One PostgreSQL cluster for the whole test process, started when the first test asks for it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::{env, fs};

use crate::workplace::Workplace;

/// A running cluster; the caretaker of the [`Workplace`] stops it.
pub struct Cluster {
    binaries: PathBuf,
    port: u16,
    /// PostgreSQL copies a template only while nobody else uses it.
    copying: Mutex<()>,
}

impl Cluster {
    /// The one of this process.
    ///
    /// # Panics
    ///
    /// When PostgreSQL is not installed: a test that cannot run has failed.
    pub fn get() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let binaries = binaries().unwrap_or_else(|| {
            panic!(
                "PostgreSQL's binaries (initdb, pg_ctl, psql) were not found in /usr/lib/postgresql/*/bin nor on PATH. \
                 Install PostgreSQL, point RENAKSI_PG_BIN at its bin folder, or leave it out on purpose with \
                 RENAKSI_TEST_DATABASES=sqlite"
            )
        });
        let folder = Workplace::get().join_in_memory("postgres");
        fs::create_dir_all(&folder).unwrap();
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(&folder));
        }
        init(&binaries, &folder.join("data"));
        let port = (0..3).find_map(|_| start_on_a_free_port(&binaries, &folder)).unwrap_or_else(|| {
            panic!("PostgreSQL does not start: {}", fs::read_to_string(folder.join("log")).unwrap_or_default())
        });
        Self { binaries, port, copying: Mutex::new(()) }
    }

    /// The folder of PostgreSQL's programs.
    pub fn programs(&self) -> &Path {
        &self.binaries
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a database; `template0` is an empty one.
    pub fn create(&self, database: &str, template: &str) {
        let _alone = self.copying.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.query("postgres", &format!("CREATE DATABASE {database} TEMPLATE {template}"));
    }

    /// Removes a database, also while connections are open.
    pub fn remove(&self, database: &str) {
        self.query("postgres", &format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
    }

    /// Runs a file of statements in a database.
    pub fn load(&self, database: &str, file: &Path) {
        let mut psql = self.psql(database);
        succeed(psql.arg("-f").arg(file));
    }

    /// Runs one statement in a database and answers what it prints.
    pub fn query(&self, database: &str, statement: &str) -> String {
        let output = succeed(self.psql(database).args(["-c", statement]));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// `psql` in one of its databases.
    pub fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"]);
        psql.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "-d", database]);
        psql
    }
}

pub(crate) fn binaries() -> Option<PathBuf> {
    if let Some(folder) = env::var_os("RENAKSI_PG_BIN").map(PathBuf::from) {
        assert!(folder.join("initdb").is_file(), "RENAKSI_PG_BIN={} holds no initdb", folder.display());
        return Some(folder);
    }
    let version = |folder: &Path| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let on_path = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    installed
        .filter(|folder| folder.join("initdb").is_file())
        .max_by_key(|folder| version(folder))
        .or_else(|| on_path.into_iter().find(|folder| folder.join("initdb").is_file()))
}

/// Sorts text as people do, not by bytes, as most installations do: what relies on byte order has to say so.
pub(crate) fn init(binaries: &Path, data: &Path) {
    let attempt = |locale: &[&str]| {
        as_postgres(&binaries.join("initdb"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "-D"])
            .arg(data)
            .args(locale)
            .output()
            .unwrap()
    };
    if !attempt(&["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"]).status.success() {
        let before_15 = attempt(&["--no-locale"]);
        assert!(before_15.status.success(), "initdb: {}", text(&before_15));
    }
}

/// What makes it fast: its data goes with the process, and the tests crash the service, never PostgreSQL.
const SETTINGS: [&str; 10] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    // Nobody follows it.
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=256MB",
    "shared_buffers=64MB",
    "jit=off",
    // Most databases go before it would come to them.
    "autovacuum_max_workers=1",
    "max_connections=400",
];

fn start_on_a_free_port(binaries: &Path, folder: &Path) -> Option<u16> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = SETTINGS.map(|setting| format!(" -c {setting}")).concat();
    starts(binaries, folder, port, &settings).then_some(port)
}

/// Starts the server whose data and log are in a folder, with these settings as `-c` options; whether it did.
pub(crate) fn starts(binaries: &Path, folder: &Path, port: u16, settings: &str) -> bool {
    let options = format!("-p {port} -k '' -c listen_addresses=127.0.0.1{settings}");
    let started = as_postgres(&binaries.join("pg_ctl"))
        .args(["start", "-w", "-t", "60", "-D"])
        .arg(folder.join("data"))
        .arg("-l")
        .arg(folder.join("log"))
        .args(["-o", &options])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    started.success()
}

/// PostgreSQL refuses to run as root, so root becomes `postgres`.
pub(crate) fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("`id` runs");
    output.stdout.trim_ascii() == b"0"
}

pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    output
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
