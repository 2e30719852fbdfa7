//! Every detection: one file, one line here, one file of samples.

use crate::detection::Detection;

macro_rules! detections {
    ($($name:ident,)+) => {
        $(pub(crate) mod $name;)+

        /// Every detection, in the order `rolewatch detections` prints them.
        pub static ALL: &[&Detection] = &[$(&$name::DETECTION),+];

        /// The files they are in.
        #[cfg(test)]
        pub(crate) const FILES: &[&str] = &[$(stringify!($name)),+];
    };
}

detections! {
    rbac_role_changed,
    rbac_binding_changed,
    rbac_collection_deleted,
    rbac_builtin_tampered,
    rbac_aggregation_widened,
    rbac_self_grant,
    rbac_role_rebound,
    rbac_grant_withdrawn,
    rbac_escalation_refused,
    rbac_change_denied,
    aws_auth_changed,
    aws_auth_replaced_unseen,
    aws_auth_deleted,
    aws_auth_change_denied,
    sa_token_external_login,
    sa_token_interactive_login,
    sa_token_unbound_login,
    sa_token_legacy_login,
    sa_token_stale_login,
    sa_token_moved,
    sa_token_minted,
    sa_token_refused,
    sa_token_minted_used,
    sa_controller_in_pod,
    sa_self_review,
    sa_legacy_secret_created,
    sa_iam_role_changed,
    identity_forged,
    identity_impersonated,
    anonymous_allowed,
    certificate_privileged,
    masters_used,
    access_policy_used,
    audit_event_lost,
    audit_line_truncated,
    bootstrap_reconcile_blocked,
    control_plane_flagged,
    identity_mapping_broken,
    aws_auth_loaded_unseen,
    access_entry_changed,
    control_plane_exposed,
}

/// The detection of this id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Detection> {
    ALL.iter().copied().find(|detection| detection.id == id)
}
