//! `who-can` and `rights`: asking a snapshot of a cluster, or what was learned of it, who can do what.

use std::io::Write;

use anstyle::Style;
use rolewatch_analyzer::access::{Grant, account, counts_as, grants, mapped_to};
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::rbac::{Request, Scope, Subject, assess_many, describe_all};
use rolewatch_analyzer::text::{name, printable};

use crate::cli::{RightsArgs, WhoCanArgs};
use crate::error::Error;
use crate::memory;
use crate::output::style;
use crate::replay::Outcome;

/// `rolewatch who-can`.
pub(crate) fn who_can(options: &WhoCanArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    let (memory, cluster) = memory::load_one(&options.memory, options.cluster.as_deref(), err)?;
    let asked = Asked::of(options);
    let request = asked.request();
    let all = grants(&memory, &cluster);
    let able: Vec<&Grant> = all.iter().filter(|grant| grant.permits(&request)).collect();
    let verb = asked.verb;
    let rows = able.iter().map(|grant| [name(&grant.subject.to_string()), place(&grant.scope), through(grant)]);
    // The group is let through before RBAC is asked, whatever the bindings say.
    let masters = [MASTERS.to_owned(), Scope::Cluster.to_string(), "outside RBAC: everything is allowed".to_owned()];
    let rows: Vec<[String; 3]> = std::iter::once(masters).chain(rows).collect();
    writeln!(out, "{BOLD}Who can {} {}{BOLD:#}", name(verb), asked.words())?;
    table(out, &rows)?;
    let mut subjects: Vec<Subject> = vec![Subject::Group("system:masters".to_owned())];
    subjects.extend(able.iter().map(|grant| grant.subject.clone()));
    subjects.dedup();
    mapped(out, &memory, &cluster, &subjects)?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// `rolewatch rights`.
pub(crate) fn rights(options: &RightsArgs, out: &mut dyn Write, err: &mut dyn Write) -> Result<Outcome, Error> {
    let subject = subject(&options.subject).ok_or_else(|| Error::NoSubject { subject: name(&options.subject) })?;
    let (memory, cluster) = memory::load_one(&options.memory, options.cluster.as_deref(), err)?;
    let mut counts = counts_as(&subject);
    counts.extend(options.group.iter().cloned().map(Subject::Group));
    writeln!(out, "{BOLD}{}{BOLD:#}", name(&subject.to_string()))?;
    if counts.contains(&Subject::Group("system:masters".to_owned())) {
        writeln!(out, "  everything: members of system:masters are let through before RBAC is asked")?;
    }
    let held: Vec<Grant> =
        grants(&memory, &cluster).into_iter().filter(|grant| counts.contains(&grant.subject)).collect();
    if held.is_empty() {
        writeln!(out, "  no binding names it")?;
    }
    for grant in &held {
        let by =
            if grant.subject == subject { String::new() } else { format!(", as {}", name(&grant.subject.to_string())) };
        writeln!(out, "\n  {}{by}", through(grant))?;
        match &grant.rules {
            Some(rules) => {
                for words in describe_all(rules, &grant.scope, RULES_MAX) {
                    writeln!(out, "    {}", printable(&words, WORDS_MAX))?;
                }
            }
            None => writeln!(out, "    nothing: the role does not exist")?,
        }
    }
    let given: Vec<_> = held.into_iter().filter_map(|grant| grant.rules.map(|rules| (grant.scope, rules))).collect();
    let found = assess_many(&given);
    let risks = found.combinations.iter().map(|one| (one.severity, one.combination.gives, String::new()));
    let risks = risks.chain(found.risks.iter().map(|one| (one.severity, one.brief(), format!(" {}", one.scope))));
    let mut risks: Vec<_> = risks.take(RISKS_MAX).collect();
    risks.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    for (at, (severity, gives, scope)) in risks.into_iter().enumerate() {
        if at == 0 {
            writeln!(out, "\n{BOLD}What that is worth{BOLD:#}")?;
        }
        let style = style(severity);
        writeln!(out, "  {style}{:<14}{style:#}can {gives}{}", severity.as_str(), name(&scope))?;
    }
    mapped(out, &memory, &cluster, &counts)?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// A question about one request.
struct Asked<'a> {
    verb: &'a str,
    group: &'a str,
    resource: &'a str,
    subresource: &'a str,
    name: &'a str,
    namespace: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn of(options: &'a WhoCanArgs) -> Self {
        let (of, subresource) = options.resource.split_once('/').unwrap_or((&options.resource, ""));
        let (resource, group) = match of.split_once('.') {
            Some(split) => split,
            None => (of, group_of(of)),
        };
        let is_url = options.resource.starts_with('/');
        Self {
            verb: &options.verb,
            group,
            resource: if is_url { &options.resource } else { resource },
            subresource: if is_url { "" } else { subresource },
            name: options.name.as_deref().unwrap_or_default(),
            namespace: options.namespace.as_deref(),
        }
    }

    fn request(&self) -> Request<'a> {
        if self.resource.starts_with('/') {
            return Request::Url { verb: self.verb, url: self.resource };
        }
        Request::Resource {
            verb: self.verb,
            group: self.group,
            resource: self.resource,
            subresource: self.subresource,
            name: self.name,
            namespace: self.namespace,
        }
    }

    fn words(&self) -> String {
        if self.resource.starts_with('/') {
            return name(self.resource);
        }
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let sub = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        let named = if self.name.is_empty() { String::new() } else { format!(" named {}", self.name) };
        let place =
            self.namespace.map_or("in every namespace".to_owned(), |namespace| format!("in namespace {namespace}"));
        name(&format!("{}{group}{sub}{named} {place}", self.resource))
    }
}

