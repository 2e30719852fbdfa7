//! A made-up EKS cluster: the nodes, pods, controllers and people whose requests fill its audit log. They stay the same
//! for the whole log, as in life: how well it compresses, and what a memory of callers is worth, hangs on that.

use crate::random::Random;

/// Everybody who asks the API server for something.
#[derive(Debug)]
pub struct Cluster {
    pub(crate) nodes: Vec<Node>,
    pub(crate) pods: Vec<Pod>,
    pub(crate) planes: Vec<Plane>,
    pub(crate) controllers: Vec<Controller>,
    pub(crate) apps: Vec<App>,
    pub(crate) people: Vec<Person>,
}

/// A node and its kubelet.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) ip: String,
    pub(crate) uid: String,
    pub(crate) lease: String,
    /// The `user` of its requests, as JSON. So for all below.
    pub(crate) user: String,
}

/// A pod that talks to the API server with its service account's token.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) namespace: &'static str,
    pub(crate) account: &'static str,
    pub(crate) ip: String,
    pub(crate) agent: String,
    pub(crate) lease: String,
    pub(crate) user: String,
    pub(crate) reason: String,
}

/// A part of the control plane with a client certificate.
#[derive(Debug)]
pub(crate) struct Plane {
    pub(crate) lease: &'static str,
    pub(crate) uid: String,
    pub(crate) agent: String,
    pub(crate) user: String,
    pub(crate) reason: String,
}

/// A controller of kube-controller-manager.
#[derive(Debug)]
pub(crate) struct Controller {
    pub(crate) agent: String,
    pub(crate) user: String,
    pub(crate) reason: String,
}

/// A workload that is rolled out.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) name: &'static str,
    pub(crate) namespace: &'static str,
    pub(crate) set: String,
    pub(crate) uid: String,
}

/// Somebody with kubectl.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) ip: String,
    pub(crate) user: String,
}

impl Cluster {
    /// The cluster of this seed.
    #[must_use]
    pub fn new(random: &mut Random) -> Self {
        let nodes: Vec<Node> = (0..NODES).map(|number| node(number, random)).collect();
        let pods = PODS.iter().enumerate().map(|(number, pod)| self::pod(number, *pod, &nodes, random)).collect();
        let apps = APPS.iter().map(|(namespace, name)| App {
            name,
            namespace,
            set: format!("{name}-{}", random.name(10)),
            uid: random.uuid(),
        });
        Self {
            pods,
            apps: apps.collect(),
            planes: PLANES.iter().map(|name| plane(name, random)).collect(),
            controllers: CONTROLLERS.iter().map(|name| controller(name, random)).collect(),
            people: PEOPLE.iter().enumerate().map(|(number, name)| person(number, name, random)).collect(),
            nodes,
        }
    }
}

/// Half of the nodes join with a certificate, half with the role of their instance.
fn node(number: usize, random: &mut Random) -> Node {
    let (zone, host) = (11 + number % 3, 10 + 7 * number);
    let name = format!("ip-10-0-{zone}-{host}.us-west-2.compute.internal");
    let user = if number.is_multiple_of(2) {
        let certificate: String = (0..4).map(|_| random.hex(16)).collect();
        format!(
            r#"{{"username":"system:node:{name}","groups":["system:nodes","system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["X509SHA256={certificate}"]}}}}"#
        )
    } else {
        let role = "eksctl-shop-nodegroup-NodeInstanceRole-1XKQ2Z";
        let id = "AROAWEPKV3BR66H6CWY6W";
        let (key, instance) = (random.hex(16).to_uppercase(), random.hex(16));
        format!(
            r#"{{"username":"system:node:{name}","uid":"aws-iam-authenticator:111122223333:{id}","groups":["system:bootstrappers","system:nodes","system:authenticated"],"extra":{{"accessKeyId":["ASIA{key}"],"arn":["arn:aws:sts::111122223333:assumed-role/{role}/i-0{instance}"],"canonicalArn":["arn:aws:iam::111122223333:role/{role}"],"principalId":["{id}"],"sessionName":["i-0{instance}"],"sigs.k8s.io/aws-iam-authenticator/principalId":["{id}"]}}}}"#
        )
    };
    Node { ip: format!("10.0.{zone}.{host}"), uid: random.uuid(), lease: random.uuid(), name, user }
}

fn pod(
    number: usize,
    (namespace, account, version): (&'static str, &'static str, &str),
    nodes: &[Node],
    random: &mut Random,
) -> Pod {
    let node = random.pick(nodes);
    let user = format!(
        r#"{{"username":"system:serviceaccount:{namespace}:{account}","uid":"{}","groups":["system:serviceaccounts","system:serviceaccounts:{namespace}","system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["JTI={}"],"authentication.kubernetes.io/node-name":["{}"],"authentication.kubernetes.io/node-uid":["{}"],"authentication.kubernetes.io/pod-name":["{account}-{}-{}"],"authentication.kubernetes.io/pod-uid":["{}"]}}}}"#,
        random.uuid(),
        random.uuid(),
        node.name,
        node.uid,
        random.name(10),
        random.name(5),
        random.uuid(),
    );
    Pod {
        namespace,
        account,
        // Behind those of the nodes: no two machines share an address.
        ip: format!("10.0.{}.{}", 11 + number % 3, 180 + number),
        agent: format!("{account}/{version} (linux/amd64) kubernetes/{}", random.hex(7)),
        lease: random.uuid(),
        user,
        reason: format!(
            r#"RBAC: allowed by ClusterRoleBinding \"{account}\" of ClusterRole \"{account}\" to ServiceAccount \"{account}/{namespace}\""#
        ),
    }
}

