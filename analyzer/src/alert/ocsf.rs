//! An alert as an OCSF Detection Finding.
//!
//! Class 2004, schema version 1.8.0, profile cloud: <https://schema.ocsf.io/1.8.0/classes/detection_finding>.

use serde_json::{Map, Value, json};

use super::{Actor, Alert, Evidence};
use crate::attack::Technique;
use crate::detection::{Delta, Detection, Finding};
use crate::stream::Stream;
use crate::text::{name, printable};

impl Alert {
    /// The alert as one JSON object.
    #[must_use]
    pub fn ocsf(&self) -> Value {
        let time = self.first().and_then(|first| first.time).map(jiff::Timestamp::as_millisecond).unwrap_or_default();
        let last = self.evidence.iter().filter_map(|evidence| evidence.time).map(jiff::Timestamp::as_millisecond).max();
        let (activity, activity_name) = self.activity.ocsf();
        let mut finding = object([
            ("activity_id", json!(activity)),
            ("activity_name", json!(activity_name)),
            ("category_uid", json!(2)),
            ("category_name", json!("Findings")),
            ("class_uid", json!(2004)),
            ("class_name", json!("Detection Finding")),
            ("type_uid", json!(200_400 + u32::from(activity))),
            ("type_name", json!(format!("Detection Finding: {activity_name}"))),
            ("severity_id", json!(self.severity.id())),
            ("severity", json!(capitalised(self.severity.as_str()))),
            ("status_id", json!(1)),
            ("status", json!("New")),
            ("time", json!(time)),
            ("message", json!(self.title())),
            ("count", json!(self.events)),
            ("cloud", self.cloud()),
            ("metadata", self.metadata()),
            ("finding_info", self.finding_info(time, last)),
            ("evidences", Value::Array(self.evidences())),
            ("resources", Value::Array(self.resources())),
            ("remediation", json!({ "desc": self.advice() })),
        ]);
        if let Some(last) = last {
            finding.insert("start_time".to_owned(), json!(time));
            finding.insert("end_time".to_owned(), json!(last));
        }
        Value::Object(finding)
    }

    fn cloud(&self) -> Value {
        let mut cloud = object([("provider", json!("AWS"))]);
        if let Some(account) = &self.source.account {
            cloud.insert("account".to_owned(), json!({ "uid": name(account), "type_id": 10, "type": "AWS Account" }));
        }
        if let Some(region) = &self.source.region {
            cloud.insert("region".to_owned(), json!(name(region)));
        }
        Value::Object(cloud)
    }

    fn metadata(&self) -> Value {
        let mut metadata = object([
            ("version", json!("1.8.0")),
            ("profiles", json!(["cloud"])),
            (
                "product",
                json!({ "name": "Rolewatch", "vendor_name": "Rolewatch", "version": env!("CARGO_PKG_VERSION") }),
            ),
        ]);
        if let Some(group) = &self.source.log_group {
            metadata.insert("log_name".to_owned(), json!(printable(group, LOG_GROUP_CHARS_MAX)));
        }
        if let Some(first) = self.first() {
            let provider = match first.stream {
                Stream::CloudTrail => "AWS CloudTrail".to_owned(),
                stream => format!("Amazon EKS {}", stream.as_str()),
            };
            metadata.insert("log_provider".to_owned(), json!(provider));
            if let Some(stream) = first.log_stream.as_ref().or(self.source.log_stream.as_ref()) {
                metadata.insert("log_source".to_owned(), json!(printable(stream, LOG_GROUP_CHARS_MAX)));
            }
            if let Some(time) = first.time {
                metadata.insert("original_time".to_owned(), json!(time.to_string()));
            }
        }
        if let Some(cluster) = &self.source.cluster {
            metadata.insert("labels".to_owned(), json!([format!("cluster:{}", name(cluster))]));
        }
        Value::Object(metadata)
    }

