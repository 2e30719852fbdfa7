//! The Kubernetes objects that bodies hold, as far as detections look at them.
//!
//! Read with the pull reader: of two equal keys the last counts, as for the API server; unknown members are stepped
//! over; a member of the wrong type makes the body unreadable rather than empty.

mod meta;
pub mod patch;

use std::borrow::Cow;

pub use self::meta::Meta;
use self::meta::{lookup, meta};
use crate::few::Few;
use crate::json::{JsonError, Kind, Reader};
use crate::rbac::{PolicyRule, RoleKind, RoleRef, Subject};

/// The kinds of object whose content is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// Role
    Role,
    /// ClusterRole
    ClusterRole,
    /// RoleBinding
    RoleBinding,
    /// ClusterRoleBinding
    ClusterRoleBinding,
    /// The ConfigMap `aws-auth` in `kube-system`
    AwsAuth,
    /// ServiceAccount, for its IAM role
    ServiceAccount,
}

impl ObjectKind {
    /// The RBAC kind that a resource of `rbac.authorization.k8s.io` holds.
    #[must_use]
    pub fn of_resource(resource: &str) -> Option<Self> {
        match resource {
            "roles" => Some(Self::Role),
            "clusterroles" => Some(Self::ClusterRole),
            "rolebindings" => Some(Self::RoleBinding),
            "clusterrolebindings" => Some(Self::ClusterRoleBinding),
            _ => None,
        }
    }

    /// The kind as Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::ClusterRole => "ClusterRole",
            Self::RoleBinding => "RoleBinding",
            Self::ClusterRoleBinding => "ClusterRoleBinding",
            Self::AwsAuth => "ConfigMap",
            Self::ServiceAccount => "ServiceAccount",
        }
    }

    /// A kind of `rbac.authorization.k8s.io`.
    #[must_use]
    pub const fn is_rbac(self) -> bool {
        self.is_role() || self.is_binding()
    }

    /// Role or ClusterRole.
    #[must_use]
    pub const fn is_role(self) -> bool {
        matches!(self, Self::Role | Self::ClusterRole)
    }

    /// RoleBinding or ClusterRoleBinding.
    #[must_use]
    pub const fn is_binding(self) -> bool {
        matches!(self, Self::RoleBinding | Self::ClusterRoleBinding)
    }

    /// The group version whose objects have namespaces.
    #[must_use]
    pub const fn is_namespaced(self) -> bool {
        !matches!(self, Self::ClusterRole | Self::ClusterRoleBinding)
    }
}

/// An object of some kind, every part of interest that it may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// `kind`
    pub kind: String,
    /// `metadata`
    pub meta: Meta,
    /// `rules` of a role; absent is not the same as empty.
    pub rules: Option<Vec<PolicyRule>>,
    /// `aggregationRule` of a ClusterRole: its label selectors.
    pub aggregation: Option<Vec<Selector>>,
    /// `roleRef` of a binding.
    pub role_ref: Option<RoleRef>,
    /// `subjects` of a binding; absent is not the same as empty.
    pub subjects: Option<Vec<Subject>>,
    /// `data` of a ConfigMap.
    pub data: Option<Vec<(String, String)>>,
    /// `items` of a list, each as JSON text.
    pub items: Option<Vec<Vec<u8>>>,
    /// `dryRun` of DeleteOptions.
    pub dry_run: Vec<String>,
}

/// A label selector of an aggregation rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Selector {
    /// `matchLabels`
    pub labels: Vec<(String, String)>,
    /// `matchExpressions`, which are not evaluated.
    pub expressions: Vec<Expression>,
}

/// One requirement of a label selector.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// Values for `In` and `NotIn`.
    pub values: Vec<String>,
}

impl Expression {
    /// Whether an object without labels meets it.
    #[must_use]
    pub fn takes_what_is_not_labelled(&self) -> bool {
        matches!(self.operator.as_str(), "NotIn" | "DoesNotExist")
    }
}

impl Selector {
    /// Whether an object with these labels may be selected.
    #[must_use]
    pub fn may_match(&self, labels: &[(String, String)]) -> bool {
        !self.expressions.is_empty() || self.labels.iter().all(|(key, value)| lookup(labels, key) == Some(value))
    }
}

