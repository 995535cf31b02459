//! A database of one test, empty or copied from one with the demo data.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use crate::holder::Holder;
use crate::postgres::Cluster;
use crate::server::Server;
use crate::sqlite;
use crate::unique;
use crate::workplace::Workplace;

/// A kind of database that Renaksi runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// An embedded file.
    Sqlite,
    /// A server.
    Postgres,
}

impl Backend {
    /// Whether this run covers it: `RENAKSI_TEST_DATABASES`.
    pub fn is_wanted(self) -> bool {
        let wanted = env::var("RENAKSI_TEST_DATABASES").unwrap_or_else(|_| "sqlite,postgres".to_owned());
        let names = wanted.split(',').map(str::trim).collect::<Vec<_>>();
        let strange = names.iter().find(|name| !["sqlite", "postgres"].contains(name));
        assert!(strange.is_none(), "RENAKSI_TEST_DATABASES={wanted}: expected sqlite, postgres or both");
        names.contains(&self.name())
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How a PKCS #8 key for P-256 with its public part begins: 138 bytes of version 0, `ecPublicKey`, `prime256v1`.
const P256_KEY: &[u8] = &[
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
];

/// A database; it is removed when it is dropped.
pub struct Database {
    backend: Backend,
    name: String,
    /// From which database it was copied: copies have the same accounts and signing keys.
    lineage: &'static str,
}

impl Database {
    /// One without tables.
    pub fn empty(backend: Backend) -> Self {
        let database = Self { backend, name: unique::database(), lineage: "empty" };
        if backend == Backend::Postgres {
            Cluster::get().create(&database.name, "template0");
        }
        database
    }

    /// One that is not there yet; whoever makes it under its name finds it removed in the end.
    pub fn unmade(backend: Backend) -> Self {
        Self { backend, name: unique::database(), lineage: "unmade" }
    }

    /// One that an earlier version of the service filled: see `tests/upgrade`.
    pub fn of_version(backend: Backend, step: &'static str) -> Self {
        let mut database = Self::empty(backend);
        database.lineage = step;
        let dump = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("upgrade/{step}.{}.sql.gz", backend.name()));
        let unpacked = Workplace::get().join(format!("{}.sql", database.name));
        let script = "import gzip, sys\nopen(sys.argv[2], 'wb').write(gzip.open(sys.argv[1]).read())";
        python(script, &[&dump, &unpacked]);
        match backend {
            Backend::Sqlite => {
                let script =
                    "import sqlite3, sys\nsqlite3.connect(sys.argv[1]).executescript(open(sys.argv[2], encoding='utf-8').read())";
                python(script, &[&database.file(), &unpacked]);
                // As whoever upgrades is told to do.
                fs::set_permissions(database.file(), fs::Permissions::from_mode(0o600)).unwrap();
            }
            Backend::Postgres => Cluster::get().load(&database.name, &unpacked),
        }
        database
    }

    /// One with the demo data.
    pub fn demo(backend: Backend) -> Self {
        let template = template(backend);
        let database = Self { backend, name: unique::database(), lineage: "demo" };
        match backend {
            Backend::Sqlite => {
                fs::copy(template.file(), database.file()).unwrap();
                if template.log_file().exists() {
                    fs::copy(template.log_file(), database.log_file()).unwrap();
                }
            }
            Backend::Postgres => Cluster::get().create(&database.name, &template.name),
        }
        database
    }

    /// Whether SQLite's write-ahead log lies beside the file.
    pub fn has_write_ahead_log(&self) -> bool {
        self.backend == Backend::Sqlite && self.log_file().exists()
    }

    /// From which database it was copied.
    pub fn lineage(&self) -> &'static str {
        self.lineage
    }

    /// Which kind it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// What `--database-url` takes.
    pub fn url(&self) -> String {
        match self.backend {
            Backend::Sqlite => format!("sqlite://{}", self.file().display()),
            Backend::Postgres => Cluster::get().url(&self.name),
        }
    }

    /// The private key that tokens are signed with, PKCS #8; the same in every copy of the demo database.
    pub fn signing_key(&self) -> Vec<u8> {
        match self.backend {
            // No server writes to the template, so its files hold the row; the DER of a P-256 key begins the same each time.
            Backend::Sqlite => {
                let files = [template(self.backend).file(), template(self.backend).log_file()];
                let bytes = files.iter().filter_map(|file| fs::read(file).ok()).flatten().collect::<Vec<_>>();
                let start =
                    bytes.windows(P256_KEY.len()).position(|window| window == P256_KEY).expect("the files hold a P-256 key");
                bytes[start..start + 3 + usize::from(P256_KEY[2])].to_vec()
            }
            Backend::Postgres => {
                let text =
                    Cluster::get().query(&self.name, "SELECT encode(private_der, 'hex') FROM signing_key WHERE slot = 'current'");
                (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
            }
        }
    }

    /// Does something to it behind the service's back: what somebody with access to the database could do.
    pub fn tamper(&self, statement: &str) {
        self.query(statement);
    }

    /// Looks into it behind the service's back: a line a row, columns separated by `|`.
    pub fn query(&self, statement: &str) -> String {
        match self.backend {
            Backend::Sqlite => sqlite::query(&self.file(), statement),
            Backend::Postgres => Cluster::get().query(&self.name, statement),
        }
    }

    /// Keeps everybody from writing what `statement` locks; a file has one writer anyway.
    pub fn hold(&self, statement: &str) -> Holder {
        match self.backend {
            Backend::Sqlite => Holder::of_file(&self.file()),
            Backend::Postgres => Holder::of(self.psql(), statement),
        }
    }

    /// `psql` in a database of PostgreSQL.
    pub fn psql(&self) -> Command {
        assert_eq!(self.backend, Backend::Postgres, "a file has no sessions");
        Cluster::get().psql(&self.name)
    }

    /// Takes a database of PostgreSQL away from everybody, as if it had stopped, or gives it back.
    pub fn set_away(&self, is_away: bool) {
        assert_eq!(self.backend, Backend::Postgres, "a file is always there");
        let (name, allowed) = (&self.name, !is_away);
        Cluster::get().query("postgres", &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}"));
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        Cluster::get().query("postgres", &end);
    }

    fn file(&self) -> PathBuf {
        Workplace::get().join_in_memory(format!("{}.db", self.name))
    }

    fn log_file(&self) -> PathBuf {
        Workplace::get().join_in_memory(format!("{}.db-wal", self.name))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match self.backend {
            Backend::Sqlite => {
                let _ = fs::remove_file(self.file());
                let _ = fs::remove_file(self.log_file());
            }
            Backend::Postgres => Cluster::get().remove(&self.name),
        }
    }
}

fn python(script: &str, files: &[&Path]) {
    let done = Command::new("python3").arg("-c").arg(script).args(files).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The database that demo databases are copied from: a server filled it and stopped.
fn template(backend: Backend) -> &'static Database {
    static SQLITE: OnceLock<Database> = OnceLock::new();
    static POSTGRES: OnceLock<Database> = OnceLock::new();
    let cell = match backend {
        Backend::Sqlite => &SQLITE,
        Backend::Postgres => &POSTGRES,
    };
    cell.get_or_init(|| {
        let database = Database::empty(backend);
        let server = Server::start(&database.url());
        server.greet();
        server.terminate();
        let ended = server.wait();
        assert!(ended.success(), "the server that filled the template ended with {ended}: {}", server.log());
        database
    })
}
