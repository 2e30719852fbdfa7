//! Lines changed at random: what the API server, other shippers and people who want to be missed might write.
//!
//! All of them are held against the strict sifter. The usual one trusts the API server in one thing, that it keeps its order
//! behind the bodies, and so it is spared the lines that are well-formed and break just that ([`keeps_order`]). Lines whose
//! bodies are broken it is not spared.

use crate::audit::MEMBERS;
use crate::json::Reader;

/// A source of changed lines; the same for the same seed.
pub(super) struct Mutations {
    state: u64,
}

impl Mutations {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// `SplitMix64` (Steele, Lea and Flood, 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    /// One of them.
    pub(super) fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        let at = self.below(from.len());
        &from[at]
    }

    /// One of `lines`, changed none, one or a few times.
    pub(super) fn of(&mut self, lines: &[Vec<u8>]) -> Vec<u8> {
        let mut line = self.pick(lines).clone();
        for _ in 0..self.below(4) {
            line = match self.below(12) {
                0 => self.byte(line),
                1 => self.cut(line),
                2 => self.blank(line),
                3 => self.escape(line),
                4 => self.members(line, Members::Swap),
                5 => self.members(line, Members::Repeat),
                6 => self.members(line, Members::Drop),
                7 => self.graft(line),
                8 => {
                    let other = self.pick(lines).clone();
                    self.cross(line, &other)
                }
                9 => self.word(line),
                10 => self.swell(line),
                _ => self.value(line),
            };
        }
        line
    }

    /// One byte is another one, there twice, or gone.
    fn byte(&mut self, mut line: Vec<u8>) -> Vec<u8> {
        if line.is_empty() {
            return line;
        }
        let at = self.below(line.len());
        let byte = *self.pick(b"\"\\{}[],:0a \n\t\x00\xff\xe2u/");
        match self.below(3) {
            0 => line[at] = byte,
            1 => line.insert(at, byte),
            _ => drop(line.remove(at)),
        }
        line
    }

    fn cut(&mut self, mut line: Vec<u8>) -> Vec<u8> {
        line.truncate(self.below(line.len() + 1));
        if self.one_in(2) {
            line.extend_from_slice(b"[Truncated...]");
        }
        line
    }

    fn blank(&mut self, mut line: Vec<u8>) -> Vec<u8> {
        let at: Vec<usize> = (0..line.len()).filter(|at| b",:{}[]".contains(&line[*at])).collect();
        if !at.is_empty() {
            let at = *self.pick(&at);
            line.insert(at + self.below(2), *self.pick(b" \t\n"));
        }
        line
    }

    /// A letter is written as an escape, in a key or in a value.
    fn escape(&mut self, mut line: Vec<u8>) -> Vec<u8> {
        let letters: Vec<usize> = (0..line.len()).filter(|at| line[*at].is_ascii_alphanumeric()).collect();
        if !letters.is_empty() {
            let at = *self.pick(&letters);
            let escape = format!("\\u{:04x}", line[at]);
            line.splice(at..=at, escape.into_bytes());
        }
        line
    }

    fn members(&mut self, line: Vec<u8>, how: Members) -> Vec<u8> {
        let Some(mut members) = split(&line) else { return line };
        let (one, other) = (self.below(members.len()), self.below(members.len()));
        match how {
            Members::Swap => members.swap(one, other),
            Members::Repeat => members.insert(other, members[one].clone()),
            Members::Drop => drop(members.remove(one)),
        }
        joined(&members)
    }

    /// A member is put in that looks like one the API server writes.
    fn graft(&mut self, line: Vec<u8>) -> Vec<u8> {
        let Some(mut members) = split(&line) else { return line };
        let graft = *self.pick(GRAFTS);
        let at = self.below(members.len() + 1);
        members.insert(at, graft.as_bytes().to_vec());
        joined(&members)
    }

    /// A member of another event in the place of its own.
    fn cross(&mut self, line: Vec<u8>, other: &[u8]) -> Vec<u8> {
        let (Some(mut members), Some(others)) = (split(&line), split(other)) else { return line };
        let given = self.pick(&others).clone();
        let key = |member: &[u8]| member.split(|byte| *byte == b':').next().map(<[u8]>::to_vec);
        match members.iter().position(|member| key(member) == key(&given)) {
            Some(at) => members[at] = given,
            None => members.push(given),
        }
        joined(&members)
    }

    /// A word that decides is another one.
    fn word(&mut self, line: Vec<u8>) -> Vec<u8> {
        let text = String::from_utf8_lossy(&line).into_owned();
        let words: Vec<&str> = WORDS.iter().copied().filter(|word| text.contains(word)).collect();
        if words.is_empty() {
            return line;
        }
        let (from, to) = (*self.pick(&words), *self.pick(WORDS));
        text.replacen(from, to, 1).into_bytes()
    }

    /// A value is huge, or there are a great many.
    fn swell(&mut self, line: Vec<u8>) -> Vec<u8> {
        let Some(mut members) = split(&line) else { return line };
        let size = 1 << self.below(16);
        let value = match self.below(3) {
            0 => format!("\"{}\"", "x".repeat(size)),
            1 => format!("{}1{}", "[".repeat(size), "]".repeat(size)),
            _ => format!("{{{}\"z\":0}}", "\"a\":{\"b\":\"c\"},".repeat(size / 16)),
        };
        let key = *self.pick(&["requestObject", "responseObject", "userAgent", "auditID", "new"]);
        members.retain(|member| !member.starts_with(format!("\"{key}\":").as_bytes()));
        let at = self.below(members.len() + 1);
        members.insert(at, format!("\"{key}\":{value}").into_bytes());
        joined(&members)
    }

    /// A member has another value.
    fn value(&mut self, line: Vec<u8>) -> Vec<u8> {
        let Some(mut members) = split(&line) else { return line };
        let at = self.below(members.len());
        let key: Vec<u8> = members[at].split_inclusive(|byte| *byte == b':').next().unwrap_or_default().to_vec();
        let value =
            *self.pick(&["null", "{}", "[]", "\"\"", "0", "true", "1e999", "\"\\ud800\"", "{\"code\":403}", "x"]);
        members[at] = [key, value.as_bytes().to_vec()].concat();
        joined(&members)
    }

    /// A document whose strings are escaped in other ways.
    pub(super) fn requoted(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        for byte in text {
            match byte {
                b'/' if self.one_in(8) => out.extend_from_slice(b"\\/"),
                b'e' if self.one_in(400) => out.extend_from_slice(b"\\u0065"),
                _ => out.push(*byte),
            }
        }
        out
    }
}

