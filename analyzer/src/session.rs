//! Sessions: one way of using one credential.
//!
//! There is no login event in Kubernetes. The first request of a session is the login: a caller, a credential, the address
//! that connects and the kind of client. Every caller has a session; of service accounts there is more to know.

use std::net::IpAddr;

use crate::audit::AuditEvent;
use crate::audit::control_plane::CONTROLLER_ACCOUNTS;
use crate::audit::origin::is_public;
use crate::audit::principal::{Identity, ServiceAccount};
use crate::impersonation::Impersonation;
use crate::memory::SessionKey;
use crate::settings::Settings;

/// What is known of the session that a request belongs to.
#[derive(Debug, Clone)]
pub struct Session<'a> {
    /// Whose token it is.
    pub account: ServiceAccount<'a>,
    /// What kind of token.
    pub token: Token<'a>,
    /// The peer address, when it can only be reached from outside private and trusted networks.
    pub external: Option<IpAddr>,
    /// A client that people and scripts use, when the user agent names one.
    pub human_client: Option<&'static str>,
    /// Under which it is remembered.
    pub key: SessionKey,
}

/// The kinds of service-account token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// Bound to a pod, as the kubelet requests them.
    Pod {
        /// Name of the pod.
        name: &'a str,
        /// Node the pod runs on, where the token says so.
        node: Option<&'a str>,
        /// The account is one of the control plane's own controllers, which have no pods.
        controller: bool,
    },
    /// Kept in a Secret: it never expires.
    Legacy {
        /// The Secret, and whether a person made it.
        secret: Option<(&'a str, bool)>,
    },
    /// Bound to no pod.
    Unbound {
        /// One of kube-controller-manager's own controllers, from a private address.
        controller: bool,
    },
}

impl<'a> Session<'a> {
    /// The session of a request; `None` when the caller is not a proven service account.
    #[must_use]
    pub fn of(event: &'a AuditEvent<'a>, cluster: &str, settings: &Settings) -> Option<Self> {
        let principal = &event.caller.authenticated;
        let Identity::ServiceAccount(account) = principal.identity(event.origin.peer, None) else {
            return None;
        };
        let external = event
            .origin
            .peer
            .filter(|peer| is_public(*peer) && !settings.trusted_networks.iter().any(|network| network.contains(peer)));
        let controller = account.namespace == "kube-system" && CONTROLLER_ACCOUNTS.contains(&account.name);
        let token = if event.annotations.legacy_token().is_some() {
            Token::Legacy { secret: event.annotations.legacy_secret() }
        } else if let Some((name, _)) = principal.pod() {
            Token::Pod { name, node: principal.node(), controller }
        } else {
            Token::Unbound { controller: controller && external.is_none() }
        };
        let human_client = human_client(&event.user_agent);
        let key = key(event, cluster);
        Some(Self { account, token, external, human_client, key })
    }
}

/// The session of any caller, proven or not: who, with what credential, from where, with what kind of client, as whom.
#[must_use]
pub fn key(event: &AuditEvent<'_>, cluster: &str) -> SessionKey {
    let principal = &event.caller.authenticated;
    let account = match principal.service_account() {
        Some(account) => (account.namespace.to_owned(), account.name.to_owned()),
        None => (String::new(), crate::text::name(&principal.username)),
    };
    let nameless = if event.annotations.legacy_token().is_some() { "legacy" } else { "unknown" };
    let credential = principal
        .credential_id()
        .or_else(|| principal.pod().map(|(name, uid)| uid.unwrap_or(name)))
        .or_else(|| principal.extra("accessKeyId"))
        .or_else(|| principal.is_iam().then_some(principal.uid.as_ref()))
        .unwrap_or(nameless);
    SessionKey {
        cluster: cluster.to_owned(),
        account,
        credential: crate::text::name(credential),
        peer: event.origin.peer.map(|peer| peer.to_string()).unwrap_or_default(),
        family: human_client(&event.user_agent).unwrap_or("other"),
        acting_as: Impersonation::of(event).map(|wanted| wanted.digest()).unwrap_or_default(),
        hour: event.time().map_or(0, |time| time.as_second().div_euclid(3600)),
    }
}

