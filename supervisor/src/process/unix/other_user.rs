//! A worker that runs as another user than the service: what the service gives it along, and how its launcher, while it is
//! the only thread of a process that nobody else knows yet, gives up being root for good.

use std::{ffi::OsString, io, path::Path, process::Command};

use nix::unistd::{
    Gid, Uid, User, fchown, getegid, geteuid, getgid, getuid, initgroups, setresgid, setresuid,
};

/// As whom the launcher is to go on: the user's number, and behind it ` home` if it is to go to the user's folder.
const VARIABLE: &str = "STANDIN_RUN_AS";

/// What of the service's environment may be of use to a user and tells nothing of root.
const KEPT: [&str; 4] = ["PATH", "LANG", "LANGUAGE", "TZ"];

/// Lets nothing of the service's environment through but what is harmless, and says as whom to go on.
pub(super) fn prepare(command: &mut Command, user: u32, stays_in_folder: bool) {
    command.env_clear();
    let kept = |name: &OsString| {
        let name = name.to_string_lossy();
        KEPT.contains(&&*name) || name.starts_with("LC_")
    };
    command.envs(std::env::vars_os().filter(|(name, _)| kept(name)));
    let home = if stays_in_folder { "" } else { " home" };
    command.env(VARIABLE, format!("{user}{home}"));
    if !stays_in_folder {
        command.current_dir("/");
    }
}

/// Becomes the user that the service named, if it named one. Everything that only root may do has been done by now.
pub(super) fn become_it(command: &mut Command) -> io::Result<()> {
    command.env_remove(VARIABLE);
    let Some(wanted) = std::env::var_os(VARIABLE) else {
        return Ok(());
    };
    let wanted = wanted.to_string_lossy();
    let (number, goes_home) = match wanted.split_once(' ') {
        Some((number, _)) => (number, true),
        None => (&*wanted, false),
    };
    let number = number.parse().map_err(io::Error::other)?;
    let user = User::from_uid(Uid::from_raw(number))?;
    let user = user.ok_or_else(|| {
        let why = format!("the machine knows no user with the number {number}");
        io::Error::new(io::ErrorKind::NotFound, why)
    })?;
    give_up_root(&user)?;
    let home = Some(&*user.dir).filter(|home| home.is_dir());
    if goes_home {
        // One that cannot be entered is as good as none.
        let _ = home.map(std::env::set_current_dir);
    }
    let own = [
        (
            "HOME",
            home.unwrap_or(Path::new("/")).as_os_str().to_owned(),
        ),
        ("USER", user.name.clone().into()),
        ("LOGNAME", user.name.clone().into()),
        ("SHELL", user.shell.clone().into_os_string()),
    ];
    // What is there comes from the pool's settings.
    let missing = own
        .into_iter()
        .filter(|(name, _)| std::env::var_os(name).is_none());
    command.envs(missing);
    Ok(())
}

fn give_up_root(user: &User) -> io::Result<()> {
    // A program may want to open what it prints into by name, such as /dev/stderr.
    fchown(io::stdout(), Some(user.uid), Some(user.gid))?;
    fchown(io::stderr(), Some(user.uid), Some(user.gid))?;
    let name = std::ffi::CString::new(user.name.as_str()).map_err(io::Error::other)?;
    initgroups(&name, user.gid)?;
    setresgid(user.gid, user.gid, user.gid)?;
    setresuid(user.uid, user.uid, user.uid)?;
    let is_it = [getuid(), geteuid()] == [user.uid; 2] && [getgid(), getegid()] == [user.gid; 2];
    let root = Uid::from_raw(0);
    let is_final = user.uid.is_root() || setresuid(root, root, root).is_err();
    if is_it && is_final && (user.uid.is_root() || !holds_root_group(user.gid)) {
        Ok(())
    } else {
        Err(io::Error::other("the rights of root could not be given up"))
    }
}

/// Whether the effective group is still root's though the user's is another.
fn holds_root_group(own: Gid) -> bool {
    own.as_raw() != 0 && getegid().as_raw() == 0
}
