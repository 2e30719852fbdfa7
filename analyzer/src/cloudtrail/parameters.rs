//! `requestParameters` of the calls that decide who gets into a cluster.
//!
//! Names are those of the EKS API. What stands in the path of a call (`principalArn`) is percent-encoded in some records.

use super::{object, text};
use crate::json::{JsonError, Kind, Reader};
use crate::text::percent_decoded;

/// What a call asked for; empty or `None` where it did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Name of the cluster.
    pub cluster: String,
    /// The IAM principal of an access entry.
    pub principal_arn: String,
    /// The access policy.
    pub policy_arn: String,
    /// The namespaces that an access policy is limited to; `None` for the whole cluster.
    pub namespaces: Option<Vec<String>>,
    /// Kubernetes groups of an access entry; `None` when the call leaves them as they are.
    pub groups: Option<Vec<String>>,
    /// Kubernetes username of an access entry.
    pub username: String,
    /// `STANDARD`, `EC2_LINUX`, ... of an access entry.
    pub entry_type: String,
    /// Namespace of a service account that gets an IAM role.
    pub namespace: String,
    /// Its name.
    pub service_account: String,
    /// The IAM role that it gets.
    pub role_arn: String,
    /// The IAM role, perhaps of another account, that this one is exchanged for.
    pub target_role_arn: String,
    /// Name of an EKS capability.
    pub capability: String,
    /// Whether people are made administrators of a capability.
    pub capability_admins: bool,
    /// Name of a managed add-on.
    pub addon: String,
    /// The IAM roles that the service accounts of an add-on get.
    pub addon_roles: Vec<String>,
    /// Control-plane logs switched on and off.
    pub logging: Option<Vec<LogTypes>>,
    /// Whether the endpoint can be reached from the internet.
    pub endpoint_public: Option<bool>,
    /// Whether it can be reached from inside the VPC.
    pub endpoint_private: Option<bool>,
    /// From which addresses the public endpoint can be reached.
    pub public_cidrs: Vec<String>,
    /// `CONFIG_MAP`, `API_AND_CONFIG_MAP` or `API`.
    pub authentication_mode: String,
    /// Whether the cluster can be deleted.
    pub deletion_protection: Option<bool>,
    /// The KMS keys that secrets are encrypted with.
    pub key_arns: Vec<String>,
    /// Issuer of an identity provider.
    pub issuer_url: String,
    /// A CloudWatch log group.
    pub log_group: String,
}

/// Log types switched on or off together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogTypes {
    /// `audit`, `api`, ...
    pub types: Vec<String>,
    /// On or off.
    pub enabled: Option<bool>,
}

impl Parameters {
    pub(super) fn read(json: &[u8]) -> Result<Self, JsonError> {
        let mut out = Self::default();
        object(&mut Reader::new(json), |key, reader| out.member(key, reader))?;
        out.principal_arn = percent_decoded(&out.principal_arn);
        Ok(out)
    }

