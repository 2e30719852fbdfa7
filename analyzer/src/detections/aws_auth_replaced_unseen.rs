use crate::case::Case;
use crate::change::{self, Action, Content};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::kube::ObjectKind;
use crate::memory::State;
use crate::severity::Severity;

detection! {
    /// aws-auth was created, and the log does not hold its content
    ///
    /// ## Why it matters
    ///
    /// The audit policy of EKS records updates of `aws-auth` in full but its creation only as metadata. Deleting and
    /// creating it therefore swaps its whole content unseen, and so does `kubectl replace --force`.
    ///
    /// ## What it misses
    ///
    /// The content, by its nature. The authenticator log shows the reload that follows.
    ///
    /// ## Known benign causes
    ///
    /// Setting up a cluster with eksctl or Terraform creates it once.
    ///
    /// ## What to do
    ///
    /// Read the ConfigMap now (`kubectl -n kube-system get configmap aws-auth -o yaml`) and compare it with what should
    /// be there.
    "aws-auth-replaced-unseen", [ADDITIONAL_CLOUD_ROLES], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind == ObjectKind::AwsAuth
            && change.action == Action::Created
            && change.took_effect()
            && change.after == Content::NotRecorded
    })?;
    let mut hit = Hit::new(
        Severity::High,
        "created aws-auth; its content is not in the log",
        "Who may log in was decided anew, and EKS does not log the content of a newly created aws-auth.",
    );
    if let Some(State::AwsAuth(last)) = case.memory.last(&change.key(case.cluster())).map(|last| &last.state) {
        hit.changes.push(Delta::Note("last known content, before it was deleted:".to_owned()));
        hit.changes.extend(grant::lost_lines(change.kind, "", &State::AwsAuth(last.clone())).into_iter().map(
            |line| Delta::Note(line.text().to_owned()),
        ));
    }
    hit.objects.push(grant::object(change));
    Some(hit)
}
