//! What the body of a PATCH request touches.
//!
//! The content type is not in the audit event. A JSON patch (RFC 6902) is an array of operations; merge patches (RFC
//! 7386), strategic merge patches and server-side apply are objects that hold the members they set.

use std::borrow::Cow;

use super::ObjectKind;
use crate::json::{JsonError, Kind, Reader};

/// What a patch sets out to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    /// Nothing: an empty patch.
    Nothing,
    /// Labels, annotations and other metadata that grant nothing.
    MetadataOnly,
    /// Who owns the object and what keeps it from being deleted: the garbage collector acts on it.
    Ownership,
    /// It only takes list elements or whole members away (JSON patch `remove` and `test`).
    RemovesOnly,
    /// Anything else.
    Content,
}

/// What mutating webhooks touched besides, each by the JSON patch that the API server recorded of it (`patch` of the annotation
/// `patch.webhook.admission.k8s.io/...`), or by nothing where it recorded none.
#[must_use]
pub fn touched_by_webhooks<'p>(patches: impl Iterator<Item = Option<&'p str>>, kind: ObjectKind) -> Touches {
    let of_annotation = |text: &str| {
        let mut touched = Touches::Content;
        let mut reader = Reader::new(text.as_bytes());
        let read = reader.object(|key, reader| {
            if key == "patch" {
                touched = touches(reader.raw()?, kind);
                return Ok(());
            }
            reader.skip()
        });
        if read.is_ok() { touched } else { Touches::Content }
    };
    patches.map(|patch| patch.map_or(Touches::Content, of_annotation)).fold(Touches::Nothing, worse)
}

/// Reads a PATCH request's body. A body that cannot be read touches content. Of a ServiceAccount only the metadata counts.
#[must_use]
pub fn touches(json: &[u8], kind: ObjectKind) -> Touches {
    let mut reader = Reader::new(json);
    let read = match reader.peek() {
        Ok(Kind::Array) => touched(&mut reader, kind),
        Ok(Kind::Object) => members(&mut reader, kind),
        _ => return Touches::Content,
    };
    match read.and_then(|touches| reader.finish().map(|()| touches)) {
        Ok(touches) => touches,
        Err(_) => Touches::Content,
    }
}

fn members(reader: &mut Reader<'_>, kind: ObjectKind) -> Result<Touches, JsonError> {
    let mut touches = Touches::Nothing;
    reader.object(|key, reader| {
        match key.as_ref() {
            // An apply patch repeats what the object is; that changes nothing.
            "apiVersion" | "kind" => return reader.skip(),
            "metadata" if reader.peek()? == Kind::Object => {
                let metadata = metadata(reader)?;
                touches = worse(touches, metadata);
                return Ok(());
            }
            "secrets" | "imagePullSecrets" | "automountServiceAccountToken" if kind == ObjectKind::ServiceAccount => {
                touches = worse(touches, Touches::MetadataOnly);
            }
            _ => touches = Touches::Content,
        }
        reader.skip()
    })?;
    Ok(touches)
}

fn metadata(reader: &mut Reader<'_>) -> Result<Touches, JsonError> {
    let mut touches = Touches::Nothing;
    reader.object(|key, reader| {
        match key.as_ref() {
            "name" | "namespace" | "resourceVersion" | "uid" | "creationTimestamp" => return reader.skip(),
            "labels" | "annotations" => {
                touches = worse(touches, Touches::MetadataOnly);
                if reader.peek()? == Kind::Object {
                    return reader.object(|key, reader| {
                        if grants(&key) {
                            touches = Touches::Content;
                        }
                        reader.skip()
                    });
                }
                // `labels: null` takes all labels away, the aggregation labels among them.
                touches = Touches::Content;
            }
            "managedFields" => touches = worse(touches, Touches::MetadataOnly),
            "finalizers" | "ownerReferences" => touches = worse(touches, Touches::Ownership),
            _ => touches = Touches::Content,
        }
        reader.skip()
    })?;
    Ok(touches)
}

/// One operation of a JSON patch.
#[derive(Debug, Default)]
pub struct Operation<'a> {
    /// `op`
    pub verb: Cow<'a, str>,
    /// `path`, a JSON pointer
    pub path: Cow<'a, str>,
    /// `from`
    pub from: Option<Cow<'a, str>>,
    /// `value`, as JSON text
    pub value: Option<&'a [u8]>,
}

