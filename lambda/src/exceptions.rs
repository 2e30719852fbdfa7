//! Where the exceptions come from, and keeping them current: at most one look a minute, the last good copy until then.

mod fetch;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use lambda_runtime::tracing;
use rolewatch_analyzer::exceptions::{Exceptions, ExceptionsError};

pub use fetch::FetchError;
use fetch::Remote;

/// Where the text of the exceptions stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the environment variable itself, read and checked at start.
    Inline(Exceptions),
    /// In an SSM parameter of this name or ARN.
    Parameter(String),
    /// In an object of S3.
    Object {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
}

impl Place {
    /// Reads the value of the variable: `ssm:` and a parameter, `s3://` and an object, or the exceptions themselves.
    pub fn parse(value: &str) -> Result<Self, Option<ExceptionsError>> {
        if let Some(parameter) = value.strip_prefix("ssm:") {
            let fits = !parameter.is_empty() && parameter.bytes().all(|byte| byte.is_ascii_graphic());
            return if fits { Ok(Self::Parameter(parameter.to_owned())) } else { Err(None) };
        }
        if let Some(object) = value.strip_prefix("s3://") {
            let parts = object.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
            let (bucket, key) = parts.ok_or(None)?;
            return Ok(Self::Object { bucket: bucket.to_owned(), key: key.to_owned() });
        }
        Exceptions::read(value).map(Self::Inline).map_err(Some)
    }
}

/// The exceptions as they are now.
#[derive(Debug)]
pub struct Book {
    remote: Option<Remote>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    current: Arc<Exceptions>,
    looked: Option<Instant>,
}

/// What a delivery is judged with.
#[derive(Debug, Clone)]
pub struct Current {
    /// The exceptions; none when they were never read.
    pub exceptions: Arc<Exceptions>,
    /// A look at their place failed in this invocation, so these may be old.
    pub failed: bool,
}

impl Book {
    /// The exceptions of a place. Nothing is fetched yet.
    #[must_use]
    pub fn open(aws: &SdkConfig, place: Option<Place>) -> Self {
        let (remote, current) = match place {
            None => (None, Exceptions::default()),
            Some(Place::Inline(exceptions)) => (None, exceptions),
            Some(place) => (Remote::connect(aws, place), Exceptions::default()),
        };
        Self { remote, state: Mutex::new(State { current: Arc::new(current), looked: None }) }
    }

    /// No exceptions at all.
    #[must_use]
    pub fn empty() -> Self {
        Self { remote: None, state: Mutex::default() }
    }

    /// The exceptions, fetched anew when the last look was a minute ago. When that fails, those before it still hold:
    /// without them everybody would be told what nobody wants to know, and an attacker could bring that about.
    pub async fn current(&self, deadline: Instant) -> Current {
        let (current, due) = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let due = self.remote.is_some() && state.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY);
            if due {
                state.looked = Some(Instant::now());
            }
            (Arc::clone(&state.current), due)
        };
        let (true, Some(remote)) = (due, &self.remote) else {
            return Current { exceptions: current, failed: false };
        };
        let until = (Instant::now() + LOOK_TIMEOUT).min(deadline);
        let text = tokio::time::timeout_at(until.into(), Box::pin(remote.fetch())).await;
        let read = match text {
            Err(_) => Err(FetchError::Unreachable),
            Ok(Err(error)) => Err(error),
            Ok(Ok(text)) => Exceptions::read(&text).map_err(FetchError::Unusable),
        };
        self.take_in(read)
    }

    /// Keeps what was read, or what was kept before.
    fn take_in(&self, read: Result<Exceptions, FetchError>) -> Current {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(exceptions) => {
                if exceptions != *state.current {
                    tracing::info!(exceptions = exceptions.all().len(), "exceptions read");
                    state.current = Arc::new(exceptions);
                }
                Current { exceptions: Arc::clone(&state.current), failed: false }
            }
            Err(error) => {
                let kept = state.current.all().len();
                tracing::error!(error_type = error.code(), kept, "the exceptions cannot be read: {error}");
                Current { exceptions: Arc::clone(&state.current), failed: true }
            }
        }
    }
}

/// How often the place is looked at: a change counts within a minute, and SSM and S3 are asked 43,000 times a month.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// SSM and S3 answer in milliseconds; alerts do not wait longer than this for exceptions.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::{Book, Exceptions, FetchError, Place};

    #[test]
    fn the_last_good_copy_holds_until_there_is_a_better_one() {
        let one = "exceptions: [{id: a, reason: r, owner: o, expires: 2030-01-01, verbs: [get]}]";
        let book = Book::empty();
        let ids = |read| {
            let current = book.take_in(read);
            (current.exceptions.all().iter().map(|it| it.id.clone()).collect::<Vec<_>>(), current.failed)
        };
        assert_eq!(ids(Err(FetchError::Unreachable)), (Vec::new(), true));
        assert_eq!(ids(Exceptions::read(one).map_err(FetchError::Unusable)), (vec!["a".to_owned()], false));
        assert_eq!(ids(Err(FetchError::Missing)), (vec!["a".to_owned()], true));
        assert_eq!(ids(Exceptions::read("broken: [").map_err(FetchError::Unusable)), (vec!["a".to_owned()], true));
        assert_eq!(ids(Exceptions::read("exceptions: []").map_err(FetchError::Unusable)), (Vec::new(), false));
    }

    #[test]
    fn a_place_is_told_by_how_it_begins() {
        assert_eq!(Place::parse("ssm:/rolewatch/prod"), Ok(Place::Parameter("/rolewatch/prod".to_owned())));
        let object = Place::Object { bucket: "bucket".to_owned(), key: "a/b.yaml".to_owned() };
        assert_eq!(Place::parse("s3://bucket/a/b.yaml"), Ok(object));
        assert!(matches!(Place::parse("exceptions: []"), Ok(Place::Inline(_))));
        for value in ["ssm:", "ssm:a b", "s3://", "s3://bucket", "s3://bucket/", "s3:///key"] {
            assert_eq!(Place::parse(value), Err(None), "{value}");
        }
        let error = Place::parse("exceptions:\n- ids: a\n").unwrap_err().unwrap();
        assert_eq!(error.line, 2);
    }
}
