//! The service under test: a real process on an endpoint of its own, with hostile workers, ended with its owner.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use standin_client::{Endpoint, blocking::Client};

use crate::{checker::Kill, clock, hostile_worker::LEDGER_VARIABLE, platform};

/// How long a service may take to come up on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);

/// A running service.
pub struct UnderTest {
    pub folder: tempfile::TempDir,
    pub service: Child,
    /// Where the log of this service begins; before it are those of its predecessors.
    log_begins: usize,
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

fn begin(program: &Path, folder: &Path) -> Child {
    let mut options = std::fs::File::options();
    let log = options.append(true).create(true).open(folder.join("log"));
    let mut service = Command::new(program);
    platform::prepare(&mut service);
    let service = service
        .args(["serve", "--config"])
        .arg(folder.join("standin.toml"))
        .env_remove("STANDIN_ENDPOINT")
        .env("STANDIN_STATE", folder.join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("the folder can be written to"))
        .spawn();
    service.expect("the service can be started")
}

/// The settings of a pool of hostile workers, one of them a spare; `pool` holds more of them.
pub fn hostile_pool(
    name: &str,
    program: &Path,
    folder: &Path,
    workers: usize,
    pool: &str,
    start: &str,
) -> String {
    format!(
        "[pools.{name}]\ncommand = ['{}', 'hostile-worker']\n\
         environment = {{ CHAOS_LEDGER = '{}', CHAOS_START = '{start}' }}\n\
         workers = {{ min = {workers}, max = {workers}, spare = 1 }}\n{pool}\n",
        program.display(),
        folder.join("ledger").display(),
    )
}

/// The settings of a pool with one worker that is written with the SDK; `pool` holds more of them.
pub fn sdk_pool(name: &str, program: &Path, folder: &Path, pool: &str) -> String {
    format!(
        "[pools.{name}]\ncommand = ['{}', 'sdk-worker']\nenvironment = {{ CHAOS_LEDGER = '{}' }}\n\
         workers = {{ min = 1, max = 1, spare = 0 }}\n{pool}\n",
        program.display(),
        folder.join("ledger").display(),
    )
}

/// How the service says that it stands.
pub fn status(client: &Client) -> serde_json::Value {
    client.call("standin.status", &()).expect("it answers")
}

/// How it says that one of its pools stands.
pub fn pool_status(client: &Client, name: &str) -> serde_json::Value {
    let mut status = status(client);
    let pools = status["pools"].as_array_mut().expect("a list");
    let found = pools.iter_mut().find(|pool| pool["name"] == name);
    found.expect("there is such a pool").take()
}

/// The processes of a pool that are ready for work or at it.
pub fn worker_pids(client: &Client, pool: &str) -> Vec<u32> {
    let pool = pool_status(client, pool);
    let workers = pool["workers"].as_array().expect("a list").iter();
    let at_work = workers.filter(|worker| {
        ["ready", "busy", "suspect"].contains(&worker["state"].as_str().expect("a text"))
    });
    at_work
        .map(|worker| worker["pid"].as_u64().expect("it has one") as u32)
        .collect()
}

impl UnderTest {
    /// Starts the service of `program` with one pool of hostile workers.
    pub fn start(program: &Path, workers: usize, pool: &str, start: &str) -> UnderTest {
        UnderTest::serve(program, |folder| {
            hostile_pool("chaos", program, folder, workers, pool, start)
        })
    }

    /// Starts the service of `program` with the settings that are made for its folder, and without Standin's own pool.
    /// They begin in the table of the endpoint. What is late is late, also on a machine that runs all tests at once.
    pub fn serve(program: &Path, settings: impl FnOnce(&Path) -> String) -> UnderTest {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let settings = format!(
            "[log]\nlevel = \"info\"\n[service]\nstarvation_guard = false\n[pools.builtin]\nenabled = false\n[state]\ndir = '{}'\n\
             [endpoint]\npath = '{}'\n{}",
            folder.path().join("state").display(),
            Endpoint::private(folder.path(), "s"),
            settings(folder.path()),
        );
        let file = folder.path().join("standin.toml");
        std::fs::write(file, settings).expect("the folder can be written to");
        UnderTest {
            service: begin(program, folder.path()),
            folder,
            log_begins: 0,
        }
    }

    /// Starts it once more, after its end, with the same settings.
    pub fn start_again(&mut self, program: &Path) {
        self.log_begins = self.whole_log().len();
        self.service = begin(program, self.folder.path());
    }

    /// Kills the service and gives when.
    ///
    /// # Errors
    /// It had ended by itself. That was no kill, and excuses nothing.
    pub fn kill(&mut self) -> Result<Kill, ExitStatus> {
        if let Some(ended) = self.service.try_wait().expect("it is ours") {
            return Err(ended);
        }
        let from_ns = clock::monotonic_ns();
        self.service.kill().expect("it is ours");
        let ended = self.service.wait().expect("it is ours");
        if !platform::was_killed(ended) {
            return Err(ended);
        }
        Ok(Kill {
            from_ns,
            done_ns: clock::monotonic_ns(),
        })
    }

    /// A blocking client of it, as soon as it is there.
    pub fn client(&self) -> Client {
        Client::connect(&self.endpoint(), START_LIMIT).expect("the service starts")
    }

    pub fn endpoint(&self) -> Endpoint {
        Endpoint::private(self.folder.path(), "s")
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    /// What the service has logged since it was started last.
    pub fn log(&self) -> String {
        let mut log = self.whole_log();
        let log = log.split_off(self.log_begins.min(log.len()));
        String::from_utf8_lossy(&log).into_owned()
    }

    fn whole_log(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The panics of this service and of all before it. What its workers say stands behind a time and their names.
    pub fn panics(&self) -> Vec<String> {
        let log = self.whole_log();
        let log = String::from_utf8_lossy(&log);
        let panics = log
            .lines()
            .filter(|line| line.starts_with("thread '") && line.contains(" panicked at "));
        panics.map(str::to_owned).collect()
    }

    /// Processes that carry this service's ledger in their environment: its workers and all that they started.
    pub fn descendants(&self) -> Vec<u32> {
        platform::marked(LEDGER_VARIABLE, &self.ledger())
    }

    /// Dead children that the service has not taken notice of.
    pub fn zombies(&self) -> usize {
        platform::zombies(self.service.id())
    }

    /// The service's own children: workers, and on Unix the guardian.
    pub fn children(&self) -> Vec<u32> {
        platform::children(self.service.id())
    }

    /// The most memory that the service itself has had resident so far, in bytes.
    pub fn memory_peak(&self) -> u64 {
        platform::memory_peak(self.service.id())
    }

    /// What the service has open: files, sockets, pipes; on Windows all handles.
    pub fn open_files(&self) -> usize {
        platform::open_files(self.service.id())
    }

    /// Asks the service to stop.
    pub fn ask_to_stop(&self) {
        platform::ask_to_stop(&self.service, &self.endpoint());
    }
}

impl Drop for UnderTest {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
    }
}
