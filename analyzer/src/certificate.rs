//! A request for a certificate: for whom, from which signer, and who approves it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::audit::AuditEvent;
use crate::audit::body::Body;
use crate::audit::object::{ObjectRef, Verb};
use crate::audit::outcome::Outcome;
use crate::audit::principal::Identity;
use crate::change::Ordinary;
use crate::interest::{Facts, Interest};
use crate::json::{JsonError, Kind, Reader};
use crate::pkcs10::{self, Subject};

/// A `CertificateSigningRequest` that is made or approved, whatever came of it.
#[derive(Debug, Clone)]
pub struct SigningRequest {
    /// Its name; empty when generated or not recorded.
    pub name: String,
    /// What is done with it.
    pub act: Act,
    /// What it says, as far as it was recorded.
    pub content: Content,
    /// 403, by the authorizers or by admission.
    pub refused: bool,
    /// Why it is ordinary, if it is.
    pub ordinary: Option<Ordinary>,
}

/// What is done with a request for a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is made.
    Asked,
    /// It is approved.
    Approved,
}

/// `spec` of a `CertificateSigningRequest`, and the conditions of its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Whether there was a `spec` to read.
    pub recorded: bool,
    /// `signerName`
    pub signer: String,
    /// `usages`
    pub usages: Vec<String>,
    /// `username`: who made it, as the API server noted.
    pub requester: String,
    /// The identity asked for; `None` when it cannot be read.
    pub subject: Option<Subject>,
    /// `status.conditions[].type`
    conditions: Vec<String>,
}

/// Every write on requests for certificates.
pub const INTEREST: Interest = &[Facts::WRITES.and(Facts::CERTIFICATE)];

impl SigningRequest {
    /// Whether a write on this object may be about a certificate.
    pub(crate) fn is_about(object: &ObjectRef<'_>) -> bool {
        object.api_group == "certificates.k8s.io"
    }

    /// The request for a certificate that an event is about; `None` when it is about something else.
    #[must_use]
    pub fn of(event: &AuditEvent<'_>, account: Option<&str>) -> Option<Self> {
        let object = event.object.as_ref().filter(|object| Self::is_about(object))?;
        let act = if object.is("certificates.k8s.io", "certificatesigningrequests") && creates(event) {
            Act::Asked
        } else if object.is("certificates.k8s.io", "certificatesigningrequests/approval")
            && matches!(event.verb, Verb::Update | Verb::Patch)
        {
            Act::Approved
        } else {
            return None;
        };
        // The answer is what was stored; who asked for an answer without the content is judged by the request.
        let content = [event.response, event.request]
            .into_iter()
            .filter_map(Body::bytes)
            .filter_map(Content::read)
            .reduce(Content::or)
            .unwrap_or_default();
        if act == Act::Approved && content.is_denial() {
            return None;
        }
        // By the authorizers, or by admission: it keeps system:masters out of the built-in signer, and asks for the verb
        // `approve` on the signer (Kubernetes documentation, CertificateSubjectRestriction and CertificateApproval).
        let refused = event.status.as_ref().is_some_and(|status| status.code == 403);
        let mut request = Self { name: object.name.clone().into_owned(), act, content, refused, ordinary: None };
        request.ordinary = match event.outcome() {
            Outcome::Failed | Outcome::Unauthenticated if !request.refused => Some(Ordinary::Failed),
            _ if event.query("dryRun").any(|value| value == "All") => Some(Ordinary::DryRun),
            _ if request.is_routine(event, account) => Some(Ordinary::Routine),
            _ => None,
        };
        Some(request)
    }

    /// Kubelets asking for the certificates of their own node, and the control plane approving those.
    fn is_routine(&self, event: &AuditEvent<'_>, account: Option<&str>) -> bool {
        if event.caller.acting_as.is_some() {
            return false;
        }
        let principal = &event.caller.authenticated;
        let identity = principal.identity(event.origin.peer, account);
        let node = self.content.node();
        match (self.act, identity) {
            (Act::Asked, Identity::Node) => node == Some(principal.username.as_ref()),
            // A bootstrap token is there to ask for the first certificate of a node (Kubernetes documentation,
            // "TLS bootstrapping").
            (Act::Asked, Identity::Other) => {
                principal.username.starts_with("system:bootstrap:")
                    && node.is_some()
                    && self.content.signer == NODE_CLIENT
            }
            // EKS approves the serving certificates of nodes by its `eks:certificate-controller`, Kubernetes the client
            // certificates by the approver in kube-controller-manager.
            (Act::Approved, Identity::Eks | Identity::ControlPlane) => node.is_some(),
            (Act::Approved, Identity::ServiceAccount(_)) => {
                event.controller() == Some("certificate-controller") && node.is_some()
            }
            _ => false,
        }
    }
}

