//! Services and what directs traffic.

use super::{Risk, risk_rows};

pub(super) static RISKS: &[Risk] = risk_rows! { Network:
    "svc" [""] / ["services"] / ["create", "update", "patch"] Medium / Medium Lower
        "change services", ": intercept traffic by externalIPs (CVE-2020-8554), open ports to the outside";
    "svc-status" [""] / ["services/status"] / ["update", "patch"] Medium / Medium Lower
        "intercept traffic by the load balancer address of a service", " (CVE-2020-8554)";
    "ep" [""] / ["endpoints"] / ["create", "update", "patch"] Medium / Medium Lower
        "redirect the traffic of services", " (CVE-2021-25740)";
    "eps" ["discovery.k8s.io"] / ["endpointslices"] / ["create", "update", "patch"] Medium / Medium Lower
        "redirect the traffic of services by endpoint slices", " (CVE-2021-25740)";
    "netpol" ["networking.k8s.io"] / ["networkpolicies"] /
        ["create", "update", "patch", "delete", "deletecollection"] Medium / Medium Lower
        "remove network isolation";
    "ing" ["networking.k8s.io"] / ["ingresses", "ingressclasses"] / ["create", "update", "patch"] Medium / Medium Lower
        "expose services", ", and configure the ingress controller by annotations (CVE-2021-25742)";
    "gw" ["gateway.networking.k8s.io"] /
        ["gateways", "gatewayclasses", "httproutes", "grpcroutes", "tcproutes", "tlsroutes", "referencegrants"] /
        ["create", "update", "patch"] Medium / Medium Lower
        "expose services through a gateway", ", across namespaces by reference grants";
    "ipalloc" ["networking.k8s.io"] / ["servicecidrs", "ipaddresses"] /
        ["create", "update", "patch", "delete"] Low / - Same
        "break the addressing of services";
};
