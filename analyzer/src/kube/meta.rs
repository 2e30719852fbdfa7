//! `metadata` of an object.

use jiff::Timestamp;

use super::{list, optional, pairs, text};
use crate::json::{JsonError, Reader};

/// `metadata`, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// `name`
    pub name: String,
    /// `namespace`
    pub namespace: String,
    /// `resourceVersion`; empty when absent.
    pub resource_version: String,
    /// `uid`; empty when absent.
    pub uid: String,
    /// `labels`
    pub labels: Vec<(String, String)>,
    /// `annotations`
    pub annotations: Vec<(String, String)>,
    /// `deletionTimestamp` is there: its deletion was asked for.
    pub deleting: bool,
    /// `finalizers` are there: they keep it from being deleted.
    pub finalizers: bool,
    /// The latest `time` of `managedFields`, where there are any and each has one. Whatever sets a field sets its manager's time
    /// (Kubernetes source, `managedFieldsUpdater` of `k8s.io/apimachinery`); what only takes fields away need not.
    pub fields_set: Option<Timestamp>,
}

impl Meta {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        lookup(&self.labels, key)
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        lookup(&self.annotations, key)
    }
}

pub(super) fn lookup<'p>(pairs: &'p [(String, String)], key: &str) -> Option<&'p str> {
    pairs.iter().rev().find_map(|(name, value)| (name == key).then_some(value.as_str()))
}

pub(super) fn meta(reader: &mut Reader<'_>) -> Result<Meta, JsonError> {
    let mut out = Meta::default();
    reader.object(|key, reader| {
        match key.as_ref() {
            "name" => out.name = text(reader)?,
            "namespace" => out.namespace = text(reader)?,
            "resourceVersion" => out.resource_version = text(reader)?,
            "uid" => out.uid = text(reader)?,
            "labels" => out.labels = optional(reader, pairs)?.unwrap_or_default(),
            "annotations" => out.annotations = optional(reader, pairs)?.unwrap_or_default(),
            "deletionTimestamp" => out.deleting = optional(reader, Reader::raw)?.is_some(),
            "managedFields" => out.fields_set = fields_set(reader)?,
            "finalizers" => out.finalizers = optional(reader, Reader::raw)?.is_some_and(|raw| raw != b"[]"),
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(out)
}

fn fields_set(reader: &mut Reader<'_>) -> Result<Option<Timestamp>, JsonError> {
    let times = optional(reader, |reader| {
        list(reader, |reader| {
            let mut time = None;
            reader.object(|key, reader| {
                match key.as_ref() {
                    "time" => time = reader.optional_string()?.and_then(|time| time.parse().ok()),
                    _ => reader.skip()?,
                }
                Ok(())
            })?;
            Ok(time)
        })
    })?;
    let times: Option<Vec<Timestamp>> = times.into_iter().flatten().collect();
    Ok(times.and_then(|times| times.into_iter().max()))
}
