//! Files that hold what nobody else may read: the database, with the keys that sign tokens and the hashes of passwords, and
//! what is exported of it.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Reading and writing for the owner, nothing for anybody else.
const OWN: u32 = 0o600;
/// What others may do with a file.
const OF_OTHERS: u32 = 0o077;
/// What SQLite keeps beside a database.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// An empty file for its owner alone, also where there was another.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWN).open(path)?;
    // A pipe or a terminal keeps what it has.
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(OWN))?;
    }
    Ok(file)
}

/// Makes the file of a database for its owner alone, if it is not there. SQLite gives what it keeps beside it the same rights.
pub fn make_database(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(OWN).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// What tells a file from another one that takes its place.
pub fn identity(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|file| file.ino())
}

/// A path with something after its name.
pub fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// What SQLite may keep beside a database.
pub fn companions(database: &Path) -> [PathBuf; 3] {
    COMPANIONS.map(|end| with_end(database, end))
}

/// Those files of a database that others can reach.
pub fn open_to_others(database: &Path) -> Vec<PathBuf> {
    let all = [database.to_owned()].into_iter().chain(companions(database));
    all.filter(|path| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & OF_OTHERS != 0)).collect()
}

/// What to do about files that others can reach.
pub fn advice(open: &[PathBuf]) -> String {
    let names = open.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    format!(
        "other users of this machine can reach {}, and with it the keys that sign access tokens. Run: chmod 600 {}",
        names.join(", "),
        names.join(" ")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_for_their_owner_alone() {
        let folder = std::env::temp_dir().join(format!("renaksi-files-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        let (database, log) = (folder.join("a.db"), folder.join("a.db-wal"));
        make_database(&database).unwrap();
        assert_eq!(mode(&database), 0o600);
        assert!(open_to_others(&database).is_empty());
        std::fs::write(&log, "x").unwrap();
        std::fs::set_permissions(&log, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(open_to_others(&database), std::slice::from_ref(&log));
        assert!(advice(&open_to_others(&database)).ends_with("a.db-wal"));
        // What was there before is written anew, for the owner alone.
        drop(create(&log).unwrap());
        assert_eq!((mode(&log), log.metadata().unwrap().len()), (0o600, 0));
        for rights in [0o640, 0o604, 0o620, 0o660] {
            std::fs::set_permissions(&database, Permissions::from_mode(rights)).unwrap();
            assert_eq!(open_to_others(&database), std::slice::from_ref(&database), "{rights:o}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
