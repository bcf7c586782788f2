//! Who may connect to an endpoint.

/// The rights on an endpoint. On Unix a file mode and a group; on Windows the descriptor of `platform/windows.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The permission bits of the socket file; who may write may connect.
    pub mode: u32,
    /// The group that the socket file is given to, by name or number.
    pub group: Option<String>,
}

impl Default for Access {
    /// The owner alone.
    fn default() -> Self {
        Self {
            mode: 0o600,
            group: None,
        }
    }
}

impl Access {
    /// These permission bits, and that group if there is one.
    #[must_use]
    pub fn new(mode: u32, group: Option<String>) -> Self {
        Self { mode, group }
    }
}