/// The API group of a resource that everybody knows by its plain name, as kubectl finds it.
fn group_of(resource: &str) -> &'static str {
    GROUPS.iter().find(|(_, resources)| resources.contains(&resource)).map_or("", |(group, _)| group)
}

fn subject(text: &str) -> Option<Subject> {
    if let Some(account) = account(text) {
        return Some(account);
    }
    match text.split_once(':') {
        Some(("sa", rest)) => {
            let (namespace, name) =
                rest.split_once('/').filter(|(namespace, name)| !namespace.is_empty() && !name.is_empty())?;
            Some(Subject::ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        Some(("group", name)) => (!name.is_empty()).then(|| Subject::Group(name.to_owned())),
        Some(("user", name)) => (!name.is_empty()).then(|| Subject::User(name.to_owned())),
        _ => (!text.is_empty()).then(|| Subject::User(text.to_owned())),
    }
}

fn place(scope: &Scope) -> String {
    name(&scope.to_string())
}

/// `ClusterRoleBinding ops -> ClusterRole admin, in every namespace`
fn through(grant: &Grant) -> String {
    let binding = match &grant.scope {
        Scope::Cluster => grant.binding.clone(),
        Scope::Namespace(namespace) => format!("{namespace}/{}", grant.binding),
    };
    printable(&format!("{} {binding} -> {}", grant.kind.as_str(), grant.role), WORDS_MAX)
}

/// The IAM principals behind users and groups, as far as `aws-auth` tells.
fn mapped(out: &mut dyn Write, memory: &Memory, cluster: &str, subjects: &[Subject]) -> Result<(), Error> {
    let rows: Vec<[String; 3]> = subjects
        .iter()
        .flat_map(|subject| {
            let principals = mapped_to(memory, cluster, subject);
            principals.into_iter().map(|principal| [name(&subject.to_string()), name(&principal), String::new()])
        })
        .collect();
    if !rows.is_empty() {
        writeln!(out, "\n{BOLD}By aws-auth{BOLD:#}")?;
        table(out, &rows)?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, rows: &[[String; 3]]) -> Result<(), Error> {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    for [one, two, three] in rows {
        let line = format!("  {one:<first$}  {two:<second$}  {three}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

const MASTERS: &str = "Group system:masters";
const BOLD: Style = Style::new().bold();
/// Lines about one role.
const RULES_MAX: usize = 20;
/// Longest line about a rule, in characters.
const WORDS_MAX: usize = 400;
/// Lines about what rights are worth.
const RISKS_MAX: usize = 10;
/// Groups of the resources that are asked for by their plain name.
const GROUPS: &[(&str, &[&str])] = &[
    ("apps", &["deployments", "daemonsets", "statefulsets", "replicasets", "controllerrevisions"]),
    ("batch", &["jobs", "cronjobs"]),
    ("rbac.authorization.k8s.io", &["roles", "rolebindings", "clusterroles", "clusterrolebindings"]),
    ("networking.k8s.io", &["ingresses", "networkpolicies", "ingressclasses"]),
    ("certificates.k8s.io", &["certificatesigningrequests"]),
    (
        "admissionregistration.k8s.io",
        &["mutatingwebhookconfigurations", "validatingwebhookconfigurations", "validatingadmissionpolicies"],
    ),
    ("apiextensions.k8s.io", &["customresourcedefinitions"]),
    ("apiregistration.k8s.io", &["apiservices"]),
    ("storage.k8s.io", &["storageclasses", "volumeattachments", "csidrivers"]),
    ("policy", &["poddisruptionbudgets"]),
    ("autoscaling", &["horizontalpodautoscalers"]),
    ("coordination.k8s.io", &["leases"]),
    ("scheduling.k8s.io", &["priorityclasses"]),
];
