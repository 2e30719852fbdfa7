//! What may stay silent for hours, standard input or a named pipe: whoever waits for it still hears Ctrl-C.

#[cfg(not(unix))]
pub(super) use self::elsewhere::{open, stdin};
#[cfg(unix)]
pub(super) use self::unix::{open, stdin};

#[cfg(unix)]
mod unix {
    use std::fs::{self, File};
    use std::io::{self, Read};
    use std::os::fd::AsFd as _;
    use std::path::Path;
    use std::sync::mpsc::{RecvTimeoutError, sync_channel};
    use std::thread;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    use crate::progress::Progress;

    /// Standard input; reading fails once the run is to end.
    pub(crate) fn stdin(progress: &Progress) -> io::Result<Box<dyn Read + Send>> {
        // Not `io::stdin()`, which holds back bytes that no wait on the descriptor tells of.
        let file = io::stdin().as_fd().try_clone_to_owned()?.into();
        Ok(Box::new(Patient { file, progress: progress.clone() }))
    }

    /// The file at `path`. Of a pipe, or whatever else is no plain file, opening and reading fail once the run is to end.
    pub(crate) fn open(path: &Path, progress: &Progress) -> io::Result<Box<dyn Read + Send>> {
        if fs::metadata(path)?.is_file() {
            return Ok(Box::new(File::open(path)?));
        }
        let file = opened(path, progress)?;
        Ok(Box::new(Patient { file, progress: progress.clone() }))
    }

    /// A named pipe opens when somebody writes to it, and no sooner. The thread that waits ends with the process.
    fn opened(path: &Path, progress: &Progress) -> io::Result<File> {
        let (sender, receiver) = sync_channel(1);
        let path = path.to_owned();
        thread::spawn(move || sender.send(File::open(path)));
        loop {
            progress.check()?;
            match receiver.recv_timeout(WAIT) {
                Ok(opened) => return opened,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    struct Patient {
        file: File,
        progress: Progress,
    }

    impl Read for Patient {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let wait = Timespec::try_from(WAIT).map_err(|_| io::ErrorKind::InvalidInput)?;
            loop {
                self.progress.check()?;
                // Its end and its failure count as ready: the read tells of them.
                match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&wait)) {
                    Ok(0) | Err(Errno::INTR) => {}
                    Ok(_) => return self.file.read(out),
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }

    /// Between two looks at whether the run is to end: nobody notices a tenth of a second.
    const WAIT: Duration = Duration::from_millis(100);
}

/// Where a read cannot be waited for from outside.
#[cfg(not(unix))]
mod elsewhere {
    use std::fs::File;
    use std::io::{self, Read};
    use std::path::Path;

    use crate::progress::Progress;

    /// Standard input.
    pub(crate) fn stdin(_: &Progress) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::stdin()))
    }

    /// The file at `path`.
    pub(crate) fn open(path: &Path, _: &Progress) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(File::open(path)?))
    }
}
