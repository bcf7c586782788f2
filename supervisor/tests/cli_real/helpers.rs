//! The real binary, as a user starts it, away from this machine's own configuration.

use std::{
    path::Path,
    process::{Child, Command, Output, Stdio},
};

/// `standin` with these arguments.
pub(crate) fn standin(arguments: &[&str]) -> Command {
    standin_at(Path::new(env!("CARGO_BIN_EXE_standin")), arguments)
}

/// The `standin` that lies there, with these arguments.
pub(crate) fn standin_at(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    for variable in [
        "STANDIN_CONFIG",
        "STANDIN_ENDPOINT",
        "STANDIN_LOG",
        "STANDIN_STATE",
    ] {
        command.env_remove(variable);
    }
    // The width that help is wrapped to.
    command
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .args(arguments);
    command
}

/// What it printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is printed is UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Looks until there is something; says what never was.
#[cfg(any(target_os = "linux", windows))]
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no clock of their own"
)]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        let waited = start.elapsed();
        assert!(waited.as_secs() < 30, "it never came true that {what}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// Runs it to its end in an empty folder.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    run_in(folder.path(), arguments)
}

/// Runs it to its end in `folder`.
pub(crate) fn run_in(folder: &Path, arguments: &[&str]) -> Ran {
    standin(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary starts")
        .into()
}

/// A service that ends with the test, whatever becomes of the test.
pub(crate) struct Service {
    child: Child,
    folder: Option<tempfile::TempDir>,
}

impl Service {
    /// Starts one on an endpoint of its own.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = standin(&["serve"]);
        command.args(arguments);
        Self::start_by(command)
    }

    /// Starts one by this command, on an endpoint and a state folder of its own.
    pub(crate) fn start_by(mut command: Command) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        command.arg("--endpoint").arg(endpoint_in(folder.path()));
        if !command.get_args().any(|argument| argument == "--state") {
            command.arg("--state").arg(folder.path().join("state"));
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(windows)]
        crate::console::give_one_of_its_own(&mut command);
        Self {
            child: command.spawn().expect("the binary starts"),
            folder: Some(folder),
        }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        endpoint_in(self.folder())
    }

    /// Where it keeps its state.
    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder().join("state")
    }

    fn folder(&self) -> &Path {
        self.folder.as_ref().expect("it is taken at the end").path()
    }

    /// Kills it, and gives the folder of its endpoint and state.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        self.folder.take().expect("it is taken once")
    }

    /// Runs a client of it to its end. It waits for the service as long as a slow machine may take.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Ran {
        let endpoint = self.endpoint();
        let mut command = standin(arguments);
        command.args(["--wait", "30s", "--endpoint", &endpoint]);
        command.output().expect("the binary starts").into()
    }

    /// Its process number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and gives back all that it printed.
    pub(crate) fn stop(self) -> Ran {
        self.stop_by(Ask::Terminate)
    }

    /// Asks it to stop in this way and gives back all that it printed.
    pub(crate) fn stop_by(mut self, ask: Ask) -> Ran {
        use std::io::Read;
        ask_to_stop(&self.child, ask);
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        err.expect("it is piped")
            .read_to_string(&mut stderr)
            .expect("the log is UTF-8");
        out.expect("it is piped")
            .read_to_string(&mut stdout)
            .expect("it is UTF-8");
        let status = self.child.wait().expect("it can be waited for");
        Ran {
            code: status.code(),
            stdout,
            stderr,
        }
    }
}

/// How a service is asked to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    /// SIGINT, or Ctrl-C in its console.
    Interrupt,
    /// SIGTERM, or Ctrl-Break in its console.
    Terminate,
}

#[cfg(unix)]
fn ask_to_stop(service: &Child, ask: Ask) {
    use rustix::process::{Pid, Signal, kill_process};
    let signal = match ask {
        Ask::Interrupt => Signal::INT,
        Ask::Terminate => Signal::TERM,
    };
    kill_process(Pid::from_child(service), signal).expect("it runs");
}

#[cfg(windows)]
use crate::console::ask_to_stop;

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
pub(crate) fn endpoint_in(folder: &Path) -> String {
    folder.join("standin.sock").display().to_string()
}

#[cfg(windows)]
pub(crate) fn endpoint_in(folder: &Path) -> String {
    let name = folder
        .file_name()
        .expect("a folder has a name")
        .to_string_lossy();
    format!(r"\\.\pipe\standin-test-{name}")
}
