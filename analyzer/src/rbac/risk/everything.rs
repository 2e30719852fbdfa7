//! Wildcards over everything, and URLs. A `*` in these rows is the literal star of a rule.
//!
//! `verbs: ["*"]` has no row of its own: it holds every special verb (`escalate`, `bind`, `impersonate`) too, so it
//! matches each row of the table.

use super::{Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Everything:
    "all-all" ["*"] / ["*"] / ["*"] Critical / Critical Same
        "do everything",
        ": all a cluster administrator can; in a namespace, own every workload, Secret and account there";
    "all-read" ["*"] / ["*"] / ["get", "list", "watch"] Critical / High Medium
        "read every object and every Secret", ", so every credential and every legacy token";
    "all-write" ["*"] / ["*"] / ["create", "update", "patch"] Critical / Critical Lower
        "write every kind of object", ": workloads under any account, webhooks, Secrets, the aws-auth ConfigMap";
    "all-delete" ["*"] / ["*"] / ["delete", "deletecollection"] High / High Lower
        "delete every kind of object", ": destroy what runs, remove the guards (webhooks, policies, network policies)";
    "core-all" [""] / ["*"] / ["get", "list", "watch", "create", "update", "patch"] Critical / High Lower
        "use every core resource and every Secret", ", and with a write verb run pods under any account";
};

pub(super) static URLS: &[Risk] = risk_rows! { Urls:
    "nru-all" [] / ["*"] / ["get"] Medium / - Same
        "read every path of the API server outside the resource API", ": metrics, profiles, logs";
    "nru-logs" [] / ["/logs", "/logs/*", "/debug/*", "/configz"] / ["get"] Medium / - Same
        "read the API server's logs, profiles or configuration", ", where the server offers them";
};
