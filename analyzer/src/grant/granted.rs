//! What a binding to a role gives, whoever receives it.

use super::reasons;
use crate::case::Case;
use crate::rbac::{self, Assessment, PolicyRule, RoleRef, Scope, Subject, assess};
use crate::severity::Severity;
use crate::text;

/// What a binding to a role gives.
pub(super) struct Granted {
    pub(super) rules: Option<Vec<PolicyRule>>,
    pub(super) assessment: Assessment,
    pub(super) words: String,
    /// What the table of stock roles says, for those that it grades by name.
    pub(super) why: &'static str,
    pub(super) grade: Option<Severity>,
}

impl Granted {
    pub(super) fn of(case: &Case<'_>, role: &RoleRef, namespace: &str, scope: &Scope) -> Self {
        let rules = case.rules_of(role, namespace);
        let assessment = rules.as_deref().map(|rules| assess(rules, scope)).unwrap_or_default();
        let place = match scope {
            Scope::Cluster => "in the whole cluster".to_owned(),
            Scope::Namespace(namespace) => format!("in namespace {}", text::name(namespace)),
        };
        let stock_namespace = (role.kind == rbac::RoleKind::Role).then_some(namespace);
        let stock = rbac::stock::role(role.kind, stock_namespace, &role.name);
        // One that was given more than it is shipped with is no longer what the table says.
        let as_shipped = |stock: &rbac::stock::StockRole| {
            rules.as_deref().is_some_and(|rules| rbac::gained(&stock.rules, rules).is_empty())
        };
        let why = stock.as_ref().filter(|stock| as_shipped(stock)).map_or("", |stock| stock.why);
        let by_name = rbac::stock::grade(role, namespace_of(scope), &Subject::User(String::new()));
        let grade = match &rules {
            Some(_) if why.is_empty() && stock.is_some() => assessment.severity.max(by_name),
            Some(_) if why.is_empty() => assessment.severity,
            Some(_) => by_name,
            // Nobody has seen the role's rules: high until somebody does.
            None => Some(Severity::High),
        };
        Self { words: format!("{} {place}", text::name(&role.name)), rules, assessment, why, grade }
    }

    /// The grade before it is known who receives it. Roles of EKS are meant for EKS alone.
    pub(super) fn base(&self, role: &RoleRef, subject: &Subject) -> Option<Severity> {
        if role.name.starts_with("eks:") {
            return rbac::stock::grade(role, None, subject).max(self.assessment.severity);
        }
        self.grade
    }

    /// The role, where it holds, and for a role of somebody's own what that is worth.
    pub(super) fn phrase(&self, scope: &Scope) -> String {
        let rules = self.rules.as_deref().unwrap_or_default();
        if !self.why.is_empty() || self.assessment.severity < Some(Severity::Medium) {
            return self.words.clone();
        }
        format!("{}: {}", self.words, text::name(&rbac::headline(&self.assessment, rules, scope)))
    }

    pub(super) fn reasons(&self) -> Vec<String> {
        if !self.why.is_empty() {
            return vec![format!("The role gives: {}.", self.why)];
        }
        match &self.rules {
            None => {
                vec!["The role's rules have not been seen, so it is treated as powerful until they are.".to_owned()]
            }
            Some(rules) if rules.is_empty() => vec!["The role has no rules at present.".to_owned()],
            Some(_) if self.assessment.risks.is_empty() => {
                vec!["Nothing in the role is known to be dangerous.".to_owned()]
            }
            Some(_) => reasons(&self.assessment, "Whoever holds it"),
        }
    }
}

fn namespace_of(scope: &Scope) -> Option<&str> {
    match scope {
        Scope::Cluster => None,
        Scope::Namespace(namespace) => Some(namespace),
    }
}
