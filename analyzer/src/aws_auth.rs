//! The `aws-auth` ConfigMap: which IAM principal is whom in the cluster.
//!
//! The rules are those of aws-iam-authenticator (`pkg/mapper/configmap`, `pkg/config`): section names are exact, keys
//! inside are read as Go reads JSON, in any case; of a section the first YAML document counts; each section stands or falls on
//! its own; a section whose YAML is broken loads as empty; an entry that does not validate is left out and its neighbours
//! load. ARNs are compared in lower case, and of several roles with one ARN the last counts.

mod go;

use serde_json::Value;

use self::go::{Members, first_document};

/// The mappings of one version of the ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AwsAuth {
    /// Mappings that count, of all three sections, in order.
    pub mappings: Vec<Mapping>,
    /// What does not work as its author may think.
    pub pitfalls: Vec<Pitfall>,
}

/// One mapping: who, becomes whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Mapping {
    /// The IAM side.
    pub principal: IamPrincipal,
    /// Kubernetes username, templates unexpanded; empty when none is given.
    pub username: String,
    /// Kubernetes groups, sorted.
    pub groups: Vec<String>,
}

/// The IAM side of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum IamPrincipal {
    /// `mapRoles`: a role's ARN.
    Role(String),
    /// `mapRoles` with `sso`: an IAM Identity Center permission set of an account.
    PermissionSet {
        /// Name of the permission set.
        name: String,
        /// AWS account.
        account: String,
    },
    /// `mapUsers`: a user's ARN.
    User(String),
    /// `mapAccounts`: every principal of an account, under its own ARN and without groups.
    Account(String),
}

impl std::fmt::Display for IamPrincipal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Role(arn) | Self::User(arn) => formatter.write_str(arn),
            Self::PermissionSet { name, account } => write!(formatter, "permission set {name} of account {account}"),
            Self::Account(account) => write!(formatter, "every principal of account {account}"),
        }
    }
}

impl IamPrincipal {
    /// The AWS account it belongs to.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Role(arn) | Self::User(arn) => arn.split(':').nth(4).filter(|account| !account.is_empty()),
            Self::PermissionSet { account, .. } | Self::Account(account) => Some(account),
        }
    }
}

/// A trap of the format that somebody fell into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Pitfall {
    /// The section is not valid YAML: it loads as empty and everybody it mapped is locked out.
    Broken(String),
    /// Entries without a usable ARN; they are left out.
    Invalid(String, u64),
    /// A key under `data` that is none of the three sections, `maproles` for example: it is ignored.
    UnknownSection(String),
    /// A role ARN with a path never matches, because the caller's STS ARN has none.
    Path(String),
    /// There are no wildcards: an ARN with `*` matches nobody.
    Wildcard(String),
    /// The same ARN twice: the last one counts.
    Duplicate(String),
    /// A key that is read as one that an entry has already, or only looks like one.
    Lookalike(String),
    /// Entries with groups that are no list of texts.
    Unusable(String, u64),
    /// More than one YAML document in a section: the first one counts.
    SecondDocument(String),
}

impl std::fmt::Display for Pitfall {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(section) => {
                write!(formatter, "{section} is not valid YAML: it loads as empty, whoever it mapped is locked out")
            }
            Self::Invalid(section, 1) => write!(formatter, "1 entry of {section} has no usable ARN and is left out"),
            Self::Invalid(section, count) => {
                write!(formatter, "{count} entries of {section} have no usable ARN and are left out")
            }
            Self::UnknownSection(section) => {
                write!(formatter, "`{section}` is not a section that EKS reads; names are case-sensitive")
            }
            Self::Path(arn) => write!(formatter, "{arn} has a path, so it never matches; remove the path"),
            Self::Wildcard(arn) => {
                write!(formatter, "{arn} has a wildcard, which EKS does not know: it matches nobody")
            }
            Self::Duplicate(arn) => write!(formatter, "{arn} is mapped more than once; the last mapping counts"),
            Self::Lookalike(key) => {
                write!(
                    formatter,
                    "an entry says `{key}` twice, or with a key that only looks like it: somebody hides what is mapped"
                )
            }
            Self::Unusable(section, count) => write!(
                formatter,
                "groups of {count} of the entries of {section} are no list of names: such an entry loads without them, or the \
                 section loads as empty"
            ),
            Self::SecondDocument(section) => {
                write!(formatter, "{section} has more than one YAML document: only the first counts")
            }
        }
    }
}

