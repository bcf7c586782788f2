//! One connected pipe or socket, and who is at the other end.

use std::{io, sync::Arc};

use bytes::BytesMut;

use crate::platform;

/// Who is at the other end of a connection, as the operating system says; not what the other end says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its process. It may have ended since, so this is for logs and first checks only.
    pub pid: Option<u32>,
    /// The user: a number on Unix, a SID on Windows, empty where the system would not say.
    pub user: String,
    /// On Windows the session of the Terminal Server that it belongs to. Nothing elsewhere.
    pub terminal_session: Option<u32>,
    /// On Windows whether the user is an administrator here and now. Elsewhere the user says it.
    pub is_administrator: bool,
}

/// A connection. Clones are the same connection; it closes when the last one goes.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    stream: platform::Stream,
    peer: Peer,
}

/// The user of this process, as [`Peer::user`] would tell it to another.
#[must_use]
pub fn own_user() -> String {
    platform::own_user().to_owned()
}

/// A user as [`Peer::user`] tells it, by name or by what it is told as already. `None`: the machine knows no such user.
#[must_use]
pub fn user_id(user: &str) -> Option<String> {
    platform::user_id(user)
}

/// A group as [`Connection::groups`] tells it, by name or by what it is told as already. `None`: the machine knows no such
/// group.
#[must_use]
pub fn group_id(group: &str) -> Option<String> {
    platform::group_id(group)
}

impl Connection {
    pub(crate) fn new(stream: platform::Stream, peer: Peer) -> Self {
        Self(Arc::new(Ends { stream, peer }))
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// The groups of whoever is at the other end: numbers on Unix, SIDs on Windows, of those that are in force. Asked of a
    /// server's end, and on Windows only after something was read from it.
    ///
    /// # Errors
    /// The system would not say.
    pub fn groups(&self) -> io::Result<Vec<String>> {
        platform::groups(&self.0.stream, &self.0.peer)
    }

    /// Reads what there is, at most as much as `buffer` has room for. 0: the stream has ended.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn read_into(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        platform::read_into(&self.0.stream, buffer).await
    }

    /// Reads what there is into a place that belongs to the thread, so that a connection that waits holds no buffer.
    /// Nothing: the stream has ended.
    ///
    /// # Errors
    /// The connection is broken.
    pub(crate) async fn read_bytes(&self) -> io::Result<BytesMut> {
        platform::read_bytes(&self.0.stream).await
    }

    /// Writes as much of the pieces as there is room for, and says how much. `None`: there is none.
    ///
    /// # Errors
    /// The connection is broken.
    pub(crate) fn try_write(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<Option<usize>> {
        platform::try_write(&self.0.stream, pieces)
    }

    /// Waits for room to write.
    ///
    /// # Errors
    /// The connection is broken.
    pub(crate) async fn writable(&self) -> io::Result<()> {
        platform::writable(&self.0.stream).await
    }
}
