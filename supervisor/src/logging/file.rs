//! A log file of bounded size, for a service that has no standard error.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The log file and what is needed to begin the next one.
#[derive(Debug)]
pub(crate) struct LogFile(Mutex<Open>);

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    size: u64,
    size_max: u64,
}

impl LogFile {
    /// Goes on with the file, which is made if it is not there, as its folder is. When it has become as long as
    /// `size_max`, the next one begins; one old file is kept.
    pub(crate) fn open(path: &Path, size_max: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        Ok(Self(Mutex::new(Open {
            file,
            path: path.to_owned(),
            size,
            size_max,
        })))
    }
}

fn append(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

impl Open {
    /// A file that somebody holds cannot be renamed on Windows; then the log goes on in the one there is.
    fn begin_next(&mut self) -> io::Result<()> {
        self.size = 0;
        let mut old = self.path.clone().into_os_string();
        old.push(".old");
        if std::fs::rename(&self.path, old).is_ok() {
            self.file = append(&self.path)?;
        }
        Ok(())
    }
}

/// One event is one write.
impl Write for &LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.size >= open.size_max {
            open.begin_next()?;
        }
        open.file.write_all(line)?;
        open.size += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_goes_on_where_it_was() {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().join("log/standin.log");
        for line in ["one\n", "two\n", "three\n"] {
            // Each life of the service opens it anew.
            let file = LogFile::open(&path, 8).expect("it can be opened");
            (&file).write_all(line.as_bytes()).expect("there is room");
        }
        let old = path.with_extension("log.old");
        assert_eq!(
            std::fs::read_to_string(&path).expect("it is there"),
            "three\n"
        );
        assert_eq!(
            std::fs::read_to_string(old).expect("it is there"),
            "one\ntwo\n"
        );
    }
}
