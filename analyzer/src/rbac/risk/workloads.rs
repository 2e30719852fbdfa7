//! Pods, controllers, nodes, storage.
//!
//! `get` on `pods/exec`, `pods/attach` and `pods/portforward` is enough through a WebSocket up to Kubernetes 1.34;
//! later servers also ask for `create`. It stays enough on `nodes/proxy`.

use super::{Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Workloads:
    "pod-create" [""] / ["pods"] / ["create"] Critical / High Lower
        "run pods under any service account", " with any Secret or volume; without pod security limits, root on a node";
    "ctl-write" ["apps"] / ["deployments", "daemonsets", "statefulsets", "replicasets"] /
        ["create", "update", "patch"] Critical / High Lower
        "run pods under any service account through a controller", ", with any Secret or volume";
    "job-write" ["batch"] / ["jobs", "cronjobs"] / ["create", "update", "patch"] Critical / High Lower + Job
        "run jobs under any service account", ", with any Secret or volume, once or on a schedule";
    "rc-write" [""] / ["replicationcontrollers"] / ["create", "update", "patch"] Critical / High Lower
        "run pods under any service account through a replication controller", ", with any Secret or volume";
    "podtemplate" [""] / ["podtemplates"] / ["create", "update", "patch"] Low / Low Lower
        "change pod templates", ", which matter only where a controller uses them";
    "pod-patch" [""] / ["pods"] / ["update", "patch"] Critical / High Lower
        "swap the image of running pods",
        ", which keep their account; change labels to join services or leave policies";
    "pod-exec" [""] / ["pods/exec"] / ["create", "get"] Critical / High Lower
        "run commands in any pod", " and take its token and Secrets";
    "pod-attach" [""] / ["pods/attach"] / ["create", "get"] High / High Lower
        "attach to the main process of any pod", ", with its account";
    "pod-ephemeral" [""] / ["pods/ephemeralcontainers"] / ["update", "patch"] Critical / High Lower
        "put a container into any running pod", ", with its account and, where allowed, its processes";
    "pod-pf" [""] / ["pods/portforward"] / ["create", "get"] Medium / Medium Lower
        "reach any port of any pod", ", past network policies";
    "pod-proxy" [""] / ["pods/proxy", "services/proxy"] /
        ["get", "create", "update", "patch", "delete"] Medium / Medium Lower
        "send HTTP to any pod or service through the API server", ", past network policies";
    "pod-log" [""] / ["pods/log"] / ["get"] Low / Low Lower
        "read the output of pods", ", and the secrets printed there";
    "pod-log-del" [""] / ["pods/log"] / ["delete", "deletecollection"] Low / Low Lower
        "name a right to delete pod logs", ", a call the API server does not have";
    "pod-delete" [""] / ["pods"] / ["delete", "deletecollection"] Medium / Medium Lower
        "delete pods", ": an outage, or a way to move them to another node";
    "pod-evict" [""] / ["pods/eviction"] / ["create"] Medium / Medium Lower
        "evict pods", ": an outage, or a way to move them to another node";
    "pod-status" [""] / ["pods/status"] / ["update", "patch"] Low / Low Lower
        "fake the state of pods", ": readiness, addresses, failures that make controllers replace them";
    "pod-bind" [""] / ["pods/binding", "bindings"] / ["create"] Low / Low Lower
        "place pending pods on a chosen node";
    "pod-resize" [""] / ["pods/resize"] / ["update", "patch"] Low / Low Lower
        "change what running pods may use", ": starve or overcommit";
    "scale" ["apps"] / ["deployments/scale", "statefulsets/scale", "replicasets/scale"] /
        ["update", "patch"] Low / Low Lower
        "scale workloads", ", also to zero";
    "ctlrev" ["apps"] / ["controllerrevisions"] / ["create", "update", "patch"] Medium / Medium Lower
        "poison the revision that a DaemonSet or StatefulSet rolls back to";
    "node-proxy" [""] / ["nodes/proxy"] / ["get", "create", "update", "patch", "delete"] Critical / - Same
        "run commands in every pod through the kubelet", ", past admission and without an audit event of the exec";
    "node-fine" [""] / ["nodes/log"] / ["get"] Medium / - Lower
        "read the log files of nodes";
    "node-fine2" [""] / ["nodes/metrics", "nodes/stats", "nodes/healthz", "nodes/configz", "nodes/pods"] /
        ["get"] Low / - Same
        "read metrics, configuration or pod specifications from the kubelet";
    "node-ckpt" [""] / ["nodes/checkpoint"] / ["create"] High / - Lower
        "write the memory of a container to the node's disk", ", with every secret in it";
    "node-patch" [""] / ["nodes"] / ["update", "patch"] High / - Lower
        "change labels and taints of nodes", ": draw chosen pods onto a node already held";
    "node-status" [""] / ["nodes/status"] / ["update", "patch"] Medium / - Lower
        "fake capacity and addresses of nodes", ", which redirects the API server's traffic to the kubelet";
    "node-create" [""] / ["nodes"] / ["create"] Medium / - Same
        "register a node that does not exist";
    "node-delete" [""] / ["nodes"] / ["delete", "deletecollection"] High / - Lower
        "delete nodes", ": an outage";
    "pv-create" [""] / ["persistentvolumes"] / ["create"] Critical / - Same
        "mount any directory of a node", " through a hostPath volume, past pod security limits";
    "pv-write" [""] / ["persistentvolumes"] / ["update", "patch", "delete"] Medium / - Lower
        "change or delete volumes", ": lose data, or give somebody's volume to another claim";
    "pvc" [""] / ["persistentvolumeclaims"] / ["create", "update", "patch", "delete"] Low / Low Lower
        "claim or release volumes", ": use what exists, or lose data";
    "storage" ["storage.k8s.io"] / ["storageclasses", "volumeattachments", "csinodes"] /
        ["create", "update", "patch", "delete"] Medium / - Lower
        "attach somebody's volume to a node already held";
    "csidriver" ["storage.k8s.io"] / ["csidrivers"] / ["create", "update", "patch"] High / - Same
        "have kubelets hand the tokens of pods to a storage driver";
    "snapshot" ["snapshot.storage.k8s.io"] / ["volumesnapshotcontents", "volumesnapshots"] /
        ["create", "update", "patch"] Medium / Medium Lower
        "copy the data of volumes by snapshot", ", those of another namespace included";
    "dra" ["resource.k8s.io"] / ["resourceclaims", "resourceclaimtemplates"] /
        ["create", "update", "patch"] Medium / Medium Lower
        "claim devices", ", also with adminAccess those in use by others, where the namespace is labelled for it";
    "prio" ["scheduling.k8s.io"] / ["priorityclasses"] / ["create", "update", "patch"] Low / - Same
        "set the priority by which workloads displace others";
    "runtimeclass" ["node.k8s.io"] / ["runtimeclasses"] / ["create", "update", "patch"] Low / - Same
        "change the runtime of pods", ", also to one without a sandbox";
    "psp" ["policy"] / ["podsecuritypolicies"] / ["use"] Medium / Medium Same + Use
        "run pods under a privileged policy", " (PodSecurityPolicy, removed in Kubernetes 1.25)";
    "pdb" ["policy"] / ["poddisruptionbudgets"] / ["create", "update", "patch", "delete"] Low / Low Lower
        "block or free the draining of nodes";
};

pub(super) static READS: &[Risk] = risk_rows! { Reads:
    "read-pods" [""] / ["pods"] / ["get", "list", "watch"] Low / Low Lower
        "read pod specifications", ": environment variables, images, account names";
    "read-nodes" [""] / ["nodes"] / ["get", "list", "watch"] Low / - Lower
        "read the inventory of nodes";
};
