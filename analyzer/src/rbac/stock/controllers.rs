//! The built-in `ClusterRole`s of controllers, `system:controller:*`, first half.
//!
//! Data: recorded from a Kubernetes 1.36 API server as it creates them.

use super::{StockRule, rule_rows};

pub(super) static RULES: &[(&str, &[StockRule])] = rule_rows! {
    "system:controller:attachdetach-controller" => {
        [""] / ["persistentvolumeclaims", "persistentvolumes"] / ["list", "watch"];
        [""] / ["nodes"] / ["get", "list", "watch"];
        [""] / ["nodes/status"] / ["patch", "update"];
        [""] / ["pods"] / ["list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        ["storage.k8s.io"] / ["volumeattachments"] / ["create", "delete", "get", "list", "watch"];
        ["storage.k8s.io"] / ["csidrivers"] / ["get", "list", "watch"];
        ["storage.k8s.io"] / ["csinodes"] / ["get", "list", "watch"];
    }
    "system:controller:clusterrole-aggregation-controller" => {
        ["rbac.authorization.k8s.io"] / ["clusterroles"] / ["escalate", "get", "list", "patch", "update",
            "watch"];
    }
    "system:controller:cronjob-controller" => {
        ["batch"] / ["cronjobs"] / ["get", "list", "update", "watch"];
        ["batch"] / ["jobs"] / ["create", "delete", "get", "list", "patch", "update", "watch"];
        ["batch"] / ["cronjobs/status"] / ["update"];
        ["batch"] / ["cronjobs/finalizers"] / ["update"];
        [""] / ["pods"] / ["delete", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:daemon-set-controller" => {
        ["apps", "extensions"] / ["daemonsets"] / ["get", "list", "watch"];
        ["apps", "extensions"] / ["daemonsets/status"] / ["update"];
        ["apps", "extensions"] / ["daemonsets/finalizers"] / ["update"];
        [""] / ["nodes"] / ["list", "watch"];
        [""] / ["pods"] / ["create", "delete", "list", "patch", "watch"];
        [""] / ["pods/binding"] / ["create"];
        ["apps"] / ["controllerrevisions"] / ["create", "delete", "get", "list", "patch", "update", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:deployment-controller" => {
        ["apps", "extensions"] / ["deployments"] / ["get", "list", "update", "watch"];
        ["apps", "extensions"] / ["deployments/status"] / ["update"];
        ["apps", "extensions"] / ["deployments/finalizers"] / ["update"];
        ["apps", "extensions"] / ["replicasets"] / ["create", "delete", "get", "list", "patch", "update",
            "watch"];
        [""] / ["pods"] / ["get", "list", "update", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:disruption-controller" => {
        ["apps", "extensions"] / ["deployments"] / ["get", "list", "watch"];
        ["apps", "extensions"] / ["replicasets"] / ["get", "list", "watch"];
        [""] / ["replicationcontrollers"] / ["get", "list", "watch"];
        ["policy"] / ["poddisruptionbudgets"] / ["get", "list", "watch"];
        ["apps"] / ["statefulsets"] / ["get", "list", "watch"];
        ["policy"] / ["poddisruptionbudgets/status"] / ["update"];
        [""] / ["pods/status"] / ["patch", "update"];
        ["*"] / ["*/scale"] / ["get"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:endpoint-controller" => {
        [""] / ["pods", "services"] / ["get", "list", "watch"];
        [""] / ["endpoints"] / ["create", "delete", "get", "list", "update", "watch"];
        [""] / ["endpoints/restricted"] / ["create"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:endpointslice-controller" => {
        [""] / ["nodes", "pods", "services"] / ["get", "list", "watch"];
        [""] / ["services/finalizers"] / ["update"];
        ["discovery.k8s.io"] / ["endpointslices"] / ["create", "delete", "get", "list", "update", "watch"];
        ["discovery.k8s.io"] / ["endpointslices/restricted"] / ["create"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:endpointslicemirroring-controller" => {
        [""] / ["endpoints", "services"] / ["get", "list", "watch"];
        [""] / ["services/finalizers"] / ["update"];
        [""] / ["endpoints/finalizers"] / ["update"];
        ["discovery.k8s.io"] / ["endpointslices"] / ["create", "delete", "get", "list", "update", "watch"];
        ["discovery.k8s.io"] / ["endpointslices/restricted"] / ["create"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:expand-controller" => {
        [""] / ["persistentvolumes"] / ["get", "list", "patch", "update", "watch"];
        [""] / ["persistentvolumeclaims/status"] / ["patch", "update"];
        [""] / ["persistentvolumeclaims"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:ephemeral-volume-controller" => {
        [""] / ["pods"] / ["get", "list", "watch"];
        [""] / ["pods/finalizers"] / ["update"];
        [""] / ["persistentvolumeclaims"] / ["create", "get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:resource-claim-controller" => {
        [""] / ["pods"] / ["get", "list", "watch"];
        [""] / ["pods/finalizers"] / ["update"];
        ["resource.k8s.io"] / ["resourceclaims"] / ["create", "delete", "get", "list", "watch"];
        ["resource.k8s.io"] / ["resourceclaims", "resourceclaims/status"] / ["patch", "update"];
        [""] / ["pods/status"] / ["patch", "update"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        ["resource.k8s.io"] / ["resourceclaims/binding"] / ["patch", "update"];
    }
    "system:controller:device-taint-eviction-controller" => {
        [""] / ["pods"] / ["delete", "get", "list", "watch"];
        [""] / ["pods/status"] / ["patch", "update"];
        ["resource.k8s.io"] / ["resourceclaims"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["resourceslices"] / ["get", "list", "watch"];
        ["resource.k8s.io"] / ["deviceclasses"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:generic-garbage-collector" => {
        ["*"] / ["*"] / ["delete", "get", "list", "patch", "update", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:horizontal-pod-autoscaler" => {
        ["autoscaling"] / ["horizontalpodautoscalers"] / ["get", "list", "watch"];
        ["autoscaling"] / ["horizontalpodautoscalers/status"] / ["update"];
        ["*"] / ["*/scale"] / ["get", "update"];
        [""] / ["pods"] / ["list", "watch"];
        ["metrics.k8s.io"] / ["pods"] / ["list", "watch"];
        ["custom.metrics.k8s.io"] / ["*"] / ["get", "list", "watch"];
        ["external.metrics.k8s.io"] / ["*"] / ["get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:job-controller" => {
        ["batch"] / ["jobs"] / ["get", "list", "patch", "update", "watch"];
        ["batch"] / ["jobs/status"] / ["update"];
        ["batch"] / ["jobs/finalizers"] / ["update"];
        [""] / ["pods"] / ["create", "delete", "list", "patch", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:namespace-controller" => {
        [""] / ["namespaces"] / ["delete", "get", "list", "watch"];
        [""] / ["namespaces/finalize", "namespaces/status"] / ["update"];
        ["*"] / ["*"] / ["delete", "deletecollection", "get", "list", "watch"];
    }
    "system:controller:node-controller" => {
        [""] / ["nodes"] / ["delete", "get", "list", "patch", "update", "watch"];
        [""] / ["nodes/status"] / ["patch", "update"];
        [""] / ["pods/status"] / ["patch", "update"];
        [""] / ["pods"] / ["delete", "get", "list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
    }
    "system:controller:persistent-volume-binder" => {
        [""] / ["persistentvolumes"] / ["create", "delete", "get", "list", "update", "watch"];
        [""] / ["persistentvolumes/status"] / ["update"];
        [""] / ["persistentvolumeclaims"] / ["get", "list", "update", "watch"];
        [""] / ["persistentvolumeclaims/status"] / ["update"];
        [""] / ["pods"] / ["create", "delete", "get", "list", "watch"];
        ["storage.k8s.io"] / ["storageclasses"] / ["get", "list", "watch"];
        [""] / ["nodes"] / ["list", "watch"];
        ["", "events.k8s.io"] / ["events"] / ["create", "patch", "update"];
        [""] / ["events"] / ["watch"];
    }
};
