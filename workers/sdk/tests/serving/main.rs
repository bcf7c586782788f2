//! What a worker built with the SDK promises the service, seen from the service's end of a real endpoint.

mod asking;
mod ending;
mod process;
mod service;
mod speaking;
