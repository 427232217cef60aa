//! The account of a project: its balance, what it may spend, top-ups, and what it was charged for.

use weir_base::audit::{AuditRecord, Change};
use weir_base::error::{CsError, codes};
use weir_base::id::ProjectId;
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_store::{BilledLine, BillingFilter, Store, StoreError};

use super::settlement;
use crate::audit::{self, Subject};
use crate::billing::{Unit, pricing};
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::success;

/// An account as its owner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountView {
    /// What it has; negative for what it owes.
    pub balance: Money,
    /// Whether it may start nothing because it owes.
    pub frozen: bool,
}

/// Charges of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// How many there are in all.
    pub total: i64,
    /// What all of them come to.
    pub charge: Money,
    /// Those of the page.
    pub lines: Vec<BilledLine>,
}

/// Adds to the balance of an account on behalf of the operator, whether the service runs or not, with a record in each of
/// the projects that it pays for. Returns the balance.
pub async fn operator_top_up(
    store: &Store,
    domain: &str,
    amount: Money,
    projects: &[ProjectId],
    now: Timestamp,
) -> Result<Money, StoreError> {
    let audit = of_operated_account(domain, "topUpAccount", projects, now);
    store.book(&settlement::top_up(domain, amount, "by the operator", now), &audit).await
}

/// Returns the records of what the operator says of an account (domain): one in each of its projects.
pub fn of_operated_account(
    domain: &str,
    event: &'static str,
    projects: &[ProjectId],
    now: Timestamp,
) -> Vec<AuditRecord> {
    let change = Change { service: "CS", resource_type: "account", event };
    projects.iter().map(|project| AuditRecord::of_operator(project, change, now).about(domain, "")).collect()
}

impl Control {
    /// Returns the unit of all money.
    pub fn billing_unit(&self) -> Unit {
        self.options.billing.as_ref().map_or(Unit::default(), |billing| billing.unit)
    }

    /// Refuses an account that owes, with CS.10009.
    pub async fn check_not_frozen(&self, domain: &str) -> Result<(), CsError> {
        let account = self.account(domain).await.map_err(fault)?;
        if account.frozen {
            return Err(codes::ACCOUNT_FROZEN
                .error()
                .because(format!("The balance is {}.", account.balance)));
        }
        Ok(())
    }

    /// Refuses what the account of a project cannot pay for an hour, with CS.10014.
    pub(crate) async fn check_affords(&self, caller: &Caller, spus: i64) -> Result<(), CsError> {
        let Some(billing) = &self.options.billing else { return Ok(()) };
        let price = pricing::per_hour(billing.price, spus);
        let balance = self.store.balance(&self.payer(caller).await?).await.map_err(fault)?;
        if balance < price {
            return Err(codes::PERMISSION_OR_BALANCE_INSUFFICIENT
                .error()
                .because(format!("{spus} SPUs cost {price} an hour, the balance is {balance}.")));
        }
        Ok(())
    }

    /// Adds to the balance of the caller's account.
    pub async fn top_up(&self, caller: &Caller, amount: Money) -> Result<AccountView, CsError> {
        if self.options.billing.is_none() {
            return Err(codes::API_NOT_SUPPORTED
                .error()
                .because("This installation does not meter; nothing has to be paid."));
        }
        let domain = self.payer(caller).await?;
        let now = self.now();
        let subject = Subject { resource_type: "account", id: &domain, name: "" };
        let audit = audit::of_success(caller, "topUpAccount", subject, success::ACCOUNT_TOPPED_UP, now);
        let note = format!("by {}", caller.user_name);
        let entry = settlement::top_up(&domain, amount, &note, now);
        self.store.book(&entry, &[audit]).await.map_err(|error| match error {
            StoreError::Unbalanced => {
                codes::INVALID_REQUEST_BODY.error().because("The balance would be too large to be kept.")
            }
            other => fault(other),
        })?;
        tracing::info!(domain, %amount, "account topped up");
        let left = self.restore_paid(Some(&domain), now).await.map_err(fault)?;
        if let Some((cluster, reason)) = left.into_iter().next() {
            return Err(codes::RESTORE_FROZEN_CLUSTER_FAILED
                .error()
                .because(format!("The amount is added; cluster {cluster} is not started: {reason}")));
        }
        self.account(&domain).await.map_err(fault)
    }

    /// Charges for what was used until now. The caller sees its account after that.
    pub async fn settle_now(&self, caller: &Caller) -> Result<AccountView, CsError> {
        let domain = self.payer(caller).await?;
        let now = self.now();
        self.settle(now).await.map_err(fault)?;
        let left = self.stop_unpaid(Some(&domain), now).await.map_err(fault)?;
        if let Some((cluster, reason)) = left.into_iter().next() {
            return Err(codes::ARREARS_STOP_CLUSTER_FAILED
                .error()
                .because(format!("It is cluster {cluster}: {reason}.")));
        }
        // Not with the charges, which the service makes by itself every minute: whether the call succeeds is known here, and it has
        // one record.
        let subject = Subject { resource_type: "account", id: &domain, name: "" };
        let audit = audit::of_success(caller, "settleAccount", subject, success::ACCOUNT_SETTLED, now);
        self.store.write_audit(&audit).await.map_err(fault)?;
        self.account(&domain).await.map_err(fault)
    }

    /// Refuses to show what a project is charged for to those who see only what is theirs in it.
    pub fn check_sees_charges(&self, caller: &Caller) -> Result<(), CsError> {
        if !caller.role.reads_project() {
            let reason = "What the project is charged for is shown to administrators and readers.";
            return Err(codes::NO_PERMISSION.error().because(reason));
        }
        Ok(())
    }

    /// Returns what the caller's project was charged for, newest first.
    pub async fn billing_history(
        &self,
        caller: &Caller,
        filter: &BillingFilter,
        offset: i64,
        limit: i64,
    ) -> Result<History, CsError> {
        let unreadable = |error: StoreError| {
            tracing::error!(%error, "the billing history could not be read");
            codes::QUERY_BILLING_HISTORY_FAILED.error().because(format!("{error}."))
        };
        let (total, charge) = self.store.count_charges(&caller.project, filter).await.map_err(unreadable)?;
        let lines = self.store.charges(&caller.project, filter, offset, limit).await.map_err(unreadable)?;
        Ok(History { total, charge, lines })
    }

    async fn account(&self, domain: &str) -> Result<AccountView, StoreError> {
        let balance = self.store.balance(domain).await?;
        Ok(AccountView { balance, frozen: self.options.billing.is_some() && balance < Money::ZERO })
    }

    /// Returns the account that pays for the caller's project.
    async fn payer(&self, caller: &Caller) -> Result<String, CsError> {
        let unknown =
            || codes::IAM_REQUEST_FAILED.error().because("The account of the project cannot be looked up.");
        self.account_of(&caller.project.0).await.ok_or_else(unknown)
    }
}
