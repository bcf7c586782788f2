//! The command line as a client of the service.

use standin_client::{Connect, Endpoint, OpenError, blocking::Client};

use super::{CommandError, options::ServiceOptions};
use crate::config::Settings;

/// Connects to the service that the options mean.
pub(super) fn connect(options: &ServiceOptions) -> Result<Client, CommandError> {
    // The log of the service says so of whoever says hello.
    let mut connect = Connect::new().name("standin").limit(options.wait.0);
    if let Some(endpoint) = endpoint(options) {
        connect = connect.endpoint(Endpoint::parse(&endpoint).map_err(OpenError::Endpoint)?);
    }
    Ok(Client::open(connect)?)
}

/// `--endpoint`, the variable, or what the configuration says: a service that was started with the same configuration
/// listens there. `None`: the usual places.
fn endpoint(options: &ServiceOptions) -> Option<String> {
    let given = options
        .endpoint
        .clone()
        .filter(|endpoint| !endpoint.is_empty());
    given.or_else(|| {
        // A client need not be able to read the service's file; then the usual places are as good a guess as any.
        let settings = Settings::load(None).ok()?;
        Some(settings.endpoint.path).filter(|path| !path.is_empty())
    })
}
