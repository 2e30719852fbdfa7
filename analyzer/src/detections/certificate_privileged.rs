use crate::audit::principal::is_reserved;
use crate::case::Case;
use crate::certificate::{self, API_CLIENT, Act, Content, SigningRequest};
use crate::detection::{Delta, Hit, Object, detection};
use crate::pkcs10;
use crate::rbac::Subject;
use crate::severity::Severity;
use crate::strength;
use crate::text;

detection! {
    /// Somebody asked for, or approved, a certificate that is an identity
    ///
    /// ## Why it matters
    ///
    /// A certificate signed by the cluster's CA is a login: its common name is the user, its organizations are the groups,
    /// and it cannot be called back before it expires. EKS does not sign requests for the signer
    /// `kubernetes.io/kube-apiserver-client`, so on EKS even an approved one stays unsigned; who asks for one, or approves
    /// one, tries a way in that works elsewhere.
    ///
    /// ## What it misses
    ///
    /// Certificates made with a stolen CA key leave no request. Certificates of signers of your own (cert-manager, a
    /// service mesh) do not open the API server; they are told only if they carry a privileged name.
    ///
    /// ## Known benign causes
    ///
    /// Scripts written for other kinds of cluster. Kubelets that ask for the certificates of their own node, and the control
    /// plane approving those, are quiet by proof; so is anybody approving the serving certificate that a node asked for
    /// itself.
    ///
    /// ## What to do
    ///
    /// Deny or delete the request (`kubectl certificate deny`), ask the named person, and look whether the request got a
    /// certificate (`kubectl get csr`).
    "certificate-privileged", [FORGE_CERTIFICATES, ADDITIONAL_CLUSTER_ROLES], since "0.1.0", Audit check where certificate::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let request = case.signing_request.as_ref().filter(|request| request.ordinary.is_none())?;
    let refused = request.refused;
    if refused && !request.content.recorded {
        // The body of a refused request is never read.
        let what = match request.act {
            Act::Asked => "tried to ask for a certificate and was refused",
            Act::Approved => "tried to approve a certificate and was refused",
        };
        return Some(with_object(Hit::new(Severity::Low, what, "The caller has no right to do this."), request));
    }
    let (severity, mut why) = worth(case, request)?;
    let own = request.act == Act::Approved
        && !request.content.requester.is_empty()
        && request.content.requester == case.event.caller.effective().username;
    let severity = severity.raised(u8::from(own)).lowered(u8::from(refused));
    if own {
        why.push_str(" The same principal asked for it and approved it.");
    }
    if request.content.signer == API_CLIENT {
        why.push_str(" EKS does not sign certificates of this signer, so it should stay without effect.");
    }
    let refusal = if refused { " and was refused" } else { "" };
    let act = match (request.act, refused) {
        (Act::Asked, false) => "asked for",
        (Act::Asked, true) => "tried to ask for",
        (Act::Approved, false) => "approved",
        (Act::Approved, true) => "tried to approve",
    };
    let mut hit = with_object(Hit::new(severity, format!("{act} {}{refusal}", what(&request.content)), why), request);
    hit.changes = details(&request.content);
    hit.subjects = request.content.subject.iter().flat_map(names).collect();
    Some(hit)
}

fn with_object(mut hit: Hit, request: &SigningRequest) -> Hit {
    hit.objects.push(Object {
        kind: "CertificateSigningRequest",
        namespace: String::new(),
        name: text::name(&request.name),
    });
    hit
}

/// How urgent it is, and why; `None` when it is about no identity worth telling.
fn worth(case: &Case<'_>, request: &SigningRequest) -> Option<(Severity, String)> {
    let content = &request.content;
    let approved = request.act == Act::Approved;
    if !content.recorded {
        return Some((Severity::Medium, "The log does not hold what the certificate is for.".to_owned()));
    }
    // Told when it was asked for, if a stranger asked; that a node gets its own serving certificate is as it should be.
    if approved && content.node() == Some(content.requester.as_str()) && !content.opens_the_api() {
        return None;
    }
    let Some(subject) = &content.subject else {
        return content.is_built_in().then(|| {
            (Severity::High, "The identity it asks for cannot be read, and is taken for a privileged one.".to_owned())
        });
    };
    let privileged = privileged(case, subject);
    let opens = content.opens_the_api();
    match privileged {
        Some(name) if opens => Some((
            Severity::High,
            format!("The certificate would be a login as {name}, which holds strong rights."),
        )),
        Some(name) => Some((
            Severity::Medium,
            format!("The certificate would carry the privileged name {name}; its signer's are not meant for logging in."),
        )),
        None if opens => Some((
            Severity::Medium,
            "The certificate would be a login outside IAM that cannot be called back before it expires.".to_owned(),
        )),
        None => None,
    }
}

/// The strongest name of a certificate, if it is privileged.
fn privileged(case: &Case<'_>, subject: &pkcs10::Subject) -> Option<String> {
    let groups = subject.organizations.iter().map(|group| (Subject::Group(group.clone()), group, "group "));
    let users = subject.common_names.iter().map(|user| (Subject::User(user.clone()), user, ""));
    let named: Vec<_> = groups.chain(users).collect();
    let worth = strength::of_each(case.memory, case.cluster(), named.iter().map(|(subject, ..)| subject));
    named
        .iter()
        .filter_map(|(subject, name, word)| {
            let reserved = is_reserved(name).then_some(Severity::High);
            let strength = worth.get(subject).copied().max(reserved)?;
            (strength >= Severity::High).then(|| (strength, format!("{word}{}", text::name(name))))
        })
        .max_by_key(|(strength, _)| *strength)
        .map(|(_, name)| name)
}

fn what(content: &Content) -> String {
    match &content.subject {
        Some(subject) => {
            let user = subject.common_names.last().map_or("nobody", String::as_str);
            let groups = subject.organizations.join(", ");
            let of = if groups.is_empty() { String::new() } else { format!(" of {}", text::name(&groups)) };
            format!("a certificate for {}{of}", text::name(user))
        }
        None => "a certificate".to_owned(),
    }
}

fn names(subject: &pkcs10::Subject) -> impl Iterator<Item = String> {
    subject.common_names.iter().chain(&subject.organizations).take(NAMES_MAX).map(|name| text::name(name))
}

fn details(content: &Content) -> Vec<Delta> {
    [("signer", content.signer.clone()), ("usages", content.usages.join(", ")), ("asked for by", content.requester.clone())]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(word, value)| Delta::Note(format!("{word}: {}", text::name(&value))))
        .collect()
}

/// Most names of one certificate copied into an alert.
const NAMES_MAX: usize = 20;
