//! The fields of a create or update request of a cluster, and the rules of each. Pure: no stored state is read.

use weir_base::error::{CsError, codes};
use weir_base::ipv4::Ipv4Network;
use weir_store::ClusterDefinition;

use super::capacity::{ClusterOptions, MOST_SPUS};
use crate::fields::check_tags;

/// Longest name in bytes.
const NAME_BYTES: usize = 100;
/// Longest description in bytes.
const DESC_BYTES: usize = 512;

/// `manager_node_spu`, where what is no text has the same code as a wrong size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ManagerNode {
    /// Not sent.
    #[default]
    Absent,
    /// Sent as a text.
    Text(String),
    /// Sent as something else.
    NoText,
}

/// The fields as sent; `None` is absent or null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)] // The names and meanings are those of `ClusterDefinition`.
pub struct SentCluster {
    pub name: Option<String>,
    pub desc: Option<String>,
    pub maximum_spu_quota: Option<i64>,
    /// Create only.
    pub vpc_cidr: Option<String>,
    /// Create only.
    pub subnet_cidr: Option<String>,
    /// Create only.
    pub subnet_gateway: Option<String>,
    pub tags: Option<String>,
    pub sys_enterprise_project_id: Option<String>,
    pub manager_node_spu: ManagerNode,
}

impl SentCluster {
    /// Checks what is sent and returns a definition in which it replaces what `base` has.
    pub(super) fn over(
        &self,
        base: &ClusterDefinition,
        options: &ClusterOptions,
    ) -> Result<ClusterDefinition, CsError> {
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        if self.desc.as_ref().is_some_and(|desc| desc.len() > DESC_BYTES) {
            return Err(codes::CLUSTER_DESC_TOO_LONG.error());
        }
        let maximum_spu_quota = self.maximum_spu_quota.unwrap_or(base.maximum_spu_quota);
        if maximum_spu_quota < 1 {
            return Err(codes::SPU_QUOTA_NOT_POSITIVE.error());
        }
        if maximum_spu_quota > MOST_SPUS {
            return Err(codes::CLUSTER_SPU_LIMIT_EXCEEDED.error());
        }
        let text = |sent: &Option<String>, base: &String| sent.as_ref().unwrap_or(base).trim().to_string();
        let definition = ClusterDefinition {
            desc: self.desc.clone().unwrap_or_else(|| base.desc.clone()),
            maximum_spu_quota,
            manager_node_spu: base.manager_node_spu,
            vpc_cidr: text(&self.vpc_cidr, &base.vpc_cidr),
            subnet_cidr: text(&self.subnet_cidr, &base.subnet_cidr),
            subnet_gateway: text(&self.subnet_gateway, &base.subnet_gateway),
            tags: self.tags.clone().or_else(|| base.tags.clone()),
            sys_enterprise_project_id: self
                .sys_enterprise_project_id
                .clone()
                .or_else(|| base.sys_enterprise_project_id.clone()),
        };
        check_network(&definition)?;
        check_tags(self.tags.as_deref().unwrap_or_default(), codes::CLUSTER_BODY_INVALID)?;
        let manager_node_spu = match &self.manager_node_spu {
            ManagerNode::Absent => base.manager_node_spu,
            sent => manager_node(sent, options)?,
        };
        Ok(ClusterDefinition { manager_node_spu, ..definition })
    }
}

/// Checks a name that is sent.
fn check_name(name: &str) -> Result<(), CsError> {
    if name.trim().is_empty() {
        return Err(codes::CLUSTER_NAME_EMPTY.error());
    }
    if name.len() > NAME_BYTES {
        return Err(codes::CLUSTER_NAME_TOO_LONG.error());
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Err(codes::CLUSTER_NAME_INVALID.error());
    }
    Ok(())
}

/// The subnet lies in the network, and the gateway is a host of the subnet.
fn check_network(definition: &ClusterDefinition) -> Result<(), CsError> {
    let invalid = |reason: String| codes::CLUSTER_NETWORK_INVALID.error().because(reason);
    let network = |name: &str, text: &str| {
        text.parse::<Ipv4Network>()
            .map_err(|_| invalid(format!("{name} is `{text}` and no network such as 172.16.0.0/23.")))
    };
    let ClusterDefinition { vpc_cidr, subnet_cidr, subnet_gateway, .. } = definition;
    let (vpc, subnet) = (network("vpc_cidr", vpc_cidr)?, network("subnet_cidr", subnet_cidr)?);
    if !vpc.covers(subnet) {
        return Err(invalid(format!("The subnet {subnet} is not inside the network {vpc}.")));
    }
    if !subnet_gateway.parse().is_ok_and(|gateway| subnet.has_host(gateway)) {
        return Err(invalid(format!("subnet_gateway is `{subnet_gateway}` and no host of {subnet}.")));
    }
    Ok(())
}