impl Manifest {
    /// Reads an object.
    pub fn read(json: &[u8]) -> Result<Self, JsonError> {
        let mut reader = Reader::new(json);
        let mut out = Self::default();
        reader.object(|key, reader| {
            match key.as_ref() {
                "kind" => out.kind = text(reader)?,
                "metadata" => out.meta = optional(reader, meta)?.unwrap_or_default(),
                "rules" => out.rules = optional(reader, |reader| list(reader, rule))?,
                "aggregationRule" => out.aggregation = optional(reader, aggregation)?,
                "roleRef" => out.role_ref = optional(reader, role_ref)?.flatten(),
                "subjects" => out.subjects = optional(reader, |reader| list(reader, subject))?,
                "data" => out.data = optional(reader, pairs)?,
                "items" => {
                    out.items = optional(reader, |reader| list(reader, |reader| Ok(reader.raw()?.to_vec())))?;
                }
                "dryRun" => out.dry_run = texts(reader)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        reader.finish()?;
        Ok(out)
    }
}

/// `spec` of a TokenRequest (authentication.k8s.io/v1). Kubelets send one for every pod and hour, so it is read without
/// owning anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenSpec<'a> {
    /// Empty means the API server itself.
    pub audiences: Few<Cow<'a, str>, 2>,
    /// Lifetime asked for, in seconds.
    pub expiration_seconds: Option<i64>,
    /// Kind and name of the object the token is bound to.
    pub bound_to: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> TokenSpec<'a> {
    /// Reads it from a TokenRequest; `None` where that has none.
    pub fn of_request(json: &'a [u8]) -> Result<Option<Self>, JsonError> {
        let mut out = None;
        let mut reader = Reader::new(json);
        reader.object(|key, reader| match key.as_ref() {
            "spec" => {
                out = optional(reader, Self::read)?;
                Ok(())
            }
            _ => reader.skip(),
        })?;
        reader.finish()?;
        Ok(out)
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, JsonError> {
        let mut out = Self::default();
        reader.object(|key, reader| {
            match key.as_ref() {
                "audiences" => out.audiences = reader.strings()?,
                "expirationSeconds" => out.expiration_seconds = optional(reader, Reader::integer)?,
                "boundObjectRef" => out.bound_to = optional(reader, bound)?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(out)
    }
}

/// Kind and name of an object that is referred to.
fn bound<'a>(reader: &mut Reader<'a>) -> Result<(Cow<'a, str>, Cow<'a, str>), JsonError> {
    let (mut kind, mut name) = (None, None);
    reader.object(|key, reader| {
        match key.as_ref() {
            "kind" => kind = reader.optional_string()?,
            "name" => name = reader.optional_string()?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok((kind.unwrap_or_default(), name.unwrap_or_default()))
}

pub(crate) fn rule(reader: &mut Reader<'_>) -> Result<PolicyRule, JsonError> {
    let mut out = PolicyRule::default();
    reader.object(|key, reader| {
        let slot = match key.as_ref() {
            "apiGroups" => &mut out.api_groups,
            "resources" => &mut out.resources,
            "verbs" => &mut out.verbs,
            "resourceNames" => &mut out.resource_names,
            "nonResourceURLs" => &mut out.non_resource_urls,
            _ => return reader.skip(),
        };
        *slot = texts(reader)?;
        Ok(())
    })?;
    Ok(out)
}

fn role_ref(reader: &mut Reader<'_>) -> Result<Option<RoleRef>, JsonError> {
    let (mut kind, mut name) = (String::new(), String::new());
    reader.object(|key, reader| {
        match key.as_ref() {
            "kind" => kind = text(reader)?,
            "name" => name = text(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(match kind.as_str() {
        "Role" => Some(RoleRef { kind: RoleKind::Role, name }),
        "ClusterRole" => Some(RoleRef { kind: RoleKind::ClusterRole, name }),
        _ => None,
    })
}

pub(crate) fn subject(reader: &mut Reader<'_>) -> Result<Subject, JsonError> {
    let (mut kind, mut namespace, mut name) = (String::new(), String::new(), String::new());
    reader.object(|key, reader| {
        match key.as_ref() {
            "kind" => kind = text(reader)?,
            "namespace" => namespace = text(reader)?,
            "name" => name = text(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(match kind.as_str() {
        "User" => Subject::User(name),
        "Group" => Subject::Group(name),
        "ServiceAccount" => Subject::ServiceAccount { namespace, name },
        _ => Subject::Other { kind, name },
    })
}

fn aggregation(reader: &mut Reader<'_>) -> Result<Vec<Selector>, JsonError> {
    let mut out = Vec::new();
    reader.object(|key, reader| match key.as_ref() {
        "clusterRoleSelectors" => {
            out = optional(reader, |reader| list(reader, selector))?.unwrap_or_default();
            Ok(())
        }
        _ => reader.skip(),
    })?;
    Ok(out)
}

fn selector(reader: &mut Reader<'_>) -> Result<Selector, JsonError> {
    let mut out = Selector::default();
    reader.object(|key, reader| {
        match key.as_ref() {
            "matchLabels" => out.labels = optional(reader, pairs)?.unwrap_or_default(),
            "matchExpressions" => {
                out.expressions = optional(reader, |reader| list(reader, expression))?.unwrap_or_default();
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(out)
}

fn expression(reader: &mut Reader<'_>) -> Result<Expression, JsonError> {
    let mut out = Expression::default();
    reader.object(|key, reader| {
        match key.as_ref() {
            "key" => out.key = text(reader)?,
            "operator" => out.operator = text(reader)?,
            "values" => out.values = texts(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(out)
}

fn pairs(reader: &mut Reader<'_>) -> Result<Vec<(String, String)>, JsonError> {
    let mut out = Vec::new();
    reader.object(|key, reader| {
        out.push((key.into_owned(), text(reader)?));
        Ok(())
    })?;
    Ok(out)
}

fn text(reader: &mut Reader<'_>) -> Result<String, JsonError> {
    Ok(reader.optional_string()?.unwrap_or_default().into_owned())
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>, JsonError> {
    Ok(reader.strings::<Vec<_>>()?.into_iter().map(Cow::into_owned).collect())
}

/// Reads a value unless it is `null`.
pub(crate) fn optional<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, JsonError>,
) -> Result<Option<T>, JsonError> {
    if reader.peek()? == Kind::Null { reader.skip().map(|()| None) } else { read(reader).map(Some) }
}

pub(crate) fn list<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, JsonError>,
) -> Result<Vec<T>, JsonError> {
    let mut out = Vec::new();
    reader.array(|reader| {
        out.push(read(reader)?);
        Ok(())
    })?;
    Ok(out)
}
