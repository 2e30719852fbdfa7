//! What a request was about, and what it did.

use std::borrow::Cow;

use super::Unreadable;
use crate::json::{JsonError, Kind, Reader};
use crate::text::percent_decoded;

/// `objectRef`: the object of a request. Every part is optional in the log; an absent text is empty here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRef<'a> {
    /// Plural resource name, `clusterroles`.
    pub resource: Cow<'a, str>,
    /// Subresource, `token` in `serviceaccounts/token`.
    pub subresource: Cow<'a, str>,
    /// Empty for cluster-scoped objects.
    pub namespace: Cow<'a, str>,
    /// Empty for collections, refused creates and generated names.
    pub name: Cow<'a, str>,
    /// API group; empty for the core group.
    pub api_group: Cow<'a, str>,
    /// API version.
    pub api_version: Cow<'a, str>,
    /// From the request's body, if the client sent one.
    pub resource_version: Cow<'a, str>,
    /// From the request's body, if the client sent one.
    pub uid: Cow<'a, str>,
}

impl<'a> ObjectRef<'a> {
    /// Reads the object; a field that is there twice is noted in `refused`.
    pub(super) fn read(reader: &mut Reader<'a>, refused: &mut Option<Unreadable>) -> Result<Option<Self>, JsonError> {
        if reader.peek()? == Kind::Null {
            reader.skip()?;
            return Ok(None);
        }
        let mut object = Self::default();
        reader.object(|key, reader| {
            let slot = match key.as_ref() {
                "resource" => &mut object.resource,
                "subresource" => &mut object.subresource,
                "namespace" => &mut object.namespace,
                "name" => &mut object.name,
                "apiGroup" => &mut object.api_group,
                "apiVersion" => &mut object.api_version,
                "resourceVersion" => &mut object.resource_version,
                "uid" => &mut object.uid,
                _ => return reader.skip(),
            };
            if !slot.is_empty() {
                *refused = Some(Unreadable::RepeatedField);
            }
            *slot = reader.optional_string()?.unwrap_or_default();
            Ok(())
        })?;
        Ok(Some(object))
    }

    /// The object that a path names, for events cut before they name it: `/api/v1/...` and `/apis/<group>/<version>/...`
    /// (Kubernetes API concepts, "Resource URIs").
    #[must_use]
    pub fn of_path(uri: &str) -> Option<Self> {
        // The server splits the path after it has undone its escapes.
        let path = percent_decoded(uri.split('?').next().unwrap_or_default());
        let mut parts = path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned);
        let api_group = match parts.next()?.as_str() {
            "api" => String::new(),
            "apis" => parts.next()?,
            _ => return None,
        };
        let api_version = parts.next()?;
        let mut rest: Vec<String> = parts.collect();
        let mut namespace = String::new();
        if rest.first().is_some_and(|part| part == "namespaces") && rest.len() > 2 {
            namespace = rest.get(1).cloned().unwrap_or_default();
            rest.drain(..2);
        }
        let mut rest = rest.into_iter();
        let mut next = || Cow::Owned(rest.next().unwrap_or_default());
        let (resource, name, subresource): (Cow<'a, str>, Cow<'a, str>, Cow<'a, str>) = (next(), next(), next());
        (!resource.is_empty()).then(|| Self {
            resource,
            subresource,
            namespace: Cow::Owned(namespace),
            name,
            api_group: Cow::Owned(api_group),
            api_version: Cow::Owned(api_version),
            ..Self::default()
        })
    }

    /// Whether this is `resource` (or `resource/subresource`) of the API group, written as RBAC writes it.
    #[must_use]
    pub fn is(&self, api_group: &str, resource: &str) -> bool {
        // Asked of every line, and nearly always the answer is in the first few bytes.
        if self.api_group != api_group || !resource.starts_with(self.resource.as_ref()) {
            return false;
        }
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        self.resource == resource && self.subresource == subresource
    }
}

/// The action: Kubernetes request verbs, and the lower-case HTTP method of requests that are not about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb<'a> {
    /// `get`
    Get,
    /// `list`
    List,
    /// `watch`
    Watch,
    /// `create`
    Create,
    /// `update`: PUT. With status 201 it created the object.
    Update,
    /// `patch`. With status 201 it created the object (server-side apply).
    Patch,
    /// `delete`
    Delete,
    /// `deletecollection`
    DeleteCollection,
    /// Any other.
    Other(Cow<'a, str>),
}

impl<'a> Verb<'a> {
    pub(crate) fn new(text: Cow<'a, str>) -> Self {
        match text.as_ref() {
            "get" => Self::Get,
            "list" => Self::List,
            "watch" => Self::Watch,
            "create" => Self::Create,
            "update" => Self::Update,
            "patch" => Self::Patch,
            "delete" => Self::Delete,
            "deletecollection" => Self::DeleteCollection,
            _ => Self::Other(text),
        }
    }

    /// The verb as logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Other(text) => text,
        }
    }

    /// Reads that leave objects as they are.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self, Self::Get | Self::List | Self::Watch)
    }
}
