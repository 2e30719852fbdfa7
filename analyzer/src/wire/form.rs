//! The form of each type: its members in order, its variants by number.

use std::net::IpAddr;

use jiff::Timestamp;

use super::WireError;
use super::input::{Input, put_number};
use super::words;
use crate::aws_auth::{AwsAuth, IamPrincipal, Mapping, Pitfall};
use crate::evidence::{Actor, AlertId, Deed, Deeds, Evidence};
use crate::kube::{Expression, ObjectKind, Selector};
use crate::memory::{
    Fact, Granted, Grants, Hour, LetIn, Login, Maker, Minted, ObjectKey, Remembered, Seen, SessionKey, SessionMark,
    State, Told, TopicKey, Unauthenticated, Unseen,
};
use crate::rbac::{PolicyRule, RoleKind, RoleRef, Subject};
use crate::severity::Severity;
use crate::stream::{Source, Stream};

/// What has a form as bytes.
pub(super) trait Form: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut Input<'_>) -> Result<Self, WireError>;
}

/// Members one after the other. Every member must be named, or it does not compile.
macro_rules! members {
    ($($type:ident { $($member:ident),* })+) => {$(
        impl Form for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($member),* } = self;
                $($member.put(out);)*
            }

            fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
                Ok(Self { $($member: Form::take(input)?),* })
            }
        }
    )+};
}

/// Variants by a number that is theirs for good.
macro_rules! variants {
    ($($type:ident { $($number:literal = $name:ident $(($($place:ident),+))? $({$($member:ident),+})?),+ $(,)? })+) => {$(
        impl Form for $type {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$name $(($($place),+))? $({$($member),+})? => {
                        out.push($number);
                        $($($place.put(out);)+)?
                        $($($member.put(out);)+)?
                    })+
                }
            }

            fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
                match input.byte()? {
                    $($number => {
                        $($(let $place = Form::take(input)?;)+)?
                        $($(let $member = Form::take(input)?;)+)?
                        Ok(Self::$name $(($($place),+))? $({$($member),+})?)
                    })+
                    _ => Err(WireError::Damaged),
                }
            }
        }
    )+};
}

variants! {
    Fact {
        1 = Object(key, value),
        2 = Session(key, value),
        3 = Closed(key, value),
        4 = Minted(key, value),
        5 = Credential(key, value),
        6 = Node(key, value),
        7 = Secret(key, value),
        8 = Topic(key, value),
        9 = Refused(key, value),
        10 = LetIn(key, value),
        11 = Unseen(key, value),
        12 = AccessEntry(key, value),
    }
    ObjectKind {
        1 = Role, 2 = ClusterRole, 3 = RoleBinding, 4 = ClusterRoleBinding, 5 = AwsAuth, 6 = ServiceAccount,
    }
    State {
        1 = Role { rules, aggregation, labels },
        2 = Binding { role_ref, subjects },
        3 = AwsAuth(map),
        4 = ServiceAccount(annotations),
    }
    RoleKind { 1 = Role, 2 = ClusterRole }
    Subject {
        1 = User(name),
        2 = Group(name),
        3 = ServiceAccount { namespace, name },
        4 = Other { kind, name },
    }
    IamPrincipal { 1 = Role(arn), 2 = PermissionSet { name, account }, 3 = User(arn), 4 = Account(account) }
    Pitfall {
        1 = Broken(section),
        2 = Invalid(section, count),
        3 = UnknownSection(section),
        4 = Path(arn),
        5 = Wildcard(arn),
        6 = Duplicate(arn),
        7 = Lookalike(key),
        8 = Unusable(section, count),
        9 = SecondDocument(section),
    }
    Severity { 1 = Informational, 2 = Low, 3 = Medium, 4 = High, 5 = Critical }
    Stream {
        1 = Audit, 2 = Api, 3 = Authenticator, 4 = ControllerManager, 5 = Scheduler, 6 = CloudControllerManager,
        7 = CloudTrail,
    }
}

