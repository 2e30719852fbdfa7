//! Judging a delivery while it is read.

use super::{Form, Judge, Report, Skip, analyze_envelope};
use crate::envelope::{DOCUMENTS_MAX, Delivery, EnvelopeError, EnvelopeKind, Opened, Stop};
use crate::memory::Memory;
use crate::settings::Settings;
use crate::sift::{Entries, Sifted, Sifter, Went};
use crate::stream::Source;

/// One document of a delivery, judged.
#[derive(Debug)]
pub struct Delivered {
    /// Where its lines were read, as far as it says.
    pub source: Source,
    /// Log lines, or only a probe.
    pub kind: EnvelopeKind,
    /// What is wrong with it, where it could be read in part.
    pub damage: Option<EnvelopeError>,
    /// What became of its lines. Damage is counted as a skip.
    pub report: Report,
}

/// Judges the lines of a delivery while it is read: at no time is more of it in memory than a window. Each document is a
/// batch of its own.
///
/// The memory keeps what was learnt only when the delivery was read to its end, or to its damage: what is refused teaches
/// nothing.
pub fn analyze_delivery(
    delivery: Delivery<'_>,
    settings: &Settings,
    memory: &mut Memory,
    sifter: &mut Sifter,
) -> Result<Vec<Delivered>, EnvelopeError> {
    let mut learnt = memory.clone();
    match stream(delivery, settings, &mut learnt, sifter) {
        Ok(documents) => {
            learnt.continuing(memory);
            *memory = learnt;
            memory.settle();
            Ok(documents)
        }
        Err(Stop::Refused(error)) => Err(delivery.refused(error)),
        Err(Stop::Unusual) => Ok(delivery
            .envelopes()?
            .into_iter()
            .map(|envelope| Delivered {
                report: analyze_envelope(&envelope, settings, memory),
                kind: envelope.kind(),
                damage: envelope.damage(),
                source: envelope.source().clone(),
            })
            .collect()),
    }
}

fn stream(
    delivery: Delivery<'_>,
    settings: &Settings,
    memory: &mut Memory,
    sifter: &mut Sifter,
) -> Result<Vec<Delivered>, Stop> {
    let size = sifter.window_bytes();
    let mut opened = Opened::new(delivery, &mut sifter.buffers, size)?;
    let mut block = std::mem::take(&mut sifter.sifted);
    let documents = documents(&mut opened, settings, memory, sifter, &mut block);
    sifter.sifted = block;
    opened.give_back(&mut sifter.buffers);
    documents
}

fn documents(
    opened: &mut Opened<'_>,
    settings: &Settings,
    memory: &mut Memory,
    sifter: &mut Sifter,
    block: &mut Sifted,
) -> Result<Vec<Delivered>, Stop> {
    opened.refuse_other_than_object()?;
    let mut documents: Vec<Delivered> = Vec::new();
    loop {
        let document = document(opened, settings, memory, sifter, block)?;
        let is_damaged = document.damage.is_some();
        documents.push(document);
        if is_damaged {
            return Ok(documents);
        }
        match opened.follows()? {
            None => {
                let damage = opened.damage();
                return Ok(with_damage(documents, damage));
            }
            Some(true) if documents.len() == DOCUMENTS_MAX => {
                return Ok(with_damage(documents, Some(EnvelopeError::TooMany)));
            }
            Some(true) => {}
            Some(false) => return Err(Stop::Unusual),
        }
    }
}

/// The last document is the one that was damaged.
fn with_damage(mut documents: Vec<Delivered>, damage: Option<EnvelopeError>) -> Vec<Delivered> {
    if let (Some(damage), Some(last)) = (damage, documents.last_mut())
        && last.damage.is_none()
    {
        last.damage = Some(damage);
        last.report.skip(Skip::DamagedDelivery);
    }
    documents
}

fn document(
    opened: &mut Opened<'_>,
    settings: &Settings,
    memory: &mut Memory,
    sifter: &mut Sifter,
    block: &mut Sifted,
) -> Result<Delivered, Stop> {
    let (head, lines) = opened.head()?;
    let (source, kind) = (head.source, head.kind);
    let mut judge = Judge::new(&source, settings);
    block.forget_callers();
    let damage = if lines { self::lines(opened, kind, &mut judge, settings, memory, sifter, block)? } else { None };
    if damage.is_none() && lines {
        opened.foot()?;
    }
    let mut report = judge.finish(memory);
    if damage.is_some() {
        report.skip(Skip::DamagedDelivery);
    }
    Ok(Delivered { source, kind, damage, report })
}

/// Judges the lines of a document, and tells why not to their end.
fn lines(
    opened: &mut Opened<'_>,
    kind: EnvelopeKind,
    judge: &mut Judge,
    settings: &Settings,
    memory: &mut Memory,
    sifter: &mut Sifter,
    block: &mut Sifted,
) -> Result<Option<EnvelopeError>, Stop> {
    let mut entries = Entries::default();
    loop {
        let (done, went) = entries.sift(opened.bytes(), (judge.source(), settings), sifter, block);
        if kind == EnvelopeKind::Data {
            judge.block(block, opened.bytes(), Form::Entries, settings, memory);
        }
        opened.consume(done);
        match went {
            Went::ToTheEnd => return Ok(None),
            Went::TooFar => return Ok(Some(EnvelopeError::TooMany)),
            Went::Astray => return Err(Stop::Unusual),
            Went::Short if opened.more()? => {}
            Went::Short if opened.has_ended() => {
                opened.consume(opened.bytes().len());
                return Ok(Some(opened.damage().unwrap_or(EnvelopeError::NotJson)));
            }
            // As large as the window may become, and still no end.
            Went::Short => {
                opened.pass_entry()?;
                judge.too_long(settings, memory);
                entries.passed();
            }
        }
    }
}