fn manager_node(sent: &ManagerNode, options: &ClusterOptions) -> Result<i64, CsError> {
    let size = match sent {
        ManagerNode::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i64>().ok(),
        _ => None,
    };
    size.filter(|size| options.manager_nodes.contains_key(size)).ok_or_else(|| {
        let sizes: Vec<String> = options.manager_nodes.keys().map(|size| format!("\"{size}\"")).collect();
        codes::MANAGER_NODE_SPU_INVALID.error().because(format!("The sizes are {}.", sizes.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(sent: SentCluster) -> u32 {
        let checked = sent.over(&ClusterDefinition::default(), &ClusterOptions::default());
        checked.err().map_or(0, |error| error.code.0)
    }

    fn network(vpc: &str, subnet: &str, gateway: &str) -> u32 {
        let text = |text: &str| Some(text.to_string());
        code(SentCluster {
            vpc_cidr: text(vpc),
            subnet_cidr: text(subnet),
            subnet_gateway: text(gateway),
            ..SentCluster::default()
        })
    }

    #[test]
    fn the_first_wrong_field_of_the_schema_counts() {
        let wrong = SentCluster {
            name: Some("a".into()),
            desc: Some("x".repeat(513)),
            maximum_spu_quota: Some(0),
            vpc_cidr: Some("x".into()),
            manager_node_spu: ManagerNode::NoText,
            ..SentCluster::default()
        };
        assert_eq!(code(wrong.clone()), 20010);
        let wrong = SentCluster { desc: None, ..wrong };
        assert_eq!(code(wrong.clone()), 20012);
        let wrong = SentCluster { maximum_spu_quota: Some(401), ..wrong };
        assert_eq!(code(wrong.clone()), 20003);
        let wrong = SentCluster { maximum_spu_quota: Some(400), ..wrong };
        assert_eq!(code(wrong.clone()), 20022);
        assert_eq!(code(SentCluster { vpc_cidr: None, ..wrong }), 20023);
    }

    #[test]
    fn names_count_bytes_before_characters() {
        let named = |name: &str| code(SentCluster { name: Some(name.into()), ..SentCluster::default() });
        assert_eq!(named(" "), 20008);
        assert_eq!(named(&"é".repeat(51)), 20009);
        assert_eq!(named(&"é".repeat(50)), 20011);
        assert_eq!(named(&"x".repeat(100)), 0);
    }

    #[test]
    fn subnet_and_gateway_lie_where_they_should() {
        assert_eq!(network("10.0.0.0/8", "10.1.0.0/16", "10.1.0.1"), 0);
        assert_eq!(network("10.0.0.0/8", "11.1.0.0/16", "11.1.0.1"), 20022);
        assert_eq!(network("10.0.0.0/8", "10.1.0.0/16", "10.2.0.1"), 20022);
        assert_eq!(network("10.0.0.0/8", "10.1.0.0/16", "10.1.255.255"), 20022);
        assert_eq!(network("10.0.0.1/8", "10.1.0.0/16", "10.1.0.1"), 20022);
    }

    #[test]
    fn tags_are_bounded_as_those_of_jobs_are() {
        let tagged = |tags: String| code(SentCluster { tags: Some(tags), ..SentCluster::default() });
        assert_eq!(tagged("team=a,stage=test".into()), 0);
        assert_eq!(tagged(["a=b"; 21].join(",")), 20002);
        assert_eq!(tagged("k".repeat(129)), 20002);
    }

    #[test]
    fn manager_nodes_have_sizes() {
        let sized = |node| code(SentCluster { manager_node_spu: node, ..SentCluster::default() });
        assert_eq!(sized(ManagerNode::Text("16".into())), 0);
        for wrong in ["3", "", "+2", "x"] {
            assert_eq!(sized(ManagerNode::Text(wrong.into())), 20023, "{wrong}");
        }
        assert_eq!(sized(ManagerNode::NoText), 20023);
    }
}
