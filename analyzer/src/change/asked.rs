//! What a PATCH asks for, for where its answer does not show what came of it.

use super::content::state;
use crate::json::{JsonError, Kind, Reader};
use crate::kube::patch::{self, Operation};
use crate::kube::{Manifest, ObjectKind};
use crate::memory::State;

/// The part of an object that the body of a PATCH writes out: subjects, rules, data. The object may say more than that. None where
/// the body writes out no such part whole, as a JSON patch of one verb does.
///
/// Merge patches, strategic merge patches and server-side apply replace `subjects` and `rules` as a whole; they are lists without
/// keys (Kubernetes API reference, `x-kubernetes-list-type: atomic`). Of a JSON patch, what `add` and `replace` bring is read.
pub(super) fn asked(body: &[u8], kind: ObjectKind, namespace: &str) -> Option<State> {
    let mut reader = Reader::new(body);
    let mut manifest = match reader.peek() {
        Ok(Kind::Array) => written(&mut reader).ok()?,
        _ => Manifest::read(body).ok()?,
    };
    let says = match kind {
        ObjectKind::Role | ObjectKind::ClusterRole => manifest.rules.is_some(),
        ObjectKind::RoleBinding | ObjectKind::ClusterRoleBinding => manifest.subjects.is_some(),
        ObjectKind::AwsAuth => manifest.data.is_some(),
        ObjectKind::ServiceAccount => false,
    };
    if manifest.meta.namespace.is_empty() {
        namespace.clone_into(&mut manifest.meta.namespace);
    }
    says.then(|| state(&manifest, kind).known().cloned()).flatten()
}

fn written(reader: &mut Reader<'_>) -> Result<Manifest, JsonError> {
    let mut all = Manifest::default();
    patch::operations(reader, |Operation { verb, path, value, .. }| {
        if let ("add" | "replace", Some(value)) = (verb.as_ref(), value)
            && let Some(part) = part(&path, value)
        {
            add(&mut all.subjects, part.subjects);
            add(&mut all.rules, part.rules);
            add(&mut all.data, part.data);
        }
    })?;
    Ok(all)
}

fn add<T>(all: &mut Option<Vec<T>>, more: Option<Vec<T>>) {
    if let Some(more) = more {
        all.get_or_insert_default().extend(more);
    }
}

/// The object that has this value at this JSON pointer and nothing else.
fn part(path: &str, value: &[u8]) -> Option<Manifest> {
    let (member, rest) = match path.strip_prefix('/')?.split_once('/') {
        Some((member, rest)) => (member, Some(rest)),
        None => (path.strip_prefix('/')?, None),
    };
    let value = str::from_utf8(value).ok()?;
    let json = match (member, rest) {
        ("subjects" | "rules" | "data", None) => format!(r#"{{"{member}":{value}}}"#),
        ("subjects" | "rules", Some(index)) if index == "-" || index.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!(r#"{{"{member}":[{value}]}}"#)
        }
        ("data", Some(key)) if key.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format!(r#"{{"data":{{"{key}":{value}}}}}"#)
        }
        _ => return None,
    };
    Manifest::read(json.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::asked;
    use crate::kube::ObjectKind::{AwsAuth, ClusterRole, ClusterRoleBinding, RoleBinding, ServiceAccount};
    use crate::memory::State;

    const USER: &str = r#"{"kind":"User","name":"mallory"}"#;
    const RULE: &str = r#"{"apiGroups":[""],"resources":["secrets"],"verbs":["get"]}"#;

    #[test]
    fn what_a_patch_writes_out_is_read() {
        for body in [
            format!(r#"{{"subjects":[{USER}]}}"#),
            format!(r#"{{"kind":"ClusterRoleBinding","subjects":[{USER}]}}"#),
            format!(r#"[{{"op":"add","path":"/subjects/-","value":{USER}}}]"#),
            format!(
                r#"[{{"op":"test","path":"/x","value":1}},{{"op":"replace","path":"/subjects","value":[{USER}]}}]"#
            ),
        ] {
            let Some(State::Binding { subjects, .. }) = asked(body.as_bytes(), ClusterRoleBinding, "") else {
                panic!("{body}")
            };
            assert_eq!(subjects.iter().map(ToString::to_string).collect::<Vec<_>>(), ["User mallory"], "{body}");
        }
        let two = format!(
            r#"[{{"op":"add","path":"/rules/0","value":{RULE}}},{{"op":"add","path":"/rules/-","value":{RULE}}}]"#
        );
        let Some(State::Role { rules, .. }) = asked(two.as_bytes(), ClusterRole, "") else { panic!("{two}") };
        assert_eq!(rules.len(), 2);
        let data = r#"[{"op":"replace","path":"/data/mapRoles","value":"- rolearn: arn:aws:iam::111122223333:role/x\n  groups: [system:masters]\n"}]"#;
        let Some(State::AwsAuth(map)) = asked(data.as_bytes(), AwsAuth, "kube-system") else { panic!("{data}") };
        assert!(map.maps_to("system:masters"));
        let account = br#"{"subjects":[{"kind":"ServiceAccount","name":"a"}]}"#;
        let Some(State::Binding { subjects, .. }) = asked(account, RoleBinding, "ci") else { panic!("a binding") };
        assert_eq!(subjects[0].to_string(), "ServiceAccount ci/a");
    }

    #[test]
    fn what_it_does_not_write_out_whole_is_not() {
        for (body, kind) in [
            (r#"{"metadata":{"labels":{"a":"b"}}}"#, ClusterRoleBinding),
            (r#"[{"op":"add","path":"/rules/0/verbs/-","value":"*"}]"#, ClusterRole),
            (r#"[{"op":"remove","path":"/subjects/0"}]"#, ClusterRoleBinding),
            (r#"[{"op":"copy","from":"/subjects/0","path":"/subjects/-"}]"#, ClusterRoleBinding),
            (r#"[{"op":"add","path":"subjects","value":[]}]"#, ClusterRoleBinding),
            (r#"{"subjects":{}}"#, ClusterRoleBinding),
            (r#"{"rules":["#, ClusterRole),
            (r#"{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":"x"}}}"#, ServiceAccount),
            ("7", ClusterRole),
        ] {
            assert_eq!(asked(body.as_bytes(), kind, ""), None, "{body}");
        }
    }
}
