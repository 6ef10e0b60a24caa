//! Maintenance of the in-memory world: expiry by age, snapshots to prove derived state, and leases of jobs.

use core::time::Duration;

use async_trait::async_trait;

use super::bus::delivered;
use super::store::{JobLease, MemoryStore, MemoryUnit};
use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::id::PostId;
use crate::port::{Backfill, Delivered, Group, JobOutcome, Maintenance, UnitOfWork};
use crate::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);

#[async_trait]
impl Maintenance for MemoryStore {
    /// There are no partitions here, so all are always there.
    async fn ensure_partitions(&self, _: Timestamp, days: u16) -> Result<u16> {
        Ok(days)
    }

    /// Counts a kind of row that something of went as one partition.
    async fn expire(&self, now: Timestamp) -> Result<u32> {
        let mut state = self.shared.lock();
        let mut world = state.world.clone();
        let inbox = world.expire_inbox(now - DAY * u32::from(self.shared.inbox_days));
        let keys = world.expire_keys(self.shared.clock.now());
        let groups: Vec<Group> = state.groups.values().copied().collect();
        let today = self.shared.clock.now().as_seconds().div_euclid(86_400);
        let snapshot = world.clone();
        let log = world.log.take(usize::MAX, |event| {
            let letters = groups.iter().any(|group| snapshot.letters.has(&(group.name.to_owned(), event.id)));
            let old = event.at.as_seconds().div_euclid(86_400) < today;
            old && !letters && groups.iter().all(|group| snapshot.is_past(*group, event))
        });
        let gone = [inbox, keys, log.len()].into_iter().filter(|rows| *rows > 0).count();
        if gone > 0 {
            state.replace(world);
        }
        Ok(u32::try_from(gone).unwrap_or(u32::MAX))
    }

    async fn snapshot(&self, actor: &Actor, group: Group, most: u32) -> Result<(Box<dyn UnitOfWork>, Vec<Delivered>)> {
        let unit = MemoryUnit::open(&self.shared, &self.shared.lock(), actor.clone());
        // What this version cannot read has no effect it could make; it waits among the dead letters.
        let outstanding = unit.world.outstanding(group).filter_map(|(event, attempts)| delivered(event, attempts).ok());
        let pending: Vec<Delivered> = outstanding.collect();
        if pending.len() > most as usize {
            return Err(Error::new(ErrorKind::Unavailable, "maintenance.snapshot"));
        }
        Ok((Box::new(unit), pending))
    }

    async fn pushed_posts(&self, after: PostId, limit: u32) -> Result<Vec<PostId>> {
        Ok(self.shared.lock().world.pushed_posts(after, limit as usize))
    }

    /// Nothing is older than the program here.
    async fn backfills(&self) -> Result<Vec<Backfill>> {
        Ok(Vec::new())
    }

    async fn fill(&self, _: u32) -> Result<Option<Backfill>> {
        Ok(None)
    }

    async fn pause_backfill(&self, _: &str, _: bool) -> Result<bool> {
        Ok(false)
    }

    async fn begin_job(&self, name: &str, owner: &str, every: Duration, lease: Duration) -> Result<bool> {
        let now = self.shared.clock.now();
        let jobs = &mut self.shared.lock().jobs;
        let due = jobs.get(name).is_none_or(|job| match &job.owner {
            Some(_) => job.until <= now,
            None => job.due <= now,
        });
        if due {
            let job = JobLease { owner: Some(owner.to_owned()), until: now + lease, due: now + every };
            jobs.insert(name.to_owned(), job);
        }
        Ok(due)
    }

    async fn keep_job(&self, name: &str, owner: &str, lease: Duration) -> Result<bool> {
        let now = self.shared.clock.now();
        let jobs = &mut self.shared.lock().jobs;
        let own = jobs.get_mut(name).filter(|job| job.owner.as_deref() == Some(owner) && job.until > now);
        Ok(own.map(|job| job.until = now + lease).is_some())
    }

    async fn end_job(&self, name: &str, owner: &str, outcome: JobOutcome) -> Result<()> {
        let now = self.shared.clock.now();
        if let Some(job) = self.shared.lock().jobs.get_mut(name)
            && job.owner.as_deref() == Some(owner)
            && job.until > now
        {
            job.owner = None;
            if outcome == JobOutcome::Failed {
                job.due = now;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::FutureExt;

    use super::*;
    use crate::idempotency::{Claim, IdempotencyKey, Keyed};
    use crate::memory::{ManualClock, MemoryBus};
    use crate::port::{Clock, EventBus, Store};
    use crate::proto::event::v1;
    use crate::settings::Settings;

    /// Memory never waits, so a test needs no runtime.
    fn now<T>(future: impl Future<Output = T>) -> T {
        future.now_or_never().unwrap()
    }

    #[test]
    fn a_key_lives_for_a_day_and_is_swept_after_it() {
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(clock.clone(), &Settings::default());
        let keyed = Keyed::new("test.write", IdempotencyKey::new("k").unwrap(), &1);
        let claim = || now(now(store.begin(&Actor::Anonymous)).unwrap().journal().claim(&keyed)).unwrap();
        let mut unit = now(store.begin(&Actor::Anonymous)).unwrap();
        now(unit.journal().claim(&keyed)).unwrap();
        now(unit.journal().remember(&keyed, b"1")).unwrap();
        now(unit.commit()).unwrap();
        clock.advance(DAY);
        assert_eq!(claim(), Claim::Replay(b"1".to_vec()));
        assert_eq!(now(store.expire(clock.now())).unwrap(), 0);
        clock.advance(Duration::from_secs(1));
        assert_eq!(claim(), Claim::Fresh);
        assert_eq!(now(store.expire(clock.now())).unwrap(), 1);
    }

    #[test]
    fn a_day_of_the_log_goes_when_every_group_is_past_it() {
        const GROUPS: [Group; 2] = [
            Group { name: "one", topics: &["daira.post.v1"], rebuilds: false },
            Group { name: "two", topics: &["daira.post.v1"], rebuilds: false },
        ];
        let clock = Arc::new(ManualClock::default());
        let store = MemoryStore::new(clock.clone(), &Settings::default());
        let bus = MemoryBus::new(&store);
        let mut unit = now(store.begin(&Actor::System("test"))).unwrap();
        let event = v1::PostDeleted { post_id: 1, author_id: 2, open: true };
        now(unit.journal().append(&[event.into()])).unwrap();
        now(unit.commit()).unwrap();
        let batches = GROUPS.map(|group| now(bus.next(group, "a", 10)).unwrap().unwrap());
        clock.advance(DAY * 2);
        assert_eq!(now(store.expire(clock.now())).unwrap(), 0, "nobody is past it");
        let [one, two] = batches;
        now(one.commit()).unwrap();
        drop(two);
        assert_eq!(now(store.expire(clock.now())).unwrap(), 0, "one is not past it");
        now(now(bus.next(GROUPS[1], "a", 10)).unwrap().unwrap().commit()).unwrap();
        assert_eq!(now(store.expire(clock.now())).unwrap(), 1);
        assert_eq!(now(store.expire(clock.now())).unwrap(), 0);
    }
}
