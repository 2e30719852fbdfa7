use crate::case::Case;
use crate::detection::{Hit, detection};
use crate::interest::Facts;
use crate::session::Token;
use crate::severity::Severity;
use crate::text;

detection! {
    /// A pod logged in as one of the control plane's own controllers
    ///
    /// ## Why it matters
    ///
    /// The accounts of these controllers, all in `kube-system`, hold some of the widest rights of a cluster. The controllers run
    /// in the control plane and have no pods. Whoever may make pods in `kube-system` can give one such an account, and has its
    /// rights from then on.
    ///
    /// ## What it misses
    ///
    /// What the account did before its first request that is read. A stolen token of the controller itself is bound to no pod and
    /// looks like the controller.
    ///
    /// ## Known benign causes
    ///
    /// A workload in `kube-system` whose service account was given such a name by its author. Rename the account.
    ///
    /// ## What to do
    ///
    /// Look at the pod and at who made it (`kubectl -n kube-system get pod NAME -o yaml`). If nobody can explain it, delete it
    /// and look at everything that the account did.
    "sa-controller-in-pod", [DEFAULT_ACCOUNTS, APPLICATION_ACCESS_TOKEN], since "0.1.0", Session check where &[Facts::CONTROLLER_POD]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let Token::Pod { name, controller: true, .. } = &session.token else {
        return None;
    };
    Some(Hit::new(
        Severity::High,
        format!("logged in from pod {}, with the account of a controller of the control plane", text::name(name)),
        "Controllers of the control plane have no pods: somebody gave this pod the account, and with it the rights.",
    ))
}
