//! `--memory` and `--save-memory`: a snapshot of a cluster, or what an earlier run learned.

use std::io::Write;
use std::path::Path;

use rolewatch_analyzer::memory::{Fact, Memory};
use rolewatch_analyzer::text::name;
use rolewatch_analyzer::{snapshot, wire};

use crate::error::Error;
use crate::files::{self, Readers, shown};
use crate::summary::counted;

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
        (_, []) => return Err(Error::NoCluster { path: shown }),
        _ => {
            let known = known.iter().map(|known| format!("`{}`", name(known))).collect::<Vec<_>>().join(", ");
            return Err(Error::WhichCluster { path: shown, known });
        }
    };
    writeln!(
        err,
        "note: `{shown}` holds only roles and bindings changed while it was logging; others are missing from this answer"
    )?;
    Ok((memory, one))
}

fn load_snapshot(shown: &str, bytes: &[u8], cluster: &str, err: &mut dyn Write) -> Result<Memory, Error> {
    let mut memory = Memory::default();
    let loaded = snapshot::load(bytes, cluster, &mut memory)
        .map_err(|reason| Error::Snapshot { path: shown.to_owned(), reason })?;
    for (count, what) in [(loaded.unreadable, "could not be read"), (loaded.dropped, "found no room in memory")] {
        if count > 0 {
            let objects = counted(count, "object", "objects");
            writeln!(err, "note: {objects} of `{shown}` {what}; answers may lack what they give")?;
        }
    }
    Ok(memory)
}

fn load_memory(shown: &str, bytes: &[u8], err: &mut dyn Write) -> Result<Memory, Error> {
    let mut memory = Memory::default();
    let loaded = wire::load(bytes, &mut memory).map_err(|reason| Error::Memory { path: shown.to_owned(), reason })?;
    if loaded.ignored > 0 {
        let entries = counted(loaded.ignored, "entry", "entries");
        writeln!(err, "note: {entries} of `{shown}` could not be read; alerts may have less to say")?;
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
    let read = files::read(path, FILE_BYTES_MAX).map_err(|source| Error::Open { path: shown(path), source })?;
    read.ok_or_else(|| Error::SnapshotTooLarge { path: shown(path), max: FILE_BYTES_MAX })
}

/// Writes what is known to `path`.
pub(crate) fn save(path: &Path, memory: &Memory) -> Result<(), Error> {
    files::replace(path, &wire::save(memory), Readers::Owner)
        .map_err(|source| Error::SaveMemory { path: shown(path), source })
}

/// Fails where [`save`] would, before hours of logs are read.
pub(crate) fn probe(path: &Path) -> Result<(), Error> {
    files::probe(path).map_err(|source| Error::SaveMemory { path: shown(path), source })
}

/// The largest file read: every ConfigMap of a large cluster.
const FILE_BYTES_MAX: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use super::{Error, FILE_BYTES_MAX, read};

    #[test]
    fn a_file_at_its_limit_is_read_and_one_past_it_is_refused() {
        // Sparse: it takes no room on the disk.
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(FILE_BYTES_MAX).unwrap();
        assert_eq!(read(file.path()).map(|bytes| bytes.len()).ok(), usize::try_from(FILE_BYTES_MAX).ok());
        file.as_file().set_len(FILE_BYTES_MAX + 1).unwrap();
        assert!(matches!(read(file.path()), Err(Error::SnapshotTooLarge { max: FILE_BYTES_MAX, .. })));
    }
}
