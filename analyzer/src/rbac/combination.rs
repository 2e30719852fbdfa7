//! Permissions that are dangerous together.

use super::rights::{Rights, Verbs};
use crate::severity::Severity;

/// Permissions that one subject should not hold at once.
#[derive(Debug, PartialEq, Eq)]
pub struct Combination {
    /// Stable id, in kebab-case.
    pub id: &'static str,
    /// What they give together; continues "can".
    pub gives: &'static str,
    /// How urgent when all hold in the whole cluster or in `kube-system`.
    pub cluster: Severity,
    /// How urgent when the last of them holds in an ordinary namespace only; none where that has no effect.
    pub namespace: Option<Severity>,
    /// The permissions, each by any of some rights.
    pub needs: &'static [&'static [Right]],
    /// The row of the risk table that decides over the grade where it is limited to names.
    pub(super) graded_by: Option<&'static str>,
}

/// A right in the words of RBAC: any of the verbs on any of the resources of one group.
#[derive(Debug, PartialEq, Eq)]
pub struct Right {
    /// The API group.
    pub group: &'static str,
    /// The resources.
    pub resources: &'static [&'static str],
    /// The verbs.
    pub verbs: &'static [&'static str],
}

impl Combination {
    /// Whether `rights` hold every part. A limit to names counts as holding it: which objects the names mean in the end
    /// is not known, and two limited rights on one object are as good as unlimited ones.
    pub(super) fn is_held(&self, rights: &[&Rights<'_>], in_cluster: bool) -> bool {
        self.needs.iter().all(|need| {
            need.iter().any(|right| {
                rights.iter().enumerate().any(|(index, rights)| right.is_held(rights, in_cluster && index == 0))
            })
        })
    }
}

impl Right {
    fn is_held(&self, rights: &Rights<'_>, in_cluster: bool) -> bool {
        self.resources.iter().any(|resource| {
            let bind = self.verbs == BIND;
            (in_cluster || bind || !super::risk::is_cluster_scoped(self.group, resource))
                && !rights.find(self.group, resource, Verbs::asked(self.verbs)).is_empty()
        })
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const BIND: &[&str] = &["bind"];
const WRITE: &[&str] = &["create", "update", "patch"];
const CHANGE: &[&str] = &["update", "patch"];
const DELETE: &[&str] = &["delete", "deletecollection"];

const CREATE_PODS: Right = Right { group: "", resources: &["pods"], verbs: &["create"] };

/// Anything that makes pods.
const CREATE_WORKLOADS: &[Right] = &[
    CREATE_PODS,
    Right { group: "", resources: &["replicationcontrollers"], verbs: WRITE },
    Right { group: "apps", resources: &["deployments", "daemonsets", "statefulsets", "replicasets"], verbs: WRITE },
    Right { group: "batch", resources: &["cronjobs"], verbs: WRITE },
    Right { group: "batch", resources: &["jobs"], verbs: &["create"] },
];

const READ_SECRETS: &[Right] = &[Right { group: "", resources: &["secrets"], verbs: &["get", "list", "watch"] }];

/// Every combination one subject can hold. Those of the table that need knowledge of the cluster (an internal service
/// worth reaching) are left to the reader.
pub static COMBINATIONS: &[Combination] = &[
    Combination {
        id: "escalate-and-write-roles",
        gives: "grant itself any right: it may write roles, and escalate lifts the limit to its own rights",
        cluster: Severity::Critical,
        namespace: Some(Severity::Critical),
        needs: &[
            &[
                Right { group: RBAC, resources: &["clusterroles"], verbs: &["escalate"] },
                Right { group: RBAC, resources: &["roles"], verbs: &["escalate"] },
            ],
            &[Right { group: RBAC, resources: &["clusterroles", "roles"], verbs: WRITE }],
        ],
        graded_by: None,
    },
    Combination {
        id: "bind-and-write-bindings",
        gives: "give any role it may bind to anyone, itself included",
        cluster: Severity::Critical,
        namespace: Some(Severity::Critical),
        needs: &[
            &[Right { group: RBAC, resources: &["clusterroles", "roles"], verbs: BIND }],
            &[Right { group: RBAC, resources: &["clusterrolebindings", "rolebindings"], verbs: WRITE }],
        ],
        graded_by: Some("rbac-bind"),
    },
    Combination {
        id: "impersonate-user-and-group",
        gives: "act as a member of system:masters: it may impersonate groups and somebody to be in them",
        cluster: Severity::Critical,
        namespace: Some(Severity::Critical),
        needs: &[
            &[Right { group: "", resources: &["groups"], verbs: &["impersonate"] }],
            &[Right { group: "", resources: &["users", "serviceaccounts"], verbs: &["impersonate"] }],
        ],
        graded_by: Some("imp-groups"),
    },
    Combination {
        id: "workloads-in-kube-system",
        gives: "run pods as any controller of kube-system and take its token",
        cluster: Severity::Critical,
        namespace: None,
        needs: &[CREATE_WORKLOADS],
        graded_by: None,
    },
    Combination {
        id: "secrets-create-and-read",
        gives: "make and read tokens without end of any service account of a namespace",
        cluster: Severity::Critical,
        namespace: Some(Severity::High),
        needs: &[&[Right { group: "", resources: &["secrets"], verbs: &["create"] }], READ_SECRETS],
        graded_by: None,
    },
    Combination {
        id: "secrets-read-and-accounts-list",
        gives: "tell which token in the Secrets belongs to which service account",
        cluster: Severity::High,
        namespace: Some(Severity::High),
        needs: &[READ_SECRETS, &[Right { group: "", resources: &["serviceaccounts"], verbs: &["list"] }]],
        graded_by: None,
    },
    Combination {
        id: "csr-create-and-approve",
        gives: "issue itself a client certificate of any name the signer allows",
        cluster: Severity::High,
        namespace: None,
        needs: &[
            &[Right { group: CERTIFICATES, resources: &["certificatesigningrequests"], verbs: &["create"] }],
            &[Right { group: CERTIFICATES, resources: &["certificatesigningrequests/approval"], verbs: CHANGE }],
            &[Right { group: CERTIFICATES, resources: &["signers"], verbs: &["approve"] }],
        ],
        graded_by: None,
    },
    Combination {
        id: "accounts-change-and-pods-create",
        gives: "take any IAM role whose trust policy accepts a service account it can change",
        cluster: Severity::High,
        namespace: Some(Severity::High),
        needs: &[&[Right { group: "", resources: &["serviceaccounts"], verbs: CHANGE }], &[CREATE_PODS]],
        graded_by: None,
    },
    Combination {
        id: "configmaps-replace-in-kube-system",
        gives: "replace aws-auth by delete and create, whose content EKS does not log",
        cluster: Severity::Critical,
        namespace: None,
        needs: &[
            &[Right { group: "", resources: &["configmaps"], verbs: DELETE }],
            &[Right { group: "", resources: &["configmaps"], verbs: &["create"] }],
        ],
        graded_by: None,
    },
    Combination {
        id: "volumes-claims-and-pods-create",
        gives: "mount the file system of a node",
        cluster: Severity::Critical,
        namespace: Some(Severity::Critical),
        needs: &[
            &[Right { group: "", resources: &["persistentvolumes"], verbs: &["create"] }],
            &[Right { group: "", resources: &["persistentvolumeclaims"], verbs: &["create"] }],
            &[CREATE_PODS],
        ],
        graded_by: None,
    },
    Combination {
        id: "nodes-change-and-pods-remove",
        gives: "move pods of its choice to a node already held",
        cluster: Severity::High,
        namespace: Some(Severity::High),
        needs: &[
            &[Right { group: "", resources: &["nodes"], verbs: CHANGE }],
            &[
                Right { group: "", resources: &["pods"], verbs: DELETE },
                Right { group: "", resources: &["pods/eviction"], verbs: &["create"] },
            ],
        ],
        graded_by: None,
    },
    Combination {
        id: "namespaces-change-and-pods-create",
        gives: "run privileged pods: it may take pod security off the namespace first",
        cluster: Severity::High,
        namespace: Some(Severity::High),
        needs: &[&[Right { group: "", resources: &["namespaces"], verbs: CHANGE }], &[CREATE_PODS]],
        graded_by: None,
    },
    Combination {
        id: "guard-removed-first",
        gives: "remove the admission guard of what it then changes",
        cluster: Severity::High,
        namespace: Some(Severity::High),
        needs: &[
            &[Right {
                group: "admissionregistration.k8s.io",
                resources: &[
                    "mutatingwebhookconfigurations",
                    "validatingwebhookconfigurations",
                    "validatingadmissionpolicies",
                    "validatingadmissionpolicybindings",
                ],
                verbs: DELETE,
            }],
            GUARDED,
        ],
        graded_by: None,
    },
    Combination {
        id: "pods-create-and-log",
        gives: "read mounted Secrets by printing them, without exec",
        cluster: Severity::High,
        namespace: Some(Severity::High),
        needs: &[&[CREATE_PODS], &[Right { group: "", resources: &["pods/log"], verbs: &["get"] }]],
        graded_by: None,
    },
];

const CERTIFICATES: &str = "certificates.k8s.io";

/// What admission usually guards: workloads, aws-auth, roles, network policies, exposed services.
const GUARDED: &[Right] = &[
    Right { group: "", resources: &["pods", "configmaps", "services"], verbs: WRITE },
    Right { group: "apps", resources: &["deployments", "daemonsets", "statefulsets", "replicasets"], verbs: WRITE },
    Right { group: "batch", resources: &["jobs", "cronjobs"], verbs: WRITE },
    Right { group: RBAC, resources: &["clusterroles", "clusterrolebindings", "roles", "rolebindings"], verbs: WRITE },
    Right { group: "networking.k8s.io", resources: &["networkpolicies", "ingresses"], verbs: WRITE },
];
