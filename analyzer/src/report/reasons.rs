//! Why a line is quiet, and why it could not be read: closed lists, for counting.

use crate::audit::Unreadable;
use crate::change::Ordinary;
use crate::envelope::BadEntry;

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
        /// A session that was told in this hour already.
        SessionTold = "session-told",
        /// The same event a second time in one batch.
        Repeated = "repeated",
        /// The operator does not want to be told: an exception covers it.
        Exception = "exception",
        /// A text line of the api stream that tells nothing of interest.
        OrdinaryText = "ordinary-text",
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
        /// Text that belongs to no control-plane log.
        UnknownText = "unknown-text",
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
