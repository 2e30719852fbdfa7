//! Custom resources of widespread operators: whoever writes them acts with the operator's rights. On EKS their bodies
//! are not logged, so the grant is the moment that can be seen.

use super::{ANY_AWS_SERVICE, ANY_RESOURCE, ANY_UPBOUND_SERVICE, Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Operators:
    "op-argocd" ["argoproj.io"] / ["applications", "applicationsets", "appprojects"] /
        ["create", "update", "patch"] Critical / High Lower + Home(&["argocd", "argo-cd"])
        "deploy anything with the rights of Argo CD", ", usually those of a cluster administrator";
    "op-argowf" ["argoproj.io"] /
        ["workflows", "cronworkflows", "workflowtemplates", "clusterworkflowtemplates", "sensors", "rollouts"] /
        ["create", "update", "patch"] Critical / High Lower
        "run pods under a chosen account through Argo";
    "op-flux" ["kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"] /
        ["kustomizations", "helmreleases", "gitrepositories", "ocirepositories", "helmrepositories", "buckets"] /
        ["create", "update", "patch"] Critical / High Lower + Home(&["flux-system"])
        "apply anything with the rights of Flux", ", by default those of a cluster administrator";
    "op-tekton" ["tekton.dev", "triggers.tekton.dev"] /
        ["tasks", "taskruns", "pipelines", "pipelineruns", "eventlisteners", "triggers"] /
        ["create", "update", "patch"] Critical / High Lower
        "run pods under a chosen account through Tekton";
    "op-eso" ["external-secrets.io"] /
        ["externalsecrets", "clusterexternalsecrets", "secretstores", "clustersecretstores", "pushsecrets"] /
        ["create", "update", "patch"] High / High Lower
        "copy cloud secrets into the cluster or out of it", " with the rights of External Secrets";
    "op-csi" ["secrets-store.csi.x-k8s.io"] / ["secretproviderclasses"] /
        ["create", "update", "patch"] Medium / Medium Lower
        "mount cloud secrets into pods";
    "op-velero" ["velero.io"] / ["backups", "restores", "backupstoragelocations", "schedules", "downloadrequests"] /
        ["create", "update", "patch"] Critical / High Lower + Home(&["velero"])
        "copy out or restore all objects with Velero", ", Secrets included";
    "op-kyverno" ["kyverno.io", "policies.kyverno.io"] /
        ["clusterpolicies", "policies", "policyexceptions", "validatingpolicies", "mutatingpolicies",
            "generatingpolicies"] /
        ["create", "update", "patch", "delete"] Critical / High Lower
        "change or create objects with the rights of Kyverno", ", or make exceptions to its policies";
    "op-gk" ["templates.gatekeeper.sh", "constraints.gatekeeper.sh", "config.gatekeeper.sh",
            "mutations.gatekeeper.sh"] /
        [ANY_RESOURCE] / ["create", "update", "patch", "delete"] High / - Same
        "switch off the guards of Gatekeeper", ", or have it change pods";
    "op-karpenter" ["karpenter.sh", "karpenter.k8s.aws", "eks.amazonaws.com"] /
        ["nodepools", "ec2nodeclasses", "nodeclaims", "nodeclasses"] /
        ["create", "update", "patch"] Critical / - Same
        "start nodes with its own script and IAM role", ": root on nodes and what their role may do in AWS";
    "op-ack" ["iam.services.k8s.aws", "eks.services.k8s.aws", ANY_AWS_SERVICE] / [ANY_RESOURCE] /
        ["create", "update", "patch"] Critical / Critical Lower + OtherService
        "change AWS resources with a controller's IAM rights", ": roles, policies, EKS access entries";
    "op-xp" ["pkg.crossplane.io", "apiextensions.crossplane.io"] / [ANY_RESOURCE] /
        ["create", "update", "patch"] Critical / High Lower
        "install controllers with wide rights through Crossplane";
    "op-xpobj" ["kubernetes.crossplane.io", "kubernetes.m.crossplane.io", "helm.crossplane.io", "helm.m.crossplane.io"] /
        ["objects", "observedobjectcollections", "releases"] / ["create", "update", "patch"] Critical / High Lower
        "apply any manifest through Crossplane's providers", ", with their rights";
    "op-xpaws" ["iam.aws.upbound.io", "iam.aws.m.upbound.io", "eks.aws.upbound.io", "eks.aws.m.upbound.io",
            ANY_UPBOUND_SERVICE] /
        [ANY_RESOURCE] / ["create", "update", "patch"] Critical / High Lower + OtherService
        "change AWS resources with the IAM rights of Crossplane", ": roles, policies, EKS access entries";
    "op-olm" ["operators.coreos.com"] /
        ["subscriptions", "clusterserviceversions", "installplans", "operatorgroups", "catalogsources"] /
        ["create", "update", "patch"] Critical / High Lower
        "install operators with the rights they ask for", " through the Operator Lifecycle Manager";
    "op-fluxop" ["fluxcd.controlplane.io", "infra.contrib.fluxcd.io"] /
        ["resourcesets", "fluxinstances", "terraforms"] / ["create", "update", "patch"] Critical / High Lower +
        Home(&["flux-system"])
        "apply anything with the rights of Flux's operators", ", Terraform included";
    "op-kro" ["kro.run"] / ["resourcegraphdefinitions"] / ["create", "update", "patch"] High / - Same
        "have kro create objects of any kind with its rights";
    "op-meta" ["metacontroller.k8s.io"] / ["compositecontrollers", "decoratorcontrollers"] /
        ["create", "update", "patch"] High / - Same
        "have Metacontroller create objects of any kind with its rights";
    "op-capi" ["cluster.x-k8s.io", "bootstrap.cluster.x-k8s.io", "infrastructure.cluster.x-k8s.io"] / [ANY_RESOURCE] /
        ["create", "update", "patch"] High / High Lower
        "create nodes and clusters through Cluster API";
    "op-cert" ["cert-manager.io"] / ["certificates", "issuers", "clusterissuers", "certificaterequests", "signers"] /
        ["create", "update", "patch", "approve"] Medium / Medium Lower + CertManager
        "have certificates of any name issued by the cluster's issuers";
    "op-keda" ["keda.sh"] / ["scaledjobs", "scaledobjects", "triggerauthentications", "clustertriggerauthentications"] /
        ["create", "update", "patch"] High / High Lower
        "run pods and read Secrets through KEDA";
    "op-vm" ["kubevirt.io", "subresources.kubevirt.io"] /
        ["virtualmachines", "virtualmachineinstances", "virtualmachineinstances/console",
            "virtualmachineinstances/vnc"] /
        ["create", "update", "patch", "get"] High / High Lower + Console
        "run virtual machines or open their consoles";
    "op-jobs" ["batch.volcano.sh", "kubeflow.org", "sparkoperator.k8s.io", "ray.io"] / [ANY_RESOURCE] /
        ["create", "update", "patch"] High / High Lower
        "run pods under a chosen account through a job operator";
    "op-prom" ["monitoring.coreos.com"] /
        ["prometheuses", "alertmanagers", "thanosrulers", "servicemonitors", "podmonitors"] /
        ["create", "update", "patch"] High / Medium Lower
        "run pods through the Prometheus operator", ", or send its token files elsewhere";
    "op-mesh" ["networking.istio.io", "security.istio.io", "cilium.io", "crd.projectcalico.org"] / [ANY_RESOURCE] /
        ["create", "update", "patch", "delete"] Medium / Medium Lower
        "redirect traffic or remove isolation in the service mesh";
    "op-rbac" ["rbacmanager.reactiveops.io", "hnc.x-k8s.io", "management.cattle.io", "user.openshift.io",
            "authorization.openshift.io"] /
        [ANY_RESOURCE] / ["create", "update", "patch"] Critical / High Lower
        "have an operator create role bindings", ", past escalation prevention";
    "op-eksnet" ["vpcresources.k8s.aws", "crd.k8s.amazonaws.com", "elbv2.k8s.aws"] /
        ["securitygrouppolicies", "eniconfigs", "targetgroupbindings"] /
        ["create", "update", "patch"] Medium / Medium Lower
        "change the security groups of pods or expose them by load balancers";
    "op-scc" ["security.openshift.io"] / ["securitycontextconstraints"] /
        ["use", "create", "update", "patch"] High / High Same + Use
        "run privileged pods", " (OpenShift)";
};
