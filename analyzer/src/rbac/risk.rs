//! The risk table: permissions that are dangerous to hand out, and how dangerous.
//!
//! The permissions are those of the Kubernetes documentation ("RBAC good practices", "Privilege escalation risks"),
//! KEP-5284 (constrained impersonation), the API reference, the CVEs named in the rows, and the published catalogues of
//! RBAC scanners. The grades are ours.

mod everything;
mod identity;
mod machinery;
mod network;
mod operators;
mod rbac_api;
mod workloads;

use super::{KUBE_SYSTEM, Scope};
use crate::severity::Severity;

/// One row: a permission that is dangerous.
#[derive(Debug, PartialEq, Eq)]
pub struct Risk {
    /// Stable id, in kebab-case.
    pub id: &'static str,
    /// Part of the table.
    pub section: Section,
    /// API groups, any of them.
    pub groups: &'static [&'static str],
    /// Resources, any of them; in the rows about URLs, URL patterns.
    pub resources: &'static [&'static str],
    /// Verbs, any of them.
    pub verbs: &'static [&'static str],
    /// What it gives in a few words that continue "can".
    pub brief: &'static str,
    /// What it gives, and why that matters; continues "can" too, and begins with `brief`.
    pub gives: &'static str,
    /// How urgent when it holds in the whole cluster or in `kube-system`; none where it has no effect.
    pub cluster: Option<Severity>,
    /// How urgent when it holds in an ordinary namespace; none where it has no effect there.
    pub namespace: Option<Severity>,
    pub(super) named: Named,
    pub(super) special: Special,
}

/// The parts of the risk table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Wildcards over everything.
    Everything,
    /// Paths outside the resource API.
    Urls,
    /// Roles and bindings.
    Rbac,
    /// Users, tokens, credentials, certificates.
    Identity,
    /// Pods, controllers, nodes, storage.
    Workloads,
    /// Admission, API machinery, namespaces.
    Machinery,
    /// Services and what directs traffic.
    Network,
    /// Custom resources of widespread operators.
    Operators,
    /// Plain reads worth a note.
    Reads,
}

/// What a limit to names (`resourceNames`) does to the grade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// One step less, at least low: one object is less than all of them.
    Lower,
    /// Nothing: one such object is as good as all.
    Same,
    /// At most medium.
    Medium,
    /// Counts only for one of these names.
    Only(&'static [&'static str]),
    /// As grave as binding the named stock role; one step less for a role of unknown rules.
    Role,
    /// As grave as being the named user.
    User,
    /// As grave as being in the named group.
    Group,
    /// One step less, unless the name is that of a strong account of the control plane.
    Account,
    /// As grave as certificates of the named signer.
    Signer,
}

/// What else a row needs beyond its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// Nothing.
    None,
    /// Only to delete `aws-auth` locks people out, and gives nobody anything.
    AwsAuth,
    /// The pod template of a Job cannot be changed.
    Job,
    /// The API server refuses a group header without a user header.
    GroupAlone,
    /// `arbitrary-node` is graver than the other modes.
    Node,
    /// Controllers of other AWS services than IAM and EKS.
    OtherService,
    /// `get` counts for the console and VNC alone.
    Console,
    /// `use` is checked in the namespace of the pod, although the object has none; writes need the cluster.
    Use,
    /// `approve` counts on signers, the other verbs elsewhere.
    CertManager,
    /// In these namespaces as in `kube-system`: the operator that acts on the objects lives there.
    Home(&'static [&'static str]),
}

impl Risk {
    /// The grade at `scope`, before names and special cases.
    ///
    /// `kube-system` is graded as the cluster, but what is cluster-scoped has no effect there either.
    #[must_use]
    pub fn severity(&self, scope: &Scope) -> Option<Severity> {
        match scope {
            Scope::Cluster => self.cluster,
            Scope::Namespace(namespace) => match self.namespace {
                Some(_) if self.is_home(namespace) => self.cluster,
                grade => grade,
            },
        }
    }

    fn is_home(&self, namespace: &str) -> bool {
        namespace == KUBE_SYSTEM || matches!(self.special, Special::Home(homes) if homes.contains(&namespace))
    }
}

/// The row of this id.
#[must_use]
pub fn risk(id: &str) -> Option<&'static Risk> {
    risks().find(|risk| risk.id == id)
}

/// Every row, in the order of the table.
pub fn risks() -> impl Iterator<Item = &'static Risk> {
    TABLE.iter().flat_map(|section| section.iter())
}

static TABLE: [&[Risk]; 9] = [
    everything::RISKS,
    everything::URLS,
    rbac_api::RISKS,
    identity::RISKS,
    workloads::RISKS,
    machinery::RISKS,
    network::RISKS,
    operators::RISKS,
    workloads::READS,
];

