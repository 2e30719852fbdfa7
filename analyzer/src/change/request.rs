//! How a request wants it done: as a dry run, as an apply, in its own time.

use super::content::Read;
use crate::audit::object::Verb;
use crate::audit::{AuditEvent, Level};

/// Whether the server was asked to store nothing.
///
/// For `delete` and `deletecollection` a body counts and the query is ignored
/// (`k8s.io/apiserver/pkg/endpoints/handlers/delete.go`), so the query proves nothing where a body may have been sent
/// and was not recorded.
pub(super) fn is_dry_run(event: &AuditEvent<'_>, request: &Read) -> bool {
    let in_query = || event.query("dryRun").any(|value| value == "All");
    match event.verb {
        Verb::Delete | Verb::DeleteCollection => match (request, event.level) {
            (Read::Other(options), _) => options.dry_run.iter().any(|value| value == "All"),
            (Read::Missing, Level::Request | Level::RequestResponse) => in_query(),
            _ => false,
        },
        _ => in_query(),
    }
}

/// A server-side apply of an object without its rules takes the applier's rules away, so an empty one is a change.
pub(super) fn is_apply(event: &AuditEvent<'_>) -> bool {
    event.mentions("fieldManager") && event.request.bytes().is_some_and(|body| body != b"{}" && body != b"[]")
}

/// An apply has to state the kind of its object (Kubernetes documentation, "Server-Side Apply"); `kubectl label` and its like
/// name a field manager, too, and state no kind.
pub(super) fn states_object(event: &AuditEvent<'_>, request: &Read) -> bool {
    let (Read::Object(patch) | Read::Partial(patch) | Read::Other(patch)) = request else { return false };
    is_apply(event) && !patch.kind.is_empty()
}
