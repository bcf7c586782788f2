//! The side of a connection that is written.

use std::io;

use standin_protocol::Frame;
use standin_transport::MessageWriter;
use tokio::task::JoinHandle;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The other end closed it: nothing that is not written by now will be.
    Closed,
    /// This end gives it up, and what is still queued may yet arrive.
    GivenUp,
}

/// Counts what is put in, so that one knows later what cannot have arrived.
#[derive(Debug)]
pub(crate) struct Line {
    writer: MessageWriter,
    writing: JoinHandle<io::Result<()>>,
    frames: u64,
}

impl Line {
    pub(crate) fn new(writer: MessageWriter, writing: JoinHandle<io::Result<()>>) -> Self {
        Self {
            writer,
            writing,
            frames: 0,
        }
    }

    /// Puts a message behind the others; its place among all messages of the connection, from 1.
    pub(crate) fn write(&mut self, frame: Frame) -> u64 {
        self.frames += 1;
        self.writer.send(frame);
        self.frames
    }

    /// The connection is lost: the place of the last message that the other end may have got.
    pub(crate) fn end(self, ending: Ending) -> u64 {
        self.writing.abort();
        match ending {
            Ending::Closed => self.writer.frames_given(),
            Ending::GivenUp => u64::MAX,
        }
    }

    /// Nothing more is put in: the work of writing the rest.
    pub(crate) fn finish(self) -> JoinHandle<io::Result<()>> {
        self.writing
    }
}