/// One section of the table. A row reads: id, groups / resources / verbs, grade in the cluster / in a namespace, what a
/// limit to names does, and what it gives, the brief part first.
macro_rules! risk_rows {
    ($section:ident: $(
        $id:literal $groups:tt / $resources:tt / $verbs:tt $cluster:tt / $namespace:tt
        $named:ident $(($($argument:tt)*))? $(+ $special:ident $(($($extra:tt)*))?)?
        $brief:literal $(, $rest:literal)?;
    )*) => {
        &[$($crate::rbac::risk::Risk {
            id: $id,
            section: $crate::rbac::risk::Section::$section,
            groups: &$groups,
            resources: &$resources,
            verbs: &$verbs,
            brief: $brief,
            gives: concat!($brief $(, $rest)?),
            cluster: $crate::rbac::risk::grade_column!($cluster),
            namespace: $crate::rbac::risk::grade_column!($namespace),
            named: $crate::rbac::risk::Named::$named $(($($argument)*))?,
            special: $crate::rbac::risk::special_column!($($special $(($($extra)*))?)?),
        }),*]
    };
}

macro_rules! grade_column {
    (-) => {
        None
    };
    ($severity:ident) => {
        Some($crate::severity::Severity::$severity)
    };
}

macro_rules! special_column {
    () => {
        $crate::rbac::risk::Special::None
    };
    ($($special:tt)+) => {
        $crate::rbac::risk::Special::$($special)+
    };
}

use {grade_column, risk_rows, special_column};

/// Resources without a namespace among those of the table and of [`super::combination`]. A `RoleBinding` gives no right
/// to them. Everything else counts as namespaced, so that an unknown resource is never taken for harmless.
pub(super) fn is_cluster_scoped(group: &str, resource: &str) -> bool {
    let resource = resource.split_once('/').map_or(resource, |(of, _)| of);
    CLUSTER_SCOPED.iter().any(|(of, resources)| *of == group && resources.contains(&resource))
}

// Namespaces are missing on purpose: the API server takes a request about one for a request in it, so a RoleBinding
// there lets its subjects change and delete their namespace.
const CLUSTER_SCOPED: [(&str, &[&str]); 22] = [
    ("", &["nodes", "persistentvolumes", "users", "groups", "componentstatuses"]),
    (
        "admissionregistration.k8s.io",
        &[
            "mutatingwebhookconfigurations",
            "validatingwebhookconfigurations",
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("argoproj.io", &["clusterworkflowtemplates"]),
    (
        "authentication.k8s.io",
        &["tokenreviews", "selfsubjectreviews", "users", "groups", "uids", "userextras", "nodes"],
    ),
    ("authorization.k8s.io", &["subjectaccessreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
    ("cert-manager.io", &["clusterissuers", "signers"]),
    ("certificates.k8s.io", &["certificatesigningrequests", "signers", "clustertrustbundles"]),
    ("external-secrets.io", &["clusterexternalsecrets", "clustersecretstores"]),
    ("flowcontrol.apiserver.k8s.io", &["flowschemas", "prioritylevelconfigurations"]),
    ("gateway.networking.k8s.io", &["gatewayclasses"]),
    ("keda.sh", &["clustertriggerauthentications"]),
    ("kyverno.io", &["clusterpolicies"]),
    ("networking.k8s.io", &["ingressclasses", "servicecidrs", "ipaddresses"]),
    ("node.k8s.io", &["runtimeclasses"]),
    ("policy", &["podsecuritypolicies"]),
    ("rbac.authorization.k8s.io", &["clusterroles", "clusterrolebindings"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
    ("security.openshift.io", &["securitycontextconstraints"]),
    ("snapshot.storage.k8s.io", &["volumesnapshotcontents", "volumesnapshotclasses"]),
    ("storage.k8s.io", &["storageclasses", "volumeattachments", "csinodes", "csidrivers"]),
];

/// Stands for any one key in `userextras/scopes` and the like: a rule has to write the key out.
pub(super) const ANY_EXTRA: &str = "userextras/<key>";

/// Stands for any resource of the row's groups.
pub(super) const ANY_RESOURCE: &str = "<any>";

/// Stands for the API groups of AWS controllers that have no row of their own.
pub(super) const ANY_AWS_SERVICE: &str = "<service>.services.k8s.aws";

/// The same for Crossplane's provider of AWS, in its cluster-scoped and its namespaced form.
pub(super) const ANY_UPBOUND_SERVICE: &str = "<service>.aws.upbound.io";