/// What an entry may hold.
const KEYS: [&str; 6] = ["rolearn", "userarn", "username", "groups", "sso", "userid"];

const SECTIONS: [&str; 3] = ["mapRoles", "mapUsers", "mapAccounts"];

impl AwsAuth {
    /// Reads the `data` of the ConfigMap: section name and text.
    #[must_use]
    pub fn read<'d>(data: impl IntoIterator<Item = (&'d str, &'d str)>) -> Self {
        let mut out = Self::default();
        for (name, text) in data {
            if SECTIONS.contains(&name) {
                out.section(name, text);
            } else {
                out.pitfalls.push(Pitfall::UnknownSection(crate::text::name(name)));
            }
        }
        out.drop_overruled();
        out
    }

    fn section(&mut self, name: &str, text: &str) {
        // What the authenticator takes for nothing at all.
        if matches!(text.trim(), "" | "''" | "\"\"" | "``") {
            return;
        }
        let (text, rest) = first_document(text);
        // A mark, and comments behind it, are no document.
        let is_blank = |line: &str| matches!(line.trim_matches(['-', '.', ' ', '\t']).chars().next(), None | Some('#'));
        if !rest.lines().all(is_blank) {
            self.pitfalls.push(Pitfall::SecondDocument(name.to_owned()));
        }
        let Some(entries) = entries(&text) else {
            self.pitfalls.push(Pitfall::Broken(name.to_owned()));
            return;
        };
        let (mut invalid, mut unusable) = (0, 0);
        for entry in &entries {
            if let Some(members) = entry.as_object().map(Members) {
                self.pitfalls.extend(members.lookalikes(&KEYS).map(|key| Pitfall::Lookalike(key.to_owned())));
                unusable += u64::from(!members.has_texts("groups"));
            }
            match mapping(name, entry) {
                Some(mapping) => self.mappings.push(mapping),
                None => invalid += 1,
            }
        }
        if invalid > 0 {
            self.pitfalls.push(Pitfall::Invalid(name.to_owned(), invalid));
        }
        if unusable > 0 {
            self.pitfalls.push(Pitfall::Unusable(name.to_owned(), unusable));
        }
    }

    /// Of several mappings for one role the last counts; the others are pitfalls.
    fn drop_overruled(&mut self) {
        let mut seen = std::collections::HashSet::new();
        let mut kept: Vec<Mapping> = Vec::with_capacity(self.mappings.len());
        for mapping in self.mappings.drain(..).rev() {
            if let IamPrincipal::Role(arn) = &mapping.principal
                && arn.split_once(":role/").is_some_and(|(_, name)| name.contains('/'))
            {
                self.pitfalls.push(Pitfall::Path(crate::text::name(arn)));
            }
            if let IamPrincipal::Role(arn) | IamPrincipal::User(arn) = &mapping.principal
                && arn.contains('*')
            {
                self.pitfalls.push(Pitfall::Wildcard(crate::text::name(arn)));
            }
            if seen.insert(mapping.principal.clone()) {
                kept.push(mapping);
            } else {
                self.pitfalls.push(Pitfall::Duplicate(crate::text::name(&mapping.principal.to_string())));
            }
        }
        kept.reverse();
        self.mappings = kept;
    }

    /// Mappings of `self` that `other` does not have in the same form.
    #[must_use]
    pub fn without<'s>(&'s self, other: &Self) -> Vec<&'s Mapping> {
        let theirs: std::collections::HashSet<&Mapping> = other.mappings.iter().collect();
        self.mappings.iter().filter(|mapping| !theirs.contains(mapping)).collect()
    }

    /// Whether any mapping is for nodes.
    #[must_use]
    pub fn maps_nodes(&self) -> bool {
        self.mappings.iter().any(Mapping::is_for_nodes)
    }

    /// Whether any mapping leads to `group`.
    #[must_use]
    pub fn maps_to(&self, group: &str) -> bool {
        self.mappings.iter().any(|mapping| mapping.groups.iter().any(|held| held == group))
    }
}

