//! A small file system in memory, which a test may fill.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted file system of its own; unmounted when it is dropped.
pub(crate) struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one of so many MiB.
    pub(crate) fn of_mib(mib: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("small-disk-").tempdir();
        let folder = folder.expect("a temporary folder");
        let size = format!("size={mib}m,mode=755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = mounted.expect("`mount` is installed");
        assert!(
            mounted.status.success(),
            "this test needs a small file system of its own and may not mount one: {}\n\
             run it as root (in a container: with the capability SYS_ADMIN)",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self { folder }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Fills it but for so many KiB.
    pub(crate) fn fill_but_kib(&self, kib: usize) {
        let mut ballast = File::create(self.ballast()).expect("there is room for a name");
        let piece = [0_u8; 4096];
        let mut written = 0_usize;
        while ballast.write_all(&piece).is_ok() {
            written += piece.len();
        }
        let kept = written.saturating_sub(kib * 1024);
        ballast.set_len(kept as u64).expect("a file may shrink");
    }

    /// Makes room again.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.ballast()).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open keeps it until the end of his process.
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}
