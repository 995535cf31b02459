//! The real binary, running.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::workplace::Workplace;

/// Password of every demo account.
pub const PASSWORD: &str = "kelapa-muda-di-gili-trawangan-7";
/// Secret of every demo client.
pub const CLIENT_SECRET: &str = "rahasia-mesin-untuk-uji-coba-0123456789";

const PATIENCE: Duration = Duration::from_secs(90);

/// A running `renaksi serve --demo`; it is killed when it is dropped.
pub struct Server {
    database_url: String,
    settings: Vec<(String, String)>,
    running: Mutex<Running>,
}

struct Running {
    process: Child,
    address: String,
    log: Arc<Mutex<String>>,
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
    let mut command = Command::new(binary());
    for (name, _) in env::vars().filter(|(name, _)| name.starts_with("RENAKSI_") || name == "DATABASE_URL" || name == "RUST_LOG")
    {
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
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        let running = Mutex::new(launch(database_url, &settings));
        Self { database_url: database_url.to_owned(), settings, running }
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
        self.running.lock().unwrap().log.lock().unwrap().clone()
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
        *running = launch(&self.database_url, &self.settings);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(|poisoned| poisoned.into_inner());
        end(&mut running.process);
        if thread::panicking() {
            let log = running.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let lines = log.lines().collect::<Vec<_>>();
            eprintln!("--- the end of the server's log ---\n{}", lines[lines.len().saturating_sub(15)..].join("\n"));
            return;
        }
        // Whatever the suite does, no secret gets into the log; `eyJ` is how every token begins.
        let log = running.log.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for secret in [PASSWORD, CLIENT_SECRET, "eyJ"] {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "a secret in the log: {line:?}");
        }
    }
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
    Workplace::get().forget_server(process.id());
}

fn launch(database_url: &str, settings: &[(String, String)]) -> Running {
    let mut process = command(&["serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", database_url])
        .env("RENAKSI_DEMO_PASSWORD", PASSWORD)
        .env("RENAKSI_DEMO_CLIENT_SECRET", CLIENT_SECRET)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Workplace::get().note_server(process.id());
    let log = Arc::new(Mutex::new(String::new()));
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
            let mut log = kept.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
    match announced.recv_timeout(PATIENCE) {
        Ok(address) => Running { process, address, log },
        Err(_) => {
            end(&mut process);
            panic!("the server does not say `listening on http://…`: {}", log.lock().unwrap());
        }
    }
}