    fn finding_info(&self, time: i64, last: Option<i64>) -> Value {
        let whys: Vec<&str> = self.findings.iter().map(|finding| finding.hit.why.as_str()).collect();
        let mut info = object([
            ("uid", json!(self.id.as_str())),
            ("title", json!(self.title())),
            ("desc", json!(whys.join("\n"))),
            ("created_time", json!(time)),
            ("first_seen_time", json!(time)),
            ("last_seen_time", json!(last.unwrap_or(time))),
            ("attacks", Value::Array(self.attacks())),
        ]);
        let mut analytics = self.detections().map(analytic);
        if let Some(first) = analytics.next() {
            info.insert("analytic".to_owned(), first);
        }
        let related: Vec<Value> = analytics.collect();
        if !related.is_empty() {
            info.insert("related_analytics".to_owned(), Value::Array(related));
        }
        Value::Object(info)
    }

    fn detections(&self) -> impl Iterator<Item = &'static Detection> {
        let ids = self.detection_ids();
        let findings = &self.findings;
        ids.into_iter()
            .filter_map(|id| findings.iter().map(|finding| finding.detection).find(|detection| detection.id == id))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn attacks(&self) -> Vec<Value> {
        let mut seen: Vec<Technique> = Vec::new();
        for technique in self.findings.iter().flat_map(|finding| finding.detection.attack) {
            if !seen.contains(technique) {
                seen.push(*technique);
            }
        }
        seen.into_iter()
            .map(|technique| {
                let (tactic, tactic_name) = technique.tactic;
                // OCSF has a place of its own for sub-techniques, T1098.006.
                let place = if technique.id.contains('.') { "sub_technique" } else { "technique" };
                let mut attack = object([("tactic", json!({ "uid": tactic, "name": tactic_name }))]);
                attack.insert(place.to_owned(), json!({ "uid": technique.id, "name": technique.name }));
                Value::Object(attack)
            })
            .collect()
    }

    fn evidences(&self) -> Vec<Value> {
        let data = data(&self.findings);
        self.evidence
            .iter()
            .enumerate()
            .map(|(number, evidence)| {
                let mut value = evidence.ocsf();
                if number == 0
                    && let (Some(data), Some(map)) = (&data, value.as_object_mut())
                {
                    map.insert("data".to_owned(), data.clone());
                }
                value
            })
            .collect()
    }

    fn resources(&self) -> Vec<Value> {
        let mut resources: Vec<Value> = Vec::new();
        for finding in &self.findings {
            for object in &finding.hit.objects {
                let mut resource = self::object([
                    ("type", json!(object.kind)),
                    ("name", json!(if object.name.is_empty() { "(not recorded)" } else { object.name.as_str() })),
                    ("role", json!("Affected")),
                    ("role_id", json!(99)),
                ]);
                if !object.namespace.is_empty() {
                    resource.insert("namespace".to_owned(), json!(object.namespace));
                }
                resources.push(Value::Object(resource));
            }
            for subject in &finding.hit.subjects {
                resources.push(json!({ "type": "Subject", "name": subject, "role": "Beneficiary", "role_id": 99 }));
            }
        }
        let mut once: Vec<Value> = Vec::new();
        for resource in resources {
            if once.len() < RESOURCES_MAX && !once.contains(&resource) {
                once.push(resource);
            }
        }
        once
    }
}

/// The change as data: what was gained, lost, holds now, and what else there is to know.
fn data(findings: &[Finding]) -> Option<Value> {
    let mut lists: [(&str, Vec<&str>); 4] =
        [("gained", Vec::new()), ("lost", Vec::new()), ("now", Vec::new()), ("notes", Vec::new())];
    for change in findings.iter().flat_map(|finding| &finding.hit.changes) {
        let [gained, lost, now, notes] = &mut lists;
        let (_, texts) = match change {
            Delta::Gained(_) => gained,
            Delta::Lost(_) => lost,
            Delta::Now(_) => now,
            Delta::Note(_) => notes,
        };
        if !texts.contains(&change.text()) {
            texts.push(change.text());
        }
    }
    let map: Map<String, Value> = lists
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name.to_owned(), json!(list)))
        .collect();
    (!map.is_empty()).then_some(Value::Object(map))
}

