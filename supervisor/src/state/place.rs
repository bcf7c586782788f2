//! Where the state folder is.

use std::path::{Path, PathBuf};

use standin_transport::Endpoint;
use xxhash_rust::xxh3::xxh3_64;

use super::{StateError, platform};
use crate::config::Settings;

/// Who starts the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// The machine's service manager: there is one such service.
    Machine,
    /// A person or a script: there may be several, told apart by their endpoints.
    Somebody,
}

/// The folder of a service on `endpoint`: what the settings say, else the usual place of whoever runs it. A service that
/// is not on the usual endpoint has a folder of its own below that, so that two never meet in one.
pub(crate) fn place(
    settings: &Settings,
    endpoint: &Endpoint,
    keeper: Keeper,
) -> Result<PathBuf, StateError> {
    let named = &settings.state.dir;
    if !named.as_os_str().is_empty() {
        return Ok(named.clone());
    }
    let usual = platform::usual_folder(keeper)?;
    let is_usual = keeper == Keeper::Machine || *endpoint == Endpoint::default_for_user();
    Ok(match is_usual {
        true => usual,
        false => usual.join("endpoints").join(label(endpoint.as_path())),
    })
}

/// The end of the name, which people know it by, and a number for all of it.
fn label(endpoint: &Path) -> String {
    let name = endpoint.file_name().unwrap_or_default().to_string_lossy();
    let plain = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() || "-_.".contains(letter) => letter,
        _ => '_',
    };
    let name: String = name.chars().take(40).map(plain).collect();
    let number = xxh3_64(endpoint.as_os_str().as_encoded_bytes());
    format!("{name}-{:08x}", number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    const OTHER: [&str; 2] = ["/tmp/a/s.sock", "/tmp/b/s.sock"];
    #[cfg(windows)]
    const OTHER: [&str; 2] = [r"\\.\pipe\other", r"\\.\pipe\another"];

    fn at(endpoint: &Endpoint, keeper: Keeper) -> PathBuf {
        place(&Settings::default(), endpoint, keeper).expect("whoever tests has a home")
    }

    #[test]
    fn services_on_different_endpoints_have_different_folders() {
        let endpoints = OTHER.map(|endpoint| Endpoint::parse(endpoint).unwrap());
        let usual = at(&Endpoint::default_for_user(), Keeper::Somebody);
        let folders = endpoints.map(|endpoint| at(&endpoint, Keeper::Somebody));
        assert_ne!(folders[0], folders[1]);
        for folder in folders {
            assert!(folder.starts_with(&usual) && folder != usual, "{folder:?}");
        }
    }

    #[test]
    fn what_the_settings_say_is_taken_as_it_is() {
        let mut settings = Settings::default();
        settings.state.dir = PathBuf::from("/srv/standin");
        for keeper in [Keeper::Machine, Keeper::Somebody] {
            let endpoint = Endpoint::parse(OTHER[0]).unwrap();
            let folder = place(&settings, &endpoint, keeper).unwrap();
            assert_eq!(folder, Path::new("/srv/standin"));
        }
    }

    #[test]
    fn a_label_is_a_plain_name_however_strange_the_endpoint_is() {
        let long = "ü/".to_owned() + &"x".repeat(300) + " *?\n";
        let label = label(Path::new(&long));
        assert!(label.len() < 60, "{label}");
        assert!(!label.contains(['/', ' ', '*', '?', '\n']), "{label}");
    }
}
