//! The pipe of a worker's stdout or stderr. Such a pipe can only be read by waiting, so a thread does that.

use std::{
    fs::File,
    io::{self, Read},
    os::windows::io::{FromRawHandle, OwnedHandle},
    ptr::{null, null_mut},
    thread,
    time::Duration,
};

use tokio::sync::mpsc;
use windows_sys::Win32::System::Pipes::CreatePipe;

/// What a worker may have printed before it has to wait for us. The system's own choice is one page, a line or two of
/// some.
const CAPACITY: u32 = 64 * 1024;

/// Read at once by the thread.
const PIECE: usize = 8 * 1024;

/// Pieces that may wait. More is left in the pipe.
const PIECES_MAX: usize = 4;

/// After a death the job has ended all who hold the pipe, so its end is near; in case it is not, this is waited.
const END_WITHIN: Duration = Duration::from_millis(100);

/// Both ends of a new pipe. Neither is inherited unless somebody wants it to.
pub(super) struct Pair {
    pub(super) ours: File,
    pub(super) theirs: OwnedHandle,
}

pub(super) fn pair() -> io::Result<Pair> {
    let (mut ours, mut theirs) = (null_mut(), null_mut());
    // SAFETY: the pointers are to live values.
    if unsafe { CreatePipe(&raw mut ours, &raw mut theirs, null(), CAPACITY) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: both were just created and belong to nobody else.
    let (ours, theirs) = unsafe {
        (
            File::from_raw_handle(ours),
            OwnedHandle::from_raw_handle(theirs),
        )
    };
    Ok(Pair { ours, theirs })
}

/// What a process prints into.
#[derive(Debug)]
pub(in super::super) struct Pipe {
    pieces: mpsc::Receiver<Vec<u8>>,
    /// Read and not yet given.
    rest: Vec<u8>,
}

impl Pipe {
    pub(in super::super) fn new(mut pipe: File) -> io::Result<Pipe> {
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
