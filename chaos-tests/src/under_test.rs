//! The service under test: a real process on an endpoint of its own, with hostile workers, ended with its owner.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use standin_client::Endpoint;

use crate::clock;

/// A running service.
pub struct UnderTest {
    pub folder: tempfile::TempDir,
    pub service: Child,
}

/// Waits until something holds; says what never came true.
///
/// # Panics
/// It did not hold within the limit.
pub fn eventually(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let start = clock::now();
    while !holds() {
        assert!(
            start.elapsed() < limit,
            "within {limit:?} it never came true that {what}"
        );
        clock::pause(10);
    }
}

impl UnderTest {
    /// Starts the service of `program` with one pool of hostile workers.
    pub fn start(program: &Path, workers: usize, pool: &str, start: &str) -> UnderTest {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let settings = format!(
            "[endpoint]\npath = '{}'\n[log]\nlevel = \"info\"\n[pools.builtin]\nenabled = false\n[pools.chaos]\n\
             command = ['{}', 'hostile-worker']\nenvironment = {{ CHAOS_LEDGER = '{}', CHAOS_START = '{start}' }}\n\
             workers = {{ min = {workers}, max = {workers}, spare = 1 }}\n{pool}\n",
            folder.path().join("s").display(),
            program.display(),
            folder.path().join("ledger").display(),
        );
        let file = folder.path().join("standin.toml");
        std::fs::write(&file, settings).expect("the folder can be written to");
        let log =
            std::fs::File::create(folder.path().join("log")).expect("the folder can be written to");
        let service = Command::new(program)
            .args(["serve", "--config"])
            .arg(&file)
            .env_remove("STANDIN_ENDPOINT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        UnderTest {
            folder,
            service: service.expect("the service can be started"),
        }
    }

    pub fn endpoint(&self) -> Endpoint {
        let path = self.folder.path().join("s");
        Endpoint::parse(path.to_str().expect("a plain name")).expect("it is a path")
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Processes that carry this service's ledger in their environment: its workers and all that they started.
    pub fn descendants(&self) -> Vec<u32> {
        let mark = format!("CHAOS_LEDGER={}", self.ledger().display());
        let folders = std::fs::read_dir("/proc").expect("this is Linux").flatten();
        let pids = folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
        let marked = |pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .split(|byte| *byte == 0)
                .any(|entry| entry == mark.as_bytes())
        };
        pids.filter(marked).collect()
    }

    /// Dead children that the service has not taken notice of.
    pub fn zombies(&self) -> usize {
        let own = self.service.id().to_string();
        let folders = std::fs::read_dir("/proc").expect("this is Linux").flatten();
        let is_zombie = |folder: &std::fs::DirEntry| {
            let stat = std::fs::read_to_string(folder.path().join("stat")).unwrap_or_default();
            let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
            fields.next() == Some("Z") && fields.next() == Some(&own)
        };
        folders.filter(is_zombie).count()
    }

    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.service.id())).map_or(0, Iterator::count)
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.service);
        rustix::process::kill_process(pid, signal).expect("the service lives");
    }
}

impl Drop for UnderTest {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}
