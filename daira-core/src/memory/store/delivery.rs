//! Deliveries in memory.

use async_trait::async_trait;

use super::MemoryUnit;
use crate::account::{Delivery, Due};
use crate::error::Result;
use crate::port::store::DeliveryRepository;
use crate::time::Timestamp;

#[async_trait]
impl DeliveryRepository for MemoryUnit {
    async fn put_delivery(&mut self, due: Due, at: Timestamp) -> Result<()> {
        self.platform_only()?;
        self.change().deliveries.add(Delivery { due, tries: 0, since: at, at }, "delivery.put").map(drop)
    }

    async fn take_deliveries(&mut self, now: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<Delivery>> {
        self.platform_only()?;
        let mut taken: Vec<Delivery> = self.world.deliveries.iter().filter(|d| d.at <= now).copied().collect();
        taken.sort_by_key(|delivery| (delivery.at, delivery.due));
        taken.truncate(limit as usize);
        for delivery in &mut taken {
            *delivery = Delivery { tries: delivery.tries + 1, at: until, ..*delivery };
            self.change().deliveries.put(*delivery, "delivery.take")?;
        }
        Ok(taken)
    }

    async fn postpone_delivery(&mut self, due: Due, at: Timestamp) -> Result<()> {
        self.platform_only()?;
        match self.world.deliveries.get(&due).copied() {
            Some(delivery) => self.change().deliveries.put(Delivery { at, ..delivery }, "delivery.postpone").map(drop),
            None => Ok(()),
        }
    }

    async fn delete_delivery(&mut self, due: Due) -> Result<()> {
        self.platform_only()?;
        self.change().deliveries.remove(&due);
        Ok(())
    }
}
