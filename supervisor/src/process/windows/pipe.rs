//! The reading end of a worker's stdout or stderr. The standard library's pipes can only be read by waiting, so a
//! thread does that.

use std::{
    io::{self, Read},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;

/// Read at once by the thread.
const PIECE: usize = 8 * 1024;

/// Pieces that may wait. More is left in the pipe.
const PIECES_MAX: usize = 4;

/// After a death the job has ended all who hold the pipe, so its end is near; in case it is not, this is waited.
const END_WITHIN: Duration = Duration::from_millis(100);

/// What a process prints into.
#[derive(Debug)]
pub(in super::super) struct Pipe {
    pieces: mpsc::Receiver<Vec<u8>>,
    /// Read and not yet given.
    rest: Vec<u8>,
}

impl Pipe {
    pub(in super::super) fn new(mut pipe: impl Read + Send + 'static) -> io::Result<Pipe> {
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        thread::Builder::new()
            .name("output".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                let mut buffer = vec![0; PIECE];
                while let Ok(count) = pipe.read(&mut buffer) {
                    if count == 0 || sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Pipe {
            pieces,
            rest: Vec::new(),
        })
    }

    /// Waits for more; 0 is the end. Nothing is lost if this is given up.
    #[expect(clippy::unnecessary_wraps, reason = "Unix can fail here")]
    pub(in super::super) async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.pieces.recv().await.unwrap_or_default();
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.drain(..count);
        Ok(count)
    }

    /// What a process that has died left in the pipe; 0: no more.
    pub(in super::super) async fn read_left(&mut self, buffer: &mut [u8]) -> usize {
        tokio::time::timeout(END_WITHIN, self.read(buffer))
            .await
            .map_or(0, |read| read.unwrap_or(0))
    }
}
