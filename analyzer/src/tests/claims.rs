//! What others miss, what cries wolf elsewhere, and what attackers try: each is a named case of a sample file.

use super::harness::{read, said, sample_path};

/// A claim: in this file, the case of this name says something of the file's own detection (`true`) or nothing at all
/// (`false`).
type Claim = (&'static str, &'static str, bool);

fn hold(claims: &[Claim]) {
    for (file, name, fires) in claims {
        let cases = read(&sample_path(file));
        let case = cases.iter().find(|case| case.name() == *name).unwrap_or_else(|| panic!("{file}: no case `{name}`"));
        let said = said(&case.report().alerts);
        let id = file.replace('_', "-");
        assert_eq!(said.contains_key(&id), *fires, "{file}, `{name}`: {said:?}");
    }
}

#[test]
fn changes_that_tools_reading_names_and_single_fields_miss_are_found() {
    hold(&[
        // Not only `create`: by update, by every kind of patch, by the role instead of the binding.
        ("rbac_role_changed", "a known ClusterRole is widened to everything: the alert says what was gained", true),
        ("rbac_role_changed", "a strategic merge patch replaces the rules", true),
        ("rbac_role_changed", "a JSON patch adds a rule", true),
        ("rbac_role_changed", "server-side apply creates: verb patch, code 201", true),
        ("rbac_role_changed", "the verbs of constrained impersonation", true),
        ("rbac_role_changed", "a role that everybody holds already is widened", true),
        ("rbac_role_changed", "the client asked for an answer without the rules: the request is judged", true),
        ("rbac_binding_changed", "a subject is added to a known binding by JSON patch: only it gained", true),
        ("rbac_binding_changed", "the same without memory", true),
        ("rbac_binding_changed", "a PUT that creates", true),
        ("rbac_binding_changed", "a generated name stands only in the answer", true),
        // What the role gives, not what it is called; who receives it.
        ("rbac_binding_changed", "the role is strong whatever its name", true),
        ("rbac_binding_changed", "edit in kube-system is the cluster", true),
        ("rbac_binding_changed", "a service account of another namespace", true),
        ("rbac_binding_changed", "a User that poses as a service account", true),
        ("rbac_binding_changed", "every service account of the cluster", true),
        ("rbac_binding_changed", "edit in one namespace for every authenticated identity", true),
        ("rbac_binding_changed", "view for everybody who can reach the endpoint", true),
        ("rbac_binding_changed", "a role of EKS for somebody else", true),
        ("rbac_binding_changed", "anonymous, allowed, binds cluster-admin", true),
        ("rbac_binding_changed", "done while impersonating system:masters: both identities are told", true),
        ("rbac_binding_changed", "the caller chose the audit ID of a harmless request", true),
        ("rbac_aggregation_widened", "a role with token rights flows into edit", true),
        ("rbac_aggregation_widened", "a role collects everything", true),
        ("rbac_role_rebound", "view became admin under the same name", true),
        ("rbac_self_grant", "a person binds cluster-admin to their own name", true),
        ("rbac_self_grant", "a pipeline binds a role to its own group", true),
        ("rbac_self_grant", "a workload binds a role to its own account", true),
        ("rbac_builtin_tampered", "a new role takes a name like the built-in ones", true),
        ("rbac_builtin_tampered", "a new binding wears the label of the defaults", true),
        ("rbac_builtin_tampered", "auto-reconcile is switched off on cluster-admin", true),
        (
            "rbac_escalation_refused",
            "a pipeline writes a Role wider than its own rights: the message lists what was reached for",
            true,
        ),
        ("rbac_collection_deleted", "two Roles go at once, named only in the answer", true),
        ("rbac_grant_withdrawn", "cluster-admin for three seconds", true),
        ("rbac_grant_withdrawn", "an administrator was in aws-auth for a moment", true),
        ("identity_impersonated", "as system:masters, refused", true),
        ("identity_impersonated", "constrained impersonation of Kubernetes 1.36", true),
        ("identity_forged", "an `eks:` name mapped to a role of the customer", true),
        ("identity_forged", "`system:anonymous` with credentials", true),
        // What aws-auth says, and what its log does not.
        ("aws_auth_changed", "a role of another account is mapped to system:masters", true),
        ("aws_auth_changed", "every principal of an account may log in", true),
        ("aws_auth_changed", "a mapping poses as a part of EKS", true),
        ("aws_auth_changed", "whoever assumes the role picks the username", true),
        ("aws_auth_changed", "a mapping leads to a group that is bound to a strong role", true),
        ("aws_auth_changed", "broken YAML locks everybody out", true),
        ("aws_auth_changed", "the section's name is misspelt: the node mapping is gone", true),
        ("aws_auth_changed", "an administrator is taken out", true),
        ("aws_auth_replaced_unseen", "deleted and created again: the last known content is told", true),
        ("aws_auth_deleted", "a collection delete that names it", true),
    ]);
}

