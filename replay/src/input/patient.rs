//! Standard input, which may stay silent for hours: whoever waits for it still hears Ctrl-C.

use std::io::{self, Read};

use crate::progress::Progress;

/// Standard input; reading fails once the run is to end.
#[cfg(unix)]
pub(super) fn stdin(progress: &Progress) -> io::Result<Box<dyn Read>> {
    use std::os::fd::AsFd as _;
    // Not `io::stdin()`, which holds back bytes that no wait on the descriptor tells of.
    let file = io::stdin().as_fd().try_clone_to_owned()?.into();
    Ok(Box::new(Patient { file, progress: progress.clone() }))
}

/// Standard input, where a read cannot be waited for from outside.
#[cfg(not(unix))]
pub(super) fn stdin(_: &Progress) -> io::Result<Box<dyn Read>> {
    Ok(Box::new(io::stdin()))
}

#[cfg(unix)]
struct Patient {
    file: std::fs::File,
    progress: Progress,
}

#[cfg(unix)]
impl Read for Patient {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let wait = Timespec { tv_sec: 0, tv_nsec: WAIT_NANOSECONDS };
        loop {
            self.progress.check()?;
            // Its end and its failure count as ready: the read tells of them.
            match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&wait)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return self.file.read(out),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Between two looks at whether the run is to end: nobody notices a tenth of a second.
#[cfg(unix)]
const WAIT_NANOSECONDS: i64 = 100_000_000;
