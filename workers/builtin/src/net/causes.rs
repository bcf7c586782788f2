//! Looking for the real cause in a chain of errors.

use std::{error::Error, io};

/// The innermost error of that type in the chain. What sits inside an `io::Error` counts too: its `source` skips it.
pub(crate) fn find_cause<'a, T: Error + 'static>(
    error: &'a (dyn Error + 'static),
) -> Option<&'a T> {
    let mut next = Some(error);
    let mut innermost = None;
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            innermost = Some(found);
        }
        let boxed = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match boxed {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    innermost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_found_inside_nested_io_errors() {
        let inner = rustls::Error::DecryptError;
        let wrapped = io::Error::other(io::Error::other(inner.clone()));
        assert_eq!(find_cause::<rustls::Error>(&wrapped), Some(&inner));
        assert!(find_cause::<std::fmt::Error>(&wrapped).is_none());
    }
}
