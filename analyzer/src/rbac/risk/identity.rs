//! Users, tokens, credentials, certificates.
//!
//! Real resource names of impersonated extras are `userextras/scopes` and so on, one per key. On EKS the API server
//! does not serve the signer `kubernetes.io/kube-apiserver-client`, so what would be critical elsewhere is high.

use super::{ANY_EXTRA, Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Identity:
    "imp-users" [""] / ["users"] / ["impersonate"] Critical / - User
        "act as any user", ", the control plane's own included";
    "imp-groups" [""] / ["groups"] / ["impersonate"] Critical / - Group + GroupAlone
        "act as a member of any group", ", system:masters included, once it may also impersonate some user or account";
    "imp-sa" [""] / ["serviceaccounts"] / ["impersonate"] Critical / High Account
        "act as any service account", " without its token";
    "imp-uid" ["authentication.k8s.io"] / ["uids"] / ["impersonate"] Low / - Same
        "choose the uid of an impersonated user";
    "imp-extra" ["authentication.k8s.io"] / [ANY_EXTRA] / ["impersonate"] Medium / - Same
        "choose the extra fields of an impersonated user", ": scopes and other data that admission may trust";
    "imp-constrained" ["", "authentication.k8s.io"] /
        ["users", "groups", "uids", ANY_EXTRA, "serviceaccounts", "nodes"] /
        ["impersonate:user-info", "impersonate:serviceaccount", "impersonate:arbitrary-node",
            "impersonate:associated-node"] High / High Lower + Node
        "act as someone else for chosen requests", " (constrained impersonation, on by default from Kubernetes 1.36)";
    "imp-on" ["*"] / ["*"] / ["impersonate-on:"] Medium / Medium Same
        "act under an impersonated identity", ": the second half of constrained impersonation";
    "sa-token" [""] / ["serviceaccounts/token"] / ["create"] Critical / High Account
        "mint tokens for any service account", ", for any audience, AWS STS and so the account's IAM role included";
    "sa-write" [""] / ["serviceaccounts"] / ["create", "update", "patch"] High / Medium Lower
        "change service accounts", ": name an IAM role on one and, with a pod, take that role";
    "sa-delete" [""] / ["serviceaccounts"] / ["delete", "deletecollection"] Low / Low Lower
        "delete service accounts", ": their tokens stop working, their workloads break";
    "sec-read" [""] / ["secrets"] / ["get", "list", "watch"] Critical / High Medium
        "read every Secret", ", so every credential and legacy token; list and watch return the contents too";
    "sec-create" [""] / ["secrets"] / ["create"] High / Medium Lower
        "create Secrets", ": ask for a token that never expires of any service account there";
    "sec-write" [""] / ["secrets"] / ["update", "patch", "deletecollection"] Critical / High Medium
        "replace every Secret and read it", ", since the answer to a write holds the whole object";
    "sec-delete" [""] / ["secrets"] / ["delete"] Medium / Medium Lower
        "delete Secrets", ": an outage for whatever mounts them";
    "cm-awsauth" [""] / ["configmaps"] /
        ["update", "patch", "create", "delete", "deletecollection"] Critical / Low Only(&["aws-auth"]) + AwsAuth
        "rewrite aws-auth and every other ConfigMap",
        ": in kube-system, make any IAM principal a member of system:masters";
    "cm-dns" [""] / ["configmaps"] / ["update", "patch"] High / Low Only(&["coredns"])
        "rewrite the configuration of CoreDNS", ": redirect names and intercept traffic, in kube-system";
    "cm-extauth" [""] / ["configmaps"] / ["update", "patch"] High / Low Only(&["extension-apiserver-authentication"])
        "rewrite extension-apiserver-authentication",
        ": forge identities towards aggregated API servers, in kube-system";
    "cm-read" [""] / ["configmaps"] / ["get", "list", "watch"] Low / Low Lower
        "read configuration", ", at times with credentials in it";
    "csr-create" ["certificates.k8s.io"] / ["certificatesigningrequests"] / ["create"] Low / - Same
        "ask for a client certificate of any name", ", which somebody else has to approve";
    "csr-approve" ["certificates.k8s.io"] / ["certificatesigningrequests/approval"] / ["update", "patch"] High / - Same
        "approve certificate requests", ", once it may also approve for the signer";
    "csr-signer" ["certificates.k8s.io"] / ["signers"] / ["approve", "sign"] High / - Signer
        "approve or sign certificates", ": the second half of issuing oneself an identity";
    "ctb" ["certificates.k8s.io"] / ["clustertrustbundles"] / ["create", "update", "patch"] Medium / - Same
        "plant a trust anchor", " that pods will use";
    "pcr" ["certificates.k8s.io"] / ["podcertificaterequests"] / ["create", "update", "patch"] Low / Low Lower
        "ask for certificates of pods";
    "tokenreview" ["authentication.k8s.io"] / ["tokenreviews"] / ["create"] Low / - Same
        "test tokens", " and learn whose they are";
    "sar" ["authorization.k8s.io"] / ["subjectaccessreviews", "localsubjectaccessreviews"] / ["create"] Low / Low Same
        "ask what others may do";
};
