//! What is measured on: the made-up log, a recorded one, or the user's own.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::delivery::{Delivery, gzip};
use crate::traffic::{Line, Traffic};

/// A log in the forms that are measured.
#[derive(Debug)]
pub struct Corpus {
    /// What to call it.
    pub name: String,
    /// As CloudWatch Logs delivers it.
    pub deliveries: Vec<Delivery>,
    /// As NDJSON.
    pub plain: Vec<u8>,
    /// The NDJSON, compressed whole.
    pub gzipped: Vec<u8>,
    /// Lines in it.
    pub lines: usize,
    /// Lines that must alert, where that is known.
    pub planted: Option<u64>,
}

impl Corpus {
    /// So many made-up lines.
    #[must_use]
    pub fn generated(lines: usize) -> Self {
        let lines: Vec<Line> = Traffic::default().take(lines).collect();
        let planted = lines.iter().filter(|line| line.planted).count();
        let mut corpus = Self::of("generated", "111122223333", &lines);
        corpus.planted = Some(planted as u64);
        corpus
    }

    /// The quiet hour of a recorded cluster: the long recording where it lies beside the project, or the first lines of
    /// it among the samples.
    pub fn recorded() -> std::io::Result<Self> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let long = top.join("../shared/corpus/noise/events.ndjson.gz");
        let (name, path) = if long.exists() {
            ("recorded", long)
        } else {
            ("recorded (short)", top.join("samples/recorded/quiet-cluster/audit.ndjson"))
        };
        // The recording has EKS's own add-on manager come from the account of everybody else, where it would be a
        // forgery; so the delivery does not say whose the log is.
        let mut corpus = Self::of(name, "", &lines_of(&path)?);
        corpus.planted = Some(0);
        Ok(corpus)
    }

    /// The audit logs of a file, or of a folder and all below it.
    pub fn of_folder(path: &Path) -> std::io::Result<Self> {
        let mut files = files(path)?;
        files.sort();
        let mut lines = Vec::new();
        for file in &files {
            lines.extend(lines_of(file)?);
        }
        if lines.is_empty() {
            return Err(std::io::Error::other("no audit event was found; give NDJSON, plain or gzip"));
        }
        Ok(Self::of(&path.display().to_string(), "", &lines))
    }

    fn of(name: &str, owner: &str, lines: &[Line]) -> Self {
        let plain: String = lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect();
        Self {
            name: name.to_owned(),
            deliveries: Delivery::all_of(owner, lines),
            gzipped: gzip(plain.as_bytes()),
            plain: plain.into_bytes(),
            lines: lines.len(),
            planted: None,
        }
    }

    /// Sizes, in one line.
    #[must_use]
    pub fn describe(&self) -> String {
        let (inflated, gzipped) =
            self.deliveries.iter().fold((0, 0), |sum, delivery| (sum.0 + delivery.inflated, sum.1 + delivery.gzipped));
        let mut lengths: Vec<usize> = self.plain.split(|byte| *byte == b'\n').map(<[u8]>::len).collect();
        lengths.pop();
        lengths.sort_unstable();
        let at = |share: usize| lengths[(lengths.len() - 1) * share / 100];
        let backslashes = memchr::memchr_iter(b'\\', &self.plain).count();
        format!(
            "{}: {} events in {} deliveries, {:.1} MB; bytes per event: mean {}, p50 {}, p95 {}, p99 {}, max {}; gzip {:.1} x; \
             {:.1} escapes per event",
            self.name,
            self.lines,
            self.deliveries.len(),
            mega(inflated),
            self.plain.len() / self.lines.max(1),
            at(50),
            at(95),
            at(99),
            at(100),
            mega(inflated) / mega(gzipped),
            ratio(backslashes, self.lines),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number for people")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "a number for people")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut all = Vec::new();
    for entry in fs::read_dir(path)? {
        all.extend(files(&entry?.path())?);
    }
    Ok(all)
}

/// The audit events of a file, plain or gzip: of each line the part from its first brace on, so that the lines of a
/// CloudWatch export, which begin with a time, count too.
fn lines_of(path: &Path) -> std::io::Result<Vec<Line>> {
    let bytes = fs::read(path)?;
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text)?;
    } else {
        text = bytes;
    }
    let text = String::from_utf8_lossy(&text);
    let events = text.lines().filter_map(|line| Some(&line[line.find('{')?..]));
    Ok(events
        .filter(|event| event.contains("\"audit.k8s.io/v1\""))
        .enumerate()
        .map(|(number, event)| Line {
            // Near enough: what is measured does not look at it.
            time_ms: 1_795_413_600_000 + i64::try_from(number).unwrap_or(0) * 100,
            text: event.to_owned(),
            kind: "",
            planted: false,
        })
        .collect())
}
