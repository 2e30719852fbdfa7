//! Why a line is quiet, and why it could not be read: closed lists, for counting.

use crate::audit::Unreadable;
use crate::change::Ordinary;
use crate::envelope::BadEntry;
use crate::sift::Everyday;

macro_rules! reasons {
    ($(#[doc = $summary:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $summary])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl $name {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// A stable word for metrics and summaries, in kebab case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What it means, in words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

reasons! {
    /// Why a line is ordinary.
    Quiet {
        /// Nothing that any detection looks at.
        NotOfInterest = "not-of-interest",
        /// A service account doing what pods and controllers do.
        OrdinaryPodTraffic = "ordinary-pod-traffic",
        /// Another stage of a request that is judged at its end.
        OtherStage = "other-stage",
        /// A dry run: nothing was stored.
        DryRun = "dry-run",
        /// A write that changed nothing.
        NoOp = "no-op",
        /// A write that touched only metadata which grants nothing.
        MetadataOnly = "metadata-only",
        /// A write that failed, so nothing changed.
        Failed = "failed",
        /// The control plane, its identity proven, doing what it always does.
        ControlPlaneRoutine = "control-plane-routine",
        /// Somebody without credentials, refused: scanners of the internet do it all day.
        AnonymousRefused = "anonymous-refused",
        /// Somebody without credentials, asking for health, version or discovery.
        AnonymousOpen = "anonymous-open",
        /// A session that was told in this hour already.
        SessionTold = "session-told",
        /// The same event a second time.
        Repeated = "repeated",
        /// Reviewed by the operator, who does not want to be told.
        Exception = "exception",
        /// A text line that tells nothing of interest.
        OrdinaryText = "ordinary-text",
        /// What the same line said, or the same workload did word for word, was told in this hour already.
        TopicTold = "topic-told",
        /// A request refused before it was known who asked (401); the api stream tells the cause.
        Unauthenticated = "unauthenticated",
        /// An IAM principal let in, or the step before it.
        OrdinaryLogin = "ordinary-login",
        /// A login that the authenticator refused, of a principal it was not seen to let in.
        RefusedLogin = "refused-login",
        /// A call of the AWS API that changes nobody's way into a cluster.
        OtherCall = "other-call",
        /// A stream that no detection reads.
        OtherStream = "other-stream",
    }
}

reasons! {
    /// Why a line, or the end of a delivery, could not be read.
    Skip {
        /// An empty line.
        Empty = "empty",
        /// A line of the audit stream that is not JSON.
        NotJson = "not-json",
        /// JSON that is not an audit event.
        NotAnEvent = "not-an-event",
        /// An audit event with a field twice: which one to believe is a guess.
        RepeatedField = "repeated-field",
        /// An audit event with a field of another type than audit.k8s.io gives it.
        WrongType = "wrong-type",
        /// An audit event cut off before it says who did what.
        CutTooEarly = "cut-too-early",
        /// An entry of a delivery without a message.
        NoMessage = "no-message",
        /// A line longer than the limit.
        TooLong = "too-long",
        /// The rest of a delivery's document cannot be read.
        UnreadableEntries = "unreadable-entries",
        /// The delivery is damaged: what stood before the damage was judged.
        DamagedDelivery = "damaged-delivery",
        /// JSON that is no record of CloudTrail.
        NotACall = "not-a-call",
        /// Text that belongs to no control-plane log.
        UnknownText = "unknown-text",
    }
}

impl Quiet {
    /// Whether lines of this kind come by the thousand and say nothing about anybody's rights.
    #[must_use]
    pub const fn is_everyday(self) -> bool {
        matches!(
            self,
            Self::NotOfInterest
                | Self::OrdinaryPodTraffic
                | Self::OtherStage
                | Self::OrdinaryText
                | Self::OtherStream
                | Self::OrdinaryLogin
                | Self::OtherCall
                | Self::AnonymousRefused
                | Self::AnonymousOpen
        )
    }

    /// The reason of a line whose session was told already: its own, where it has a better one.
    pub(super) fn or_told(self) -> Self {
        match self {
            Self::NotOfInterest | Self::OrdinaryPodTraffic => Self::SessionTold,
            other => other,
        }
    }
}

impl From<Everyday> for Quiet {
    fn from(why: Everyday) -> Self {
        match why {
            Everyday::OtherStage => Self::OtherStage,
            Everyday::PodTraffic => Self::OrdinaryPodTraffic,
            Everyday::AnonymousOpen => Self::AnonymousOpen,
            Everyday::NotOfInterest => Self::NotOfInterest,
        }
    }
}

impl From<BadEntry> for Skip {
    fn from(bad: BadEntry) -> Self {
        match bad {
            BadEntry::NoMessage => Self::NoMessage,
            BadEntry::TooLong => Self::TooLong,
            BadEntry::Unreadable => Self::UnreadableEntries,
        }
    }
}

impl From<Unreadable> for Skip {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::NotJson => Self::NotJson,
            Unreadable::NotAnEvent => Self::NotAnEvent,
            Unreadable::RepeatedField => Self::RepeatedField,
            Unreadable::WrongType => Self::WrongType,
            Unreadable::CutTooEarly => Self::CutTooEarly,
        }
    }
}

impl From<Ordinary> for Quiet {
    fn from(ordinary: Ordinary) -> Self {
        match ordinary {
            Ordinary::DryRun => Self::DryRun,
            Ordinary::NoOp => Self::NoOp,
            Ordinary::MetadataOnly => Self::MetadataOnly,
            Ordinary::Failed => Self::Failed,
            Ordinary::Routine => Self::ControlPlaneRoutine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Quiet;

    #[test]
    fn what_comes_by_the_thousand_needs_no_explanation_and_what_was_held_back_does() {
        let everyday = [Quiet::OrdinaryPodTraffic, Quiet::OtherStage, Quiet::AnonymousOpen, Quiet::OtherCall];
        assert!(everyday.into_iter().all(Quiet::is_everyday));
        let held_back = [Quiet::Exception, Quiet::ControlPlaneRoutine, Quiet::DryRun, Quiet::Repeated];
        assert!(!held_back.into_iter().any(Quiet::is_everyday));
    }
}
