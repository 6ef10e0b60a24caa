//! The database's pools as metrics, read when somebody asks for them.

use core::fmt;

use daira_store::postgres::{PgStore, PoolState, WAIT_BOUNDS};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

/// Shows a store's pools.
#[derive(Debug)]
struct Pools(PgStore);

/// Makes the pools of a store known to a registry.
pub(super) fn register(store: &PgStore, registry: &mut Registry) {
    registry.register_collector(Box::new(Pools(store.clone())));
}

impl Collector for Pools {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let pools = self.0.pools();
        let help = "Connections to the database";
        let mut metric = encoder.encode_descriptor("daira_database_connections", help, None, MetricType::Gauge)?;
        for pool in &pools {
            for (state, connections) in [("idle", pool.idle), ("used", pool.size.saturating_sub(pool.idle))] {
                let labels = [("pool", pool.name), ("state", state)];
                ConstGauge::new(i64::from(connections)).encode(metric.encode_family(&labels)?)?;
            }
        }
        let help = "The most connections that a pool makes";
        let mut metric = encoder.encode_descriptor("daira_database_connections_max", help, None, MetricType::Gauge)?;
        for pool in &pools {
            ConstGauge::new(i64::from(pool.most)).encode(metric.encode_family(&[("pool", pool.name)])?)?;
        }
        let help = "Time until a connection was given, or refused";
        let seconds = Some(&Unit::Seconds);
        let mut metric = encoder.encode_descriptor("daira_database_wait", help, seconds, MetricType::Histogram)?;
        for PoolState { name, waits, .. } in &pools {
            let classes: Vec<(f64, u64)> =
                WAIT_BOUNDS.iter().map(core::time::Duration::as_secs_f64).zip(waits.within).collect();
            let beyond = waits.count.saturating_sub(waits.within.iter().sum());
            let classes: Vec<_> = classes.into_iter().chain([(f64::INFINITY, beyond)]).collect();
            metric.encode_family(&[("pool", *name)])?.encode_histogram::<NoLabelSet>(
                waits.sum.as_secs_f64(),
                waits.count,
                &classes,
                None,
            )?;
        }
        if let Some(behind) = self.0.replica_behind() {
            let help = "How old what the replica shows may be";
            let metric =
                encoder.encode_descriptor("daira_database_replica_behind", help, seconds, MetricType::Gauge)?;
            ConstGauge::new(behind.as_secs_f64()).encode(metric)?;
        }
        Ok(())
    }
}
