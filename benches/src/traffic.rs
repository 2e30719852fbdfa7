//! The audit log of a made-up cluster, line by line, the same in every run: shapes and shares as recorded, identities
//! that stay, escapes where Go writes them, and one line in a thousand that must alert.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cluster::{App, Cluster, Controller, Node, Person, Plane, Pod};
use crate::random::Random;
use crate::template::Template;

/// One line of the log.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it was written, in milliseconds since 1970.
    pub time_ms: i64,
    /// The audit event.
    pub text: String,
    /// What it is: a row of the mix, or what was planted.
    pub kind: &'static str,
    /// Whether it must alert.
    pub planted: bool,
}

/// A log without end.
#[derive(Debug)]
pub struct Traffic {
    random: Random,
    cluster: Cluster,
    mix: Vec<Share>,
    planted: Vec<(&'static str, Template)>,
    fragments: BTreeMap<&'static str, Template>,
    lines: usize,
    time_us: i64,
    version: u64,
    /// One line in so many must alert; none where this is 0.
    plant_every: usize,
}

/// So many of [`WHOLE`] lines are of one of these forms.
#[derive(Debug)]
struct Share {
    kind: &'static str,
    of_whole: usize,
    forms: Vec<Template>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new(SEED, PLANT_EVERY)
    }
}

impl Traffic {
    /// The log of this seed, with one line in `plant_every` that must alert, or none where that is 0.
    #[must_use]
    pub fn new(seed: u64, plant_every: usize) -> Self {
        let mut random = Random::new(seed);
        let share = |&(kind, of_whole, forms): &(&'static str, usize, &[&'static str])| Share {
            kind,
            of_whole,
            forms: forms.iter().copied().map(Template::new).collect(),
        };
        Self {
            cluster: Cluster::new(&mut random),
            random,
            mix: MIX.iter().map(share).collect(),
            planted: PLANTED.iter().map(|(kind, text)| (*kind, Template::new(text))).collect(),
            fragments: FRAGMENTS.iter().map(|(name, text)| (*name, Template::new(text))).collect(),
            lines: 0,
            time_us: START_US,
            version: 12_000,
            plant_every,
        }
    }

    /// A log in which nothing must alert.
    #[must_use]
    pub fn quiet() -> Self {
        Self::new(SEED, 0)
    }
}

impl Iterator for Traffic {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        self.lines += 1;
        self.time_us += i64::try_from(self.random.below(2 * GAP_US)).unwrap_or(0);
        let plant = self.plant_every > 0 && self.lines.is_multiple_of(self.plant_every);
        let (kind, template) = if plant {
            let (kind, template) = &self.planted[self.lines / self.plant_every % self.planted.len()];
            (*kind, template)
        } else {
            let share = pick(&self.mix, self.random.below(WHOLE));
            (share.kind, self.random.pick(&share.forms))
        };
        let mut scene = Scene::new(&mut self.random, &self.cluster, &self.fragments, self.time_us, &mut self.version);
        let mut text = String::with_capacity(2048);
        template.write(&mut text, &mut |name, out| scene.fill(name, out));
        Some(Line { time_ms: self.time_us / 1000, text, kind, planted: plant })
    }
}

fn pick(mix: &[Share], mut number: usize) -> &Share {
    for share in mix {
        if number < share.of_whole {
            return share;
        }
        number -= share.of_whole;
    }
    &mix[0]
}

/// Who and what one line is about.
struct Scene<'t> {
    random: &'t mut Random,
    fragments: &'t BTreeMap<&'static str, Template>,
    node: &'t Node,
    pod: &'t Pod,
    plane: &'t Plane,
    controller: &'t Controller,
    app: &'t App,
    person: &'t Person,
    time_us: i64,
    version: &'t mut u64,
    suffix: String,
    uuid: String,
    /// How many containers its pods have: the same in request and answer.
    containers: usize,
    /// Which fragment of a list this is.
    number: usize,
    seconds: usize,
}