impl Mapping {
    /// Whether it is about the role or user that an audit event names by `canonicalArn`. Paths do not count: the authenticator knows a
    /// role without its own.
    #[must_use]
    pub fn is_of(&self, canonical_arn: &str) -> bool {
        let parts = |arn: &str| {
            let (place, resource) = arn.rsplit_once(':')?;
            let (kind, path) = resource.split_once('/')?;
            let name = path.rsplit('/').next().unwrap_or_default();
            Some([place, kind, name].map(str::to_ascii_lowercase))
        };
        match &self.principal {
            IamPrincipal::Role(arn) | IamPrincipal::User(arn) => {
                parts(arn).is_some_and(|theirs| parts(canonical_arn) == Some(theirs))
            }
            IamPrincipal::Account(account) => canonical_arn.split(':').nth(4) == Some(account),
            IamPrincipal::PermissionSet { name, account } => {
                let role = canonical_arn.rsplit('/').next().unwrap_or_default();
                let set = role.strip_prefix("AWSReservedSSO_").and_then(|role| role.rsplit_once('_'));
                canonical_arn.split(':').nth(4) == Some(account) && set.is_some_and(|(set, _)| set == name)
            }
        }
    }

    /// The mapping that EKS documents for node roles, and nothing more (EKS user guide, "Grant IAM users access to
    /// Kubernetes with a ConfigMap").
    #[must_use]
    pub fn is_for_nodes(&self) -> bool {
        matches!(self.principal, IamPrincipal::Role(_))
            && NODE_USERNAMES.contains(&self.username.as_str())
            && !self.groups.is_empty()
            && self.groups.iter().all(|group| NODE_GROUPS.contains(&group.as_str()))
            && self.groups.iter().any(|group| group == "system:nodes")
    }
}

const NODE_USERNAMES: [&str; 2] = ["system:node:{{EC2PrivateDNSName}}", "system:node:{{SessionName}}"];
const NODE_GROUPS: [&str; 4] =
    ["system:bootstrappers", "system:nodes", "system:node-proxier", "eks:kube-proxy-windows"];

impl std::fmt::Display for Mapping {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.principal)?;
        match (self.username.as_str(), self.groups.as_slice()) {
            ("", []) => Ok(()),
            ("", groups) => write!(formatter, " in {}", groups.join(", ")),
            (username, []) => write!(formatter, " as {username}"),
            (username, groups) => write!(formatter, " as {username} in {}", groups.join(", ")),
        }
    }
}

/// The entries of a section; `None` when it is not a YAML list.
fn entries(text: &str) -> Option<Vec<Value>> {
    if text.len() > SECTION_BYTES_MAX {
        return None;
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        leading_zero_numbers_as_strings: true,
        budget: serde_saphyr::budget! { max_aliases: ALIASES_MAX, max_anchors: ALIASES_MAX, max_depth: DEPTH_MAX },
    };
    match serde_saphyr::from_str_with_options::<Value>(text, options).ok()? {
        Value::Array(entries) => Some(entries),
        Value::Null => Some(Vec::new()),
        _ => None,
    }
}

fn mapping(section: &str, entry: &Value) -> Option<Mapping> {
    if section == "mapAccounts" {
        let account = go::text(entry)?;
        return Some(Mapping {
            principal: IamPrincipal::Account(account),
            username: String::new(),
            groups: Vec::new(),
        });
    }
    let members = Members(entry.as_object()?);
    let text = |key: &str| members.text(key).unwrap_or_default();
    let mut groups = members.texts("groups");
    groups.sort();
    groups.dedup();
    let principal = match section {
        "mapUsers" => IamPrincipal::User(arn(&text("userarn"))?),
        _ => match members.objects("sso").as_slice() {
            [] => IamPrincipal::Role(arn(&text("rolearn"))?),
            sso => {
                let part = |key: &str| sso.iter().filter_map(|members| members.text(key)).next_back();
                IamPrincipal::PermissionSet { name: part("permissionSetName")?, account: part("accountID")? }
            }
        },
    };
    Some(Mapping { principal, username: text("username"), groups })
}

/// ARNs are compared in lower case, so that is the form kept.
fn arn(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_lowercase())
}

/// Longest section read as YAML: 1 MiB, the size limit of a whole ConfigMap.
pub const SECTION_BYTES_MAX: usize = 1 << 20;

/// Most YAML aliases of a section, and most anchors: a file written by hand may share a list of groups; a bomb needs more.
pub const ALIASES_MAX: usize = 100;

