use crate::case::Case;
use crate::change::{self, Action, Change};
use crate::detection::{Delta, Hit, detection};
use crate::grant;
use crate::kube::ObjectKind;
use crate::memory::State;
use crate::severity::Severity;

detection! {
    /// aws-auth was deleted
    ///
    /// ## Why it matters
    ///
    /// Every mapping in it is gone at once: nodes lose their identity and fall off, and people and pipelines that log in
    /// through it are locked out. It is also the first half of replacing its content unseen.
    ///
    /// ## What it misses
    ///
    /// A collection delete of ConfigMaps in `kube-system` names no objects. It is reported unless its field selector
    /// leaves `aws-auth` out.
    ///
    /// ## Known benign causes
    ///
    /// Moving to access entries and authentication mode `API`.
    ///
    /// ## What to do
    ///
    /// If nobody meant it, create it again from your own record or from the last known content in this alert. The
    /// creator of the cluster and access entries can still log in.
    "aws-auth-deleted", [ACCOUNT_ACCESS_REMOVAL], since "0.1.0", Audit check where change::INTEREST
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let change = case.change().filter(|change| {
        change.kind == ObjectKind::AwsAuth
            && change.took_effect()
            && matches!(change.action, Action::Deleted | Action::DeletedMany)
    })?;
    let (severity, what) = match change.action {
        Action::DeletedMany => match selection(case) {
            Selection::AwsAuth => (Severity::High, "deleted aws-auth by collection"),
            Selection::All => (Severity::High, "deleted every ConfigMap of kube-system, aws-auth among them"),
            Selection::Unknown => (Severity::Medium, "deleted ConfigMaps of kube-system, perhaps aws-auth among them"),
            Selection::Others => return None,
        },
        _ => (Severity::High, "deleted aws-auth"),
    };
    let mut hit = Hit::new(
        severity,
        what,
        "Everybody and every node mapped by it is locked out until it is back; access entries still work.",
    );
    hit.changes = last_known(case, change);
    hit.objects.push(grant::object(&Change { name: "aws-auth".to_owned(), ..change.clone() }));
    Some(hit)
}

fn last_known(case: &Case<'_>, change: &Change) -> Vec<Delta> {
    let mut key = change.key(case.cluster());
    "aws-auth".clone_into(&mut key.name);
    match case.memory.last(&key).map(|last| &last.state) {
        Some(state @ State::AwsAuth(_)) => grant::lost_lines(change.kind, "", state),
        _ => vec![Delta::Note("its content before is not known here".to_owned())],
    }
}

/// Which objects a collection delete was limited to.
enum Selection {
    All,
    AwsAuth,
    Others,
    Unknown,
}

fn selection(case: &Case<'_>) -> Selection {
    // Of a parameter that is there twice the server takes the first.
    let fields: Vec<String> = case.event.query("fieldSelector").take(1).filter(|text| !text.is_empty()).collect();
    let labels = case.event.query("labelSelector").next().is_some_and(|text| !text.is_empty());
    let names = |operator: &str| {
        fields.iter().flat_map(|text| text.split(',')).find_map(|term| {
            let (field, value) = term.split_once(operator)?;
            (field == "metadata.name").then(|| value.trim_start_matches('=').to_owned())
        })
    };
    if names("!=").as_deref() == Some("aws-auth") {
        return Selection::Others;
    }
    match names("=").as_deref().filter(|_| !fields.iter().any(|text| text.contains("!="))) {
        Some("aws-auth") if !labels => Selection::AwsAuth,
        Some(name) if name != "aws-auth" && fields.len() == 1 => Selection::Others,
        _ if fields.is_empty() && !labels => Selection::All,
        _ => Selection::Unknown,
    }
}