impl<'t> Scene<'t> {
    fn new(
        random: &'t mut Random,
        cluster: &'t Cluster,
        fragments: &'t BTreeMap<&'static str, Template>,
        time_us: i64,
        version: &'t mut u64,
    ) -> Self {
        Self {
            node: random.pick(&cluster.nodes),
            pod: random.pick(&cluster.pods),
            plane: random.pick(&cluster.planes),
            controller: random.pick(&cluster.controllers),
            app: random.pick(&cluster.apps),
            person: random.pick(&cluster.people),
            suffix: random.name(5),
            uuid: random.uuid(),
            containers: *random.pick(CONTAINERS),
            number: 0,
            seconds: 300 + random.below(300),
            random,
            fragments,
            time_us,
            version,
        }
    }

    fn fill(&mut self, name: &str, out: &mut String) {
        let text = match name {
            "node" => &self.node.name,
            "node.ip" => &self.node.ip,
            "node.uid" => &self.node.uid,
            "node.lease" => &self.node.lease,
            "node.user" => &self.node.user,
            "pod.namespace" => self.pod.namespace,
            "pod.account" => self.pod.account,
            "pod.ip" => &self.pod.ip,
            "pod.agent" => &self.pod.agent,
            "pod.lease" => &self.pod.lease,
            "pod.user" => &self.pod.user,
            "pod.reason" => &self.pod.reason,
            "plane.lease" => self.plane.lease,
            "plane.uid" => &self.plane.uid,
            "plane.agent" => &self.plane.agent,
            "plane.user" => &self.plane.user,
            "plane.reason" => &self.plane.reason,
            "controller.agent" => &self.controller.agent,
            "controller.user" => &self.controller.user,
            "controller.reason" => &self.controller.reason,
            "app" => self.app.name,
            "app.namespace" => self.app.namespace,
            "app.set" => &self.app.set,
            "app.uid" => &self.app.uid,
            "person.ip" => &self.person.ip,
            "person.user" => &self.person.user,
            "suffix" => &self.suffix,
            "uuid" => &self.uuid,
            other => return self.fill_anew(other, out),
        };
        out.push_str(text);
    }

    /// What is another one at each place.
    fn fill_anew(&mut self, name: &str, out: &mut String) {
        let written = match name {
            "audit" => write!(out, "{}", self.random.uuid()),
            "received" => write!(out, "{}", Time(self.time_us - 4_200)),
            "staged" => write!(out, "{}", Time(self.time_us)),
            "second" => write!(out, "{:.19}Z", Time(self.time_us).to_string()),
            "version" => {
                *self.version += 1;
                write!(out, "{}", self.version)
            }
            "seconds" => write!(out, "{}", self.seconds),
            "octet" => write!(out, "{}", 1 + self.random.below(254)),
            "hash" => (0..4).try_for_each(|_| out.write_str(&self.random.hex(16))),
            "letter" => write!(out, "{}", self.number),
            "containers" => return self.fill_list("container", self.containers, out),
            "fields" => return self.fill_list("field", self.containers, out),
            "statuses" => return self.fill_list("container_status", self.containers, out),
            // Most heartbeats carry no images; a kubelet that pulled one tells all it has.
            "images" => {
                let count = if self.random.below(8) == 0 { 20 + self.random.below(60) } else { 0 };
                return self.fill_list("image", count, out);
            }
            other => panic!("no template may name the place <{other}>"),
        };
        written.expect("writing into a string does not fail");
    }

    fn fill_list(&mut self, fragment: &str, count: usize, out: &mut String) {
        let template = &self.fragments[fragment];
        for number in 0..count {
            self.number = number;
            if number > 0 {
                out.push(',');
            }
            template.write(out, &mut |name, out| self.fill(name, out));
        }
    }
}

/// A time on the day of [`START_US`] as the API server writes it.
struct Time(i64);

impl std::fmt::Display for Time {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of_day = self.0.rem_euclid(86_400_000_000);
        let (seconds, micros) = (of_day / 1_000_000, of_day % 1_000_000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(out, "2026-11-23T{hours:02}:{minutes:02}:{seconds:02}.{micros:06}Z")
    }
}

