//! The settings that have one name wherever Rolewatch runs, and how their values are written.

use std::net::IpAddr;

use ipnet::IpNet;

/// One setting: name, meaning, default and what may be set.
#[derive(Debug)]
pub struct Variable {
    /// The name in an environment, and in a file of settings.
    pub name: &'static str,
    /// What it decides.
    pub meaning: &'static str,
    /// What holds when it is unset or empty, in words.
    pub default: &'static str,
    /// What may be set, in words that complete "set it to ...".
    pub allowed: &'static str,
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Variable {}

/// The least urgent severity that is told.
pub const MIN_SEVERITY: Variable = Variable {
    name: "ROLEWATCH_MIN_SEVERITY",
    meaning: "Alerts less urgent than this are counted and not sent.",
    default: "`low`",
    allowed: "one of `informational`, `low`, `medium`, `high`, `critical`",
};

/// Networks that service accounts may come from.
pub const TRUSTED_NETWORKS: Variable = Variable {
    name: "ROLEWATCH_TRUSTED_NETWORKS",
    meaning: "Public networks that service accounts may come from without an alert: the NAT gateways of a cluster \
              whose endpoint is public only, IPv6 ranges of its VPC.",
    default: "none",
    allowed: "networks in CIDR notation, such as `203.0.113.7/32,2001:db8::/56`, separated by commas",
};

/// The cluster where the log group does not tell.
pub const CLUSTER_NAME: Variable = Variable {
    name: "ROLEWATCH_CLUSTER_NAME",
    meaning: "The cluster to name in alerts when the log group is not called `/aws/eks/<cluster>/cluster`.",
    default: "the name in the log group",
    allowed: "an EKS cluster name: 1 to 100 letters, digits, `-` and `_`, beginning with a letter or digit",
};

/// Every setting's name begins with it, so that a slip in a name can be told from somebody else's variable.
pub const PREFIX: &str = "ROLEWATCH_";

/// Reads networks separated by commas. The error is the number of the first entry that is none, counted from 1.
pub fn networks(list: &str) -> Result<Vec<IpNet>, usize> {
    list.split(',').zip(1..).map(|(entry, number)| network(entry.trim()).ok_or(number)).collect()
}

/// A network, or an address alone.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The text, if a cluster can be called that (EKS API reference, `CreateCluster`: `^[0-9A-Za-z][A-Za-z0-9\-_]*`, at most
/// 100 characters).
#[must_use]
pub fn cluster_name(text: &str) -> Option<&str> {
    let fits = text.len() <= 100
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::{cluster_name, networks};

    #[test]
    fn networks_are_blocks_or_addresses_and_a_wrong_one_is_numbered() {
        let shown = |list| networks(list).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(shown("203.0.113.7, 2001:db8::/56").unwrap(), "203.0.113.7/32 2001:db8::/56");
        for (list, wrong) in [("", 1), ("10.0.0.0/8,", 2), ("10.0.0.0/33", 1), ("10.0.0.0/8,example.com", 2)] {
            assert_eq!(networks(list), Err(wrong), "{list}");
        }
    }

    #[test]
    fn a_cluster_name_is_what_eks_takes() {
        for (text, fits) in [("prod", true), ("0a-b_C", true), ("", false), ("-a", false), ("a.b", false), ("ä", false)]
        {
            assert_eq!(cluster_name(text).is_some(), fits, "{text}");
        }
        assert!(cluster_name(&"x".repeat(100)).is_some() && cluster_name(&"x".repeat(101)).is_none());
    }
}
