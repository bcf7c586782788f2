//! Users and groups: by name, and those of whoever is at the other end of a socket.

use std::io;

use nix::unistd::{Group, User};

use super::Stream;
use crate::{Endpoint, Peer};

/// A number is itself, whether anybody has it or not.
pub(crate) fn user_id(user: &str) -> Option<String> {
    let number = user.parse().ok().or_else(|| {
        let found = User::from_name(user).ok()?;
        found.map(|user| user.uid.as_raw())
    });
    number.map(|number: u32| number.to_string())
}

pub(crate) fn group_id(group: &str) -> Option<String> {
    let number = group.parse().ok().or_else(|| {
        let found = Group::from_name(group).ok()?;
        found.map(|group| group.gid.as_raw())
    });
    number.map(|number: u32| number.to_string())
}

/// The socket's file has been closed to all but its owner.
pub(crate) fn give_to(endpoint: &Endpoint, user: &str) -> io::Result<()> {
    let number = user.parse().map_err(io::Error::other)?;
    std::os::unix::fs::chown(endpoint.as_path(), Some(number), None)
}

/// As they were when it connected.
#[cfg(target_os = "linux")]
pub(crate) fn groups(stream: &Stream, _peer: &Peer) -> io::Result<Vec<String>> {
    let own = rustix::net::sockopt::socket_peercred(stream)?.gid.as_raw();
    let mut groups = supplementary(stream)?;
    groups.push(own);
    Ok(groups.iter().map(u32::to_string).collect())
}

#[cfg(target_os = "linux")]
fn supplementary(stream: &Stream) -> io::Result<Vec<u32>> {
    use std::os::fd::{AsFd, AsRawFd};
    let mut groups = vec![0u32; 32];
    loop {
        let mut size = size_of_val(groups.as_slice()) as libc::socklen_t;
        // SAFETY: the socket is open, and the pointers are to live values, the first of the size told.
        let got = unsafe {
            libc::getsockopt(
                stream.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        let count = size as usize / size_of::<u32>();
        if got == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // It says how many there are.
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// Those that the machine's directory tells of the user.
#[cfg(not(target_os = "linux"))]
pub(crate) fn groups(_stream: &Stream, peer: &Peer) -> io::Result<Vec<String>> {
    let number = peer.user.parse().map_err(io::Error::other)?;
    let user = User::from_uid(nix::unistd::Uid::from_raw(number))?;
    let user = user.ok_or(io::ErrorKind::NotFound)?;
    let mut groups = vec![user.gid.to_string()];
    let file = std::fs::read_to_string("/etc/group")?;
    groups.extend(file.lines().filter_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let is_member = fields.get(3)?.split(',').any(|member| member == user.name);
        is_member.then(|| fields[2].to_owned())
    }));
    Ok(groups)
}
