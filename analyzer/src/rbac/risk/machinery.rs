//! Admission, API machinery, namespaces.

use super::{Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Machinery:
    "mwh" ["admissionregistration.k8s.io"] / ["mutatingwebhookconfigurations"] /
        ["create", "update", "patch"] Critical / - Same
        "see and change every object written", ", Secrets included, and put containers into every pod, by a webhook";
    "vwh" ["admissionregistration.k8s.io"] / ["validatingwebhookconfigurations"] /
        ["create", "update", "patch"] Critical / - Same
        "see every object written and refuse any", ", Secrets included, by a webhook";
    "wh-delete" ["admissionregistration.k8s.io"] /
        ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] /
        ["delete", "deletecollection"] High / - Same
        "remove admission webhooks", ": policy engines and, on EKS, the checks of aws-auth";
    "map" ["admissionregistration.k8s.io"] / ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"] /
        ["create", "update", "patch"] Critical / - Same
        "change every pod written", ", by an admission policy";
    "vap" ["admissionregistration.k8s.io"] / ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] /
        ["create", "update", "patch", "delete", "deletecollection"] High / - Same
        "switch off an admission policy", ", or refuse everything by one";
    "apiservice" ["apiregistration.k8s.io"] / ["apiservices"] / ["create", "update", "patch"] High / - Same
        "take over an API group", " and receive its requests with the identity of each caller";
    "apiservice-del" ["apiregistration.k8s.io"] / ["apiservices"] / ["delete"] Medium / - Same
        "withdraw an API group", ": an outage that also blocks the deletion of namespaces";
    "crd" ["apiextensions.k8s.io"] / ["customresourcedefinitions"] / ["create", "update", "patch"] Medium / - Same
        "see and change custom resources", " by a conversion webhook";
    "crd-del" ["apiextensions.k8s.io"] / ["customresourcedefinitions"] / ["delete", "deletecollection"] High / - Same
        "delete a kind of resource with all its objects";
    "flow" ["flowcontrol.apiserver.k8s.io"] / ["flowschemas", "prioritylevelconfigurations"] /
        ["create", "update", "patch", "delete"] Medium / - Same
        "starve the API server of requests", ", or exempt itself from the limits";
    "ns-patch" [""] / ["namespaces"] / ["update", "patch"] High / Medium Lower
        "relabel namespaces", ": lower pod security, join network policies, leave the reach of webhooks";
    "ns-create" [""] / ["namespaces"] / ["create"] Low / - Same
        "create namespaces", " without pod security or quotas";
    "ns-delete" [""] / ["namespaces"] / ["delete"] High / High Lower
        "delete namespaces", " with everything in them";
    "ns-final" [""] / ["namespaces/finalize"] / ["update"] Low / Low Same
        "finish the deletion of namespaces early", ", leaving objects behind";
    "events" ["", "events.k8s.io"] / ["events"] /
        ["delete", "deletecollection", "create", "update", "patch"] Low / Low Lower
        "hide or fake events", " that operators look at";
    "leases" ["coordination.k8s.io"] / ["leases"] /
        ["create", "update", "patch", "delete"] Medium / Low Lower + Home(&["kube-node-lease"])
        "take over leader election", ", in kube-system that of controllers, in kube-node-lease the heartbeat of nodes";
    "quota" [""] / ["resourcequotas", "limitranges"] / ["create", "update", "patch", "delete"] Low / Low Lower
        "change quotas and limits", ": an outage, or no limits any more";
    "svm" ["storagemigration.k8s.io"] / ["storageversionmigrations"] / ["create"] Low / - Same
        "have the API server rewrite all objects of a kind";
};