fn plane(name: &'static str, random: &mut Random) -> Plane {
    let certificate: String = (0..4).map(|_| random.hex(16)).collect();
    Plane {
        lease: name,
        uid: random.uuid(),
        agent: format!("{name}/v1.36.0 (linux/amd64) kubernetes/{}", random.hex(7)),
        user: format!(
            r#"{{"username":"eks:{name}","groups":["system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["X509SHA256={certificate}"]}}}}"#
        ),
        reason: format!(
            r#"RBAC: allowed by ClusterRoleBinding \"eks:{name}\" of ClusterRole \"eks:{name}\" to User \"eks:{name}\""#
        ),
    }
}

fn controller(name: &str, random: &mut Random) -> Controller {
    let account = format!("system:serviceaccount:kube-system:{name}");
    Controller {
        agent: format!("kube-controller-manager/v1.36.2 (linux/amd64) kubernetes/98b3519/{account}"),
        user: format!(
            r#"{{"username":"{account}","uid":"{}","groups":["system:serviceaccounts","system:serviceaccounts:kube-system","system:authenticated"],"extra":{{"authentication.kubernetes.io/credential-id":["JTI={}"]}}}}"#,
            random.uuid(),
            random.uuid(),
        ),
        reason: format!(
            r#"RBAC: allowed by ClusterRoleBinding \"system:controller:{name}\" of ClusterRole \"system:controller:{name}\" to ServiceAccount \"{name}/kube-system\""#
        ),
    }
}

fn person(number: usize, name: &str, random: &mut Random) -> Person {
    let id = format!("AROA{}", random.hex(16).to_uppercase());
    let key = random.hex(16).to_uppercase();
    Person {
        ip: format!("203.0.113.{}", 24 + number),
        user: format!(
            r#"{{"username":"arn:aws:sts::111122223333:assumed-role/platform-admin/{name}-example.com","uid":"aws-iam-authenticator:111122223333:{id}","groups":["platform:admins","platform:developers","system:authenticated"],"extra":{{"accessKeyId":["ASIA{key}"],"arn":["arn:aws:sts::111122223333:assumed-role/platform-admin/{name}@example.com"],"canonicalArn":["arn:aws:iam::111122223333:role/platform-admin"],"principalId":["{id}"],"sessionName":["{name}@example.com"],"sigs.k8s.io/aws-iam-authenticator/principalId":["{id}"]}}}}"#
        ),
    }
}

/// A middling cluster.
const NODES: usize = 24;

/// Namespace, service account and version of the pods that ask for something all the time.
const PODS: &[(&str, &str, &str)] = &[
    ("argocd", "argocd-application-controller", "v3.1.0"),
    ("argocd", "argocd-server", "v3.1.0"),
    ("cert-manager", "cert-manager", "v1.18.2"),
    ("cert-manager", "cert-manager-cainjector", "v1.18.2"),
    ("external-dns", "external-dns", "v0.18.0"),
    ("external-secrets", "external-secrets", "v0.19.1"),
    ("ingress-nginx", "ingress-nginx", "v1.13.0"),
    ("istio-system", "istiod", "1.26.2"),
    ("karpenter", "karpenter", "v1.6.0"),
    ("keda", "keda-operator", "v2.17.2"),
    ("kube-system", "aws-load-balancer-controller", "v2.13.3"),
    ("kube-system", "aws-node", "v1.20.0"),
    ("kube-system", "cluster-autoscaler", "v1.33.0"),
    ("kube-system", "coredns", "v1.12.1"),
    ("kube-system", "ebs-csi-controller-sa", "v1.46.0"),
    ("kube-system", "kube-proxy", "v1.36.2"),
    ("kube-system", "metrics-server", "v0.8.0"),
    ("kyverno", "kyverno-admission-controller", "v1.15.0"),
    ("monitoring", "kube-state-metrics", "v2.16.0"),
    ("monitoring", "prometheus-operator", "v0.84.0"),
    ("velero", "velero", "v1.16.2"),
];

/// Parts of the control plane that lead by a lease.
const PLANES: &[&str] = &[
    "certificate-controller",
    "cloud-controller-manager",
    "coredns-autoscaler",
    "network-policy-controller",
    "vpc-resource-controller",
];

/// Controllers that write about the workloads.
const CONTROLLERS: &[&str] = &["replicaset-controller", "deployment-controller", "endpointslice-controller"];

/// Namespace and name of the workloads.
const APPS: &[(&str, &str)] = &[
    ("checkout", "cart"),
    ("checkout", "payment"),
    ("search", "indexer"),
    ("search", "query"),
    ("shop", "storefront"),
    ("shop", "recommendations"),
    ("warehouse", "stock"),
    ("warehouse", "shipping"),
];

/// Whose sessions they are.
const PEOPLE: &[&str] = &["maria.lopez", "tom.okafor", "wei.zhang"];
