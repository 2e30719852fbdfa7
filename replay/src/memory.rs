//! `--memory` and `--save-memory`: a snapshot of a cluster, or what an earlier run learned.

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use rolewatch_analyzer::memory::{Fact, Memory};
use rolewatch_analyzer::text::{name, printable};
use rolewatch_analyzer::{snapshot, wire};

use crate::error::Error;
use crate::summary::grouped;

/// Loads the memory or the snapshot at `path`. A snapshot is one of `cluster`; a memory says itself what it is about.
/// What could not be taken is said on `err`.
pub(crate) fn load(path: &Path, cluster: &str, err: &mut dyn Write) -> Result<Memory, Error> {
    let shown = shown(path);
    let bytes = read(path)?;
    if wire::is_memory(&bytes) {
        return load_memory(&shown, &bytes, err);
    }
    if cluster.is_empty() {
        return Err(Error::SnapshotCluster { path: shown });
    }
    load_snapshot(&shown, &bytes, cluster, err)
}

/// Loads the memory or the snapshot at `path` to ask it about one cluster, which the second value names.
pub(crate) fn load_one(path: &Path, cluster: Option<&str>, err: &mut dyn Write) -> Result<(Memory, String), Error> {
    let shown = shown(path);
    let bytes = read(path)?;
    if !wire::is_memory(&bytes) {
        let cluster = cluster.unwrap_or_default();
        return Ok((load_snapshot(&shown, &bytes, cluster, err)?, cluster.to_owned()));
    }
    let memory = load_memory(&shown, &bytes, err)?;
    let known = clusters(&memory);
    let one = match (cluster, known.as_slice()) {
        (Some(cluster), _) if known.iter().any(|known| known == cluster) => cluster.to_owned(),
        (None, [one]) => one.clone(),
        _ => {
            let known = known.iter().map(|known| format!("`{}`", name(known))).collect::<Vec<_>>().join(", ");
            return Err(Error::WhichCluster { path: shown, known });
        }
    };
    writeln!(err, "note: `{shown}` knows what was logged, and no role or binding that nobody changed meanwhile")?;
    Ok((memory, one))
}

fn load_snapshot(shown: &str, bytes: &[u8], cluster: &str, err: &mut dyn Write) -> Result<Memory, Error> {
    let mut memory = Memory::default();
    let loaded = snapshot::load(bytes, cluster, &mut memory)
        .map_err(|reason| Error::Snapshot { path: shown.to_owned(), reason })?;
    for (count, what) in [(loaded.unreadable, "could not be read"), (loaded.dropped, "found no room in memory")] {
        if count > 0 {
            writeln!(err, "note: {} objects of `{shown}` {what}; answers may lack what they give", grouped(count))?;
        }
    }
    Ok(memory)
}

fn load_memory(shown: &str, bytes: &[u8], err: &mut dyn Write) -> Result<Memory, Error> {
    let mut memory = Memory::default();
    let loaded = wire::load(bytes, &mut memory).map_err(|reason| Error::Memory { path: shown.to_owned(), reason })?;
    if loaded.ignored > 0 {
        let count = grouped(loaded.ignored);
        writeln!(err, "note: {count} entries of `{shown}` could not be read; alerts may have less to say")?;
    }
    if loaded.damaged {
        writeln!(err, "note: `{shown}` is damaged; what stands before the damage is known")?;
    }
    Ok(memory)
}

/// The clusters of which the memory knows objects.
fn clusters(memory: &Memory) -> Vec<String> {
    let objects = memory.facts().filter_map(|fact| match fact {
        Fact::Object(key, _) => Some(key.cluster),
        _ => None,
    });
    let mut clusters: Vec<String> = objects.collect();
    clusters.sort_unstable();
    clusters.dedup();
    clusters
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let open = |source| Error::Open { path: shown(path), source };
    let file = File::open(path).map_err(open)?;
    let too_large = || Error::SnapshotTooLarge { path: shown(path), max: FILE_BYTES_MAX };
    if file.metadata().map_err(open)?.len() > FILE_BYTES_MAX {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // A pipe has no length.
    let read = file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes);
    let length = read.map_err(|source| Error::Read { path: shown(path), source })?;
    if u64::try_from(length).is_ok_and(|length| length > FILE_BYTES_MAX) { Err(too_large()) } else { Ok(bytes) }
}

/// Writes what is known to `path`.
pub(crate) fn save(path: &Path, memory: &Memory) -> Result<(), Error> {
    replace(path, &wire::save(memory)).map_err(|source| Error::SaveMemory { path: shown(path), source })
}

/// Fails where [`save`] would, before hours of logs are read.
pub(crate) fn probe(path: &Path) -> Result<(), Error> {
    probe_place(path).map_err(|source| Error::SaveMemory { path: shown(path), source })
}

/// Puts a new file in the place of the one at `path`. There is the old one or the new one, whatever happens on the way.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)
}

/// Whether [`replace`] can write beside `path`.
pub(crate) fn probe_place(path: &Path) -> io::Result<()> {
    let new = beside(path);
    File::create(&new)?;
    fs::remove_file(new)
}

/// A file can only be put in the place of another on one disk.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".new");
    PathBuf::from(name)
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy(), 4096)
}

/// The largest file read: every ConfigMap of a large cluster.
const FILE_BYTES_MAX: u64 = 512 << 20;