/// Deepest nesting of a section: a list of mappings with a list of groups is three deep.
pub const DEPTH_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::{AwsAuth, IamPrincipal, Mapping, Pitfall};

    fn read(roles: &str) -> AwsAuth {
        AwsAuth::read([("mapRoles", roles)])
    }

    #[test]
    fn every_form_of_mapping_is_read() {
        let map = AwsAuth::read([
            (
                "mapRoles",
                "- rolearn: arn:aws:iam::111122223333:role/Node\n  username: system:node:{{EC2PrivateDNSName}}\n  groups: [system:nodes, system:bootstrappers]\n- sso: {permissionSetName: Admin, accountID: \"111122223333\"}\n  username: admin\n  groups:\n  - system:masters\n",
            ),
            ("mapUsers", r#"[{"userarn":"arn:aws:iam::111122223333:user/Ann","username":"ann","groups":null}]"#),
            ("mapAccounts", "- \"012345678901\"\n- 444455556666\n"),
        ]);
        assert_eq!(map.pitfalls, []);
        assert_eq!(
            map.mappings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "arn:aws:iam::111122223333:role/node as system:node:{{EC2PrivateDNSName}} in system:bootstrappers, system:nodes",
                "permission set Admin of account 111122223333 as admin in system:masters",
                "arn:aws:iam::111122223333:user/ann as ann",
                "every principal of account 012345678901",
                "every principal of account 444455556666",
            ]
        );
        assert!(map.maps_nodes() && map.maps_to("system:masters"));
        assert_eq!(map.mappings[2].principal.account(), Some("111122223333"));
    }

    #[test]
    fn keys_inside_are_read_in_any_case_and_outside_exactly() {
        let map =
            AwsAuth::read([("mapRoles", "- roleARN: arn:aws:iam::1:role/a\n  UserName: x\n"), ("maproles", "[]")]);
        assert_eq!(map.mappings[0].username, "x");
        assert_eq!(map.pitfalls, [Pitfall::UnknownSection("maproles".to_owned())]);
    }

    #[test]
    fn broken_parts_cost_only_themselves() {
        let map = AwsAuth::read([
            ("mapRoles", "- rolearn: [\n"),
            ("mapUsers", "- userarn: arn:aws:iam::1:user/a\n- username: b\n- 7\n"),
        ]);
        assert_eq!(map.mappings.len(), 1);
        assert_eq!(map.pitfalls, [Pitfall::Broken("mapRoles".to_owned()), Pitfall::Invalid("mapUsers".to_owned(), 2)]);
        for text in ["", "  ", "''", "\"\"", "``", "[]", "null"] {
            assert_eq!(read(text), AwsAuth::default(), "{text}");
        }
        assert_eq!(read("{}").pitfalls, [Pitfall::Broken("mapRoles".to_owned())]);
    }

    #[test]
    fn of_two_mappings_for_one_role_the_last_counts() {
        let map = read(
            "- {rolearn: 'arn:aws:iam::1:role/A', username: one}\n- {rolearn: 'arn:aws:iam::1:role/a', username: two}\n",
        );
        assert_eq!(map.mappings.len(), 1);
        assert_eq!(map.mappings[0].username, "two");
        assert_eq!(map.pitfalls, [Pitfall::Duplicate("arn:aws:iam::1:role/a".to_owned())]);
    }

    #[test]
    fn a_role_with_a_path_never_matches() {
        let map = read("- rolearn: arn:aws:iam::1:role/team/a\n  groups: [system:masters]\n");
        assert_eq!(map.pitfalls, [Pitfall::Path("arn:aws:iam::1:role/team/a".to_owned())]);
        assert!(matches!(map.mappings[0].principal, IamPrincipal::Role(_)));
    }

    #[test]
    fn what_is_not_read_is_told() {
        let role = "- {rolearn: 'arn:aws:iam::1:role/a', groups: [x]}\n";
        for tail in ["", "---\n", "...\n# the end\n", "--- # the end\n\n"] {
            assert_eq!(read(&format!("{role}{tail}")).pitfalls, [], "{tail}");
        }
        for tail in ["---\n- x\n", "...\n# then\nx\n"] {
            let told = read(&format!("{role}{tail}")).pitfalls;
            assert_eq!(told, [Pitfall::SecondDocument("mapRoles".to_owned())], "{tail}");
        }
        let groups =
            |groups: &str| format!("- {{rolearn: 'arn:aws:iam::1:role/{}', groups: {groups}}}\n", groups.len());
        let unusable =
            read(&[groups("x"), groups("[[x]]"), groups("[x, null]"), groups("null"), groups("{x: y}")].concat());
        assert_eq!(unusable.pitfalls, [Pitfall::Unusable("mapRoles".to_owned(), 3)]);
    }

    #[test]
    fn alias_bombs_are_refused() {
        let mut text = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for (name, before) in [("b", "a"), ("c", "b"), ("d", "c"), ("e", "d"), ("f", "e"), ("g", "f"), ("h", "g")] {
            let nine = vec![format!("*{before}"); 9].join(",");
            text = format!("{text}{name}: &{name} [{nine}]\n");
        }
        assert_eq!(read(&text).pitfalls, [Pitfall::Broken("mapRoles".to_owned())]);
    }

    #[test]
    fn versions_are_compared_by_meaning() {
        let before = read("- {rolearn: 'arn:aws:iam::1:role/a', groups: [x, y]}\n");
        let reordered = read("\n- groups:\n  - y\n  - x\n  rolearn: arn:aws:iam::1:role/A\n\n");
        assert_eq!(before, reordered);
        let after = read("- {rolearn: 'arn:aws:iam::1:role/a', groups: [x, y, system:masters]}\n");
        assert_eq!(after.without(&before).len(), 1);
        assert_eq!(before.without(&after).len(), 1);
    }

    #[test]
    fn a_mapping_for_nodes_is_the_documented_one_and_nothing_more() {
        let role = IamPrincipal::Role("arn:aws:iam::111122223333:role/node".to_owned());
        let mapping = |principal: &IamPrincipal, username: &str, groups: &[&str]| Mapping {
            principal: principal.clone(),
            username: username.to_owned(),
            groups: groups.iter().map(ToString::to_string).collect(),
        };
        let (by_name, nodes) = ("system:node:{{EC2PrivateDNSName}}", ["system:bootstrappers", "system:nodes"]);
        assert!(mapping(&role, by_name, &nodes).is_for_nodes());
        assert!(mapping(&role, "system:node:{{SessionName}}", &["system:nodes", "system:node-proxier"]).is_for_nodes());
        let user = IamPrincipal::User("arn:aws:iam::111122223333:user/node".to_owned());
        for nearly in [
            mapping(&user, by_name, &nodes),
            mapping(&role, "system:node:{{AccountID}}", &nodes),
            mapping(&role, by_name, &[]),
            mapping(&role, by_name, &["system:bootstrappers"]),
            mapping(&role, by_name, &["system:nodes", "system:masters"]),
        ] {
            assert!(!nearly.is_for_nodes(), "{nearly}");
        }
    }

    #[test]
    fn a_mapping_is_of_whom_the_canonical_arn_names() {
        const OF_SSO: &str = "arn:aws:iam::111122223333:role/AWSReservedSSO_Ops_0123456789abcdef";
        let of = |principal, arn: &str| Mapping { principal, username: String::new(), groups: Vec::new() }.is_of(arn);
        let role = || IamPrincipal::Role("arn:aws:iam::111122223333:role/Admin".into());
        assert!(
            of(role(), "arn:aws:iam::111122223333:role/admin")
                && of(role(), "arn:aws:iam::111122223333:role/teams/admin")
        );
        for other in ["arn:aws:iam::444455556666:role/admin", "arn:aws:iam::111122223333:user/admin", "admin", ""] {
            assert!(!of(role(), other), "{other}");
        }
        let account = || IamPrincipal::Account("111122223333".into());
        assert!(
            of(account(), "arn:aws:iam::111122223333:user/x") && !of(account(), "arn:aws:iam::444455556666:user/x")
        );
        let set = || IamPrincipal::PermissionSet { name: "Ops".into(), account: "111122223333".into() };
        assert!(of(set(), OF_SSO) && !of(set(), &OF_SSO.replace("Ops", "Dev")));
    }

    #[test]
    fn each_pitfall_says_what_becomes_of_the_mapping() {
        let name = || "x".to_owned();
        for (pitfall, says) in [
            (Pitfall::Broken(name()), "whoever it mapped is locked out"),
            (Pitfall::Invalid(name(), 1), "1 entry of x has no usable ARN"),
            (Pitfall::Invalid(name(), 2), "2 entries of x have no usable ARN"),
            (Pitfall::UnknownSection(name()), "`x` is not a section that EKS reads"),
            (Pitfall::Path(name()), "x has a path, so it never matches"),
            (Pitfall::Wildcard(name()), "it matches nobody"),
            (Pitfall::Duplicate(name()), "the last mapping counts"),
        ] {
            assert!(pitfall.to_string().contains(says), "{pitfall}");
        }
    }
}
