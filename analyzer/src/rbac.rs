//! Kubernetes RBAC: rules, what they permit, what that is worth to an attacker.
