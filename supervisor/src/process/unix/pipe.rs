//! The reading end of a worker's stdout or stderr.

use std::{io, os::fd::OwnedFd};

use tokio::net::unix::pipe::Receiver;

/// What a process prints into.
#[derive(Debug)]
pub(in super::super) struct Pipe(Receiver);

impl Pipe {
    /// Needs a runtime.
    pub(in super::super) fn new(pipe: OwnedFd) -> io::Result<Pipe> {
        Receiver::from_owned_fd(pipe).map(Pipe)
    }

    /// Waits for more; 0 is the end. Nothing is lost if this is given up.
    pub(in super::super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.0.readable().await?;
            match self.0.try_read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
        }
    }

    /// What a process that has died left in the pipe; 0: no more. A descendant may hold the pipe open, so the end is
    /// not waited for.
    #[expect(clippy::unused_async, reason = "Windows has to wait here")]
    pub(in super::super) async fn read_left(&mut self, buffer: &mut [u8]) -> usize {
        // The runtime may not have heard yet that there is something, so the pipe is asked itself.
        rustix::io::read(&self.0, buffer).unwrap_or(0)
    }
}
