//! A disk that can be filled up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use renaksi_tests::unique;
use renaksi_tests::workplace::Workplace;

/// A small file system in memory; it is unmounted when it is dropped.
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// One with so much room.
    pub(super) fn of(mebibytes: usize) -> Self {
        let folder = Workplace::get().join_in_memory(format!("postgres-{}", unique::word()));
        fs::create_dir_all(&folder).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(&folder).output();
        let mount = mount.unwrap();
        assert!(mount.status.success(), "this story fills a small file system, which only root can mount: {mount:?}");
        Self(folder)
    }

    /// Leaves only so much room; it is given back by [`SmallDisk::free`].
    pub(super) fn fill(&self, leave: u64) {
        let free = Command::new("df").args(["--output=avail", "-B1"]).arg(&self.0).output().unwrap();
        let free = String::from_utf8(free.stdout).unwrap().lines().nth(1).unwrap().trim().parse::<u64>().unwrap();
        fs::write(self.ballast(), vec![0; usize::try_from(free.saturating_sub(leave)).unwrap()]).unwrap();
    }

    /// Gives the room back.
    pub(super) fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}
