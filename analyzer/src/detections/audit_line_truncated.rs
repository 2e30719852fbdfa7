use crate::audit::Cut;
use crate::audit::object::ObjectRef;
use crate::case::Case;
use crate::change::RBAC_GROUP;
use crate::detection::{Delta, Hit, detection};
use crate::interest::Facts;
use crate::severity::Severity;
use crate::text;

detection! {
    /// An audit event about rights was cut, or cut before it says what it is about
    ///
    /// ## Why it matters
    ///
    /// The log shipper cuts lines that are too long. A client can make a line as long as it likes: by a huge object, but also
    /// by padding its audit ID, the query of its URI or the addresses it claims, all of which stand before the object. Then
    /// the line does not say what was done.
    ///
    /// ## What it misses
    ///
    /// Cut events about other objects, as large pods and ConfigMaps make them every day, as long as their head is whole.
    ///
    /// ## Known benign causes
    ///
    /// Very large roles, bindings with thousands of subjects.
    ///
    /// ## What to do
    ///
    /// Read the object that the path names, as it is now. If even the path is cut, look at what the same address did around
    /// that time; nobody pads a request by accident.
    "audit-line-truncated", [IMPAIR_DEFENSES], since "0.1.0", Audit check where &[Facts::SERVER_CUT]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let event = case.event;
    let cut = event.cut?;
    let about_rights = event.object.as_ref().is_some_and(is_about_rights);
    let headless = cut == Cut::Shipper && (event.status.is_none() || event.object.is_none());
    let writes = !event.verb.reads();
    let severity = match (about_rights, headless) {
        // Cut before the answer: the padding stands where only intent puts it.
        (true, true) if writes => Severity::Critical,
        (true, _) if writes => Severity::High,
        (_, true) => Severity::Medium,
        _ => return None,
    };
    let path = event.request_uri.split('?').next().unwrap_or_default();
    let what = if path.is_empty() {
        "sent a request whose record was cut before it says what it was".to_owned()
    } else {
        format!("sent a request whose record was cut: {} {}", text::name(event.verb.as_str()), text::name(path))
    };
    let mut hit = Hit::new(
        severity,
        what.replace(":  ", ": "),
        if headless {
            "The line ends before it says what was done and what came of it, which takes padding that a client puts there."
        } else {
            "The line ends inside the object, so what it says now is not in the log."
        },
    );
    if case.event.caller.authenticated.is_empty() {
        hit.changes.push(Delta::Note("even who asked was cut off".to_owned()));
    }
    Some(hit)
}

/// Roles and bindings, `aws-auth`, tokens.
fn is_about_rights(object: &ObjectRef<'_>) -> bool {
    object.api_group == RBAC_GROUP
        || object.is("", "serviceaccounts/token")
        || (object.is("", "configmaps")
            && object.namespace == "kube-system"
            && (object.name == "aws-auth" || object.name.is_empty()))
}