    fn member(&mut self, key: &str, reader: &mut Reader<'_>) -> Result<(), JsonError> {
        match key {
            "name" | "clusterName" => self.cluster = text(reader)?,
            "principalArn" => self.principal_arn = text(reader)?,
            "policyArn" => self.policy_arn = percent_decoded(&text(reader)?),
            "accessScope" => self.namespaces = scope(reader)?,
            "kubernetesGroups" => self.groups = Some(texts(reader)?),
            "username" => self.username = text(reader)?,
            "type" => self.entry_type = text(reader)?,
            "namespace" => self.namespace = text(reader)?,
            "serviceAccount" => self.service_account = text(reader)?,
            "roleArn" => self.role_arn = text(reader)?,
            "capabilityName" => self.capability = text(reader)?,
            "configuration" if reader.peek()? == Kind::Object => self.capability_admins = makes_admins(reader)?,
            "addonName" => self.addon = text(reader)?,
            "serviceAccountRoleArn" => {
                let role = text(reader)?;
                self.addon_roles.extend((!role.is_empty()).then_some(role));
            }
            "podIdentityAssociations" => each(reader, |reader| {
                object(reader, |key, reader| match key {
                    "roleArn" => text(reader).map(|arn| self.addon_roles.push(arn)),
                    _ => reader.skip(),
                })
            })?,
            "targetRoleArn" => self.target_role_arn = text(reader)?,
            "logging" => self.logging = Some(logging(reader)?),
            "resourcesVpcConfig" => object(reader, |key, reader| {
                match key {
                    "endpointPublicAccess" => self.endpoint_public = flag(reader)?,
                    "endpointPrivateAccess" => self.endpoint_private = flag(reader)?,
                    "publicAccessCidrs" => self.public_cidrs = texts(reader)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })?,
            "accessConfig" => object(reader, |key, reader| match key {
                "authenticationMode" => text(reader).map(|mode| self.authentication_mode = mode),
                _ => reader.skip(),
            })?,
            "deletionProtection" => self.deletion_protection = flag(reader)?,
            "encryptionConfig" => each(reader, |reader| {
                object(reader, |key, reader| match key {
                    "provider" => object(reader, |key, reader| match key {
                        "keyArn" => text(reader).map(|arn| self.key_arns.push(arn)),
                        _ => reader.skip(),
                    }),
                    _ => reader.skip(),
                })
            })?,
            "oidc" => object(reader, |key, reader| match key {
                "issuerUrl" => text(reader).map(|url| self.issuer_url = url),
                _ => reader.skip(),
            })?,
            "logGroupName" => self.log_group = text(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    }
}

/// `configuration.argoCd.rbacRoleMappings` of a capability, or what an update adds to it: whether one of them has the role `ADMIN`.
fn makes_admins(reader: &mut Reader<'_>) -> Result<bool, JsonError> {
    let mut admins = false;
    object(reader, |key, reader| {
        if key != "argoCd" {
            return reader.skip();
        }
        object(reader, |key, reader| {
            if key != "rbacRoleMappings" {
                return reader.skip();
            }
            let mut mapping = |reader: &mut Reader<'_>| {
                object(reader, |key, reader| match key {
                    "role" => text(reader).map(|role| admins |= role == "ADMIN"),
                    _ => reader.skip(),
                })
            };
            match reader.peek()? {
                // An update says what it adds and what it removes.
                Kind::Object => object(reader, |key, reader| {
                    if key == "addOrUpdateRoleMappings" { each(reader, &mut mapping) } else { reader.skip() }
                }),
                _ => each(reader, mapping),
            }
        })
    })?;
    Ok(admins)
}

fn scope(reader: &mut Reader<'_>) -> Result<Option<Vec<String>>, JsonError> {
    let (mut kind, mut namespaces) = (String::new(), Vec::new());
    object(reader, |key, reader| {
        match key {
            "type" => kind = text(reader)?,
            "namespaces" => namespaces = texts(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok((kind == "namespace").then_some(namespaces))
}

fn logging(reader: &mut Reader<'_>) -> Result<Vec<LogTypes>, JsonError> {
    let mut out = Vec::new();
    object(reader, |key, reader| {
        if key != "clusterLogging" {
            return reader.skip();
        }
        each(reader, |reader| {
            let mut log = LogTypes::default();
            object(reader, |key, reader| {
                match key {
                    "types" => log.types = texts(reader)?,
                    "enabled" => log.enabled = flag(reader)?,
                    _ => reader.skip()?,
                }
                Ok(())
            })?;
            out.push(log);
            Ok(())
        })
    })?;
    Ok(out)
}

/// The elements of an array; any other value is stepped over.
fn each<'a>(
    reader: &mut Reader<'a>,
    element: impl FnMut(&mut Reader<'a>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    if reader.peek()? != Kind::Array {
        return reader.skip();
    }
    reader.array(element)
}

fn texts(reader: &mut Reader<'_>) -> Result<Vec<String>, JsonError> {
    let mut out = Vec::new();
    each(reader, |reader| {
        out.push(text(reader)?);
        Ok(())
    })?;
    Ok(out)
}

fn flag(reader: &mut Reader<'_>) -> Result<Option<bool>, JsonError> {
    match reader.peek()? {
        Kind::Bool => reader.bool().map(Some),
        Kind::String => Ok(match reader.string()?.as_ref() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }),
        _ => reader.skip().map(|()| None),
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    #[test]
    fn members_of_other_types_are_stepped_over() {
        let json = br#"{"name":3,"accessScope":"cluster","kubernetesGroups":null,"logging":{"clusterLogging":[{"types":["audit",4],"enabled":"false"},7]},"resourcesVpcConfig":[],"encryptionConfig":[{"provider":{"keyArn":"k"}}]}"#;
        let read = Parameters::read(json).unwrap();
        assert_eq!((read.cluster.as_str(), read.namespaces.as_ref()), ("", None));
        assert_eq!(read.logging.unwrap()[0].enabled, Some(false));
        assert_eq!(read.key_arns, ["k"]);
        assert!(Parameters::read(b"{\"name\":").is_err());
    }
}
