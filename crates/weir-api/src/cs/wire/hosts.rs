//! Mappings of names to addresses as requests and answers have them.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use weir_base::error::{CsError, codes};
use weir_control::cluster::{HostList, SentMapping};

/// One host name and one IPv4 address.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct HostIpInfo {
    /// Host name.
    #[serde(default, deserialize_with = "text_or_null")]
    #[schema(required = true, min_length = 1, example = "db.example")]
    hostname: String,
    /// IPv4 address.
    #[serde(default, deserialize_with = "text_or_null")]
    #[schema(required = true, min_length = 1, example = "10.0.0.8")]
    ip: String,
}

impl From<HostIpInfo> for SentMapping {
    fn from(info: HostIpInfo) -> Self {
        Self { hostname: info.hostname.trim().to_string(), ip: info.ip.trim().to_string() }
    }
}

/// Reads a text; null is as good as none.
fn text_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

/// Adds mappings.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct AddHostsInfoRequest {
    /// The mappings.
    #[schema(value_type = Vec<HostIpInfo>, required = true)]
    hosts_info: Option<Vec<HostIpInfo>>,
}

impl AddHostsInfoRequest {
    /// Returns the mappings that were sent.
    pub(crate) fn mappings(self) -> Vec<SentMapping> {
        self.hosts_info.unwrap_or_default().into_iter().map(SentMapping::from).collect()
    }
}

/// Updates a mapping.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct UpdateHostsInfoRequest {
    /// The mapping.
    #[schema(value_type = HostIpInfo, required = true)]
    hosts_info: Option<HostIpInfo>,
}

impl UpdateHostsInfoRequest {
    /// Returns the mapping that was sent.
    pub(crate) fn mapping(self) -> Result<SentMapping, CsError> {
        let missing = || codes::INVALID_REQUEST_BODY.error().because("hosts_info is missing.");
        self.hosts_info.map(SentMapping::from).ok_or_else(missing)
    }
}

/// Deletes mappings.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct DeleteHostsInfoRequest {
    /// The ids of the mappings.
    #[schema(value_type = Vec<i64>, required = true)]
    hosts_id: Option<Vec<i64>>,
}

impl DeleteHostsInfoRequest {
    /// Returns the ids that were sent.
    pub(crate) fn ids(self) -> Vec<i64> {
        self.hosts_id.unwrap_or_default()
    }
}

/// The id of a new mapping.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddHostsInfoResponsePayload {
    /// Mapping id.
    pub host_id: i64,
}

/// The answer to one added mapping.
#[derive(Debug, ToSchema)]
pub struct AddHostsInfoResponse {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
    /// The mapping.
    pub payload: AddHostsInfoResponsePayload,
}

/// The answer to an updated mapping.
#[derive(Debug, ToSchema)]
pub struct UpdateHostsInfoResponse {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
}

/// The answer to one deleted mapping.
#[derive(Debug, ToSchema)]
pub struct DeleteHostsInfoResponse {
    /// Message code, CS.NNNNN.
    pub message_id: String,
    /// Message text.
    pub message: String,
    /// Server time, milliseconds since the epoch.
    pub current_time: i64,
}

/// A mapping in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterHostsInfoItem {
    id: i64,
    info: HostIpInfo,
}

/// A page of mappings.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClusterHostsInfo {
    /// The page.
    hosts_info: Vec<ClusterHostsInfoItem>,
    /// Number of mappings that match, whatever the page.
    total: i32,
}

impl From<HostList> for ClusterHostsInfo {
    fn from(list: HostList) -> Self {
        let item = |host: weir_store::HostMapping| ClusterHostsInfoItem {
            id: host.id,
            info: HostIpInfo { hostname: host.hostname, ip: host.ip },
        };
        Self {
            total: i32::try_from(list.total).unwrap_or(i32::MAX),
            hosts_info: list.hosts.into_iter().map(item).collect(),
        }
    }
}
