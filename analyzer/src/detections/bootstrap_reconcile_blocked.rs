use crate::detection::{Delta, Hit, Object, Topic, detection};
use crate::grant::LINE_CHARS_MAX;
use crate::klog::KlogEntry;
use crate::kube::ObjectKind;
use crate::severity::Severity;
use crate::text;

detection! {
    /// A built-in role or binding had been changed: the API server repaired it, or was kept from doing so
    ///
    /// ## Why it matters
    ///
    /// At every start the API server puts its built-in roles and bindings right. What it says while doing so is a second
    /// witness: a repaired role had been weakened, a protected one stays as somebody made it
    /// (`rbac.authorization.kubernetes.io/autoupdate: "false"`), a failed repair leaves it open which of the two.
    ///
    /// ## What it misses
    ///
    /// Who changed the role and when: the API server starts days or months later. Rights added to a built-in role stay
    /// unmentioned, because only what is missing is put back.
    ///
    /// ## Known benign causes
    ///
    /// An upgrade of Kubernetes, which gives built-in roles new rights and says so once; roles that an administrator
    /// protects on purpose.
    ///
    /// ## What to do
    ///
    /// After an upgrade, nothing. Otherwise compare the named object with a fresh cluster's, and look for its last change
    /// in the audit log.
    "bootstrap-reconcile-blocked", [IMPAIR_DEFENSES], since "0.1.0", KlogTopic check
}

fn check(entry: &KlogEntry<'_>) -> Option<Topic> {
    if entry.file != "storage_rbac.go" {
        return None;
    }
    let message = entry.structured().message;
    let (severity, name, why) = kind(&message)?;
    let object = object(&message);
    let shown = object.as_ref().map_or_else(|| "built-in roles".to_owned(), ToString::to_string);
    let what = match name {
        "protected" => format!("{shown} differs from the built-in one and is kept from being put right"),
        "failed" => format!("{shown} could not be put right"),
        _ => format!("{shown} had lost what belongs to it and was put right"),
    };
    let mut hit = Hit::new(severity, what, why);
    hit.changes.push(Delta::Note(text::printable(&message, LINE_CHARS_MAX)));
    hit.objects.extend(object);
    Some(Topic { name: format!("{name} {shown}"), hit })
}

/// Texts of `pkg/registry/rbac/rest/storage_rbac.go`. `created ...` at the first start is none of them.
fn kind(message: &str) -> Option<(Severity, &'static str, &'static str)> {
    let starts = |text: &str| message.starts_with(text);
    let missing = ["permissions", "subjects"]
        .iter()
        .any(|what| message.contains(&format!(" with additional {what}: ")) || message.contains(&format!(" missing {what}: ")));
    if starts("skipped reconcile-protected ") {
        return Some((
            Severity::Medium,
            "protected",
            "Somebody changed a built-in role or binding and switched off its repair, so the change stays.",
        ));
    }
    if starts("unable to reconcile ") || starts("unable to initialize ") {
        return Some((
            Severity::Medium,
            "failed",
            "The API server could not put its built-in roles right; what they grant now is not what Kubernetes meant.",
        ));
    }
    (starts("updated ") && missing || starts("recreated ")).then_some((
        Severity::Low,
        "repaired",
        "A built-in role or binding was not as it should be: somebody had weakened it, or Kubernetes was upgraded.",
    ))
}

/// `clusterrole.rbac.authorization.k8s.io/NAME`, with `in NAMESPACE` after it for roles of a namespace.
fn object(message: &str) -> Option<Object> {
    let (before, after) = message.split_once(".rbac.authorization.k8s.io/")?;
    let kind = ObjectKind::of_resource(&format!("{}s", before.rsplit(' ').next()?))?;
    let mut words = after.split(' ');
    let name = words.next()?.trim_end_matches(':');
    let namespace = match (words.next(), words.next()) {
        (Some("in"), Some(namespace)) => namespace.trim_end_matches(':'),
        _ => "",
    };
    Some(Object { kind: kind.as_str(), namespace: text::name(namespace), name: text::name(name) })
}
