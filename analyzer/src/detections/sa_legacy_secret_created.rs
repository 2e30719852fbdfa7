use crate::audit::object::Verb;
use crate::audit::outcome::Outcome;
use crate::audit::principal::Identity;
use crate::case::Case;
use crate::detection::{Delta, Hit, Object, detection};
use crate::interest::Facts;
use crate::severity::Severity;
use crate::text;

detection! {
    /// A never-expiring token of a service account was made, or used for the first time in a day
    ///
    /// ## Why it matters
    ///
    /// A Secret of type `kubernetes.io/service-account-token` holds a token that never expires. EKS does not log the type of a
    /// Secret; but kube-controller-manager fills in the token, and the API server notes the first use of every day on the
    /// Secret. These two writes give it away.
    ///
    /// ## What it misses
    ///
    /// The service account behind the Secret, until the token is used.
    ///
    /// ## Known benign causes
    ///
    /// Charts and guides that still make such Secrets for dashboards and pipelines.
    ///
    /// ## What to do
    ///
    /// Replace it by a token from the TokenRequest API or an IAM identity, then delete the Secret.
    "sa-legacy-secret-created", [CONTAINER_API_CREDENTIALS], since "0.1.0", Audit check where &[Facts::CONTROL_PLANE.and(Facts::CHANGES).and(Facts::SECRET)]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let object = case.event.object.as_ref().filter(|object| object.is("", "secrets") && !object.name.is_empty())?;
    if case.event.outcome() != Outcome::Allowed || case.identity() != Identity::ControlPlane {
        return None;
    }
    let secret = format!("{}/{}", text::name(&object.namespace), text::name(&object.name));
    let username = case.event.caller.authenticated.username.as_ref();
    let mut hit = match (username, &case.event.verb) {
        // Its tokens controller writes Secrets for no other purpose than to put the token in.
        ("system:kube-controller-manager", Verb::Update | Verb::Patch) => Hit::new(
            Severity::Medium,
            format!("put a never-expiring token into Secret {secret}"),
            "Whoever can read the Secret holds the service account's rights for good.",
        ),
        // The use itself is told where it happens; this write only confirms it, for tokens already refused as well.
        ("system:apiserver", Verb::Patch) => Hit::new(
            Severity::Informational,
            format!("noted the first use today of the never-expiring token in Secret {secret}"),
            "The token in this Secret is in use; it never expires and can be used from anywhere.",
        ),
        _ => return None,
    };
    if let Some(maker) = case.memory.secret_maker(case.cluster(), &object.namespace, &object.name) {
        hit.what = format!("{}, which {} made", hit.what, maker.name);
        hit.changes.push(Delta::Note(format!("the Secret was made by {}, audit ID {}", maker.name, maker.audit_id)));
        hit.subjects.push(maker.name.clone());
    }
    hit.objects.push(Object {
        kind: "Secret",
        namespace: text::name(&object.namespace),
        name: text::name(&object.name),
    });
    Some(hit)
}
