//! Who may connect to an endpoint.

/// The rights on an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// On Unix the permission bits of the socket file; who may write may connect. Windows has no such thing.
    pub mode: u32,
    /// On Unix the group that the socket file is given to, by name or number. On Windows those who may read and write
    /// besides the users at a screen, by names or SIDs with commas between them: batch jobs and services are not at one.
    pub group: Option<String>,
    /// On Windows a security descriptor (SDDL) that stands in for all the rest. Nothing elsewhere.
    pub descriptor: Option<String>,
    /// Whether others than the owner are meant to connect at all.
    pub(crate) is_public: bool,
}

impl Default for Access {
    /// The owner alone.
    fn default() -> Self {
        Self {
            mode: 0o600,
            group: None,
            descriptor: None,
            is_public: false,
        }
    }
}

impl Access {
    /// An endpoint for others too: with these permission bits, and that group if there is one; on Windows for those at
    /// a screen, and that group.
    #[must_use]
    pub fn new(mode: u32, group: Option<String>) -> Self {
        Self {
            mode,
            group,
            descriptor: None,
            is_public: true,
        }
    }
}
