//! The functions of Standin's C library. What they promise is said in `clients/c/include/standin.h`; what a C program can
//! do wrong with them is an error and never a crash, as far as a function can tell.
//!
//! - `exports/` has the functions themselves: pointers become slices there, and results codes. All of them go through
//!   `guard`, which catches panics.
//! - `handles` is the table of what programs hold. It knows what was made before a fork.
//! - `client`, `call`, `callback` are what handles name. They have no thread: what there is to do on a connection is done
//!   while a program waits.
//! - `node` is a value that is being built, `view` one that is read; `path` leads through both, `json` writes and reads
//!   both.
//! - `codepage` is between the program's texts and UTF-8.

pub mod exports;

mod call;
mod callback;
mod client;
mod clock;
mod code;
mod codepage;
mod failure;
mod guard;
mod handles;
mod inbox;
mod json;
mod node;
mod path;
mod pin;
mod pointers;
mod view;