#[derive(Clone, Copy)]
enum Members {
    Swap,
    Repeat,
    Drop,
}

/// Whether no member that means something stands between the bodies and the API server's own times.
pub(super) fn keeps_order(line: &[u8]) -> bool {
    let mut keys = Vec::new();
    let text = String::from_utf8_lossy(line);
    let mut reader = Reader::new(text.as_bytes());
    let read = reader.object(|key, reader| {
        keys.push(key.into_owned());
        reader.skip()
    });
    if read.is_err() {
        return true;
    }
    let body = keys.iter().position(|key| key == "requestObject" || key == "responseObject");
    let tail = keys.iter().rposition(|key| key == "requestReceivedTimestamp");
    let between = body.zip(tail).and_then(|(body, tail)| keys.get(body..tail)).unwrap_or_default();
    let between = match between {
        [first, second, rest @ ..] if first == "requestObject" && second == "responseObject" => rest,
        [_, rest @ ..] => rest,
        [] => &[],
    };
    !between.iter().any(|key| MEMBERS.contains(&key.as_str()))
}

/// The members of an object as they are written; `None` where there are none.
fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let inside = line.strip_prefix(b"{")?.strip_suffix(b"}")?;
    let (mut members, mut start) = (Vec::new(), 0);
    let (mut depth, mut in_string, mut escaped) = (0_i32, false, false);
    for (at, byte) in inside.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            b',' if !in_string && depth == 0 => {
                members.push(inside[start..at].to_vec());
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(inside[start..].to_vec());
    Some(members)
}

fn joined(members: &[Vec<u8>]) -> Vec<u8> {
    [b"{".as_slice(), &members.join(b",".as_slice()), b"}"].concat()
}

const GRAFTS: &[&str] = &[
    r#""verb":"create""#,
    r#""stage":"RequestReceived""#,
    r#""user":{"username":"system:anonymous","groups":["system:unauthenticated"]}"#,
    r#""impersonatedUser":{"username":"system:admin","groups":["system:masters"]}"#,
    r#""authenticationMetadata":{"impersonationConstraint":"impersonate:user-info"}"#,
    r#""objectRef":{"resource":"clusterroles","apiGroup":"rbac.authorization.k8s.io","name":"x"}"#,
    r#""responseStatus":{"metadata":{},"code":401}"#,
    r#""responseStatus":{"code":403,"code":200}"#,
    r#""annotations":{"authentication.k8s.io/stale-token":"subject: x, seconds after warning threshold: 9"}"#,
    r#""annotations":{"authentication.k8s.io/legacy-token":"system:serviceaccount:a:b"}"#,
    r#""annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"EKS Access Policy: x"}"#,
    r#""annotations":{"audit.k8s.io/truncated":"true"}"#,
    r#""sourceIPs":["203.0.113.9"]"#,
    r#""userAgent":"k\u0075bectl""#,
    r#""requestObject":{"requestReceivedTimestamp":"x","stageTimestamp":"y","annotations":{}}"#,
    r#""stageTimestamp":"2031-01-01T00:00:00.000000Z""#,
    r#""message":"x""#,
    r#""new":[{"verb":"create"}]"#,
];

const WORDS: &[&str] = &[
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "get",
    "list",
    "watch",
    "ResponseComplete",
    "ResponseStarted",
    "RequestReceived",
    "Panic",
    "configmaps",
    "aws-auth",
    "kube-system",
    "secrets",
    "clusterroles",
    "rolebindings",
    "serviceaccounts",
    "leases",
    "pods",
    "token",
    "rbac.authorization.k8s.io",
    "coordination.k8s.io",
    "certificates.k8s.io",
    "selfsubjectaccessreviews",
    "system:masters",
    "system:authenticated",
    "system:nodes",
    "system:serviceaccounts",
    "system:serviceaccount:",
    "system:apiserver",
    "system:node:",
    "JTI=",
    "X509SHA256=",
    "allow",
    "forbid",
    "\"code\":200",
    "\"code\":201",
    "\"code\":401",
    "\"code\":403",
    "\"code\":409",
    "kubectl",
    "10.0.11.39",
    "198.51.100.23",
    "RBAC: allowed",
    "EKS Access Policy: allowed",
    "2026-11-23T06:",
    "2026-11-23T07:",
    "2026-13-23T07:",
    "node-name",
    "pod-name",
    "credential-id",
];
