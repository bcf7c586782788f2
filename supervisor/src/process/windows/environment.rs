//! The environment as Windows wants it: one block of `NAME=value` texts, in order, where `Path` and `PATH` are the
//! same name.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    os::windows::ffi::OsStrExt,
};

const EQUALS: u16 = b'=' as u16;

/// Ours with these added. Where a name comes twice the last one counts.
pub(super) struct Environment(BTreeMap<Vec<u16>, (OsString, OsString)>);

impl Environment {
    pub(super) fn new<'a>(
        added: impl Iterator<Item = (&'a OsStr, &'a OsStr)>,
    ) -> io::Result<Environment> {
        let mut all = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            all.insert(folded(&name), (name, value));
        }
        for (name, value) in added {
            let is_name = !name.is_empty() && !name.encode_wide().any(|unit| unit == EQUALS);
            if !is_name
                || name
                    .encode_wide()
                    .chain(value.encode_wide())
                    .any(|unit| unit == 0)
            {
                let what = format!("its environment cannot have `{}`", name.to_string_lossy());
                return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
            }
            all.insert(folded(name), (name.to_owned(), value.to_owned()));
        }
        Ok(Environment(all))
    }

    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        let found = self.0.get(&folded(OsStr::new(name)));
        found.map(|(_, value)| value.as_os_str())
    }

    /// The block, with its two zeros at the end.
    pub(super) fn block(&self) -> Vec<u16> {
        let mut block = Vec::new();
        for (name, value) in self.0.values() {
            block.extend(name.encode_wide());
            block.push(EQUALS);
            block.extend(value.encode_wide());
            block.push(0);
        }
        if block.is_empty() {
            block.push(0);
        }
        block.push(0);
        block
    }
}

/// A name as it is compared: each unit by itself in upper case, as Windows does it.
fn folded(name: &OsStr) -> Vec<u16> {
    name.encode_wide().map(upper).collect()
}

fn upper(unit: u16) -> u16 {
    let Some(letter) = char::from_u32(unit.into()) else {
        return unit;
    };
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => u16::try_from(u32::from(one)).unwrap_or(unit),
        _ => unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(added: &[(&str, &str)]) -> io::Result<Environment> {
        Environment::new(
            added
                .iter()
                .map(|(name, value)| (OsStr::new(*name), OsStr::new(*value))),
        )
    }

    #[test]
    fn a_name_is_the_same_in_upper_and_in_lower_case() {
        let environment = with(&[("Größe_x", "1"), ("GRÖßE_X", "2")]).unwrap();
        assert_eq!(environment.get("größe_x"), Some(OsStr::new("2")));
        let block = String::from_utf16(&environment.block()).unwrap();
        assert_eq!(
            block.matches("ße_x=").count() + block.matches("ßE_X=").count(),
            1
        );
        assert!(block.ends_with("\0\0"));
    }

    #[test]
    fn what_cannot_be_in_an_environment_is_an_error_that_names_it() {
        let error = with(&[("A=B", "1")]).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "its environment cannot have `A=B`");
        assert!(with(&[("A", "1\0B=2")]).is_err());
    }
}
