//! Each byte of the input is a choice of what is called next, and with what. Where STANDIN_FUZZ_ENDPOINT says, there is a
//! service; what that answers is as good as its workers are.

#![no_main]

#[path = "../driver.rs"]
mod driver;

use driver::{Choices, drive};
use libfuzzer_sys::fuzz_target;

struct Input<'a>(std::slice::Iter<'a, u8>);

impl Choices for Input<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }
}

fuzz_target!(|input: &[u8]| {
    let endpoint =
        std::env::var("STANDIN_FUZZ_ENDPOINT").unwrap_or_else(|_| "/no/service".to_owned());
    drive(&endpoint, &mut Input(input.iter()), usize::MAX, 1);
});
