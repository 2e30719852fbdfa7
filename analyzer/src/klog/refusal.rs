//! Why the API server refused a token, read from the one line that says so.

use super::KlogEntry;

/// Why a token was refused. Texts of `pkg/serviceaccount/{claims,legacy,jwt}.go`, Kubernetes 1.27 to 1.36.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenRefusal {
    /// A token of no known issuer: garbage, or an IAM token that the authenticator refused.
    Unrecognised,
    /// A service-account token past its end.
    Expired,
    /// A service-account token from the future.
    NotYetValid,
    /// The pod, node or Secret that the token was bound to is gone.
    Invalidated,
    /// The pod, node or Secret that the token was bound to has been replaced by another of the same name.
    ObjectReplaced,
    /// The service account is gone.
    AccountDeleted,
    /// The service account has been replaced by another of the same name.
    AccountReplaced,
    /// The Secret of a legacy token is gone.
    LegacyDeleted,
    /// The Secret of a legacy token holds another token now.
    LegacyReplaced,
    /// A legacy token that the clean-up had marked invalid.
    LegacyMarkedInvalid,
    /// A token made for somebody else, an IRSA token for example.
    WrongAudience,
    /// A token that names this cluster's issuer but is not signed by it.
    BadSignature,
    /// A token of another issuer.
    ForeignIssuer,
    /// A client certificate that is expired or not trusted.
    Certificate,
    /// A token of an `OpenID` Connect provider that was refused.
    Oidc,
    /// A text that no release known here writes.
    Unknown,
}

impl TokenRefusal {
    /// A stable word, in kebab case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unrecognised => "unrecognised",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Invalidated => "invalidated",
            Self::ObjectReplaced => "object-replaced",
            Self::AccountDeleted => "account-deleted",
            Self::AccountReplaced => "account-replaced",
            Self::LegacyDeleted => "legacy-deleted",
            Self::LegacyReplaced => "legacy-replaced",
            Self::LegacyMarkedInvalid => "legacy-marked-invalid",
            Self::WrongAudience => "wrong-audience",
            Self::BadSignature => "bad-signature",
            Self::ForeignIssuer => "foreign-issuer",
            Self::Certificate => "certificate",
            Self::Oidc => "oidc",
            Self::Unknown => "unknown",
        }
    }
}

/// A refusal with what its text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub cause: TokenRefusal,
    /// The service account, `namespace/name` or the name alone; empty when the text does not say.
    pub account: String,
    /// The Secret of a legacy token, `namespace/name`; empty when the text does not say.
    pub secret: String,
    /// The part of the text that told the cause.
    pub text: String,
}

impl KlogEntry<'_> {
    /// The refusal that this entry tells of.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        if self.file != "authentication.go" {
            return None;
        }
        let entry = self.structured();
        if entry.message.starts_with("unable to match the audience: ") {
            return Some(refusal(TokenRefusal::WrongAudience, &entry.message));
        }
        (entry.message == "Unable to authenticate the request")
            .then(|| Refusal::of(entry.field("err").unwrap_or_default()))
    }
}

impl Refusal {
    /// Reads the value of `err=`: one cause, or several as `[a, b]`.
    ///
    /// The authenticators of the loopback token and of IAM always refuse what is not theirs, so what they say counts only
    /// where nothing else is said.
    #[must_use]
    pub fn of(err: &str) -> Self {
        let inner = err.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(err);
        let parts: Vec<&str> = parts(inner).into_iter().filter(|part| !is_chorus(part)).collect();
        parts
            .iter()
            .find_map(|part| known(part))
            .or_else(|| parts.first().map(|part| refusal(TokenRefusal::Unknown, part)))
            .unwrap_or_else(|| refusal(TokenRefusal::Unrecognised, ""))
    }
}

fn refusal(cause: TokenRefusal, text: &str) -> Refusal {
    Refusal { cause, account: String::new(), secret: String::new(), text: text.to_owned() }
}

/// What says nothing about the token: the refusals of authenticators that it was not meant for, and the rest of texts
/// that hold a comma themselves.
fn is_chorus(part: &str) -> bool {
    matches!(part, "" | "invalid bearer token" | "unknown" | "no keys found")
        || part.starts_with("or remove the '")
        // A token that is not even a token.
        || (part.starts_with("go-jose/go-jose: ") || part.starts_with("square/go-jose: ")) && !is_signature(part)
}

fn is_signature(part: &str) -> bool {
    part.ends_with("error in cryptographic primitive") || part == "invalid signature"
}

fn known(part: &str) -> Option<Refusal> {
    let mismatch = part.contains(" does not match ");
    let cause = match part {
        "service account token has expired" => TokenRefusal::Expired,
        "service account token is not valid yet" | "service account token is issued in the future" => {
            TokenRefusal::NotYetValid
        }
        "service account token has been invalidated" => TokenRefusal::Invalidated,
        "Token has been invalidated" => TokenRefusal::LegacyDeleted,
        "Token does not match server's copy" => TokenRefusal::LegacyReplaced,
        _ if is_signature(part) => TokenRefusal::BadSignature,
        _ if part.starts_with("token audiences ") => TokenRefusal::WrongAudience,
        _ if part.starts_with("token issuer ") => TokenRefusal::ForeignIssuer,
        _ if part.starts_with("oidc: ") => TokenRefusal::Oidc,
        _ if part.starts_with("x509: ") || part.starts_with("verifying certificate ") => TokenRefusal::Certificate,
        _ if mismatch && ["pod UID (", "node UID (", "secret UID ("].iter().any(|start| part.starts_with(start)) => {
            TokenRefusal::ObjectReplaced
        }
        _ if mismatch && (part.starts_with("service account UID (") || part.starts_with("ServiceAccount UID (")) => {
            TokenRefusal::AccountReplaced
        }
        _ => return named(part),
    };
    Some(refusal(cause, part))
}

