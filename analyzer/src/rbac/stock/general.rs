//! The built-in `ClusterRole`s that are no controller's.
//!
//! Data: recorded from a Kubernetes 1.36 API server as it creates them.

use super::{StockRule, rule_rows};

pub(super) static RULES: &[(&str, &[StockRule])] = rule_rows! {
    "cluster-admin" => {
        ["*"] / ["*"] / ["*"];
        [] / [] / ["*"] urls ["*"];
    }
    "system:discovery" => {
        [] / [] / ["get"] urls ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
            "/openapi/*", "/readyz", "/version", "/version/"];
    }
    "system:monitoring" => {
        [] / [] / ["get"] urls ["/flagz", "/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics",
            "/metrics/slis", "/readyz", "/readyz/*", "/statusz"];
        [""] / ["nodes/metrics"] / ["get"];
    }
    "system:basic-user" => {
        ["authorization.k8s.io"] / ["selfsubjectaccessreviews", "selfsubjectrulesreviews"] / ["create"];
        ["authentication.k8s.io"] / ["selfsubjectreviews"] / ["create"];
    }
    "system:public-info-viewer" => {
        [] / [] / ["get"] urls ["/healthz", "/livez", "/readyz", "/version", "/version/"];
    }
    "system:aggregate-to-admin" => {
        ["authorization.k8s.io"] / ["localsubjectaccessreviews"] / ["create"];
        ["rbac.authorization.k8s.io"] / ["rolebindings", "roles"] / ["create", "delete", "deletecollection",
            "get", "list", "patch", "update", "watch"];
    }
    "system:aggregate-to-edit" => {
        [""] / ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"] /
            ["get", "list", "watch"];
        [""] / ["serviceaccounts"] / ["impersonate"];
        [""] / ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"] / ["create", "delete",
            "deletecollection", "patch", "update"];
        [""] / ["pods/eviction"] / ["create"];
        [""] / ["configmaps", "persistentvolumeclaims", "replicationcontrollers",
            "replicationcontrollers/scale", "secrets", "serviceaccounts", "services", "services/proxy"] /
            ["create", "delete", "deletecollection", "patch", "update"];
        [""] / ["serviceaccounts/token"] / ["create"];
        ["", "events.k8s.io"] / ["events"] / ["create", "delete", "deletecollection", "patch", "update"];
        ["apps"] / ["daemonsets", "deployments", "deployments/rollback", "deployments/scale", "replicasets",
            "replicasets/scale", "statefulsets", "statefulsets/scale"] / ["create", "delete",
            "deletecollection", "patch", "update"];
        ["autoscaling"] / ["horizontalpodautoscalers"] / ["create", "delete", "deletecollection", "patch",
            "update"];
        ["batch"] / ["cronjobs", "jobs"] / ["create", "delete", "deletecollection", "patch", "update"];
        ["extensions"] / ["daemonsets", "deployments", "deployments/rollback", "deployments/scale", "ingresses",
            "networkpolicies", "replicasets", "replicasets/scale", "replicationcontrollers/scale"] / ["create",
            "delete", "deletecollection", "patch", "update"];
        ["policy"] / ["poddisruptionbudgets"] / ["create", "delete", "deletecollection", "patch", "update"];
        ["networking.k8s.io"] / ["ingresses", "networkpolicies"] / ["create", "delete", "deletecollection",
            "patch", "update"];
        ["coordination.k8s.io"] / ["leases"] / ["create", "delete", "deletecollection", "get", "list", "patch",
            "update", "watch"];
        ["resource.k8s.io"] / ["resourceclaims", "resourceclaimtemplates"] / ["create", "delete",
            "deletecollection", "patch", "update"];
    }
    "system:aggregate-to-view" => {
        [""] / ["configmaps", "endpoints", "persistentvolumeclaims", "persistentvolumeclaims/status", "pods",
            "replicationcontrollers", "replicationcontrollers/scale", "serviceaccounts", "services",
            "services/status"] / ["get", "list", "watch"];
        [""] / ["bindings", "limitranges", "namespaces/status", "pods/log", "pods/status",
            "replicationcontrollers/status", "resourcequotas", "resourcequotas/status"] / ["get", "list",
            "watch"];
        [""] / ["namespaces"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["get", "list", "watch"];
        ["discovery.k8s.io"] / ["endpointslices"] / ["get", "list", "watch"];
        ["apps"] / ["controllerrevisions", "daemonsets", "daemonsets/status", "deployments",
            "deployments/scale", "deployments/status", "replicasets", "replicasets/scale", "replicasets/status",
            "statefulsets", "statefulsets/scale", "statefulsets/status"] / ["get", "list", "watch"];
        ["autoscaling"] / ["horizontalpodautoscalers", "horizontalpodautoscalers/status"] / ["get", "list",
            "watch"];
        ["batch"] / ["cronjobs", "cronjobs/status", "jobs", "jobs/status"] / ["get", "list", "watch"];
        ["extensions"] / ["daemonsets", "daemonsets/status", "deployments", "deployments/scale",
            "deployments/status", "ingresses", "ingresses/status", "networkpolicies", "replicasets",
            "replicasets/scale", "replicasets/status", "replicationcontrollers/scale"] / ["get", "list",
            "watch"];
        ["policy"] / ["poddisruptionbudgets", "poddisruptionbudgets/status"] / ["get", "list", "watch"];
        ["networking.k8s.io"] / ["ingresses", "ingresses/status", "networkpolicies"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["resourceclaims", "resourceclaims/status", "resourceclaimtemplates"] / ["get",
            "list", "watch"];
    }
    "system:heapster" => {
        [""] / ["events", "namespaces", "nodes", "pods"] / ["get", "list", "watch"];
        ["extensions"] / ["deployments"] / ["get", "list", "watch"];
    }
    "system:node" => {
        ["authentication.k8s.io"] / ["tokenreviews"] / ["create"];
        ["authorization.k8s.io"] / ["localsubjectaccessreviews", "subjectaccessreviews"] / ["create"];
        [""] / ["services"] / ["get", "list", "watch"];
        [""] / ["nodes"] / ["create", "get", "list", "watch"];
        [""] / ["nodes/status"] / ["patch", "update"];
        [""] / ["nodes"] / ["patch", "update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        [""] / ["pods"] / ["get", "list", "watch"];
        [""] / ["pods"] / ["create", "delete"];
        [""] / ["pods/status"] / ["patch", "update"];
        [""] / ["pods/eviction"] / ["create"];
        [""] / ["configmaps", "secrets"] / ["get", "list", "watch"];
        [""] / ["persistentvolumeclaims", "persistentvolumes"] / ["get"];
        [""] / ["endpoints"] / ["get"];
        ["certificates.k8s.io"] / ["certificatesigningrequests"] / ["create", "get", "list", "watch"];
        ["coordination.k8s.io"] / ["leases"] / ["create", "delete", "get", "patch", "update"];
        ["storage.k8s.io"] / ["volumeattachments"] / ["get"];
        [""] / ["serviceaccounts/token"] / ["create"];
        [""] / ["persistentvolumeclaims/status"] / ["get", "patch", "update"];
        ["storage.k8s.io"] / ["csidrivers"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["csinodes"] / ["create", "delete", "get", "patch", "update"];
        ["node.k8s.io"] / ["runtimeclasses"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["resourceclaims"] / ["get"];
        ["resource.k8s.io"] / ["resourceslices"] / ["deletecollection"];
        [""] / ["serviceaccounts"] / ["get"];
    }
    "system:node-problem-detector" => {
        [""] / ["nodes"] / ["get"];
        [""] / ["nodes/status"] / ["patch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:node-bootstrapper" => {
        ["certificates.k8s.io"] / ["certificatesigningrequests"] / ["create", "get", "list", "watch"];
    }
    "system:auth-delegator" => {
        ["authentication.k8s.io"] / ["tokenreviews"] / ["create"];
        ["authorization.k8s.io"] / ["subjectaccessreviews"] / ["create"];
    }
    "system:kube-aggregator" => {
        [""] / ["endpoints", "services"] / ["get", "list", "watch"];
    }
    "system:kube-controller-manager" => {
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        ["coordination.k8s.io"] / ["leases"] / ["create"];
        ["coordination.k8s.io"] / ["leases"] / ["get", "update"] named ["kube-controller-manager"];
        [""] / ["secrets", "serviceaccounts"] / ["create"];
        [""] / ["secrets"] / ["delete"];
        [""] / ["configmaps", "namespaces", "secrets", "serviceaccounts"] / ["get"];
        [""] / ["secrets", "serviceaccounts"] / ["update"];
        ["authentication.k8s.io"] / ["tokenreviews"] / ["create"];
        ["authorization.k8s.io"] / ["subjectaccessreviews"] / ["create"];
        ["*"] / ["*"] / ["list", "watch"];
        [""] / ["serviceaccounts/token"] / ["create"];
    }
    "system:kube-dns" => {
        [""] / ["endpoints", "services"] / ["list", "watch"];
    }
    "system:persistent-volume-provisioner" => {
        [""] / ["persistentvolumes"] / ["create", "delete", "get", "list", "watch"];
        [""] / ["persistentvolumeclaims"] / ["get", "list", "update", "watch"];
        ["storage.k8s.io"] / ["storageclasses"] / ["get", "list", "watch"];
        [""] / ["events"] / ["watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:certificates.k8s.io:certificatesigningrequests:nodeclient" => {
        ["certificates.k8s.io"] / ["certificatesigningrequests/nodeclient"] / ["create"];
    }
    "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient" => {
        ["certificates.k8s.io"] / ["certificatesigningrequests/selfnodeclient"] / ["create"];
    }
    "system:volume-scheduler" => {
        [""] / ["persistentvolumes"] / ["get", "list", "patch", "update", "watch"];
        ["storage.k8s.io"] / ["storageclasses"] / ["get", "list", "watch"];
        [""] / ["persistentvolumeclaims"] / ["get", "list", "patch", "update", "watch"];
    }
    "system:certificates.k8s.io:legacy-unknown-approver" => {
        ["certificates.k8s.io"] / ["signers"] / ["approve"] named ["kubernetes.io/legacy-unknown"];
    }
    "system:certificates.k8s.io:kubelet-serving-approver" => {
        ["certificates.k8s.io"] / ["signers"] / ["approve"] named ["kubernetes.io/kubelet-serving"];
    }
    "system:certificates.k8s.io:kube-apiserver-client-approver" => {
        ["certificates.k8s.io"] / ["signers"] / ["approve"] named ["kubernetes.io/kube-apiserver-client"];
    }
    "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver" => {
        ["certificates.k8s.io"] / ["signers"] / ["approve"] named
            ["kubernetes.io/kube-apiserver-client-kubelet"];
    }
    "system:service-account-issuer-discovery" => {
        [] / [] / ["get"] urls ["/.well-known/openid-configuration", "/.well-known/openid-configuration/",
            "/openid/v1/jwks", "/openid/v1/jwks/"];
    }
    "system:kubelet-api-admin" => {
        [""] / ["nodes"] / ["get", "list", "watch"];
        [""] / ["nodes"] / ["proxy"];
        [""] / ["nodes/log", "nodes/metrics", "nodes/proxy", "nodes/stats"] / ["*"];
        [""] / ["nodes/configz", "nodes/healthz", "nodes/pods"] / ["*"];
    }
    "system:node-proxier" => {
        [""] / ["endpoints", "services"] / ["list", "watch"];
        [""] / ["nodes"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        ["networking.k8s.io"] / ["servicecidrs"] / ["list", "watch"];
        ["discovery.k8s.io"] / ["endpointslices"] / ["list", "watch"];
    }
    "system:kube-scheduler" => {
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        ["coordination.k8s.io"] / ["leases"] / ["create"];
        ["coordination.k8s.io"] / ["leases"] / ["get", "list", "update", "watch"] named ["kube-scheduler"];
        ["coordination.k8s.io"] / ["leasecandidates"] / ["create", "delete", "deletecollection", "get", "list",
            "patch", "update", "watch"];
        [""] / ["nodes"] / ["get", "list", "watch"];
        [""] / ["pods"] / ["delete", "get", "list", "watch"];
        [""] / ["bindings", "pods/binding"] / ["create"];
        [""] / ["pods/status"] / ["patch", "update"];
        [""] / ["replicationcontrollers", "services"] / ["get", "list", "watch"];
        ["apps", "extensions"] / ["replicasets"] / ["get", "list", "watch"];
        ["apps"] / ["statefulsets"] / ["get", "list", "watch"];
        ["policy"] / ["poddisruptionbudgets"] / ["get", "list", "watch"];
        [""] / ["persistentvolumeclaims", "persistentvolumes"] / ["get", "list", "watch"];
        ["authentication.k8s.io"] / ["tokenreviews"] / ["create"];
        ["authorization.k8s.io"] / ["subjectaccessreviews"] / ["create"];
        ["storage.k8s.io"] / ["csinodes"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["volumeattachments"] / ["get", "list", "watch"];
        [""] / ["namespaces"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["csidrivers"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["csistoragecapacities"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["deviceclasses"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["resourceclaims"] / ["get", "list", "patch", "update", "watch"];
        ["resource.k8s.io"] / ["resourceclaims/status"] / ["get", "list", "patch", "update", "watch"];
        [""] / ["pods/finalizers"] / ["update"];
        ["resource.k8s.io"] / ["resourceslices"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["resourceclaims"] / ["create", "delete"];
        ["resource.k8s.io"] / ["resourceclaims/binding"] / ["patch", "update"];
    }
};