fn analytic(detection: &Detection) -> Value {
    json!({
        "uid": detection.id,
        "name": detection.title(),
        "type_id": 1,
        "type": "Rule",
        "category": detection.category(),
        "version": env!("CARGO_PKG_VERSION"),
    })
}

impl Evidence {
    fn ocsf(&self) -> Value {
        let mut value = object([("actor", self.actor.ocsf()), ("api", self.api())]);
        if let Some(peer) = &self.peer {
            let mut endpoint = object([("name", json!(peer))]);
            // A call made by an AWS service has the service's name here.
            if peer.parse::<std::net::IpAddr>().is_ok() {
                endpoint.insert("ip".to_owned(), json!(peer));
            }
            if !self.claimed.is_empty() {
                endpoint.insert("intermediate_ips".to_owned(), json!(self.claimed));
            }
            value.insert("src_endpoint".to_owned(), Value::Object(endpoint));
        }
        if !self.user_agent.is_empty() {
            value.insert("http_request".to_owned(), json!({ "user_agent": self.user_agent }));
        }
        Value::Object(value)
    }

    fn api(&self) -> Value {
        let operation = if self.verb.is_empty() { "unknown" } else { self.verb.as_str() };
        let mut api = object([("operation", json!(operation))]);
        if !self.audit_id.is_empty() {
            api.insert("request".to_owned(), json!({ "uid": self.audit_id }));
        }
        if self.code > 0 {
            api.insert("response".to_owned(), json!({ "code": self.code }));
        }
        let service = if self.resource.is_empty() { &self.request_uri } else { &self.resource };
        if !service.is_empty() {
            api.insert("service".to_owned(), json!({ "name": service }));
        }
        Value::Object(api)
    }
}

impl Actor {
    fn ocsf(&self) -> Value {
        let name = if self.username.is_empty() { self.display.as_str() } else { self.username.as_str() };
        let (type_id, kind) = match self.kind {
            "control-plane" | "eks" | "node" => (3, "System"),
            "service-account" => (4, "Service"),
            "iam" | "other" => (1, "User"),
            _ => (0, "Unknown"),
        };
        let mut user = object([("name", json!(name)), ("type_id", json!(type_id)), ("type", json!(kind))]);
        if self.display != name {
            user.insert("display_name".to_owned(), json!(self.display));
        }
        if !self.uid.is_empty() {
            user.insert("uid".to_owned(), json!(self.uid));
        }
        if let Some(arn) = &self.arn {
            user.insert("uid_alt".to_owned(), json!(arn));
        }
        if let Some(key) = self.access_key_id.as_ref().or(self.credential_id.as_ref()) {
            user.insert("credential_uid".to_owned(), json!(key));
        }
        if let Some(account) = &self.account {
            user.insert("account".to_owned(), json!({ "uid": account, "type_id": 10, "type": "AWS Account" }));
        }
        if !self.groups.is_empty() {
            let groups: Vec<Value> = self.groups.iter().map(|group| json!({ "name": group })).collect();
            user.insert("groups".to_owned(), Value::Array(groups));
        }
        let mut actor = object([("user", Value::Object(user))]);
        if let Some(session) = &self.session {
            actor.insert("session".to_owned(), json!({ "uid": session }));
        }
        if let Some((name, _)) = &self.acting_as {
            // The identity acted as has no attribute of its own in 1.8.0; this is the nearest.
            actor.insert("invoked_by".to_owned(), json!(format!("impersonating {name}")));
        }
        Value::Object(actor)
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Most resources listed in one finding; the changed objects and their subjects come first.
const RESOURCES_MAX: usize = 200;
/// Longest name of a log group, and of a log stream: what CloudWatch Logs allows, in characters.
const LOG_GROUP_CHARS_MAX: usize = 512;