/// The client of a person or a script that a user agent names, by its first word.
///
/// Client libraries that programs are built with (client-go's default agent, `OpenAPI-Generator`, `Go-http-client`, `node-fetch`
/// of the JavaScript client) are left out: they are what controllers use. The user agent is the client's word, so it only ever adds suspicion.
#[must_use]
pub fn human_client(user_agent: &str) -> Option<&'static str> {
    let first = user_agent.trim_start().split(['/', ' ', '(']).next().unwrap_or_default();
    // On Windows client-go names the program's file.
    let name =
        first.rsplit_once('.').filter(|(_, end)| end.eq_ignore_ascii_case("exe")).map_or(first, |(name, _)| name);
    HUMAN_CLIENTS.iter().find(|client| client.eq_ignore_ascii_case(name)).copied()
}

/// Names that interactive and scripting clients give themselves, each as the client's source has it.
pub(crate) const HUMAN_CLIENTS: &[&str] = &[
    "kubectl",
    "oc",
    "k9s",
    "Lens",
    "OpenLens",
    "Headlamp",
    "kubens",
    "kubectx",
    "stern",
    "curl",
    "Wget",
    "HTTPie",
    "python-requests",
    "Python-urllib",
    "aiohttp",
    "PostmanRuntime",
    "insomnia",
    "Mozilla",
    "PowerShell",
    "Ruby",
    "Java-http-client",
    "libwww-perl",
    "axios",
    "undici",
    "kube-hunter",
    "peirates",
    "kdigger",
    "kubeletctl",
    "rakkess",
    "kubectl-who-can",
    "kubectl-access-matrix",
];

#[cfg(test)]
mod tests {
    use super::{human_client, key};
    use crate::audit::AuditEvent;

    fn key_of(user: &str, more: &str) -> crate::memory::SessionKey {
        let line = format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","verb":"get","user":{user},"sourceIPs":["10.9.9.9","10.0.0.1"],"userAgent":"kubectl/v1","requestReceivedTimestamp":"2026-11-23T08:00:02.100000Z"{more}}}"#
        );
        key(&AuditEvent::read(&line).unwrap(), "prod")
    }

    #[test]
    fn every_caller_has_a_session() {
        let iam = r#"{"username":"dev","uid":"aws-iam-authenticator:1:A","extra":{"accessKeyId":["ASIA1"]}}"#;
        let key = key_of(iam, "");
        assert_eq!(key.account, (String::new(), "dev".to_owned()));
        assert_eq!((key.credential.as_str(), key.peer.as_str(), key.family), ("ASIA1", "10.0.0.1", "kubectl"));
        assert_eq!(key.acting_as, "");
        let acting = |name: &str| key_of(iam, &format!(r#","impersonatedUser":{{"username":"{name}"}}"#)).acting_as;
        assert_ne!(acting("a"), "");
        assert_ne!(acting("a"), acting("b"));
        let forged = r#"{"username":"system:serviceaccount:a:b","uid":"aws-iam-authenticator:1:A"}"#;
        let genuine = r#"{"username":"system:serviceaccount:a:b","uid":"u","groups":["system:serviceaccounts","system:serviceaccounts:a"]}"#;
        assert_eq!(key_of(forged, "").account, (String::new(), "system:serviceaccount:a:b".to_owned()));
        assert_eq!(key_of(forged, "").credential, "aws-iam-authenticator:1:A");
        assert_eq!(key_of(genuine, "").account, ("a".to_owned(), "b".to_owned()));
    }

    #[test]
    fn human_clients_are_known_by_their_first_word() {
        for (agent, client) in [
            ("kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0", Some("kubectl")),
            ("curl/8.5.0", Some("curl")),
            ("KUBECTL", Some("kubectl")),
            (" python-requests/2.32", Some("python-requests")),
            ("Mozilla/5.0 (X11)", Some("Mozilla")),
            ("kube-controller-manager/v1.36.2", None),
            ("Go-http-client/2.0", None),
            ("OpenAPI-Generator/33.1.0/python", None),
            ("argocd-server/v0.0.0 (linux/amd64) kubectl", None),
            ("", None),
        ] {
            assert_eq!(human_client(agent), client, "{agent}");
        }
    }
}
