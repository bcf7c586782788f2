//! Why a worker died. Who gets the blame hangs on it.

/// Why we ended a worker ourselves, mild to severe. It is noted before the kill, so that the death is never taken
/// for somebody else's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KillReason {
    /// Its pool needs fewer workers, or it is due to be replaced.
    Retired,
    /// The service or the pool stops.
    Stopping,
    /// It was asked to end and did not.
    IgnoredDrain,
    /// It said nothing within its start time.
    StartTimeout,
    /// A request ran past its deadline in it.
    Deadline,
    /// It broke the protocol.
    ProtocolViolation,
    /// A fault of the service's own lost track of it; nothing that ran in it is to blame.
    Fault,
}

/// How a worker's life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It could not even be started.
    NotStarted,
    /// We killed it.
    KilledByUs(KillReason),
    /// It ended by itself with this exit code.
    Exited(i32),
    /// It ended with an exit code that programs choose themselves and Windows' tools give to what they end; nothing
    /// tells which it was.
    ExitedOrKilled(i32),
    /// A signal or exception that a program brings upon itself: a segmentation fault, an abort.
    Crashed(i32),
    /// The machine or its limits ran out of memory.
    OutOfMemory,
    /// Somebody else killed it, by this signal.
    KilledByStranger(i32),
    /// It lives, but closed its pipe; it is killed for it.
    ClosedItsPipe,
}

impl Cause {
    /// Whether the worker brought the death upon itself, so that what it was doing may be why.
    #[must_use]
    pub const fn is_crash(self) -> bool {
        match self {
            Cause::Exited(_)
            | Cause::ExitedOrKilled(_)
            | Cause::Crashed(_)
            | Cause::OutOfMemory
            | Cause::ClosedItsPipe => true,
            Cause::KilledByUs(reason) => matches!(reason, KillReason::ProtocolViolation),
            Cause::NotStarted | Cause::KilledByStranger(_) => false,
        }
    }

    /// Whether somebody else may have killed it. A request is not held guilty for such a death as it is for a crash.
    #[must_use]
    pub const fn is_perhaps_a_strangers(self) -> bool {
        matches!(self, Cause::KilledByStranger(_) | Cause::ExitedOrKilled(_))
    }

    /// Whether we wanted the worker gone, and nothing was wrong with its work.
    #[must_use]
    pub const fn was_meant(self) -> bool {
        use KillReason::{IgnoredDrain, Retired, Stopping};
        matches!(self, Cause::KilledByUs(Retired | Stopping | IgnoredDrain))
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cause::NotStarted => f.write_str("could not be started"),
            Cause::KilledByUs(KillReason::Retired) => f.write_str("retired"),
            Cause::KilledByUs(KillReason::Stopping) => f.write_str("stopped with its pool"),
            Cause::KilledByUs(KillReason::IgnoredDrain) => {
                f.write_str("killed by Standin: it did not end when asked")
            }
            Cause::KilledByUs(KillReason::StartTimeout) => {
                f.write_str("killed by Standin: it was not ready within its start time")
            }
            Cause::KilledByUs(KillReason::Deadline) => {
                f.write_str("killed by Standin: a call ran past its time in it")
            }
            Cause::KilledByUs(KillReason::Fault) => {
                f.write_str("killed by Standin after a fault of Standin's own")
            }
            Cause::KilledByUs(KillReason::ProtocolViolation) => {
                f.write_str("killed by Standin: it broke the protocol")
            }
            // What a Rust program that panics ends with.
            Cause::Exited(101) => f.write_str("ended by itself with exit code 101 (a panic)"),
            Cause::Exited(code) => write!(f, "ended by itself with exit code {code}"),
            Cause::ExitedOrKilled(code) => {
                write!(
                    f,
                    "ended with exit code {code}, by itself or killed from outside"
                )
            }
            Cause::Crashed(signal) => write!(f, "crashed with {}", signal_words(*signal)),
            Cause::OutOfMemory => f.write_str("ended for want of memory"),
            Cause::KilledByStranger(signal) => {
                write!(f, "killed from outside with {}", signal_words(*signal))
            }
            Cause::ClosedItsPipe => f.write_str("closed its pipe to Standin and was ended"),
        }
    }
}

/// A signal as an administrator knows it.
fn signal_words(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        31 => "SIGSYS",
        signal if !(0..=1000).contains(&signal) => return exception_words(signal.cast_unsigned()),
        _ => return format!("signal {signal}"),
    };
    format!("{name} (signal {signal})")
}

