//! Finding the files of a run and reading each, whatever form it has.

mod ahead;
mod content;
mod document;
mod patient;
mod prefix;
mod split;
#[cfg(test)]
mod tests;
mod unpack;
mod value;
mod window;

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub(crate) use self::ahead::Ahead;
use self::ahead::Failed;
use self::content::ReadError;
use self::unpack::unpack;
use crate::error::Error;
use crate::files::shown;
use crate::intake::Intake;
use crate::progress::Progress;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File {
        /// Where.
        path: PathBuf,
        /// How long; 0 for pipes.
        bytes: u64,
    },
}

impl Input {
    /// What to call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File { path, .. } => shown(path),
        }
    }

    /// How long it is; `None` when that cannot be known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::File { bytes, .. } if *bytes > 0 => Some(*bytes),
            _ => None,
        }
    }

    /// Reads it to its end, from `ahead` where others have read it already.
    pub(crate) fn read(
        &self,
        ahead: Option<&mut Ahead<'_>>,
        intake: &mut Intake<'_>,
        progress: &Progress,
    ) -> Result<(), Error> {
        let name = self.name();
        intake.open_file(&name);
        let unpacked = match ahead {
            Some(ahead) => ahead.next(),
            None => self
                .open(progress)
                .map_err(Failed::Open)
                .and_then(|raw| unpack(progress.watch(raw)).map_err(Failed::Read)),
        };
        let read = match unpacked {
            Ok(unpacked) => content::read(unpacked, intake, progress),
            Err(Failed::Open(source)) => return Err(Error::Open { path: name, source }),
            Err(Failed::Read(source)) => Err(ReadError::Input(source)),
        };
        intake.close_file()?;
        match read {
            Ok(()) => Ok(()),
            Err(ReadError::Run(error)) => Err(error),
            Err(ReadError::Input(source)) => Err(Error::Read { path: name, source }),
        }
    }

    fn open(&self, progress: &Progress) -> io::Result<Box<dyn Read + Send>> {
        match self {
            Self::Stdin => patient::stdin(progress),
            Self::File { path, .. } => patient::open(path, progress),
        }
    }
}

/// The files that `paths` stand for: files as given, folders with all that is in them, sorted by path. `-` is standard
/// input. Inside folders, what is hidden (a name that begins with a dot) and what is no file is left out.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Input>, Error> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
            continue;
        }
        let open = |source| Error::Open { path: shown(path), source };
        let found = fs::metadata(path).map_err(open)?;
        if found.is_dir() {
            let mut files = Vec::new();
            walk(path, 0, &mut files)?;
            files.sort();
            inputs.extend(files.into_iter().map(|(path, bytes)| Input::File { path, bytes }));
        } else {
            inputs.push(Input::File { path: path.clone(), bytes: found.len() });
        }
    }
    Ok(inputs)
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<(PathBuf, u64)>) -> Result<(), Error> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(Error::TooDeep { path: shown(folder), max: FOLDER_DEPTH_MAX });
    }
    let open = |source| Error::Open { path: shown(folder), source };
    for entry in fs::read_dir(folder).map_err(open)? {
        let entry = entry.map_err(open)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A link to a folder is not followed: it may lead back here. A link to a file is.
        let path = entry.path();
        if entry.file_type().map_err(open)?.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if let Ok(found) = fs::metadata(&path)
            && found.is_file()
        {
            files.push((path, found.len()));
        }
    }
    Ok(())
}

/// Folders inside folders. Log archives go by account, Region, year, month, day, hour: ten.
const FOLDER_DEPTH_MAX: usize = 64;
