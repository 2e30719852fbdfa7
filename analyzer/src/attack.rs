//! The MITRE ATT&CK techniques that detections name, each written down once.

/// A technique of ATT&CK for Enterprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Technique {
    /// `T1098.006`
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The tactic it serves here, id and name.
    pub tactic: (&'static str, &'static str),
}

const PERSISTENCE: (&str, &str) = ("TA0003", "Persistence");
const PRIVILEGE_ESCALATION: (&str, &str) = ("TA0004", "Privilege Escalation");
const DEFENSE_EVASION: (&str, &str) = ("TA0005", "Defense Evasion");
const CREDENTIAL_ACCESS: (&str, &str) = ("TA0006", "Credential Access");
const DISCOVERY: (&str, &str) = ("TA0007", "Discovery");
const INITIAL_ACCESS: (&str, &str) = ("TA0001", "Initial Access");
const IMPACT: (&str, &str) = ("TA0040", "Impact");

macro_rules! techniques {
    ($($constant:ident = $id:literal, $name:literal, $tactic:ident;)+) => {
        $(
            #[doc = concat!($id, " ", $name)]
            pub const $constant: Technique = Technique { id: $id, name: $name, tactic: $tactic };
        )+
    };
}

techniques! {
    ADDITIONAL_CLUSTER_ROLES = "T1098.006", "Account Manipulation: Additional Container Cluster Roles", PRIVILEGE_ESCALATION;
    ADDITIONAL_CLOUD_ROLES = "T1098.003", "Account Manipulation: Additional Cloud Roles", PERSISTENCE;
    ACCOUNT_ACCESS_REMOVAL = "T1531", "Account Access Removal", IMPACT;
    CLOUD_ACCOUNTS = "T1078.004", "Valid Accounts: Cloud Accounts", INITIAL_ACCESS;
    DEFAULT_ACCOUNTS = "T1078.001", "Valid Accounts: Default Accounts", INITIAL_ACCESS;
    APPLICATION_ACCESS_TOKEN = "T1550.001", "Use Alternate Authentication Material: Application Access Token", DEFENSE_EVASION;
    STEAL_APPLICATION_TOKEN = "T1528", "Steal Application Access Token", CREDENTIAL_ACCESS;
    CONTAINER_API_CREDENTIALS = "T1552.007", "Unsecured Credentials: Container API", CREDENTIAL_ACCESS;
    FORGE_CERTIFICATES = "T1649", "Steal or Forge Authentication Certificates", CREDENTIAL_ACCESS;
    TOKEN_MANIPULATION = "T1134", "Access Token Manipulation", PRIVILEGE_ESCALATION;
    CLOUD_GROUPS_DISCOVERY = "T1069.003", "Permission Groups Discovery: Cloud Groups", DISCOVERY;
    DISABLE_CLOUD_LOGS = "T1562.008", "Impair Defenses: Disable or Modify Cloud Logs", DEFENSE_EVASION;
    IMPAIR_DEFENSES = "T1562", "Impair Defenses", DEFENSE_EVASION;
    MASQUERADE_NAME = "T1036.005", "Masquerading: Match Legitimate Resource Name or Location", DEFENSE_EVASION;
    EXPLOIT_PUBLIC_FACING = "T1190", "Exploit Public-Facing Application", INITIAL_ACCESS;
}
