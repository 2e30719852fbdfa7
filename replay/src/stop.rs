//! Ctrl-C: a run ends where it is, with a summary of what it has read.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the run was asked to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for Ctrl-C, and for what service managers send. Whoever asks a second time is not made to wait.
    pub(crate) fn listen() -> Self {
        let stop = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // Where a signal cannot be caught it ends the command, as it does elsewhere.
            let _ = flag::register_conditional_shutdown(signal, i32::from(STATUS), Arc::clone(&stop.0));
            let _ = flag::register(signal, Arc::clone(&stop.0));
        }
        stop
    }

    /// Whether it was asked for.
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Fails once it was asked for, so that a reader does not read on.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_set() { Err(io::Error::other("stopped")) } else { Ok(()) }
    }
}

/// Exit status of a command that Ctrl-C ended: 128 and the number of the signal, as shells have it.
pub(crate) const STATUS: u8 = 130;
