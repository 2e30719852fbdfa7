use crate::case::Case;
use crate::detection::{Hit, detection};
use crate::interest::Facts;
use crate::session::Token;
use crate::severity::Severity;

detection! {
    /// A person's or a script's client used a service-account token
    ///
    /// ## Why it matters
    ///
    /// Workloads talk to the API with client libraries. `kubectl`, `curl` or `python-requests` under a service account
    /// means a shell in a pod, or a token that somebody copied.
    ///
    /// ## What it misses
    ///
    /// The user agent is the client's own word, so a careful intruder sends another one. It can only add to suspicion
    /// here: no user agent makes anything quiet.
    ///
    /// ## Known benign causes
    ///
    /// Jobs and pipelines that run `kubectl` in a pod.
    ///
    /// ## What to do
    ///
    /// Ask the workload's owner. If nobody meant it, delete the pod and look at how somebody got into it.
    "sa-token-interactive-login", [CONTAINER_API_CREDENTIALS], since "0.1.0", Session check where &[Facts::HUMAN_CLIENT]
}

fn check(case: &Case<'_>) -> Option<Hit> {
    let session = case.session.as_ref()?;
    let client = session.human_client?;
    let token = match &session.token {
        Token::Pod { name, .. } => format!("the token of pod {}", crate::text::name(name)),
        Token::Legacy { .. } => "a token from a Secret".to_owned(),
        Token::Unbound { .. } => "a token bound to no pod".to_owned(),
    };
    Some(Hit::new(
        Severity::Medium,
        format!("logged in with {client}"),
        format!("{client} is a client of people and scripts, and it shows {token}."),
    ))
}