#[test]
fn what_cries_wolf_elsewhere_is_quiet_when_proven_and_loud_for_an_impostor() {
    hold(&[
        ("rbac_role_changed", "the API server reconciles a stock role at its start", false),
        ("rbac_role_changed", "somebody under the API server's name does the same from elsewhere", true),
        ("rbac_role_changed", "the aggregation controller rewrites `edit`", false),
        ("rbac_role_changed", "the aggregation controller's name without its groups", true),
        ("rbac_role_changed", "the aggregation controller's account writes another role", true),
        ("rbac_role_changed", "EKS writes its own role", false),
        ("rbac_role_changed", "somebody mapped to the same name by aws-auth does it", true),
        ("rbac_role_changed", "EKS's add-on manager, by its AWS role of another account", false),
        ("rbac_role_changed", "a role of the same name in the cluster's own account", true),
        ("rbac_binding_changed", "the garbage collector deletes an owned binding", false),
        ("rbac_binding_changed", "the garbage collector's name without its groups", true),
        ("rbac_binding_changed", "the API server reconciles a stock binding", false),
        ("rbac_binding_changed", "the API server's identity binds something of its own", true),
        ("rbac_collection_deleted", "the namespace controller cleans up a deleted namespace", false),
        ("rbac_collection_deleted", "the namespace controller's name without its groups", true),
        ("aws_auth_changed", "EKS's storage migrator writes it back as it was", false),
        ("aws_auth_changed", "somebody under the migrator's name writes something else", true),
        ("aws_auth_changed", "EKS maps the role of a new managed node group", false),
        ("aws_auth_changed", "somebody mapped to that name by aws-auth does the same", true),
        ("aws_auth_changed", "EKS's identity maps something else than nodes", true),
        ("sa_token_minted", "a kubelet for a pod of its node", false),
        ("sa_token_minted", "somebody under a node's name without its group", true),
        ("sa_token_minted", "kube-controller-manager for its own controller", false),
        ("sa_token_minted", "somebody mapped to kube-controller-manager's name by aws-auth", true),
        ("sa_token_unbound_login", "a controller of kube-controller-manager", false),
        ("sa_token_unbound_login", "an account of the same name elsewhere", true),
        ("sa_legacy_secret_created", "somebody under the API server's name", false),
        ("anonymous_allowed", "health and version", false),
        ("anonymous_allowed", "a path that only begins like health", true),
        ("anonymous_allowed", "a health checker's user agent helps nobody", true),
        ("certificate_privileged", "a kubelet asks for its own serving certificate", false),
        ("certificate_privileged", "a node asks for another node's name", true),
        // Not somebody's name at all: what changes nothing.
        ("rbac_role_changed", "a dry run in the query", false),
        ("rbac_binding_changed", "a `delete` with dryRun in its body", false),
        ("rbac_binding_changed", "a `delete` with dryRun in the query and a body without it: the body counts", true),
        ("rbac_binding_changed", "dry-run words in the object's name prove nothing", true),
        ("rbac_role_changed", "a PUT that changes nothing has the version it had before", false),
        ("rbac_role_changed", "only a label that grants nothing was set", false),
        ("rbac_role_changed", "a create that failed because the name exists", false),
        ("rbac_escalation_refused", "refused by an admission webhook", false),
        ("rbac_role_changed", "the request was received: judged when it is done", false),
    ]);
}

#[test]
fn hostile_lines_are_survived_and_judged() {
    hold(&[
        ("rbac_role_changed", "a PATCH body with a lone surrogate and escaped keys took effect", true),
        ("rbac_role_changed", "a PATCH body with a number beyond all limits and deep nesting", true),
        ("rbac_role_changed", "the line was cut by the log shipper", true),
        ("aws_auth_changed", "padded until the log shipper cut the content off", true),
        ("aws_auth_changed", "keys inside are read in any case", true),
        ("aws_auth_changed", "a JSON patch", true),
        ("aws_auth_changed", "created by server-side apply: the content is logged", true),
        ("rbac_role_changed", "the rights stand at the end of a very large role", true),
        ("audit_event_lost", "a binding was applied as YAML: its record is lost, the change is real", true),
        ("audit_event_lost", "aws-auth", true),
        ("audit_event_lost", "a user agent that quotes a summary inside a trace", false),
    ]);
}

#[test]
fn tokens_are_followed_from_birth_to_use() {
    hold(&[
        ("sa_token_minted", "of an account of kube-system", true),
        ("sa_token_minted", "for thirty days", true),
        ("sa_token_minted", "for AWS STS: the account's IAM role", true),
        ("sa_token_minted_used", "used from elsewhere", true),
        ("sa_token_legacy_login", "a token from a Secret that somebody made", true),
        ("sa_token_legacy_login", "a token from a Secret that Kubernetes made", true),
        ("sa_legacy_secret_created", "the API server notes the first use of the day", true),
        ("sa_token_stale_login", "forty-eight days", true),
        ("sa_token_external_login", "a pod's token from the internet", true),
        ("sa_token_external_login", "a forged X-Forwarded-For does not hide the peer", true),
        ("sa_token_external_login", "a public address claimed from inside", false),
        ("sa_token_external_login", "a trusted network: the NAT gateway of a cluster with a public endpoint", false),
        ("sa_token_moved", "a pod's token comes from another node", true),
        ("sa_token_moved", "from its node's own address, as host networking does", false),
        ("sa_self_review", "kubectl auth can-i --list in a pod", true),
        ("sa_self_review", "a controller asks for one right", false),
        ("sa_iam_role_changed", "an account is annotated with an IAM role", true),
    ]);
}
