//! The one thread that starts processes. A parent-death signal comes when the thread that started a process ends, so
//! that thread must live as long as what it started; and starting a process must not hold up the executor.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, mpsc},
};

use tokio::sync::{oneshot, watch};

use super::{Launch, Process, SpawnError, output::Output, platform};

struct Order {
    launch: Launch,
    reply: oneshot::Sender<io::Result<platform::Newborn>>,
}

/// Orders for the spawning thread. The thread ends when the last clone and the last [`Process`] are gone.
#[derive(Debug, Clone)]
pub struct Spawner {
    orders: mpsc::Sender<Order>,
}

impl Spawner {
    /// Starts the thread. This executable is the launcher.
    ///
    /// # Errors
    /// No thread can be had, or the executable is not known.
    pub fn start() -> io::Result<Spawner> {
        Spawner::with_launcher(super::own_program()?)
    }

    /// Starts the thread. `launcher` is an executable that understands `worker launch -- COMMAND`.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn with_launcher(launcher: PathBuf) -> io::Result<Spawner> {
        let (orders, waiting) = mpsc::channel::<Order>();
        std::thread::Builder::new()
            .name("spawner".into())
            .spawn(move || {
                for Order { launch, reply } in waiting {
                    // Nobody waits any more: the newborn ends as it is dropped.
                    let _ = reply.send(platform::spawn(&launcher, &launch));
                }
            })?;
        Ok(Spawner { orders })
    }

    /// Starts a process.
    ///
    /// # Errors
    /// The system refuses; on Windows also if there is no such command.
    pub async fn spawn(&self, launch: Launch) -> Result<Process, SpawnError> {
        let program = launch
            .command
            .first()
            .map(|program| program.to_string_lossy().into_owned());
        let program = program.unwrap_or_default();
        let name = launch.name.clone();
        let folder = launch.folder.clone();
        let (reply, spawned) = oneshot::channel();
        self.orders
            .send(Order { launch, reply })
            .map_err(|_| SpawnError::Stopping)?;
        match spawned.await.map_err(|_| SpawnError::Stopping)? {
            Ok(newborn) => self
                .adopt(&name, newborn)
                .map_err(|source| SpawnError::Refused { program, source }),
            // The system says "not found" and leaves open what.
            Err(refused) => {
                match folder.map(|folder| (std::fs::metadata(folder.join(".")), folder)) {
                    Some((Err(source), folder)) => Err(SpawnError::Folder {
                        program,
                        folder,
                        source,
                    }),
                    _ => Err(SpawnError::Refused {
                        program,
                        source: refused,
                    }),
                }
            }
        }
    }

    /// Watches over a process from now on.
    fn adopt(&self, name: &str, mut newborn: platform::Newborn) -> io::Result<Process> {
        let (stdout, stderr) = newborn.pipes()?;
        let (tree, child) = newborn.into_parts();
        let (report, exit) = watch::channel(None);
        let tree = Arc::new(tree);
        let watched = Arc::clone(&tree);
        tokio::spawn(async move {
            let exit = platform::reap(watched, child).await;
            let _ = report.send(Some(exit));
        });
        let output = Output::capture(name, stdout, stderr, &exit);
        Ok(Process {
            tree,
            exit,
            output,
            _spawner: self.clone(),
        })
    }
}
