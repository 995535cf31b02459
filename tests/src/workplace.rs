//! The temporary folders of this test process, one of them in memory, and the shell that clears them away afterwards.
//!
//! The shell reads a pipe that only this process holds open. When the process ends, in whatever way, the pipe closes,
//! and the shell kills the servers that are left, stops PostgreSQL and removes the folders.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs, process};

use crate::tier;

const CARETAKER: &str = r#"
trap '' INT TERM HUP
cat > /dev/null
for server in "$1"/servers/*; do
    [ -e "$server" ] && kill -9 "${server##*/}" 2> /dev/null
done
for running in "$2"/postgres*/data/postmaster.pid; do
    [ -s "$running" ] || continue
    postmaster=$(head -n 1 "$running")
    kill -QUIT "$postmaster"
    while kill -0 "$postmaster" 2> /dev/null; do sleep 0.1; done
done
umount -l "$2"/postgres*/ 2> /dev/null
rm -rf "$1" "$2"
"#;

/// The temporary folder of this process.
pub struct Workplace {
    path: PathBuf,
    in_memory: PathBuf,
    /// Ends this process's work when its standard input closes.
    _caretaker: Child,
}

impl Workplace {
    /// The one of this process, made at the first call.
    pub fn get() -> &'static Self {
        static WORKPLACE: OnceLock<Workplace> = OnceLock::new();
        WORKPLACE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let path = env::temp_dir().join(format!("renaksi-tests-{}", process::id()));
        let in_memory = memory().unwrap_or_else(env::temp_dir).join(format!("renaksi-tests-files-{}", process::id()));
        fs::create_dir_all(path.join("servers")).unwrap();
        fs::create_dir_all(&in_memory).unwrap();
        // The PostgreSQL account passes through it to its own folder.
        fs::set_permissions(&in_memory, fs::Permissions::from_mode(0o755)).unwrap();
        let caretaker = Command::new("sh")
            .args(["-c", CARETAKER, "caretaker"])
            .args([&path, &in_memory])
            // Signals to this process and its group do not reach it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("`sh` starts");
        Self { path, in_memory, _caretaker: caretaker }
    }

    /// A path inside it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// A path inside a folder in memory, where there is enough of it: for databases, whose thousands of writes wait for it. A killed
    /// process leaves the same in them as on a disk.
    pub fn join_in_memory(&self, name: impl AsRef<Path>) -> PathBuf {
        self.in_memory.join(name)
    }

    /// Remembers a server that has to be killed if this process dies.
    pub fn note_server(&self, pid: u32) {
        fs::write(self.path.join("servers").join(pid.to_string()), "").unwrap();
    }

    /// Forgets a server that has ended.
    pub fn forget_server(&self, pid: u32) {
        let _ = fs::remove_file(self.path.join("servers").join(pid.to_string()));
    }
}

/// A file system in memory with room to spare for the databases of this tier.
fn memory() -> Option<PathBuf> {
    let output = Command::new("df").args(["-Pk", "/dev/shm"]).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kibibytes = text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()?;
    (kibibytes >= tier::size(2, 8) * 1024 * 1024).then(|| PathBuf::from("/dev/shm"))
}
