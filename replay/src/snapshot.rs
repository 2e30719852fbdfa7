//! `who-can` and `rights`: asking a snapshot of a cluster, or what was learned of it, who can do what.

mod resources;

use std::io::Write;

use anstyle::Style;
use rolewatch_analyzer::access::{Grant, account, counts_as, grants, mapped_to};
use rolewatch_analyzer::memory::Memory;
use rolewatch_analyzer::rbac::{Request, Scope, Subject, assess_many, describe_all};
use rolewatch_analyzer::text::{name, printable, wrap};

use crate::cli::{RightsArgs, WhoCanArgs};
use crate::error::Error;
use crate::memory;
use crate::output::{style, width};
use crate::replay::Outcome;
use crate::summary::grouped;

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
    if asked.namespace.is_none() {
        in_single_namespaces(out, &asked, &all)?;
    }
    asked.doubt(&all, err)?;
    let mut subjects: Vec<Subject> = vec![Subject::Group("system:masters".to_owned())];
    subjects.extend(able.iter().map(|grant| grant.subject.clone()));
    subjects.dedup();
    mapped(out, &memory, &cluster, &subjects)?;
    out.flush()?;
    Ok(Outcome::Done)
}

/// How many more could do it in one namespace alone, which the question leaves out.
fn in_single_namespaces(out: &mut dyn Write, asked: &Asked<'_>, all: &[Grant]) -> Result<(), Error> {
    let known = resources::known(asked.resource);
    if known.is_some_and(|known| known.group == asked.group && !known.namespaced) {
        return Ok(());
    }
    let permits = |grant: &&Grant| match &grant.scope {
        Scope::Namespace(namespace) => grant.permits(&asked.in_namespace(namespace).request()),
        Scope::Cluster => false,
    };
    let mut namespaces: Vec<String> = Vec::new();
    let mut count = 0_u64;
    for grant in all.iter().filter(permits) {
        count += 1;
        if let Scope::Namespace(namespace) = &grant.scope
            && !namespaces.contains(namespace)
        {
            namespaces.push(namespace.clone());
        }
    }
    if count > 0 {
        let more = namespaces.len().saturating_sub(NAMESPACES_MAX);
        let shown: Vec<String> = namespaces.iter().take(NAMESPACES_MAX).map(|namespace| name(namespace)).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "  {} more in single namespaces: {}{more}; ask with `-n`", grouped(count), shown.join(", "))?;
    }
    Ok(())
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
                    let mut indent = "    ";
                    for line in wrap(&printable(&words, WORDS_MAX), width().saturating_sub(INDENT)) {
                        writeln!(out, "{indent}{line}")?;
                        indent = "      ";
                    }
                }
            }
            None => writeln!(out, "    nothing: the role does not exist")?,
        }
    }
    let given: Vec<_> = held.into_iter().filter_map(|grant| grant.rules.map(|rules| (grant.scope, rules))).collect();
    let found = assess_many(&given);
    let risks = found.combinations.iter().map(|one| (one.severity, one.combination.gives, String::new()));
    let risks = risks.chain(found.risks.iter().map(|one| (one.severity, one.brief(), format!(" {}", one.scope))));
    let mut risks: Vec<_> = risks.collect();
    risks.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let more = risks.len().saturating_sub(RISKS_MAX);
    for (at, (severity, gives, scope)) in risks.into_iter().take(RISKS_MAX).enumerate() {
        if at == 0 {
            writeln!(out, "\n{BOLD}What that is worth{BOLD:#}")?;
        }
        let style = style(severity);
        writeln!(out, "  {style}{:<14}{style:#}can {gives}{}", severity.as_str(), name(&scope))?;
    }
    if more > 0 {
        writeln!(out, "  {:<14}and {more} more", "")?;
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
        let (resource, group) = match (of.split_once('.'), resources::known(of)) {
            (Some(split), _) => split,
            (None, Some(known)) => (known.name, known.group),
            (None, None) => (of, ""),
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

    /// The same question about one namespace.
    fn in_namespace<'b>(&'b self, namespace: &'b str) -> Asked<'b> {
        Asked { namespace: Some(namespace), ..*self }
    }

    /// Says so when the answer may be one to a slip of the hand.
    fn doubt(&self, all: &[Grant], err: &mut dyn Write) -> Result<(), Error> {
        let resource = self.resource;
        let is_url = resource.starts_with('/');
        if is_url || resource == "*" || resources::known(resource).is_some() || resources::is_named(all, resource) {
            return Ok(());
        }
        let advice = match resources::nearest(all, resource) {
            Some(near) => format!("did you mean `{}`?", name(near)),
            None => "write it as `kubectl api-resources` does".to_owned(),
        };
        Ok(writeln!(err, "note: no role names `{}`; {advice}", name(resource))?)
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
/// In front of the lines about a role that go on.
const INDENT: usize = 6;
/// Lines about one role.
const RULES_MAX: usize = 20;
/// Longest line about a rule, in characters.
const WORDS_MAX: usize = 400;
/// Lines about what rights are worth.
const RISKS_MAX: usize = 10;
/// Namespaces named at once.
const NAMESPACES_MAX: usize = 10;
