//! One identity as recorded, and what it proves to be.
//!
//! A name proves nothing: before 2024 `aws-auth` let anybody be mapped to `eks:addon-manager`, and a user may be
//! called `system:serviceaccount:kube-system:default`. What the API server cannot be talked into is the uid, the
//! groups and the extra values that its authenticators attach.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::few::Few;
use crate::json::{JsonError, Kind, Reader};

use super::Unreadable;
use super::control_plane;

/// `user` or `impersonatedUser`, as recorded. Empty when authentication failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principal<'a> {
    /// `username`
    pub username: Cow<'a, str>,
    /// `uid`
    pub uid: Cow<'a, str>,
    /// `groups`
    pub groups: Few<Cow<'a, str>, 4>,
    /// `extra`: keys with the first of their values, which is the only one that authenticators give them. It is empty where
    /// there is none.
    pub extra: Few<(Cow<'a, str>, Cow<'a, str>), 6>,
}

/// What an identity proves to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity<'p> {
    /// Authentication failed: there is no name.
    Nobody,
    /// `system:anonymous`: no credential was shown, and the cluster lets such requests in.
    Anonymous,
    /// A service account, proven by its groups and by not coming through IAM.
    ServiceAccount(ServiceAccount<'p>),
    /// A node, proven by its group and, where it came through IAM, by its instance.
    Node,
    /// A component of the Kubernetes control plane, `system:apiserver` for example.
    ControlPlane,
    /// A component that EKS runs for the cluster, `eks:node-manager` for example.
    Eks,
    /// An IAM principal of a customer.
    Iam,
    /// A name of the control plane, of EKS or of a service account without the proof that goes with it.
    Forged,
    /// Anyone else: a client certificate, OIDC.
    Other,
}

/// A service account by namespace and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceAccount<'p> {
    /// Its namespace.
    pub namespace: &'p str,
    /// Its name.
    pub name: &'p str,
}

impl<'p> ServiceAccount<'p> {
    /// The parts of `system:serviceaccount:<namespace>:<name>`. It reads a name; it proves nothing.
    #[must_use]
    pub fn of_username(username: &'p str) -> Option<Self> {
        let (namespace, name) = username.strip_prefix("system:serviceaccount:")?.split_once(':')?;
        Some(Self { namespace, name })
    }
}

/// Usernames that only the control plane, EKS or the token authenticator may give out.
#[must_use]
pub fn is_reserved(username: &str) -> bool {
    username.starts_with("system:") || username.starts_with("eks:")
}

