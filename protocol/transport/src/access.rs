//! Who may connect to an endpoint.

use std::io;

use crate::platform;

/// Why a text is no security descriptor that an endpoint can have.
#[derive(Debug, thiserror::Error)]
pub enum DescriptorError {
    /// The system does not understand it.
    #[error(
        "the security descriptor `{text}` is not understood: {why}\n\
         (hint: it is written in SDDL, such as D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;IU))"
    )]
    NotUnderstood {
        /// What was given.
        text: String,
        /// What the system says.
        why: io::Error,
    },
    /// It names nobody, so that everybody on the network may do everything.
    #[error(
        "the security descriptor `{text}` has no list of who may do what\n\
         (hint: it begins with D:, such as D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x12019b;;;IU))"
    )]
    Open {
        /// What was given.
        text: String,
    },
}

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

    /// The same with a security descriptor that stands in for all the rest on Windows.
    #[must_use]
    pub fn with_descriptor(mut self, descriptor: Option<String>) -> Self {
        self.descriptor = descriptor;
        self
    }

    /// Whether a text is a security descriptor for an endpoint. Elsewhere than on Windows nobody can tell, and nothing
    /// comes of it.
    ///
    /// # Errors
    /// See [`DescriptorError`].
    pub fn check_descriptor(text: &str) -> Result<(), DescriptorError> {
        platform::check_descriptor(text)
    }
}