/// Hands out the operations of a JSON patch, one after the other.
///
/// # Errors
///
/// Where the text is no array of objects, or a member that has a place here is of the wrong type.
pub fn operations<'a>(reader: &mut Reader<'a>, mut each: impl FnMut(Operation<'a>)) -> Result<(), JsonError> {
    reader.array(|reader| {
        let mut operation = Operation::default();
        reader.object(|key, reader| {
            match key.as_ref() {
                "op" => operation.verb = reader.string()?,
                "path" => operation.path = reader.string()?,
                "from" => operation.from = Some(reader.string()?),
                "value" => operation.value = Some(reader.raw()?),
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        each(operation);
        Ok(())
    })
}

fn touched(reader: &mut Reader<'_>, kind: ObjectKind) -> Result<Touches, JsonError> {
    let mut touches = Touches::Nothing;
    operations(reader, |Operation { verb, path, from, .. }| {
        let operation = match verb.as_ref() {
            "test" => Touches::Nothing,
            "remove" | "add" | "replace" if from.is_none() && is_plain_metadata(&path) => Touches::MetadataOnly,
            // As client-go's `csaupgrade` does, guarded by the version it read.
            "remove" | "add" | "replace" if from.is_none() && is_bookkeeping(&path) => Touches::MetadataOnly,
            "remove" | "add" | "replace"
                if from.is_none() && kind == ObjectKind::ServiceAccount && is_of_account(&path) =>
            {
                Touches::MetadataOnly
            }
            "remove" if takes_away(&path) => Touches::RemovesOnly,
            _ => Touches::Content,
        };
        touches = worse(touches, operation);
    })?;
    Ok(touches)
}

/// One label or annotation that grants nothing, by its JSON pointer.
fn is_plain_metadata(path: &str) -> bool {
    ["/metadata/labels/", "/metadata/annotations/"]
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|key| !grants(&key.replace("~1", "/").replace("~0", "~"))))
}

/// Who manages which field, and the version that the request saw.
fn is_bookkeeping(path: &str) -> bool {
    path == "/metadata/resourceVersion"
        || path.strip_prefix("/metadata/managedFields").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a ServiceAccount has besides metadata: nothing that gives anybody rights.
fn is_of_account(path: &str) -> bool {
    let member = path.strip_prefix('/').and_then(|path| path.split('/').next());
    matches!(member, Some("secrets" | "imagePullSecrets" | "automountServiceAccountToken"))
}

/// Whether removing this leaves less: a whole list or one element of it. Removing inside a rule may widen it, as
/// removing its `resourceNames` does.
fn takes_away(path: &str) -> bool {
    ["/subjects", "/rules", "/data"].iter().any(|list| {
        path.strip_prefix(list)
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/').is_some_and(|rest| !rest.contains('/')))
    })
}

/// Labels and annotations that change who can do what: aggregation into other roles, and reconciliation of stock roles.
fn grants(key: &str) -> bool {
    key.starts_with("rbac.authorization.k8s.io/")
        || key.starts_with("rbac.authorization.kubernetes.io/")
        || key == "kubernetes.io/bootstrapping"
        || key.starts_with("eks.amazonaws.com/")
        // A directive of strategic merge patches: it may replace all labels at once.
        || key.starts_with('$')
}

/// The further-reaching of two.
#[must_use]
pub fn worse(one: Touches, other: Touches) -> Touches {
    let rank = |touches| match touches {
        Touches::Nothing => 0,
        Touches::MetadataOnly => 1,
        Touches::RemovesOnly => 2,
        Touches::Ownership => 3,
        Touches::Content => 4,
    };
    if rank(one) >= rank(other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::{ObjectKind, Touches, touched_by_webhooks, touches};

    #[test]
    fn a_patch_is_known_by_what_it_touches() {
        for (body, expected) in [
            ("{}", Touches::Nothing),
            ("[]", Touches::Nothing),
            (r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}"#, Touches::Nothing),
            (r#"{"metadata":{"labels":{"a":"b"}}}"#, Touches::MetadataOnly),
            (r#"{"metadata":{"annotations":{"a":null}}}"#, Touches::MetadataOnly),
            (r#"{"metadata":{"labels":null}}"#, Touches::Content),
            (r#"{"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-edit":"true"}}}"#, Touches::Content),
            (
                r#"{"metadata":{"annotations":{"rbac.authorization.kubernetes.io/autoupdate":"false"}}}"#,
                Touches::Content,
            ),
            (
                r#"{"metadata":{"labels":{"rb\u0061c.authorization.k8s.io/aggregate-to-edit":"true"}}}"#,
                Touches::Content,
            ),
            (r#"{"metadata":{"labels":{"a":"b"}},"rules":[]}"#, Touches::Content),
            (r#"{"metadata":{"labels":{"a":"b"}},"rul\u0065s":[]}"#, Touches::Content),
            (r#"{"metadata":{"labels":{"$patch":"replace","a":"b"}}}"#, Touches::Content),
            (r#"{"metadata":{"ownerReferences":[{"uid":"x"}]}}"#, Touches::Ownership),
            (r#"{"metadata":{"finalizers":["a/b"],"labels":{"a":"b"}}}"#, Touches::Ownership),
            (r#"{"metadata":null}"#, Touches::Content),
            (r#"[{"op":"test","path":"/rules"}]"#, Touches::Nothing),
            (r#"[{"op":"add","path":"/metadata/labels/a","value":"b"}]"#, Touches::MetadataOnly),
            (
                r#"[{"op":"add","path":"/metadata/labels/rbac.authorization.k8s.io~1aggregate-to-edit","value":"true"}]"#,
                Touches::Content,
            ),
            (r#"[{"op":"replace","path":"/metadata/labels","value":{}}]"#, Touches::Content),
            (
                r#"[{"op":"replace","path":"/metadata/managedFields","value":[]},{"op":"replace","path":"/metadata/resourceVersion","value":"7"}]"#,
                Touches::MetadataOnly,
            ),
            (r#"[{"op":"replace","path":"/metadata/managedFieldsets","value":[]}]"#, Touches::Content),
            (r#"[{"op":"copy","from":"/rules","path":"/metadata/managedFields"}]"#, Touches::Content),
            (r#"[{"op":"remove","path":"/subjects/0"}]"#, Touches::RemovesOnly),
            (r#"[{"op":"remove","path":"/rules/0/resourceNames"}]"#, Touches::Content),
            (r#"[{"op":"remove","path":"/aggregationRule"}]"#, Touches::Content),
            (
                r#"[{"op":"remove","path":"/subjects/0"},{"op":"add","path":"/subjects/-","value":{}}]"#,
                Touches::Content,
            ),
            (r#"[{"op":"move","from":"/subjects/0","path":"/metadata/labels/a"}]"#, Touches::Content),
            (r#"[{"op":"copy","from":"/x","path":"/rules/0"}]"#, Touches::Content),
            ("7", Touches::Content),
            ("{", Touches::Content),
            (r#"{"metadata":{"labels":{"a":"b"}}"#, Touches::Content),
        ] {
            assert_eq!(touches(body.as_bytes(), ObjectKind::ClusterRole), expected, "{body}");
        }
    }

    #[test]
    fn what_webhooks_touch_counts_and_what_is_not_recorded_of_it() {
        const LABEL: &str = r#"{"configuration":"c","webhook":"w","patch":[{"op":"add","path":"/metadata/labels/a","value":"b"}],"patchType":"JSONPatch"}"#;
        const SUBJECT: &str = r#"{"patch":[{"op":"add","path":"/subjects/-","value":{}}]}"#;
        for (patches, expected) in [
            (vec![], Touches::Nothing),
            (vec![Some(LABEL)], Touches::MetadataOnly),
            (vec![Some(LABEL), Some(SUBJECT)], Touches::Content),
            (vec![None], Touches::Content),
            (vec![Some("{}")], Touches::Content),
            (vec![Some("{")], Touches::Content),
        ] {
            assert_eq!(touched_by_webhooks(patches.iter().copied(), ObjectKind::ClusterRole), expected, "{patches:?}");
        }
    }

    #[test]
    fn of_a_service_account_only_the_metadata_counts() {
        for (body, expected) in [
            (r#"{"imagePullSecrets":[{"name":"x"}]}"#, Touches::MetadataOnly),
            (r#"{"secrets":[],"rules":[]}"#, Touches::Content),
            (r#"[{"op":"add","path":"/imagePullSecrets/-","value":{"name":"x"}}]"#, Touches::MetadataOnly),
            (r#"[{"op":"replace","path":"","value":{"metadata":{}}}]"#, Touches::Content),
            (r#"[{"op":"copy","from":"/metadata/annotations","path":"/secrets"}]"#, Touches::Content),
            (r#"{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":"x"}},"secrets":[]}"#, Touches::Content),
        ] {
            assert_eq!(touches(body.as_bytes(), ObjectKind::ServiceAccount), expected, "{body}");
        }
    }
}