fn creates(event: &AuditEvent<'_>) -> bool {
    let created = event.status.as_ref().is_some_and(|status| status.code == 201);
    event.verb == Verb::Create || (matches!(event.verb, Verb::Update | Verb::Patch) && created)
}

impl Content {
    fn read(body: &[u8]) -> Option<Self> {
        let mut content = Self::default();
        let mut reader = Reader::new(body);
        if reader.peek().ok()? != Kind::Object {
            return None;
        }
        reader.object(|key, reader| content.member(&key, reader)).ok()?;
        Some(content)
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), JsonError> {
        if !matches!(key, "spec" | "status") || reader.peek()? != Kind::Object {
            return reader.skip();
        }
        reader.object(|key, reader| {
            match key.as_ref() {
                "request" => {
                    let request = reader.optional_string()?.unwrap_or_default();
                    self.subject = STANDARD.decode(request.as_bytes()).ok().as_deref().and_then(pkcs10::subject);
                    self.recorded = true;
                }
                "signerName" => self.signer = text(reader)?,
                "username" => self.requester = text(reader)?,
                "usages" => self.usages = reader.strings::<Vec<_>>()?.into_iter().map(Into::into).collect(),
                "conditions" if reader.peek()? == Kind::Array => {
                    self.conditions.clear();
                    reader.array(|reader| self.condition(reader))?;
                }
                _ => reader.skip()?,
            }
            Ok(())
        })
    }

    fn condition(&mut self, reader: &mut Reader<'_>) -> Result<(), JsonError> {
        reader.object(|key, reader| {
            if key == "type" {
                self.conditions.push(text(reader)?);
                return Ok(());
            }
            reader.skip()
        })
    }

    /// What the first body says, and the second where the first is silent.
    fn or(self, other: Self) -> Self {
        let conditions = if self.conditions.is_empty() { other.conditions.clone() } else { self.conditions.clone() };
        Self { conditions, ..if self.recorded { self } else { other } }
    }

    /// Denied or failed, and not approved. Conditions that were not recorded may be an approval.
    fn is_denial(&self) -> bool {
        !self.conditions.is_empty() && !self.conditions.iter().any(|kind| kind == "Approved")
    }

    /// The node whose own certificate this is, by the rules of the two kubelet signers: one common name `system:node:...`,
    /// the organization `system:nodes`, nothing else.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        let subject = self.subject.as_ref().filter(|_| [NODE_SERVING, NODE_CLIENT].contains(&self.signer.as_str()))?;
        let [name] = subject.common_names.as_slice() else {
            return None;
        };
        (name.starts_with("system:node:") && subject.organizations == ["system:nodes"]).then_some(name.as_str())
    }

    /// Whether certificates of this signer are for logging in to the API server.
    #[must_use]
    pub fn opens_the_api(&self) -> bool {
        matches!(self.signer.as_str(), API_CLIENT | NODE_CLIENT | "kubernetes.io/legacy-unknown")
            || (self.is_built_in() && self.usages.iter().any(|usage| usage == "client auth"))
    }

    /// Whether the signer belongs to Kubernetes or EKS. Certificates of others do not open the API server.
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        let domain = self.signer.split('/').next().unwrap_or_default();
        domain == "kubernetes.io" || domain == "eks.amazonaws.com" || domain.ends_with(".eks.amazonaws.com")
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String, JsonError> {
    Ok(reader.optional_string()?.unwrap_or_default().into_owned())
}

/// The signers of Kubernetes (documentation, "Certificates and Certificate Signing Requests", "Kubernetes signers").
pub const API_CLIENT: &str = "kubernetes.io/kube-apiserver-client";
const NODE_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
/// The serving certificates of kubelets.
pub const NODE_SERVING: &str = "kubernetes.io/kubelet-serving";
