//! The real binary, running.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::workplace::Workplace;

/// Password of every demo account.
pub const PASSWORD: &str = "kelapa-muda-di-gili-trawangan-7";
/// Secret of every demo client.
pub const CLIENT_SECRET: &str = "rahasia-mesin-untuk-uji-coba-0123456789";

/// What no line of a log may hold, whatever the suite does; `eyJ` is how every token begins.
const SECRETS: [&str; 3] = [PASSWORD, CLIENT_SECRET, "eyJ"];

const PATIENCE: Duration = Duration::from_secs(90);

/// A running `renaksi serve --demo`; it is killed when it is dropped.
pub struct Server {
    binary: PathBuf,
    database_url: String,
    settings: Vec<(String, String)>,
    running: Mutex<Running>,
}

struct Running {
    process: Child,
    address: String,
    log: Arc<Mutex<Log>>,
}

/// What a server logged.
#[derive(Default)]
struct Log {
    text: String,
    /// The first line with a secret in it.
    leak: Option<String>,
}

impl Log {
    fn add(&mut self, line: &str) {
        if self.leak.is_none() && SECRETS.iter().any(|secret| line.contains(secret)) {
            self.leak = Some(line.to_owned());
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Its last lines.
    fn end(&self) -> String {
        let lines = self.text.lines().collect::<Vec<_>>();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

/// The binary under test.
pub fn binary() -> PathBuf {
    let path = env::var_os("RENAKSI_BIN").map(PathBuf::from).unwrap_or_else(|| {
        // target/debug/deps/suite-… -> target/debug/renaksi
        let test = env::current_exe().unwrap();
        test.parent().and_then(|deps| deps.parent()).unwrap().join("renaksi")
    });
    assert!(path.is_file(), "{} is missing: run `cargo build -p renaksi` first, or set RENAKSI_BIN", path.display());
    path
}

/// `renaksi …` with none of the settings of whoever runs the tests.
pub fn command(arguments: &[&str]) -> Command {
    command_of(&binary(), arguments)
}

fn command_of(binary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    let is_setting = |name: &str| {
        ["RENAKSI_", "OTEL_"].iter().any(|start| name.starts_with(start)) || ["DATABASE_URL", "RUST_LOG"].contains(&name)
    };
    for (name, _) in env::vars().filter(|(name, _)| is_setting(name)) {
        command.env_remove(name);
    }
    command.args(arguments).current_dir(Workplace::get().join("")).stdin(Stdio::null());
    command
}

impl Server {
    /// Starts one with the demo data.
    pub fn start(database_url: &str) -> Self {
        Self::start_with(database_url, &[])
    }

    /// Starts one with settings from the environment.
    pub fn start_with(database_url: &str, settings: &[(&str, &str)]) -> Self {
        Self::start_binary(&binary(), database_url, settings)
    }

    /// Starts one of another version.
    pub fn start_binary(binary: &Path, database_url: &str, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        let running = Mutex::new(launch(binary, database_url, &settings));
        Self { binary: binary.to_owned(), database_url: database_url.to_owned(), settings, running }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self.running.lock().unwrap().address.clone()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.running.lock().unwrap().process.id()
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.running.lock().unwrap().log.lock().unwrap().text.clone()
    }

    /// The last lines that it logged.
    pub fn end_of_log(&self) -> String {
        self.running.lock().unwrap().log.lock().unwrap().end()
    }

    /// Expects that no secret got into the log up to now.
    pub fn keeps_secrets(&self) {
        let leak = self.running.lock().unwrap().log.lock().unwrap().leak.clone();
        assert!(leak.is_none(), "a secret in the log: {leak:?}");
    }

    /// The first line of the log that holds all of these texts. A line may arrive a little later than the answer it is about.
    ///
    /// # Panics
    ///
    /// When there is none after a while.
    pub fn logged(&self, texts: &[&str]) -> String {
        let since = Instant::now();
        loop {
            if let Some(line) = self.log().lines().find(|line| texts.iter().all(|text| line.contains(text))) {
                return line.to_owned();
            }
            assert!(since.elapsed() < PATIENCE, "no line with {texts:?} in the log");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for its first answer.
    pub fn greet(&self) {
        let mut connection = TcpStream::connect(self.url().trim_start_matches("http://")).unwrap();
        let request = "GET /health/ready HTTP/1.1\r\nHost: tests\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        connection.write_all(request.as_bytes()).and_then(|()| connection.read_to_string(&mut answer).map(drop)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Kills it as a power cut would, and waits until it is gone.
    pub fn kill9(&self) {
        end(&mut self.running.lock().unwrap().process);
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let pid = self.running.lock().unwrap().process.id();
        let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status().unwrap();
        assert!(status.success(), "SIGTERM to {pid}");
    }

    /// Waits until it ends.
    pub fn wait(&self) -> ExitStatus {
        let since = Instant::now();
        loop {
            let mut running = self.running.lock().unwrap();
            if let Some(status) = running.process.try_wait().unwrap() {
                Workplace::get().forget_server(running.process.id());
                return status;
            }
            drop(running);
            assert!(since.elapsed() < PATIENCE, "the server does not end: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts it again, on another port, after it was killed or ended.
    pub fn restart(&self) {
        let mut running = self.running.lock().unwrap();
        end(&mut running.process);
        *running = launch(&self.binary, &self.database_url, &self.settings);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        end(&mut running.process);
        if thread::panicking() {
            let log = running.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            eprintln!("--- the end of the server's log ---\n{}", log.end());
        } else {
            self.keeps_secrets();
        }
    }
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
    Workplace::get().forget_server(process.id());
}

fn launch(binary: &Path, database_url: &str, settings: &[(String, String)]) -> Running {
    let arguments = ["serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", database_url];
    let mut process = command_of(binary, &arguments)
        .env("RENAKSI_DEMO_PASSWORD", PASSWORD)
        .env("RENAKSI_DEMO_CLIENT_SECRET", CLIENT_SECRET)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Workplace::get().note_server(process.id());
    let log = Arc::<Mutex<Log>>::default();
    let (announce, announced) = mpsc::channel();
    let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix("listening on ") {
                let _ = announce.send(address.trim().to_owned());
            }
        }
    });
    let kept = Arc::clone(&log);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            kept.lock().unwrap().add(&line);
        }
    });
    match announced.recv_timeout(PATIENCE) {
        Ok(address) => Running { process, address, log },
        Err(_) => {
            end(&mut process);
            panic!("the server does not say `listening on http://…`: {}", log.lock().unwrap().text);
        }
    }
}
