use crate::authenticator::LoginEvent;
use crate::case::Login;
use crate::detection::{Delta, Hit, Object, Topic, detection};
use crate::severity::Severity;

detection! {
    /// EKS has loaded an aws-auth whose content nobody saw
    ///
    /// ## Why it matters
    ///
    /// `aws-auth-replaced-unseen` says that the ConfigMap was created and its content is not in the log. This is the other
    /// half of that story: the authenticator read it within minutes, so who may log in is now what that content says. It
    /// adds nothing to do and is therefore only a note, with the name and the audit ID of the creation.
    ///
    /// ## What it misses
    ///
    /// Everything, where the `authenticator` log of the cluster is not switched on. The content. A reload without a remembered
    /// creation is ordinary.
    ///
    /// ## Known benign causes
    ///
    /// Those of `aws-auth-replaced-unseen`.
    ///
    /// ## What to do
    ///
    /// What `aws-auth-replaced-unseen` says: read the ConfigMap now and compare it with what should be there.
    "aws-auth-loaded-unseen", [ADDITIONAL_CLOUD_ROLES], since "0.1.0", Login check
}

fn check(login: &Login<'_>) -> Option<Topic> {
    if login.line.event() != LoginEvent::Reloaded {
        return None;
    }
    let (loaded, unseen) = (login.line.time?, login.memory.unseen(login.cluster)?);
    // The line has whole seconds, the audit event fractions: a reload in the same second counts.
    if !(-1..=RELOAD_SECONDS).contains(&(loaded.as_second() - unseen.time.as_second())) {
        return None;
    }
    let mut hit = Hit::new(
        Severity::Informational,
        format!("EKS has loaded the aws-auth that {} created; its content is not in the log", unseen.actor),
        "From now on the unseen content decides who may log in.",
    );
    hit.changes.push(Delta::Note(format!("created by {}, audit ID {}", unseen.actor, unseen.audit_id)));
    hit.objects.push(Object {
        kind: "ConfigMap",
        namespace: "kube-system".to_owned(),
        name: "aws-auth".to_owned(),
    });
    Some(Topic { name: format!("loaded {}", unseen.audit_id), hit })
}

/// Longest time between the creation and its reload, in seconds. The authenticator watches the ConfigMap and reads it
/// within a second; two minutes leave room for a watch that has to be made anew.
const RELOAD_SECONDS: i64 = 120;
