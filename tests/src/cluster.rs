//! A PostgreSQL of one story, which may kill it, freeze it, fill its disk, archive its log, and let another server follow it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::postgres::{as_postgres, binaries, init, is_root, starts, succeed};
use crate::unique;
use crate::workplace::Workplace;

const PATIENCE: Duration = Duration::from_secs(60);

/// A server of its own; it is stopped and removed when it is dropped.
pub struct OwnCluster {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    settings: Vec<String>,
}

impl OwnCluster {
    /// One with these settings beside the defaults.
    pub fn start(settings: &[&str]) -> Self {
        // The caretaker of the workplace stops whatever lies under such a name.
        Self::start_in(Workplace::get().join_in_memory(format!("postgres-{}", unique::word())), settings)
    }

    /// The same with its files in this folder.
    pub fn start_in(folder: PathBuf, settings: &[&str]) -> Self {
        let cluster = Self::prepared(folder, settings);
        init(&cluster.binaries, &cluster.data());
        cluster.start_again();
        cluster
    }

    fn prepared(folder: PathBuf, settings: &[&str]) -> Self {
        let binaries = binaries().expect("PostgreSQL is installed");
        fs::create_dir_all(&folder).unwrap();
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(&folder));
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { binaries, folder, port, settings: settings.iter().map(|setting| (*setting).to_owned()).collect() }
    }

    /// Another one that follows this one.
    pub fn follower(&self, settings: &[&str]) -> Self {
        let follower = Self::prepared(Workplace::get().join_in_memory(format!("postgres-{}", unique::word())), settings);
        self.base_backup(&follower.data(), &["-R"]);
        follower.start_again();
        follower
    }

    /// One that is brought from a base backup and an archive of the log to an instant.
    pub fn recovered(base: &Path, archive: &Path, until: &str) -> Self {
        let recovered = Self::prepared(Workplace::get().join_in_memory(format!("postgres-{}", unique::word())), &[]);
        succeed(as_postgres(Path::new("cp")).arg("-a").arg(base).arg(recovered.data()));
        let settings = format!(
            "restore_command = 'cp {}/%f %p'\nrecovery_target_time = '{until}'\nrecovery_target_action = 'promote'\narchive_mode = off\n",
            archive.display()
        );
        let file = recovered.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&file).unwrap();
        fs::write(file, before + &settings).unwrap();
        succeed(as_postgres(Path::new("touch")).arg(recovered.data().join("recovery.signal")));
        recovered.start_again();
        recovered.until("SELECT NOT pg_is_in_recovery()", "t");
        recovered
    }

    /// Copies the whole server while it runs.
    pub fn base_backup(&self, into: &Path, more: &[&str]) {
        let mut backup = as_postgres(&self.binaries.join("pg_basebackup"));
        backup.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "--checkpoint=fast", "-X", "stream"]);
        succeed(backup.args(more).arg("-D").arg(into));
    }

    /// A folder of this server, which its account can write to.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.folder.join(name);
        if !folder.exists() {
            succeed(as_postgres(Path::new("mkdir")).arg(&folder));
        }
        folder
    }

    /// The URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Runs one statement, and answers what it prints.
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

    /// Waits until a statement prints something.
    pub fn until(&self, statement: &str, printed: &str) {
        let since = Instant::now();
        loop {
            let output = self.psql("postgres").args(["-c", statement]).output().unwrap();
            if output.status.success() && String::from_utf8_lossy(&output.stdout).trim() == printed {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "`{statement}` does not become {printed}: {output:?}; {}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills its postmaster as a power cut would; its other processes notice and end.
    pub fn kill9(&self) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap().to_owned();
        // Its children, by its id: what is left of them would keep the files.
        let children = Command::new("ps").args(["--ppid", &pid, "-o", "pid="]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all = std::iter::once(pid.as_str()).chain(children.split_whitespace()).map(str::to_owned).collect::<Vec<_>>();
        let _ = Command::new("kill").arg("-9").args(&all).stderr(Stdio::null()).status();
        let is_there = |pid: &String| Path::new("/proc").join(pid).join("stat").exists();
        let since = Instant::now();
        while all.iter().any(|pid| is_there(pid) && !is_zombie(pid)) {
            assert!(since.elapsed() < PATIENCE, "PostgreSQL does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again after it was killed.
    pub fn start_again(&self) {
        let settings = self.settings.iter().map(|setting| format!(" -c {setting}")).collect::<String>();
        let settings = format!(" -c shared_buffers=32MB -c jit=off{settings}");
        let since = Instant::now();
        while !starts(&self.binaries, &self.folder, self.port, &settings) {
            assert!(since.elapsed() < PATIENCE, "PostgreSQL does not start: {}", self.log());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Lets it lead, which followed.
    pub fn promote(&self) {
        succeed(as_postgres(&self.binaries.join("pg_ctl")).args(["promote", "-w", "-D"]).arg(self.data()));
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines = log.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

fn is_zombie(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        let mut stop = as_postgres(&self.binaries.join("pg_ctl"));
        let _ =
            stop.args(["stop", "-m", "immediate", "-D"]).arg(self.data()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
