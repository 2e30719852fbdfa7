//! A delivery that is opened as it is read: at no time is more of it in memory than a window.
//!
//! Only the layout that CloudWatch Logs writes is read this way: what describes the lines stands before them. Any other
//! goes to [`Envelope`](super::Envelope), which reads the whole document first. Nothing is decided twice: whatever is
//! told of a delivery before its end is withdrawn when the end turns out to change it.

use std::io::{self, Read};

use super::base64_pieces::Base64;
use super::gunzip::{Gunzip, Parts};
use super::way::Way;
use super::{
    Envelope, EnvelopeError, EnvelopeKind, INFLATED_BYTES_MAX, LINE_BYTES_MAX, Window, decode_base64, is_gzip,
};
use crate::json::{Fault, JsonError, Kind, Reader};
use crate::stream::Source;

/// One delivery of CloudWatch Logs as it came, not yet opened.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'d> {
    data: Data<'d>,
    several: bool,
}

#[derive(Debug, Clone, Copy)]
enum Data<'d> {
    Base64(&'d str),
    Gzip(&'d [u8]),
    Document(&'d [u8]),
}

impl<'d> Delivery<'d> {
    /// The `awslogs.data` string of a subscription event, or the data of a Kinesis record.
    #[must_use]
    pub const fn base64(data: &'d str) -> Self {
        Self { data: Data::Base64(data), several: false }
    }

    /// The gzip bytes inside such a string.
    #[must_use]
    pub const fn gzip(bytes: &'d [u8]) -> Self {
        Self { data: Data::Gzip(bytes), several: false }
    }

    /// The document inside such gzip.
    #[must_use]
    pub const fn document(text: &'d [u8]) -> Self {
        Self { data: Data::Document(text), several: false }
    }

    /// The same, which may hold several documents, one after the other, as a record of a Kinesis stream may.
    #[must_use]
    pub const fn several(self) -> Self {
        Self { several: true, ..self }
    }

    /// For what it is refused, where reading it in pieces came upon `error`: whether it is base64 is asked before what
    /// comes out of it.
    pub(crate) fn refused(self, error: EnvelopeError) -> EnvelopeError {
        match self.data {
            Data::Base64(data) => decode_base64(data).err().unwrap_or(error),
            Data::Gzip(_) | Data::Document(_) => error,
        }
    }

    /// The account whose log it is, as far as its first bytes tell. Only what is read to its end is believed; this is for
    /// whoever has to get ready before.
    #[must_use]
    pub fn account(self) -> Option<String> {
        let mut opened = Opened::new(self, &mut Buffers::default(), PEEK_BYTES).ok()?;
        opened.head().ok()?.0.source.account
    }

    /// Every document of it, each read as a whole.
    pub fn envelopes(self) -> Result<Vec<Envelope>, EnvelopeError> {
        let gzip;
        let bytes = match self.data {
            Data::Document(text) if !self.several => return Ok(vec![Envelope::open_document(text.to_vec(), None)?]),
            Data::Document(text) => return Envelope::open_documents(text, None),
            Data::Gzip(bytes) => bytes,
            Data::Base64(data) => {
                gzip = decode_base64(data)?;
                &gzip
            }
        };
        if self.several { Envelope::open_all_gzip(bytes) } else { Ok(vec![Envelope::open_gzip(bytes)?]) }
    }
}

/// Buffers that serve one delivery after the other.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    window: Vec<u8>,
    parts: Option<Parts>,
}

/// Why a delivery is not read to its end here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is refused, and with it whatever was told of it.
    Refused(EnvelopeError),
    /// Its layout is not that of CloudWatch Logs: it has to be read as a whole, and whatever was told of it is void.
    Unusual,
}

impl From<EnvelopeError> for Stop {
    fn from(error: EnvelopeError) -> Self {
        Self::Refused(error)
    }
}

type Result<T, E = Stop> = std::result::Result<T, E>;

/// What stands before the lines of one document.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) source: Source,
    pub(crate) kind: EnvelopeKind,
}

/// A delivery being read.
#[derive(Debug)]
pub(crate) struct Opened<'d> {
    window: Window,
    text: Text<'d>,
    several: bool,
}

