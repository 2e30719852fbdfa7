//! What the operator decides, handed in as a value.

mod variable;

use ipnet::IpNet;

pub use self::variable::{CLUSTER_NAME, MIN_SEVERITY, PREFIX, TRUSTED_NETWORKS, Variable, cluster_name, networks};
use crate::stream::Source;

/// Choices of whoever runs the analysis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// What to take where the input does not say: cluster, account, Region.
    pub source: Source,
    /// Networks that service accounts may come from although they look public: NAT addresses of a cluster whose
    /// endpoint is public only, IPv6 ranges of its VPC.
    pub trusted_networks: Vec<IpNet>,
}