/// The causes whose text names an account or a Secret.
fn named(part: &str) -> Option<Refusal> {
    let between = |start: &str, end: &str| part.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let deleted = between("serviceaccounts \"", "\" not found")
        .or_else(|| between("service account ", " has been deleted"))
        .or_else(|| between("ServiceAccount ", " has been deleted"));
    if let Some(account) = deleted {
        return Some(Refusal { account: account.to_owned(), ..refusal(TokenRefusal::AccountDeleted, part) });
    }
    // "the token in secret NS/NAME for service account NS/SA has been marked invalid. Use tokens ..."; some releases
    // leave the word `secret` out.
    let rest = part.strip_prefix("the token in ")?;
    let (secret, rest) = rest.strip_prefix("secret ").unwrap_or(rest).split_once(" for service account ")?;
    let (account, _) = rest.split_once(" has been marked invalid")?;
    Some(Refusal {
        account: account.to_owned(),
        secret: secret.to_owned(),
        ..refusal(TokenRefusal::LegacyMarkedInvalid, part)
    })
}

/// Splits at `, ` outside of quotes.
fn parts(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            ',' if !quoted && text.get(at..).is_some_and(|rest| rest.starts_with(", ")) => {
                out.extend(text.get(start..at));
                start = at + 2;
            }
            _ => {}
        }
    }
    out.extend(text.get(start..));
    out.into_iter().map(str::trim).collect()
}

#[cfg(test)]
mod tests {
    use super::{Refusal, TokenRefusal};

    #[test]
    fn every_cause_is_told_from_the_others() {
        let rows = [
            ("invalid bearer token", TokenRefusal::Unrecognised),
            ("[invalid bearer token, unknown]", TokenRefusal::Unrecognised),
            ("", TokenRefusal::Unrecognised),
            (
                "[invalid bearer token, go-jose/go-jose: compact JWS format must have three parts]",
                TokenRefusal::Unrecognised,
            ),
            ("[invalid bearer token, service account token has expired]", TokenRefusal::Expired),
            ("[invalid bearer token, service account token is not valid yet]", TokenRefusal::NotYetValid),
            ("[invalid bearer token, service account token is issued in the future]", TokenRefusal::NotYetValid),
            ("[invalid bearer token, service account token has been invalidated, unknown]", TokenRefusal::Invalidated),
            ("pod UID (a) does not match service account pod ref claim (b)", TokenRefusal::ObjectReplaced),
            ("node UID (a) does not match service account node ref claim (b)", TokenRefusal::ObjectReplaced),
            ("secret UID (a) does not match service account secret ref claim (b)", TokenRefusal::ObjectReplaced),
            ("service account UID (a) does not match claim (b)", TokenRefusal::AccountReplaced),
            ("ServiceAccount UID (a) does not match claim (b)", TokenRefusal::AccountReplaced),
            ("Token has been invalidated", TokenRefusal::LegacyDeleted),
            ("Token does not match server's copy", TokenRefusal::LegacyReplaced),
            (
                r#"[invalid bearer token, token audiences ["sts.amazonaws.com"] is invalid for the target audiences ["https://kubernetes.default.svc"], unknown]"#,
                TokenRefusal::WrongAudience,
            ),
            ("[invalid bearer token, invalid signature, no keys found]", TokenRefusal::BadSignature),
            (
                "[invalid bearer token, go-jose/go-jose: error in cryptographic primitive, unknown]",
                TokenRefusal::BadSignature,
            ),
            (r#"token issuer "https://elsewhere" is invalid"#, TokenRefusal::ForeignIssuer),
            ("[x509: certificate has expired or is not yet valid: current time, x]", TokenRefusal::Certificate),
            ("oidc: token is expired", TokenRefusal::Oidc),
            ("[invalid bearer token, a text from the future]", TokenRefusal::Unknown),
        ];
        for (err, cause) in rows {
            assert_eq!(Refusal::of(err).cause, cause, "{err}");
        }
    }

    #[test]
    fn accounts_and_secrets_are_named_where_the_text_names_them() {
        let rows = [
            (r#"[invalid bearer token, serviceaccounts "robot" not found, unknown]"#, "robot", ""),
            ("service account ci/robot has been deleted", "ci/robot", ""),
            ("ServiceAccount ci/robot has been deleted", "ci/robot", ""),
            (
                "the token in secret ci/robot-token for service account ci/robot has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the 'x' label from the secret",
                "ci/robot",
                "ci/robot-token",
            ),
        ];
        for (err, account, secret) in rows {
            let refusal = Refusal::of(err);
            assert_eq!((refusal.account.as_str(), refusal.secret.as_str()), (account, secret), "{err}");
        }
    }

    #[test]
    fn a_text_inside_quotes_is_not_taken_for_a_cause() {
        let err = r#"[invalid bearer token, token issuer "x, service account token has expired, \", y" is invalid]"#;
        assert_eq!(Refusal::of(err).cause, TokenRefusal::ForeignIssuer);
    }
}
