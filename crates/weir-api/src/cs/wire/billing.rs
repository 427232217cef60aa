//! What travels about money.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_control::AccountView;
use weir_store::{BilledLine, Metered};

use super::people::BillingUnit;

/// What costs.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BilledType {
    /// A job of the shared cluster.
    Job,
    /// An exclusive cluster.
    Cluster,
}

/// What a stretch of use has cost at one price.
#[derive(Debug, Serialize, ToSchema)]
pub struct BillingEntry {
    /// What was used.
    pub resource_type: BilledType,
    /// Its id.
    pub resource_id: String,
    /// Its name.
    #[schema(required = false)]
    pub resource_name: String,
    /// SPUs.
    #[schema(value_type = i32)]
    pub spu: i64,
    /// Hours.
    pub hours: f64,
    /// Per SPU and hour.
    pub price: f64,
    /// What it has cost.
    pub charge: f64,
    /// Milliseconds since the epoch.
    pub begin_time: i64,
    /// Milliseconds since the epoch.
    pub end_time: i64,
}

/// Charges.
#[derive(Debug, Serialize, ToSchema)]
pub struct BillingHistoryPayload {
    /// How many there are in all.
    pub total: i32,
    /// What all of them come to.
    pub total_charge: f64,
    /// Unit of charges and prices.
    pub billing_unit: BillingUnit,
    /// Those of the page, those that began last first.
    pub entries: Vec<BillingEntry>,
}

/// Money for the account.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TopUpRequest {
    /// More than 0, with at most six places after the point.
    #[schema(value_type = f64, exclusive_minimum = 0.0)]
    pub(crate) amount: serde_json::Number,
}

/// The account.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountPayload {
    /// What it has; negative for what it owes.
    pub balance: f64,
    /// Unit of the balance.
    pub billing_unit: BillingUnit,
    /// Whether it may start nothing because it owes.
    pub frozen: bool,
}

/// Milliseconds of an hour.
const HOUR: f64 = 3_600_000.0;

impl From<BilledLine> for BillingEntry {
    #[allow(clippy::cast_precision_loss)] // Exact for hundreds of thousands of years.
    fn from(line: BilledLine) -> Self {
        Self {
            resource_type: match line.what {
                Metered::Job => BilledType::Job,
                Metered::Cluster => BilledType::Cluster,
            },
            resource_id: line.id.to_string(),
            resource_name: line.name,
            spu: line.spus,
            hours: line.millis as f64 / HOUR,
            price: line.price.as_f64(),
            charge: line.charge.as_f64(),
            begin_time: line.begin.0,
            end_time: line.end.0,
        }
    }
}

impl AccountPayload {
    /// Shows an account.
    pub fn new(account: AccountView, billing_unit: BillingUnit) -> Self {
        Self { balance: account.balance.as_f64(), billing_unit, frozen: account.frozen }
    }
}
