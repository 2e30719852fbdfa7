//! The resources that everybody knows by a short name, as kubectl finds them.

use rolewatch_analyzer::access::Grant;

/// A resource of Kubernetes itself.
#[derive(Debug)]
pub(super) struct Known {
    /// As roles name it.
    pub(super) name: &'static str,
    /// As its kind is written, and what kubectl takes for short.
    short: &'static [&'static str],
    /// API group; empty for the core group.
    pub(super) group: &'static str,
    /// Whether its objects lie in namespaces.
    pub(super) namespaced: bool,
}

/// The resource that somebody calls so.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    let lower = name.to_ascii_lowercase();
    KNOWN.iter().find(|known| known.name == lower || known.short.contains(&lower.as_str()))
}

/// Whether some role names the resource, itself or a subresource of it.
pub(super) fn is_named(grants: &[Grant], resource: &str) -> bool {
    named(grants).any(|name| name == resource)
}

/// What may have been meant by a name that nobody knows.
pub(super) fn nearest<'a>(grants: &'a [Grant], resource: &str) -> Option<&'a str> {
    let all = named(grants).chain(KNOWN.iter().flat_map(|known| [&known.name].into_iter().chain(known.short).copied()));
    let near = all.map(|name| (strsim::osa_distance(&resource.to_ascii_lowercase(), name), name));
    let (_, name) = near.filter(|(distance, name)| *distance <= (name.len() / 3).min(DISTANCE_MAX)).min()?;
    Some(known(name).map_or(name, |known| known.name))
}

fn named(grants: &[Grant]) -> impl Iterator<Item = &str> {
    let rules = grants.iter().flat_map(|grant| grant.rules.iter().flatten());
    rules.flat_map(|rule| &rule.resources).filter_map(|name| name.split('/').next()).filter(|name| *name != "*")
}

const fn inside(name: &'static str, short: &'static [&'static str], group: &'static str) -> Known {
    Known { name, short, group, namespaced: true }
}

const fn outside(name: &'static str, short: &'static [&'static str], group: &'static str) -> Known {
    Known { name, short, group, namespaced: false }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";
const STORAGE: &str = "storage.k8s.io";
/// More letters than that are no slip of the hand.
const DISTANCE_MAX: usize = 2;
/// As `kubectl api-resources` lists them.
const KNOWN: &[Known] = &[
    inside("pods", &["pod", "po"], ""),
    inside("secrets", &["secret"], ""),
    inside("configmaps", &["configmap", "cm"], ""),
    inside("serviceaccounts", &["serviceaccount", "sa"], ""),
    inside("services", &["service", "svc"], ""),
    inside("endpoints", &["ep"], ""),
    inside("events", &["event", "ev"], ""),
    inside("limitranges", &["limitrange", "limits"], ""),
    inside("persistentvolumeclaims", &["persistentvolumeclaim", "pvc"], ""),
    inside("podtemplates", &["podtemplate"], ""),
    inside("replicationcontrollers", &["replicationcontroller", "rc"], ""),
    inside("resourcequotas", &["resourcequota", "quota"], ""),
    outside("namespaces", &["namespace", "ns"], ""),
    outside("nodes", &["node", "no"], ""),
    outside("persistentvolumes", &["persistentvolume", "pv"], ""),
    // Impersonated, never stored.
    outside("users", &["user"], ""),
    outside("groups", &["group"], ""),
    inside("controllerrevisions", &["controllerrevision"], "apps"),
    inside("daemonsets", &["daemonset", "ds"], "apps"),
    inside("deployments", &["deployment", "deploy"], "apps"),
    inside("replicasets", &["replicaset", "rs"], "apps"),
    inside("statefulsets", &["statefulset", "sts"], "apps"),
    inside("cronjobs", &["cronjob", "cj"], "batch"),
    inside("jobs", &["job"], "batch"),
    inside("roles", &["role"], RBAC),
    inside("rolebindings", &["rolebinding"], RBAC),
    outside("clusterroles", &["clusterrole"], RBAC),
    outside("clusterrolebindings", &["clusterrolebinding"], RBAC),
    inside("ingresses", &["ingress", "ing"], NETWORKING),
    inside("networkpolicies", &["networkpolicy", "netpol"], NETWORKING),
    outside("ingressclasses", &["ingressclass"], NETWORKING),
    outside("certificatesigningrequests", &["certificatesigningrequest", "csr"], "certificates.k8s.io"),
    outside("mutatingwebhookconfigurations", &["mutatingwebhookconfiguration"], ADMISSION),
    outside("validatingwebhookconfigurations", &["validatingwebhookconfiguration"], ADMISSION),
    outside("validatingadmissionpolicies", &["validatingadmissionpolicy"], ADMISSION),
    outside("validatingadmissionpolicybindings", &["validatingadmissionpolicybinding"], ADMISSION),
    outside("customresourcedefinitions", &["customresourcedefinition", "crd", "crds"], "apiextensions.k8s.io"),
    outside("apiservices", &["apiservice"], "apiregistration.k8s.io"),
    outside("storageclasses", &["storageclass", "sc"], STORAGE),
    outside("volumeattachments", &["volumeattachment"], STORAGE),
    outside("csidrivers", &["csidriver"], STORAGE),
    inside("poddisruptionbudgets", &["poddisruptionbudget", "pdb"], "policy"),
    inside("horizontalpodautoscalers", &["horizontalpodautoscaler", "hpa"], "autoscaling"),
    inside("leases", &["lease"], "coordination.k8s.io"),
    outside("priorityclasses", &["priorityclass", "pc"], "scheduling.k8s.io"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{KNOWN, known, nearest};

    #[test]
    fn a_name_means_one_resource() {
        let names: Vec<&str> =
            KNOWN.iter().flat_map(|known| known.short.iter().chain([&known.name])).copied().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        for (name, plural) in [("Secret", "secrets"), ("cm", "configmaps"), ("csr", "certificatesigningrequests")] {
            assert_eq!(known(name).map(|known| known.name), Some(plural));
        }
    }

    #[test]
    fn a_slip_is_told_from_another_word() {
        for (slip, meant) in [
            ("secrts", Some("secrets")),
            ("cofigmap", Some("configmaps")),
            ("deploymnets", Some("deployments")),
            ("widgets", None),
            ("x", None),
        ] {
            assert_eq!(nearest(&[], slip), meant, "{slip}");
        }
    }
}
