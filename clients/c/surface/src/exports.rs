//! The functions themselves. `clients/c/include/standin.h` says what each promises; here pointers become slices, and
//! results codes.

pub mod build;
pub mod callbacks;
pub mod clients;
pub mod errors;
pub mod read;
pub mod run;

use std::{borrow::Cow, ffi::c_char};

use crate::{
    client::Client,
    codepage::Codepage,
    failure::Failure,
    handles::Object,
    path::{Step, parse},
    pointers,
};

/// Makes functions of C. What stands in their bodies may trust the pointers as far as the header asks for it.
macro_rules! exports {
    ($(fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block)*) => {$(
        #[doc = concat!("`", stringify!($name), "`, see the header.")]
        ///
        /// # Safety
        /// Every pointer is NULL or leads to what the header says, for as long as the call lasts.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $kind),*) -> i32 {
            // SAFETY: the caller promises that the pointers are what the header says.
            unsafe { $body }
        }
    )*};
}
use exports;

/// The same of functions without a pointer, which nobody can give wrong.
macro_rules! plain_exports {
    ($(fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block)*) => {$(
        #[doc = concat!("`", stringify!($name), "`, see the header.")]
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) -> i32 $body
    )*};
}
use plain_exports;

/// A text in the code page of the client.
///
/// # Safety
/// As for [`pointers::text`].
unsafe fn text<'a>(
    codepage: &Codepage,
    pointer: *const c_char,
    what: &str,
) -> Result<Cow<'a, str>, Failure> {
    // SAFETY: as the caller promises.
    codepage.text(unsafe { pointers::text(pointer, what) }?)
}

/// A path.
///
/// # Safety
/// As for [`pointers::text`].
unsafe fn path(client: &Client, pointer: *const c_char) -> Result<Vec<Step>, Failure> {
    // SAFETY: as the caller promises.
    parse(&unsafe { text(client.codepage(), pointer, "path") }?)
}

impl Object {
    fn codepage(&self) -> &Codepage {
        self.client().codepage()
    }
}
