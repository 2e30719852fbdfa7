//! The paths that Kubernetes lets everybody ask.

use super::object::Verb;

/// Health, version, discovery and the keys of the token issuer: what the stock roles `system:public-info-viewer`,
/// `system:discovery` and `system:service-account-issuer-discovery` are for. Only the path counts.
pub(crate) fn is_open(verb: &Verb<'_>, uri: &str) -> bool {
    let path = path(uri);
    let under = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    matches!(verb.as_str(), "get" | "head" | "options") && OPEN.iter().any(|root| under(root)) && !path.contains("..")
}

/// The path of a request, without its query.
pub(crate) fn path(uri: &str) -> &str {
    uri.split('?').next().unwrap_or_default()
}

/// Each with everything under it.
const OPEN: &[&str] =
    &["/healthz", "/livez", "/readyz", "/version", "/api", "/apis", "/openapi", "/.well-known", "/openid/v1/jwks"];
