//! The audit trail's chain in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::MemoryUnit;
use super::rows::AuditLine as Row;
use crate::error::Result;
use crate::port::store::AuditRepository;
use crate::record::{AuditLine, Month, Seal};
use crate::time::Timestamp;

fn line(row: &Row) -> AuditLine {
    let record = &row.record;
    AuditLine {
        id: row.number,
        at: record.at,
        who: row.actor.clone(),
        action: record.action.to_owned(),
        subject: record.subject,
        detail: record.detail.clone(),
    }
}

impl MemoryUnit {
    fn lines(&self) -> impl Iterator<Item = AuditLine> + '_ {
        self.world.audit.iter().map(line)
    }

    fn uncovered(&self) -> impl Iterator<Item = AuditLine> + '_ {
        self.lines().filter(|line| !self.world.seals.iter().any(|seal| seal.ids.contains(line.id)))
    }
}

#[async_trait]
impl AuditRepository for MemoryUnit {
    async fn last_seal(&mut self) -> Result<Option<Seal>> {
        self.platform_only()?;
        Ok(self.world.seals.last().cloned())
    }

    async fn settled(&mut self, before: Timestamp) -> Result<i64> {
        self.platform_only()?;
        let old = self.world.seals.iter().filter(|seal| seal.at < before);
        Ok(old.filter_map(|seal| seal.ids.last()).max().unwrap_or(0))
    }

    async fn unsealed(&mut self, month: Month, settled: i64, limit: u32) -> Result<Vec<AuditLine>> {
        self.platform_only()?;
        let of = |line: &AuditLine| line.id > settled && Month::of(line.at) == month;
        Ok(self.uncovered().filter(of).take(limit as usize).collect())
    }

    async fn count_waiting(&mut self, month: Month, settled: i64) -> Result<u64> {
        self.platform_only()?;
        Ok(self.uncovered().filter(|line| line.id > settled && Month::of(line.at) == month).count() as u64)
    }

    async fn strays(&mut self, month: Month, settled: i64, limit: u32) -> Result<Vec<i64>> {
        self.platform_only()?;
        let strays = self.uncovered().filter(|line| line.id <= settled && Month::of(line.at) == month);
        Ok(strays.map(|line| line.id).take(limit as usize).collect())
    }

    async fn append_seal(&mut self, seal: &Seal) -> Result<()> {
        self.platform_only()?;
        self.change().seals.insert(seal.clone(), "audit.seal")
    }

    async fn seals(&mut self, after: i64, limit: u32) -> Result<Vec<Seal>> {
        self.platform_only()?;
        Ok(self.world.seals.from(after + 1).take(limit as usize).cloned().collect())
    }

    async fn lines_of(&mut self, seal: &Seal) -> Result<Vec<AuditLine>> {
        self.platform_only()?;
        Ok(self.lines().filter(|line| seal.ids.contains(line.id)).collect())
    }

    async fn months(&mut self) -> Result<Vec<Month>> {
        self.platform_only()?;
        let months: BTreeSet<Month> = self.lines().map(|line| Month::of(line.at)).collect();
        Ok(months.into_iter().collect())
    }

    async fn count_lines(&mut self, month: Month) -> Result<u64> {
        self.platform_only()?;
        Ok(self.lines().filter(|line| Month::of(line.at) == month).count() as u64)
    }

    async fn count_sealed(&mut self, month: Month) -> Result<u64> {
        self.platform_only()?;
        Ok(self.world.seals.iter().filter(|seal| seal.month == month).map(|seal| u64::from(seal.lines)).sum())
    }

    async fn is_let_go(&mut self, month: Month) -> Result<bool> {
        self.platform_only()?;
        Ok(self.world.seals.iter().any(|seal| seal.month == month && seal.lets_go()))
    }

    async fn drop_month(&mut self, month: Month) -> Result<bool> {
        if !self.is_let_go(month).await? {
            return Ok(false);
        }
        self.change().audit.take(usize::MAX, |row| Month::of(row.record.at) == month);
        Ok(true)
    }
}