impl<'a> Principal<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, refused: &mut Option<Unreadable>) -> Result<Option<Self>, JsonError> {
        if reader.peek()? == Kind::Null {
            reader.skip()?;
            return Ok(None);
        }
        let mut principal = Self::default();
        let mut seen = [false; 4];
        reader.object(|key, reader| {
            let place = ["username", "uid", "groups", "extra"].iter().position(|name| *name == key);
            if let Some(already) = place.and_then(|place| seen.get_mut(place)) {
                if *already {
                    *refused = Some(Unreadable::RepeatedField);
                }
                *already = true;
            }
            match key.as_ref() {
                "username" => principal.username = reader.optional_string()?.unwrap_or_default(),
                "uid" => principal.uid = reader.optional_string()?.unwrap_or_default(),
                "groups" => principal.groups = reader.strings()?,
                "extra" if reader.peek()? != Kind::Null => reader.object(|key, reader| {
                    let mut first = None;
                    match reader.peek()? {
                        Kind::Null => reader.skip()?,
                        _ => reader.array(|reader| {
                            let value = reader.string()?;
                            first.get_or_insert(value);
                            Ok(())
                        })?,
                    }
                    principal.extra.push((key, first.unwrap_or_default()));
                    Ok(())
                })?,
                _ => reader.skip()?,
            }
            Ok(())
        })?;
        Ok(Some(principal))
    }

    /// No identity at all, as in the event of a failed authentication.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.username.is_empty() && self.groups.is_empty()
    }

    /// The first value of an extra key.
    #[must_use]
    pub fn extra(&self, key: &str) -> Option<&str> {
        let (_, first) = self.extra.iter().find(|(name, _)| name == key)?;
        Some(first.as_ref()).filter(|first| !first.is_empty())
    }

    /// Whether the groups hold `group`.
    #[must_use]
    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|held| held == group)
    }

    /// The AWS account of a principal that came through the IAM authenticator, from
    /// `aws-iam-authenticator:<account>:<principal id>` (`heptio-authenticator-aws:` in old clusters).
    #[must_use]
    pub fn iam_account(&self) -> Option<&str> {
        let rest = self
            .uid
            .strip_prefix("aws-iam-authenticator:")
            .or_else(|| self.uid.strip_prefix("heptio-authenticator-aws:"))?;
        Some(rest.split_once(':').map_or(rest, |(account, _)| account))
    }

    /// Whether the principal shows any sign of having come through the IAM authenticator.
    #[must_use]
    pub fn is_iam(&self) -> bool {
        self.iam_account().is_some() || self.extra("arn").is_some() || self.extra("canonicalArn").is_some()
    }

    /// The service account that this is, proven: the token authenticator attaches the account's uid and the two groups
    /// (Kubernetes source, `pkg/serviceaccount/util.go`, `UserInfo`).
    #[must_use]
    pub fn service_account(&self) -> Option<ServiceAccount<'_>> {
        let account = ServiceAccount::of_username(&self.username)?;
        let of_namespace = self.groups.iter().any(|group| {
            group.strip_prefix("system:serviceaccounts:").is_some_and(|namespace| namespace == account.namespace)
        });
        let proven = of_namespace && self.in_group("system:serviceaccounts") && !self.uid.is_empty();
        (proven && !self.is_iam()).then_some(account)
    }

    /// What this identity proves to be. `peer` is the address that connected, `account` the AWS account of the cluster.
    #[must_use]
    pub fn identity(&self, peer: Option<IpAddr>, account: Option<&str>) -> Identity<'_> {
        if self.is_empty() {
            return Identity::Nobody;
        }
        if control_plane::is_anonymous(self) {
            return Identity::Anonymous;
        }
        if let Some(service_account) = self.service_account() {
            return Identity::ServiceAccount(service_account);
        }
        if control_plane::is_node(self) {
            return Identity::Node;
        }
        if is_reserved(&self.username) {
            return control_plane::prove(self, peer, account).unwrap_or(Identity::Forged);
        }
        if self.is_iam() { Identity::Iam } else { Identity::Other }
    }

    /// The token's or certificate's id: `JTI=<uuid>` or `X509SHA256=<hex>`.
    #[must_use]
    pub fn credential_id(&self) -> Option<&str> {
        self.extra("authentication.kubernetes.io/credential-id")
    }

    /// The pod that the token is bound to: name and uid.
    #[must_use]
    pub fn pod(&self) -> Option<(&str, Option<&str>)> {
        let name = self.extra("authentication.kubernetes.io/pod-name")?;
        Some((name, self.extra("authentication.kubernetes.io/pod-uid")))
    }

    /// The node that the token, or the token's pod, is bound to.
    #[must_use]
    pub fn node(&self) -> Option<&str> {
        self.extra("authentication.kubernetes.io/node-name")
    }

    /// The name to show a person: the human first (IAM session name), then role or user, then the username.
    ///
    /// A session name is taken for a human's when it is an e-mail address, which is what IAM Identity Center makes it;
    /// others are often a tool's (`botocore-session-17`). EKS writes `@` as `-` in usernames and keeps it in
    /// `extra.sessionName`.
    #[must_use]
    pub fn display(&self) -> &str {
        if let Some(session) = self.extra("sessionName").filter(|session| session.contains('@')) {
            return session;
        }
        match self.username.as_ref() {
            "" => "nobody (authentication failed)",
            username => crate::text::short(username),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, Principal};

    fn principal(json: &str) -> Principal<'_> {
        let mut refused = None;
        Principal::read(&mut crate::json::Reader::new(json.as_bytes()), &mut refused).unwrap().unwrap()
    }

    fn prove(rows: &[(&str, &str, &str)]) {
        for (json, peer, expected) in rows {
            let principal = principal(json);
            let identity = principal.identity(Some(peer.parse().unwrap()), Some("111122223333"));
            let shown = format!("{identity:?}");
            assert_eq!(shown.split('(').next().unwrap(), *expected, "{json}");
            assert_eq!(matches!(identity, Identity::Forged), *expected == "Forged");
        }
    }

    #[test]
    fn people_and_accounts_are_proven_by_more_than_their_names() {
        prove(&[
            ("{}", "10.0.0.1", "Nobody"),
            (r#"{"username":"system:anonymous","groups":["system:unauthenticated"]}"#, "10.0.0.1", "Anonymous"),
            (r#"{"username":"system:anonymous","groups":["system:masters"]}"#, "10.0.0.1", "Forged"),
            (
                r#"{"username":"system:anonymous","uid":"aws-iam-authenticator:1:A","groups":["system:unauthenticated"]}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:serviceaccount:a:b","groups":["system:serviceaccounts","system:serviceaccounts:a"]}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:serviceaccount:a:b","uid":"u","groups":["system:serviceaccounts","system:serviceaccounts:a"]}"#,
                "10.0.0.1",
                "ServiceAccount",
            ),
            (r#"{"username":"system:serviceaccount:a:b","groups":["system:serviceaccounts"]}"#, "10.0.0.1", "Forged"),
            (
                r#"{"username":"system:serviceaccount:a:b","uid":"aws-iam-authenticator:1:A","groups":["system:serviceaccounts","system:serviceaccounts:a"]}"#,
                "10.0.0.1",
                "Forged",
            ),
            (r#"{"username":"alice","uid":"aws-iam-authenticator:1:A"}"#, "10.0.0.1", "Iam"),
            (r#"{"username":"alice"}"#, "10.0.0.1", "Other"),
        ]);
    }

    #[test]
    fn nodes_are_proven_by_more_than_their_names() {
        prove(&[
            (
                r#"{"username":"system:node:fargate-ip-10-0-1-2.ec2.internal","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["fargate-ip-10-0-1-2.ec2.internal"]}}"#,
                "10.0.0.1",
                "Node",
            ),
            (
                r#"{"username":"system:node:ip-10-0-1-2.ec2.internal","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["i-0aa11bb22cc33dd03"]}}"#,
                "10.0.0.1",
                "Node",
            ),
            (
                r#"{"username":"system:node:ip-10-0-1-2.ec2.internal","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["nina@example.com"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:node:mine","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"arn":["arn:aws:iam::1:user/nina"],"sessionName":[""]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:node:hyperpod-worker-7","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["worker-7"]}}"#,
                "10.0.0.1",
                "Node",
            ),
            (
                r#"{"username":"system:node:mine","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["i-0aa11bb22cc33dd03"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:node:ip-10-0-1-2.ec2.internal","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["i-zzzzzzzz"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:node:ip-10-0-1-2.ec2.internal","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["i-0a1"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:node:i-0aa11bb2","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"],"extra":{"sessionName":["i-0aa11bb2"]}}"#,
                "10.0.0.1",
                "Node",
            ),
            (
                r#"{"username":"system:node:n","groups":["system:nodes"],"extra":{"authentication.kubernetes.io/credential-id":["JTI=00"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"system:node:n","groups":["system:nodes"],"extra":{"authentication.kubernetes.io/credential-id":["X509SHA256=00"]}}"#,
                "10.0.0.1",
                "Node",
            ),
            (r#"{"username":"system:bootstrap:abc123","groups":["system:bootstrappers"]}"#, "10.0.0.1", "Other"),
            (r#"{"username":"system:bootstrap:abc123","groups":["system:authenticated"]}"#, "10.0.0.1", "Forged"),
            (r#"{"username":"system:bootstrap:Admin!","groups":["system:bootstrappers"]}"#, "10.0.0.1", "Forged"),
            (
                r#"{"username":"system:node:n","uid":"aws-iam-authenticator:1:A","groups":["system:nodes"]}"#,
                "10.0.0.1",
                "Node",
            ),
            (r#"{"username":"system:node:n","groups":["system:authenticated"]}"#, "10.0.0.1", "Forged"),
        ]);
    }

    #[test]
    fn the_control_plane_is_proven_by_more_than_its_names() {
        prove(&[
            (
                r#"{"username":"system:kube-scheduler","extra":{"authentication.kubernetes.io/credential-id":["X509SHA256=00"]}}"#,
                "10.0.0.1",
                "ControlPlane",
            ),
            (
                r#"{"username":"system:kube-scheduler","extra":{"authentication.kubernetes.io/credential-id":["JTI=00"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"eks:node-manager","extra":{"authentication.kubernetes.io/credential-id":["JTI=00"]}}"#,
                "10.0.0.1",
                "Forged",
            ),
            (
                r#"{"username":"eks:addon-manager","uid":"aws-iam-authenticator:999:A","groups":["system:masters"],"extra":{"arn":["arn:aws:sts::999:assumed-role/AWSWesleyClusterManagerLambda-Add-1/x"]}}"#,
                "52.1.1.1",
                "Forged",
            ),
            (r#"{"username":"system:apiserver","groups":["system:masters"]}"#, "::1", "ControlPlane"),
            (r#"{"username":"system:apiserver","groups":["system:masters"]}"#, "10.0.0.1", "Forged"),
            (r#"{"username":"system:apiserver","groups":["system:authenticated"]}"#, "127.0.0.1", "Forged"),
            (r#"{"username":"system:kube-scheduler","groups":["system:authenticated"]}"#, "172.16.0.1", "ControlPlane"),
            (r#"{"username":"system:kube-scheduler","uid":"aws-iam-authenticator:1:A"}"#, "172.16.0.1", "Forged"),
            (r#"{"username":"eks:node-manager","groups":["system:authenticated"]}"#, "172.16.0.1", "Eks"),
            (
                r#"{"username":"eks:addon-manager","uid":"aws-iam-authenticator:999:A","extra":{"arn":["arn:aws:sts::999:assumed-role/AWSWesleyClusterManagerLambda-Add-1/x"]}}"#,
                "52.1.1.1",
                "Eks",
            ),
            (
                r#"{"username":"eks:addon-manager","uid":"aws-iam-authenticator:111122223333:A","extra":{"arn":["arn:aws:sts::111122223333:assumed-role/AWSWesleyClusterManagerLambda-Add-1/x"]}}"#,
                "52.1.1.1",
                "Forged",
            ),
            (r#"{"username":"eks:addon-manager","uid":"aws-iam-authenticator:999:A"}"#, "52.1.1.1", "Forged"),
            (r#"{"username":"system:made-up"}"#, "10.0.0.1", "Forged"),
        ]);
    }

    #[test]
    fn the_human_is_named_first() {
        for (json, shown) in [
            (r#"{"username":"arn:aws:sts::1:assumed-role/r/m-x.com","extra":{"sessionName":["m@x.com"]}}"#, "m@x.com"),
            (
                r#"{"username":"admin","extra":{"sessionName":["eks-create-17"],"arn":["arn:aws:sts::1:assumed-role/r/eks-create-17"]}}"#,
                "admin",
            ),
            (r#"{"username":"ops","extra":{"sessionName":[""],"arn":["arn:aws:iam::1:user/team/dana"]}}"#, "ops"),
            (r#"{"username":"arn:aws:sts::1:assumed-role/ci/run","extra":{"sessionName":["run"]}}"#, "ci/run"),
            (r#"{"username":"bob"}"#, "bob"),
            ("{}", "nobody (authentication failed)"),
        ] {
            assert_eq!(principal(json).display(), shown);
        }
    }
}