/// An exception of Windows. Its codes stand where signals do.
fn exception_words(code: u32) -> String {
    let name = match code {
        0x4001_0004 => "an end ordered by the system",
        0x8000_0003 => "a breakpoint",
        0xc000_0005 => "an access violation",
        0xc000_0006 => "an error of the disk under its memory",
        0xc000_001d => "an illegal instruction",
        0xc000_0094 => "a division by zero",
        0xc000_0096 => "a privileged instruction",
        0xc000_00fd => "a stack overflow",
        0xc000_007b => "a DLL of the wrong kind",
        0xc000_0135 => "a missing DLL",
        0xc000_0139 => "a DLL that lacks a function",
        0xc000_013a => "Ctrl-C",
        0xc000_0142 => "a DLL that could not begin",
        0xc000_0374 => "a damaged heap",
        0xc000_0409 => "an abort or an overrun buffer",
        0xc000_0417 => "a wrong argument to its C library",
        0xe043_4352 => "an exception of .NET that nobody caught",
        0xe06d_7363 => "an exception of C++ that nobody caught",
        _ => return format!("exception {code:#010x}"),
    };
    format!("{name} ({code:#010x})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_worker_brings_upon_itself_is_a_crash() {
        use KillReason::{
            Deadline, Fault, IgnoredDrain, ProtocolViolation, Retired, StartTimeout, Stopping,
        };
        let own_doing = [
            Cause::Exited(0),
            Cause::Exited(1),
            Cause::ExitedOrKilled(1),
            Cause::Crashed(11),
            Cause::OutOfMemory,
            Cause::ClosedItsPipe,
            Cause::KilledByUs(ProtocolViolation),
        ];
        assert!(own_doing.iter().all(|cause| cause.is_crash()));
        let others_doing = [
            Cause::NotStarted,
            Cause::KilledByStranger(9),
            Cause::KilledByUs(Retired),
            Cause::KilledByUs(Stopping),
            Cause::KilledByUs(IgnoredDrain),
            Cause::KilledByUs(StartTimeout),
            Cause::KilledByUs(Deadline),
            Cause::KilledByUs(Fault),
        ];
        assert!(!others_doing.iter().any(|cause| cause.is_crash()));
        let meant = others_doing.iter().filter(|cause| cause.was_meant());
        assert_eq!(meant.count(), 3, "retired, stopping, ignored the drain");
    }

    #[test]
    fn a_death_is_told_in_an_administrators_words() {
        let told = |cause: Cause| cause.to_string();
        assert_eq!(told(Cause::Exited(3)), "ended by itself with exit code 3");
        assert_eq!(told(Cause::Crashed(11)), "crashed with SIGSEGV (signal 11)");
        assert_eq!(
            told(Cause::KilledByStranger(40)),
            "killed from outside with signal 40"
        );
        assert_eq!(
            told(Cause::KilledByStranger(0x4001_0004)),
            "killed from outside with an end ordered by the system (0x40010004)"
        );
        assert_eq!(
            told(Cause::KilledByUs(KillReason::Deadline)),
            "killed by Standin: a call ran past its time in it"
        );
    }

    #[test]
    fn an_exit_code_of_windows_is_told_in_words() {
        let crashed = |code: u32| Cause::Crashed(code.cast_signed()).to_string();
        for (code, words) in [
            (0xc000_0005, "an access violation (0xc0000005)"),
            (0xc000_00fd, "a stack overflow (0xc00000fd)"),
            (0xc000_0135, "a missing DLL (0xc0000135)"),
            (0xc000_0142, "a DLL that could not begin (0xc0000142)"),
            (0xc000_0374, "a damaged heap (0xc0000374)"),
            (0xc000_0409, "an abort or an overrun buffer (0xc0000409)"),
            (0xc000_0420, "exception 0xc0000420"),
        ] {
            assert_eq!(crashed(code), format!("crashed with {words}"));
        }
        let stopped = Cause::KilledByStranger(0xc000_013a_u32.cast_signed());
        assert_eq!(
            stopped.to_string(),
            "killed from outside with Ctrl-C (0xc000013a)"
        );
        assert_eq!(
            Cause::Exited(101).to_string(),
            "ended by itself with exit code 101 (a panic)"
        );
        assert_eq!(
            Cause::ExitedOrKilled(1).to_string(),
            "ended with exit code 1, by itself or killed from outside"
        );
    }
}