members! {
    ObjectKey { cluster, kind, namespace, name }
    Remembered { state, version, time, deleted, unseen, granted }
    Granted { time, severity, certain, part }
    PolicyRule { api_groups, resources, verbs, resource_names, non_resource_urls }
    RoleRef { kind, name }
    Selector { labels, expressions }
    Expression { key, operator, values }
    AwsAuth { mappings, pitfalls }
    Mapping { principal, username, groups }
    SessionKey { cluster, account, credential, peer, family, acting_as, hour }
    SessionMark { told, events, counted, deeds, seen, login }
    Seen { events }
    Deeds { kinds, others }
    Deed { name, count, refused }
    Login { id, severity, what, detection, evidence, source }
    Evidence {
        stream, log_stream, audit_id, stage, time, verb, request_uri, resource, namespace, name, code, outcome, actor, peer,
        claimed, user_agent, missing
    }
    Actor {
        display, username, uid, groups, kind, arn, session, access_key_id, account, credential_id, pod, acting_as
    }
    Source { account, region, cluster, log_group, log_stream }
    Minted { by, severity }
    Maker { name, peer, time, audit_id }
    TopicKey { cluster, detection, topic, severity, hour }
    Unauthenticated { time, audit_id, verb, request_uri, peer, claimed, user_agent }
    LetIn { time, groups }
    Unseen { time, audit_id, actor }
}

impl Form for Grants {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().cloned().collect::<Vec<Granted>>().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        Ok(Vec::take(input)?.into_iter().collect())
    }
}

/// That it is there says it all.
impl Form for Told {
    fn put(&self, _: &mut Vec<u8>) {}

    fn take(_: &mut Input<'_>) -> Result<Self, WireError> {
        Ok(Self)
    }
}

impl Form for Hour {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        Form::take(input).map(Self)
    }
}

impl Form for AlertId {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().to_owned().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        Self::parse(&String::take(input)?).ok_or(WireError::Damaged)
    }
}

/// A word of ours; one that this version does not know is damage.
impl Form for &'static str {
    fn put(&self, out: &mut Vec<u8>) {
        (*self).to_owned().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        words::known(&String::take(input)?).ok_or(WireError::Damaged)
    }
}

impl Form for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.len() as u64);
        out.extend(self.as_bytes());
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        let length = input.number()?;
        Self::from_utf8(input.bytes(length)?.to_vec()).map_err(|_| WireError::Damaged)
    }
}

impl Form for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        match input.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Damaged),
        }
    }
}

impl Form for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, *self);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        input.number()
    }
}

impl Form for u16 {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, u64::from(*self));
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        Self::try_from(input.number()?).map_err(|_| WireError::Damaged)
    }
}

/// Small numbers of either sign are short: 0, -1, 1, -2, 2 (zigzag).
impl Form for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, ((self << 1) ^ (self >> 63)).cast_unsigned());
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        let number = input.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }
}

/// Seconds and nanoseconds, so that nothing is lost.
impl Form for Timestamp {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_second().put(out);
        i64::from(self.subsec_nanosecond()).put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        let second = i64::take(input)?;
        let nanosecond = i32::try_from(i64::take(input)?).map_err(|_| WireError::Damaged)?;
        Self::new(second, nanosecond).map_err(|_| WireError::Damaged)
    }
}

impl Form for IpAddr {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::V4(address) => {
                out.push(4);
                out.extend(address.octets());
            }
            Self::V6(address) => {
                out.push(6);
                out.extend(address.octets());
            }
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        let damaged = |_| WireError::Damaged;
        match input.byte()? {
            4 => Ok(<[u8; 4]>::try_from(input.bytes(4)?).map_err(damaged)?.into()),
            6 => Ok(<[u8; 16]>::try_from(input.bytes(16)?).map_err(damaged)?.into()),
            _ => Err(WireError::Damaged),
        }
    }
}

impl<T: Form> Form for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        if bool::take(input)? { T::take(input).map(Some) } else { Ok(None) }
    }
}

impl<T: Form> Form for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        T::take(input).map(Self::new)
    }
}

impl<T: Form> Form for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.len() as u64);
        for value in self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        (0..input.count()?).map(|_| T::take(input)).collect()
    }
}

impl<A: Form, B: Form> Form for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        Ok((A::take(input)?, B::take(input)?))
    }
}

impl<A: Form, B: Form, C: Form> Form for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, WireError> {
        Ok((A::take(input)?, B::take(input)?, C::take(input)?))
    }
}
