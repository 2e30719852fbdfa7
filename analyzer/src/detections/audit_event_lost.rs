use crate::change::RBAC_GROUP;
use crate::detection::{Delta, Hit, Object, detection};
use crate::klog::{KlogEntry, LostEvent};
use crate::severity::Severity;
use crate::text;

detection! {
    /// The API server could not write an audit event: something happened and its record is gone
    ///
    /// ## Why it matters
    ///
    /// The request goes through although its record is lost. A server-side apply whose body is real YAML does this on
    /// every release up to Kubernetes 1.36, so it is a way to change roles, bindings or `aws-auth` without a trace in the
    /// audit log. Only the api stream tells, in one entry.
    ///
    /// ## What it misses
    ///
    /// What the lost request changed. The summary names user, verb, path and status; the address in it may be the client's
    /// own word.
    ///
    /// ## Known benign causes
    ///
    /// A tool that applies YAML bodies without meaning to hide.
    ///
    /// ## What to do
    ///
    /// Read the object that the path names, as it is now. If the change is not yours, undo it and ask the named user.
    "audit-event-lost", [DISABLE_CLOUD_LOGS], since "0.1.0", Klog check
}

fn check(entry: &KlogEntry<'_>) -> Option<Hit> {
    let lost = entry.lost_events()?;
    let worst = lost.summaries.iter().map(|event| (severity(event), event)).max_by_key(|(severity, _)| *severity);
    let count = lost.affected.unwrap_or(0).max(u64::try_from(lost.summaries.len()).unwrap_or(u64::MAX)).max(1);
    let Some((severity, event)) = worst else {
        return Some(Hit::new(
            Severity::High,
            format!("{count} audit event{} lost; which, the log does not say here", plural(count)),
            "The API server failed to write an audit record; the lines that name it may follow in another delivery.",
        ));
    };
    let path = path(event);
    let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
    let mut hit = Hit::new(
        severity,
        format!(
            "audit record lost: {} of {} by {}{others}",
            text::name(&event.method),
            text::name(&path),
            text::name(&event.user)
        ),
        if severity == Severity::Critical {
            "The change took effect and its audit record is gone: who can do what has changed, and only this line says so."
        } else {
            "The API server failed to write an audit record, so what happened cannot be judged."
        },
    );
    hit.changes.extend(lost.summaries.iter().take(LISTED).map(line));
    hit.objects.extend(object(&path));
    Some(hit)
}

/// A write on roles, bindings or `aws-auth` that took effect is as grave as it gets: it may have given anything.
fn severity(event: &LostEvent) -> Severity {
    let path = path(event);
    let writes = !matches!(event.method.as_str(), "get" | "list" | "watch");
    let watched = path.starts_with(&format!("/apis/{RBAC_GROUP}/"))
        || path.starts_with("/api/v1/namespaces/kube-system/configmaps");
    let took = matches!(event.response, 0 | 200..=299 | 500..);
    if writes && watched && took { Severity::Critical } else { Severity::High }
}

/// The path as the API server takes it, which a client may have written with escapes.
fn path(event: &LostEvent) -> String {
    text::percent_decoded(event.uri.split('?').next().unwrap_or_default())
}

fn line(event: &LostEvent) -> Delta {
    let acting = if event.acting_as.is_empty() { String::new() } else { format!(" as {}", event.acting_as) };
    Delta::Note(text::printable(
        &format!("{} {} by {}{acting}, answered {}", event.method, event.uri, event.user, event.response),
        crate::grant::LINE_CHARS_MAX,
    ))
}

/// The object that an RBAC path names: `/apis/<group>/<version>/[namespaces/<ns>/]<resource>/<name>`.
fn object(path: &str) -> Option<Object> {
    let parts: Vec<&str> = path.split('/').collect();
    let (namespace, resource, name) = match parts.as_slice() {
        ["", "apis", RBAC_GROUP, _, "namespaces", namespace, resource, name] => (*namespace, *resource, *name),
        ["", "apis", RBAC_GROUP, _, resource, name] => ("", *resource, *name),
        ["", "api", _, "namespaces", namespace, "configmaps", name] => (*namespace, "configmaps", *name),
        _ => return None,
    };
    let kind = if resource == "configmaps" {
        "ConfigMap"
    } else {
        crate::kube::ObjectKind::of_resource(resource)?.as_str()
    };
    Some(Object { kind, namespace: text::name(namespace), name: text::name(name) })
}

const fn plural(count: u64) -> &'static str {
    if count == 1 { " was" } else { "s were" }
}

/// Lost events listed in one alert.
const LISTED: usize = 20;
