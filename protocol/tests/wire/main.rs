//! The wire as a stranger sees it: golden bytes, an independent decoder, streams cut anywhere, hostile bytes, and the
//! page that describes it all.

mod allocation;
mod annotated;
mod any;
mod bounds;
mod document;
mod golden;
mod independent;
mod reading;
mod round_trip;
mod second_opinion;
mod splitting;