impl<'d> Opened<'d> {
    /// The delivery at its beginning, read through a window of `size` bytes.
    pub(crate) fn new(delivery: Delivery<'d>, buffers: &mut Buffers, size: usize) -> Result<Self> {
        let mut parts = || buffers.parts.take().unwrap_or_default();
        let text = match delivery.data {
            Data::Document(text) => Text::Document(text),
            Data::Gzip(bytes) if !is_gzip(bytes) => return Err(EnvelopeError::NotGzip.into()),
            Data::Gzip(bytes) => Text::Gzip(Gunzip::reusing(parts(), bytes)),
            Data::Base64(data) => {
                let bytes = Base64::new(data);
                // The first pieces tell what it is; that it is base64 to its end shows at its end.
                if !is_gzip(&bytes.start()?) {
                    return Err(decode_base64(data).err().unwrap_or(EnvelopeError::NotGzip).into());
                }
                Text::Base64(Gunzip::reusing(parts(), bytes))
            }
        };
        let window = Window::new(std::mem::take(&mut buffers.window), size);
        Ok(Self { window, text, several: delivery.several })
    }

    /// Gives the buffers back.
    pub(crate) fn give_back(self, buffers: &mut Buffers) {
        buffers.window = self.window.into_buffer();
        buffers.parts = match self.text {
            Text::Base64(gunzip) => Some(gunzip.into_parts()),
            Text::Gzip(gunzip) => Some(gunzip.into_parts()),
            Text::Document(_) => None,
        };
    }

    /// What was read and not yet consumed.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.window.bytes()
    }

    /// Steps over the first `count` bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        self.window.consume(count);
    }

    /// Reads more; `false` when nothing came, because the text has ended or the window is as large as it may become.
    pub(crate) fn more(&mut self) -> Result<bool> {
        let came = self.window.fill(&mut self.text, ENTRY_BYTES_MAX).map_err(|_| EnvelopeError::Base64)?;
        if self.window.bytes_read() > INFLATED_BYTES_MAX { Err(EnvelopeError::TooLarge.into()) } else { Ok(came) }
    }

    /// Whether the text has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.window.has_ended()
    }

    /// Reads the beginning of the first document up to the bracket that opens its lines, or to its end if that comes
    /// first, as it may with a probe.
    pub(crate) fn head(&mut self) -> Result<(Head, bool)> {
        self.blank()?;
        if !self.bytes().starts_with(b"{") {
            // No document, or what is left of one: whoever reads it whole says which.
            return Err(Stop::Unusual);
        }
        self.consume(1);
        let mut head = Head { source: Source::default(), kind: EnvelopeKind::Data };
        let mut first = true;
        let lines = loop {
            match self.member(first)? {
                None => break false,
                Some((Member::Lines, Kind::Array)) => {
                    self.blank()?;
                    self.consume(1);
                    break true;
                }
                Some((Member::Type, Kind::String)) => {
                    if self.read(text)?.is_some_and(|word| word == "CONTROL_MESSAGE") {
                        head.kind = EnvelopeKind::Control;
                    }
                }
                Some((Member::Owner, Kind::String)) => keep(&mut head.source.account, self.read(text)?),
                Some((Member::LogGroup, Kind::String)) => keep(&mut head.source.log_group, self.read(text)?),
                Some((Member::LogStream, Kind::String)) => keep(&mut head.source.log_stream, self.read(text)?),
                Some(_) => self.read(pass_value)?,
            }
            first = false;
        };
        if !lines && head.kind == EnvelopeKind::Data {
            // Damaged, or no document of CloudWatch Logs: whoever reads it whole says which.
            return Err(Stop::Unusual);
        }
        head.source.cluster = head.source.log_group.as_deref().and_then(Source::cluster_of).map(ToOwned::to_owned);
        Ok((head, lines))
    }

    /// Reads what stands behind the lines. A member that describes them stands there too late.
    pub(crate) fn foot(&mut self) -> Result<()> {
        while let Some((member, _)) = self.member(false)? {
            if member != Member::Other {
                return Err(Stop::Unusual);
            }
            self.read(pass_value)?;
        }
        Ok(())
    }

    /// Steps over the rest of an entry that is longer than any line may be.
    pub(crate) fn pass_entry(&mut self) -> Result<()> {
        let mut way = Way::default();
        loop {
            if let Some(end) = way.end(self.bytes()) {
                self.consume(end);
                return Ok(());
            }
            self.consume(self.bytes().len());
            if !self.more()? {
                return Ok(());
            }
        }
    }

    /// Refuses what is no JSON object, without keeping any of it. The first document is asked; where another one follows, what
    /// came before it counts.
    pub(crate) fn refuse_other_than_object(&mut self) -> Result<()> {
        self.blank()?;
        if self.bytes().starts_with(b"{") {
            return Ok(());
        }
        self.consume(self.bytes().len());
        while self.more()? {
            self.consume(self.bytes().len());
        }
        Err(self.damage().unwrap_or(EnvelopeError::NotJson).into())
    }

    /// Whether another document follows. Where only one may come, anything but white space is damage.
    pub(crate) fn follows(&mut self) -> Result<Option<bool>> {
        self.blank()?;
        if self.bytes().is_empty() {
            return Ok(None);
        }
        Ok(Some(self.several))
    }

    /// What is wrong with the gzip stream, as far as it was read.
    pub(crate) fn damage(&self) -> Option<EnvelopeError> {
        let damaged = match &self.text {
            Text::Base64(gunzip) => gunzip.is_damaged(),
            Text::Gzip(gunzip) => gunzip.is_damaged(),
            Text::Document(_) => false,
        };
        damaged.then_some(EnvelopeError::GzipDamaged)
    }

    /// The next member of the document; `None` at its closing brace. The value is still to be read.
    fn member(&mut self, first: bool) -> Result<Option<(Member, Kind)>> {
        let found = self.read(|reader| {
            match (reader.rest()?.first(), first) {
                (Some(b'}'), _) => {
                    reader.pass(1);
                    return Ok(None);
                }
                (Some(b','), false) => reader.pass(1),
                (Some(b'"'), true) => {}
                _ => return Err(reader.unexpected()),
            }
            let member = Member::of(&reader.string()?);
            if reader.rest()?.first() != Some(&b':') {
                return Err(reader.unexpected());
            }
            reader.pass(1);
            Ok(Some((member, reader.peek()?)))
        })?;
        Ok(found)
    }

    /// Reads with `read` from the window, with as much in it as that takes.
    fn read<T>(&mut self, read: impl Fn(&mut Reader<'_>) -> std::result::Result<T, JsonError>) -> Result<T> {
        loop {
            let mut reader = Reader::new(self.bytes());
            match read(&mut reader) {
                Ok(value) => {
                    let done = reader.offset();
                    self.consume(done);
                    return Ok(value);
                }
                Err(JsonError { fault: Fault::End, .. }) if self.more()? => {}
                Err(_) => return Err(Stop::Unusual),
            }
        }
    }

    /// Steps over white space.
    fn blank(&mut self) -> Result<()> {
        loop {
            let bytes = self.bytes();
            let blank = bytes.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            self.consume(blank.unwrap_or(bytes.len()));
            if blank.is_some() || !self.more()? {
                return Ok(());
            }
        }
    }
}

