//! What programs take of this machine, as Linux counts it in `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// Linux tells programs about time in hundredths of a second, whatever it counts in itself.
const TICK: Duration = Duration::from_millis(10);

/// A process and those that descend from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree {
    root: u32,
    /// A process among them that counts for itself.
    without: Option<u32>,
}

/// A line of `/proc/PID/stat`: what is in it for us.
struct Stat {
    parent: u32,
    own: u64,
    /// Of children that have ended and been waited for.
    children: u64,
}

impl Tree {
    pub(super) fn of(root: u32) -> Self {
        Self { root, without: None }
    }

    /// Without another tree, should it be a part of this one.
    pub(super) fn without(self, other: Self) -> Self {
        Self { without: Some(other.root), ..self }
    }

    /// Time on the processors so far.
    pub(super) fn time(self) -> Result<Duration> {
        let mut below: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut stats = HashMap::new();
        for entry in std::fs::read_dir("/proc")? {
            let Some(id) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            // Processes end while we look.
            let Some(stat) = stat(id) else { continue };
            below.entry(stat.parent).or_default().push(id);
            stats.insert(id, stat);
        }
        let root = stats.get(&self.root).with_context(|| format!("process {} is gone", self.root))?;
        let mut ticks = root.children;
        let mut next = vec![self.root];
        while let Some(id) = next.pop() {
            if self.without == Some(id) {
                continue;
            }
            ticks += stats.get(&id).map_or(0, |stat| stat.own);
            next.extend(below.get(&id).into_iter().flatten());
        }
        Ok(TICK * u32::try_from(ticks)?)
    }

    /// Memory that the root itself has resident, in bytes.
    pub(super) fn resident(self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.root))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes << 10)
    }
}

fn stat(id: u32) -> Option<Stat> {
    parse(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
}

fn parse(line: &str) -> Option<Stat> {
    // The name, in brackets, may hold anything.
    let (_, rest) = line.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let parent = u32::try_from(number(1)?).ok()?;
    Some(Stat { parent, own: number(11)? + number(12)?, children: number(13)? + number(14)? })
}

/// Time that all processors together have been busy, for anybody.
pub(super) fn busy() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<u32> = line.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>()?;
    // user nice system idle iowait irq softirq steal
    let idle = ticks.iter().skip(3).take(2).sum::<u32>();
    Ok(TICK * (ticks.iter().sum::<u32>() - idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_brackets_and_blanks() {
        let stat = parse("12 (a) b (c) S 7 12 12 0 -1 4194304 1 2 3 4 50 6 70 8 20 0").unwrap();
        assert_eq!((stat.parent, stat.own, stat.children), (7, 56, 78));
    }

    #[test]
    fn we_take_time_and_memory_ourselves() {
        let me = Tree::of(std::process::id());
        let before = me.time().unwrap();
        let mut sum = 0_u64;
        while me.time().unwrap() == before {
            sum = (0..1_000_000).fold(sum, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        assert!(me.resident().unwrap() > 1 << 19 && busy().unwrap() > Duration::ZERO, "{sum}");
    }
}
