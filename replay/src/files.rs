//! Files that a run leaves behind: the old one or the new one stands there, whatever happens on the way.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rolewatch_analyzer::text::printable;
use tempfile::{Builder, NamedTempFile};

/// Who may read a file that was not there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner: it holds what a cluster was asked.
    Owner,
    /// Whomever the owner lets read new files: it is there to be sent.
    Others,
}

/// Puts a new file in the place of the one at `path`, behind a link in the place of what the link names. Who may read
/// the old one may read the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    match place(path)? {
        Place::Device => OpenOptions::new().write(true).open(path)?.write_all(bytes),
        Place::File { target, old } => {
            // Gone again where anything below fails.
            let mut file = beside(&target, readers)?;
            if let Some(old) = old {
                file.as_file().set_permissions(old)?;
            }
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(&target)?;
            Ok(())
        }
    }
}

/// Fails where [`replace`] would, before hours of logs are read.
pub(crate) fn probe(path: &Path) -> io::Result<()> {
    match place(path)? {
        Place::Device => OpenOptions::new().write(true).open(path).map(drop),
        Place::File { target, .. } => beside(&target, Readers::Owner).map(drop),
    }
}

/// Takes `path` for this run alone, by a file beside it that stays; nothing when another run has it. The lock ends
/// with the file that is returned, however the run ends.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    let target = match place(path)? {
        Place::Device => return Err(io::Error::other("not a file")),
        Place::File { target, .. } => target,
    };
    let mut name = target.into_os_string();
    name.push(".lock");
    let file = OpenOptions::new().create(true).append(true).open(name)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Everything in the file at `path`; nothing when it is longer than `max`.
pub(crate) fn read(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // Not by its length: a pipe has none.
    let length = File::open(path)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(u64::try_from(length).is_ok_and(|length| length <= max).then_some(bytes))
}

/// A path as it is shown.
pub(crate) fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), PATH_CHARS_MAX)
}

/// What stands at a path.
enum Place {
    /// A file, or nothing yet.
    File { target: PathBuf, old: Option<fs::Permissions> },
    /// A pipe, a terminal, `/dev/null`: nothing that another file may take the place of.
    Device,
}

fn place(path: &Path) -> io::Result<Place> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(found) if found.is_file() => {
            Ok(Place::File { target: fs::canonicalize(path)?, old: Some(found.permissions()) })
        }
        Ok(_) => Ok(Place::Device),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(path) {
            Ok(_) => Err(io::Error::other("a link that leads nowhere")),
            Err(_) if path.file_name().is_none() => Err(error),
            Err(_) => Ok(Place::File { target: path.to_owned(), old: None }),
        },
        Err(error) => Err(error),
    }
}

/// A new file in the folder of `target`: it can only be put in its place on one disk.
fn beside(target: &Path, readers: Readers) -> io::Result<NamedTempFile> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = Builder::new();
    builder.prefix(".rolewatch-").suffix(".new");
    #[cfg(unix)]
    if readers == Readers::Others {
        // Less what the umask takes. Without this it is 0600.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = readers;
    // The system's own words: with the path of the new file they would name one that nobody asked for.
    builder.tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))
}

/// Characters of a path that are shown; Linux allows 4,096 bytes.
const PATH_CHARS_MAX: usize = 4096;

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::{Readers, lock, probe, replace};

    #[test]
    fn a_file_keeps_its_neighbours_its_readers_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let [file, neighbour, link] = ["x.mem", "x.mem.new", "link"].map(|name| folder.path().join(name));
        fs::write(&neighbour, "mine").unwrap();
        probe(&file).unwrap();
        replace(&file, b"one", Readers::Owner).unwrap();
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("x.mem", &link).unwrap();
        replace(&link, b"two", Readers::Others).unwrap();
        assert_eq!((fs::read(&file).unwrap(), mode(&file)), (b"two".to_vec(), 0o640));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&neighbour).unwrap(), b"mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left behind");
    }

    #[test]
    fn what_cannot_be_replaced_is_refused_before_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let dangling = folder.path().join("dangling");
        symlink("nowhere", &dangling).unwrap();
        for path in [folder.path(), &dangling, &folder.path().join("no/such")] {
            assert!(probe(path).is_err() && replace(path, b"x", Readers::Owner).is_err(), "{}", path.display());
        }
        let null = std::path::Path::new("/dev/null");
        probe(null).unwrap();
        replace(null, b"x", Readers::Owner).unwrap();
        assert!(!fs::metadata(null).unwrap().is_file());
    }

    #[test]
    fn a_lock_is_for_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("prod.state");
        let first = lock(&state).unwrap();
        assert!(first.is_some() && lock(&state).unwrap().is_none());
        drop(first);
        assert!(lock(&state).unwrap().is_some() && !state.exists());
    }
}