fn pass_value(reader: &mut Reader<'_>) -> std::result::Result<(), JsonError> {
    reader.skip()
}

/// A string member; `None` when it is empty.
fn text(reader: &mut Reader<'_>) -> std::result::Result<Option<String>, JsonError> {
    Ok(Some(reader.string()?.into_owned()).filter(|text| !text.is_empty()))
}

fn keep(slot: &mut Option<String>, text: Option<String>) {
    if text.is_some() {
        *slot = text;
    }
}

/// The members of a document that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    Type,
    Owner,
    LogGroup,
    LogStream,
    Lines,
    Other,
}

impl Member {
    fn of(key: &str) -> Self {
        match key {
            "messageType" => Self::Type,
            "owner" => Self::Owner,
            "logGroup" => Self::LogGroup,
            "logStream" => Self::LogStream,
            "logEvents" => Self::Lines,
            _ => Self::Other,
        }
    }
}

/// The text of a delivery, as it comes out of its wrapping.
#[derive(Debug)]
enum Text<'d> {
    Base64(Gunzip<Base64<'d>>),
    Gzip(Gunzip<&'d [u8]>),
    Document(&'d [u8]),
}

impl Read for Text<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Base64(gunzip) => gunzip.read(out),
            Self::Gzip(gunzip) => gunzip.read(out),
            Self::Document(text) => text.read(out),
        }
    }
}

/// Longest entry of a document that is looked into: 6 MiB and a little. CloudWatch Logs keeps 1 MiB of a line, and where
/// each byte of it is written as `\u00xx` that is six times as much.
const ENTRY_BYTES_MAX: usize = (6 << 20) + (64 << 10);

/// What stands before the lines is some hundred bytes long.
const PEEK_BYTES: usize = 4 << 10;

const _: () = assert!(ENTRY_BYTES_MAX > LINE_BYTES_MAX, "a line of the greatest length is an entry");
