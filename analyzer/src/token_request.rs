//! A request for a service-account token: who is to have it, and for what.

use crate::audit::AuditEvent;
use crate::audit::body::Body;
use crate::audit::control_plane::{CLOUD_CONTROLLER_ACCOUNTS, CONTROLLER_ACCOUNTS};
use crate::audit::object::{ObjectRef, Verb};
use crate::audit::outcome::Outcome;
use crate::audit::principal::Identity;
use crate::change::Ordinary;
use crate::interest::{Facts, Interest};
use crate::kube::TokenSpec;

/// A TokenRequest (`create` of `serviceaccounts/token`), whatever came of it.
#[derive(Debug, Clone)]
pub struct TokenRequest<'a> {
    /// Namespace of the service account.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// What was asked for; `None` where the log does not hold it.
    pub spec: Option<TokenSpec<'a>>,
    /// 403, by the authorizers or by admission.
    pub refused: bool,
    /// Why it is ordinary, if it is.
    pub ordinary: Option<Ordinary>,
}

/// Every request for a token.
pub const INTEREST: Interest = &[Facts::CREATES.and(Facts::TOKEN)];

impl<'a> TokenRequest<'a> {
    /// Whether a request for this object, if it creates, asks for a token.
    pub(crate) fn is_about(object: &ObjectRef<'_>) -> bool {
        object.is("", "serviceaccounts/token")
    }

    /// The token request that an event is; `None` when it is something else.
    #[must_use]
    pub fn of(event: &'a AuditEvent<'a>, account: Option<&str>) -> Option<Self> {
        let object = event.object.as_ref().filter(|object| Self::is_about(object))?;
        if event.verb != Verb::Create {
            return None;
        }
        let spec = match event.request {
            Body::Recorded(bytes) => TokenSpec::of_request(bytes).ok().flatten(),
            Body::NotRecorded | Body::Cut | Body::Broken => None,
        };
        // Admission refuses nodes what is not for a pod of theirs (Kubernetes documentation, NodeRestriction).
        let refused = event.status.as_ref().is_some_and(|status| status.code == 403);
        let mut request = Self { namespace: &object.namespace, name: &object.name, spec, refused, ordinary: None };
        request.ordinary = match event.outcome() {
            Outcome::Failed | Outcome::Unauthenticated if !request.refused => Some(Ordinary::Failed),
            // No arm for dry runs: the API server hands out the token all the same (Kubernetes source,
            // `pkg/registry/core/serviceaccount/storage/token.go` never asks).
            _ if request.is_routine(event, account) => Some(Ordinary::Routine),
            _ => None,
        };
        Some(request)
    }

    /// Kubelets for the pods of their node, and kube-controller-manager for its own controllers.
    fn is_routine(&self, event: &AuditEvent<'_>, account: Option<&str>) -> bool {
        if event.caller.acting_as.is_some() {
            return false;
        }
        let principal = &event.caller.authenticated;
        match principal.identity(event.origin.peer, account) {
            // The node authorizer only lets a kubelet ask for pods that run on its node.
            Identity::Node => {
                self.spec.as_ref().and_then(|spec| spec.bound_to.as_ref()).is_some_and(|(kind, _)| kind == "Pod")
            }
            Identity::ControlPlane => {
                principal.username == "system:kube-controller-manager"
                    && self.namespace == "kube-system"
                    && CONTROLLER_ACCOUNTS.contains(&self.name)
            }
            // EKS's cloud controller manager, too, has an account for each of its controllers.
            Identity::Eks => {
                principal.username == "eks:cloud-controller-manager"
                    && self.namespace == "kube-system"
                    && CLOUD_CONTROLLER_ACCOUNTS.contains(&self.name)
            }
            _ => false,
        }
    }
}
