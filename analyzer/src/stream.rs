//! Which control-plane log a line comes from, and from which cluster.

/// The control-plane logs of Amazon EKS, one CloudWatch log stream prefix each (EKS user guide, control plane logs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// `kube-apiserver-audit-*`: one audit.k8s.io event per line, as JSON.
    Audit,
    /// `kube-apiserver-*`: what the API server prints, klog text. The `api` log type.
    Api,
    /// `authenticator-*`: the IAM authenticator, logrus text.
    Authenticator,
    /// `kube-controller-manager-*`
    ControllerManager,
    /// `kube-scheduler-*`
    Scheduler,
    /// `cloud-controller-manager-*`
    CloudControllerManager,
    /// Calls of the AWS API as CloudTrail records them: no log of the control plane, but it tells who can get in.
    CloudTrail,
}

impl Stream {
    /// The stream that a log stream's name stands for; `None` for names EKS does not use.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        // The audit prefix begins with the api prefix, so it comes first.
        [
            ("kube-apiserver-audit-", Self::Audit),
            ("kube-apiserver-", Self::Api),
            ("authenticator-", Self::Authenticator),
            ("kube-controller-manager-", Self::ControllerManager),
            ("kube-scheduler-", Self::Scheduler),
            ("cloud-controller-manager-", Self::CloudControllerManager),
        ]
        .into_iter()
        .find_map(|(prefix, stream)| name.starts_with(prefix).then_some(stream))
    }

    /// The stream that a line on its own looks like, for input without stream names.
    #[must_use]
    pub fn of_content(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with('{') {
            return Some(Self::Audit);
        }
        if line.starts_with("time=\"") {
            return Some(Self::Authenticator);
        }
        (has_klog_header(line) || line.contains(" AUDIT: id=") || line.starts_with("Impacted events:"))
            .then_some(Self::Api)
    }

    /// The name of the log type, as EKS writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Api => "api",
            Self::Authenticator => "authenticator",
            Self::ControllerManager => "controllerManager",
            Self::Scheduler => "scheduler",
            Self::CloudControllerManager => "cloudControllerManager",
            Self::CloudTrail => "CloudTrail",
        }
    }
}

/// `Lmmdd hh:mm:ss.uuuuuu` at the start of a line, which is how klog begins an entry.
#[must_use]
pub fn has_klog_header(line: &str) -> bool {
    const SHAPE: &[u8] = b"Ldddd dd:dd:dd.dddddd";
    line.len() > SHAPE.len()
        && line.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'L' => matches!(byte, b'I' | b'W' | b'E' | b'F'),
            b'd' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

/// Where lines were read: as much as the delivery, the command line or the environment told.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// AWS account that owns the log group: twelve digits.
    pub account: Option<String>,
    /// AWS Region of the log group.
    pub region: Option<String>,
    /// Name of the EKS cluster.
    pub cluster: Option<String>,
    /// CloudWatch log group.
    pub log_group: Option<String>,
    /// CloudWatch log stream.
    pub log_stream: Option<String>,
}

impl Source {
    /// The cluster of a log group named the way EKS names it, `/aws/eks/<cluster>/cluster`.
    #[must_use]
    pub fn cluster_of(log_group: &str) -> Option<&str> {
        log_group.strip_prefix("/aws/eks/")?.strip_suffix("/cluster").filter(|name| !name.is_empty())
    }

    /// This source with what it does not say taken from `other`.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (mine, theirs) in [
            (&mut self.account, &other.account),
            (&mut self.region, &other.region),
            (&mut self.cluster, &other.cluster),
            (&mut self.log_group, &other.log_group),
            (&mut self.log_stream, &other.log_stream),
        ] {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        }
        self
    }

    /// The stream kind that the log stream's name tells.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        self.log_stream.as_deref().and_then(Stream::of_name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Source, Stream, has_klog_header};

    #[test]
    fn streams_are_known_by_name() {
        for (name, stream) in [
            ("kube-apiserver-audit-1234567890abcdef01234567890abcde", Some(Stream::Audit)),
            ("kube-apiserver-1234567890abcdef01234567890abcde", Some(Stream::Api)),
            ("authenticator-1234567890abcdef01234567890abcde", Some(Stream::Authenticator)),
            ("kube-controller-manager-1", Some(Stream::ControllerManager)),
            ("kube-scheduler-1", Some(Stream::Scheduler)),
            ("cloud-controller-manager-1", Some(Stream::CloudControllerManager)),
            ("application.log", None),
        ] {
            assert_eq!(Stream::of_name(name), stream, "{name}");
        }
    }

    #[test]
    fn streams_are_known_by_content() {
        for (line, stream) in [
            (r#"{"kind":"Event"}"#, Some(Stream::Audit)),
            ("E1123 06:52:33.508056   30538 authentication.go:75] \"Unable\"", Some(Stream::Api)),
            ("Impacted events:", Some(Stream::Api)),
            ("2026-11-23T06:51:05.853Z AUDIT: id=\"x\" stage=\"y\"", Some(Stream::Api)),
            ("time=\"2026-11-23T06:47:44Z\" level=info msg=\"x\"", Some(Stream::Authenticator)),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(Stream::of_content(line), stream, "{line}");
        }
        assert!(!has_klog_header("E1123 06:52:33.50805x   30538 authentication.go:75] x"));
        assert!(!has_klog_header("Ж1123 06:52:33.508056   30538 a.go:75] x"));
    }

    #[test]
    fn a_cluster_is_read_from_the_log_group() {
        assert_eq!(Source::cluster_of("/aws/eks/prod/cluster"), Some("prod"));
        assert_eq!(Source::cluster_of("/aws/eks//cluster"), None);
        assert_eq!(Source::cluster_of("/aws/lambda/x"), None);
    }
}