/// Any number will do; all figures in the documentation are from this one.
const SEED: u64 = 0x0072_6f6c_6577_6174;

/// 2026-11-23T06:00:00Z.
const START_US: i64 = 1_795_413_600_000_000;

/// Mean time between two lines: 20,000 of them take half an hour, as in a cluster of this size, and stay within the hour
/// that a session is told once.
const GAP_US: usize = 90_000;

/// As in the notes on alerts per line: enough to be seen, too few to matter to the figures.
const PLANT_EVERY: usize = 1000;

/// Containers per pod; the large ones make the long lines.
const CONTAINERS: &[usize] = &[1, 1, 1, 2, 2, 3, 4];

const WHOLE: usize = 1000;

/// What a quiet cluster logs: kind, lines in a thousand, forms that take turns.
const MIX: &[(&str, usize, &[&str])] = &[
    ("node lease", 250, &[include_str!("../templates/node_lease.json")]),
    ("control-plane lease", 90, &[include_str!("../templates/plane_lease.json")]),
    ("service-account lease", 180, &[include_str!("../templates/pod_lease.json")]),
    (
        "service-account get, list, watch",
        220,
        &[
            include_str!("../templates/pod_get.json"),
            include_str!("../templates/pod_list.json"),
            include_str!("../templates/pod_watch.json"),
        ],
    ),
    ("node watch", 70, &[include_str!("../templates/node_watch.json")]),
    ("status", 35, &[include_str!("../templates/node_status.json"), include_str!("../templates/workload_status.json")]),
    ("token request", 30, &[include_str!("../templates/token_request.json")]),
    ("access review", 35, &[include_str!("../templates/access_review.json")]),
    ("endpoint slice", 25, &[include_str!("../templates/endpoint_slice.json")]),
    ("pod", 30, &[include_str!("../templates/pod_create.json"), include_str!("../templates/pod_delete.json")]),
    ("other URL", 20, &[include_str!("../templates/url.json")]),
    ("person", 9, &[include_str!("../templates/person.json")]),
    ("API server", 6, &[include_str!("../templates/apiserver.json")]),
];

/// Lines that must alert, each in a session or about an object of its own.
const PLANTED: &[(&str, &str)] = &[
    ("cluster-admin granted", include_str!("../templates/planted_grant.json")),
    ("aws-auth changed", include_str!("../templates/planted_aws_auth.json")),
    ("login from a public address", include_str!("../templates/planted_public_login.json")),
    ("login with kubectl", include_str!("../templates/planted_human_login.json")),
    ("login without a pod", include_str!("../templates/planted_unbound_login.json")),
    ("anonymous and allowed", include_str!("../templates/planted_anonymous.json")),
    ("impersonation", include_str!("../templates/planted_impersonation.json")),
];

/// What lists inside the lines are made of.
const FRAGMENTS: &[(&str, &str)] = &[
    ("container", include_str!("../templates/container.json")),
    ("container_status", include_str!("../templates/container_status.json")),
    ("field", include_str!("../templates/field.json")),
    ("image", include_str!("../templates/image.json")),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{MIX, PLANTED, Traffic, WHOLE};

    #[test]
    fn every_line_is_an_audit_event_and_every_kind_comes() {
        let mut kinds = BTreeSet::new();
        for line in Traffic::new(7, 10).take(3000) {
            let event: serde_json::Value = serde_json::from_str(&line.text).unwrap();
            assert_eq!(event["apiVersion"], "audit.k8s.io/v1", "{}", line.kind);
            assert!(!line.text.contains(['<', '\n']), "{}", line.kind);
            kinds.insert(line.kind);
        }
        assert_eq!(kinds.len(), MIX.len() + PLANTED.len());
        assert_eq!(MIX.iter().map(|(_, share, _)| share).sum::<usize>(), WHOLE);
    }

    #[test]
    fn the_same_seed_gives_the_same_log() {
        let text = |seed| Traffic::new(seed, 100).take(300).map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn a_quiet_log_has_nothing_planted() {
        assert!(Traffic::quiet().take(3000).all(|line| !line.planted));
    }
}
