//! The client against a service that is written by hand here and says what no real one would. What a real service and
//! real workers do is tested in the chaos suite.
#![cfg(unix)]

mod acks;
mod blocking;
mod callbacks;
mod calls;
mod cancelling;
mod connecting;
mod cuts;
mod fake;
mod leaving;
mod losing;
mod outages;
mod resuming;
mod sessions;
mod sizes;
