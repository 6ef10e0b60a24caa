//! Building exports, piece by piece.
//!
//! No more than one piece is in memory. Nothing is open in the store while a blob is written, and a piece counts once its row
//! does: its key is made of its place, so whoever makes it again writes over what was left behind.

use core::time::Duration;

use bytes::Bytes;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Export, ExportPart, ExportService, ExportState};
use crate::account::{AccountState, MailingKind, audit, send};
use crate::actor::Actor;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ExportId};
use crate::port::UnitOfWork;
use crate::port::store::Lock;

/// The most bytes of a piece, but for a single row that is longer.
pub const PIECE: usize = 4 << 20;
/// Rows that are read at once.
const ROWS: u32 = 500;
/// Pieces that are listed at once.
const PARTS: u32 = 500;
/// How long a piece may take; then somebody else goes on.
const TURN: Duration = Duration::from_mins(5);
/// How often a piece is tried.
const TRIES: u16 = 10;
/// How many are looked up at once to be removed.
const CHUNK: u32 = 100;
/// More than an account has of them: some a day, each forgotten after some months.
const MOST: u32 = 10_000;

/// Who builds.
const BUILDER: Actor = Actor::System("export");

/// What a step came to: the export as it is after it, and the piece that it made.
struct Step {
    next: Export,
    piece: Option<(String, Vec<u8>, u64)>,
}

/// The blob of a piece.
fn key(id: ExportId, n: u32) -> String {
    format!("export/{id}/{n:08}")
}

impl ExportService {
    /// Builds one export that nobody is at, as far as it goes until `stopped` says so; answers whether there was one.
    ///
    /// # Errors
    /// The store's and the blob store's; what was made before stays, and the export is gone on with after a while.
    pub async fn build_next(&self, stopped: impl Fn() -> bool + Send) -> Result<bool> {
        let ports = &self.ports;
        let now = ports.clock.now();
        let taken = ports
            .transact(&BUILDER, |mut unit| Box::pin(async move { unit.exports().take_export(now, now + TURN).await }));
        let Some(mut export) = taken.await? else { return Ok(false) };
        let mut unit = ports.store.begin(&BUILDER).await?;
        let account = unit.accounts().account(export.account, Lock::None).await?;
        unit.rollback().await?;
        let is_gone = account.is_none_or(|account| account.state == AccountState::Deleted);
        if is_gone || export.tries > TRIES {
            tracing::error!(export = %export.id, is_gone, "an export failed too often, or is nobody's any more, and is given up");
            let over = Export { state: ExportState::GivenUp, expires_at: Some(now), ..export };
            self.advance(&over, None).await?;
            return Ok(true);
        }
        while export.state == ExportState::Building && !stopped() {
            let Step { mut next, piece } = self.step(&export).await?;
            let part = match piece {
                None => None,
                Some((file, bytes, rows)) => Some(self.put(&mut next, file, bytes, rows).await?),
            };
            next.tries = 0;
            next.until = ports.clock.now() + TURN;
            if !self.advance(&next, part.as_ref()).await? {
                tracing::warn!(export = %export.id, "somebody else went on with an export");
                return Ok(true);
            }
            export = next;
        }
        if export.state == ExportState::Building {
            // Stopped in between: whoever comes next need not wait for this turn to end.
            let rests = Export { until: ports.clock.now(), ..export };
            self.advance(&rests, None).await?;
        }
        Ok(true)
    }

    async fn put(&self, next: &mut Export, file: String, bytes: Vec<u8>, rows: u64) -> Result<ExportPart> {
        let (id, n, size) = (next.id, next.parts, bytes.len() as u64);
        let sha256 = Sha256::digest(&bytes).into();
        let key = key(id, n);
        self.ports.blobs.put(&key, "application/octet-stream", Bytes::from(bytes)).await?;
        next.parts += 1;
        next.bytes += size;
        Ok(ExportPart { export: id, account: next.account, n, file, key, bytes: size, rows, sha256 })
    }

    async fn advance(&self, next: &Export, part: Option<&ExportPart>) -> Result<bool> {
        let accounts = &self.accounts;
        let moved = self.ports.transact(&BUILDER, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                if !unit.exports().advance_export(next, part).await? {
                    return Ok(false);
                }
                if next.state == ExportState::Ready
                    && let Some(account) = unit.accounts().account(next.account, Lock::None).await?
                {
                    let to = account.email.clone();
                    let mail = accounts.mailing(MailingKind::ExportReady, to, Some(account.id), next.locale);
                    send(unit, &mail).await?;
                    audit(unit, "export.ready", next.id, "", next.ready_at.unwrap_or(next.until)).await?;
                }
                Ok(true)
            })
        });
        moved.await
    }

    /// Makes the next piece, if there is more of what is next, and says what is next after it.
    async fn step(&self, export: &Export) -> Result<Step> {
        let mut unit = self.ports.store.begin(&BUILDER).await?;
        let kinds = unit.exports().export_kinds();
        let step = match kinds.get(usize::from(export.stage)) {
            Some(kind) => rows(unit.as_mut(), export, kind).await,
            None if usize::from(export.stage) == kinds.len() => self.file(unit.as_mut(), export).await,
            None => self.index(unit.as_mut(), export).await,
        };
        unit.rollback().await?;
        step
    }

    /// A piece of the next uploaded file. How far it is stands before the mark of the file before.
    async fn file(&self, unit: &mut dyn UnitOfWork, export: &Export) -> Result<Step> {
        let (offset, mark) = export.after.split_once(' ').unwrap_or(("0", ""));
        let offset: u64 = offset.parse().map_err(|e| Error::new(ErrorKind::Corrupt, "export.offset").with_source(e))?;
        let Some(file) = unit.exports().export_files(export.account, mark, 1).await?.into_iter().next() else {
            return Ok(Step { next: done(export), piece: None });
        };
        let end = offset + PIECE as u64;
        let size = self.ports.blobs.head(&file.key).await?.map_or(0, |meta| meta.bytes);
        let bytes = self.ports.blobs.get(&file.key, Some(offset..end)).await?;
        let after = if end < size { format!("{end} {mark}") } else { format!("0 {}", file.mark) };
        let next = Export { after, ..export.clone() };
        // One that was deleted meanwhile is not theirs any more.
        let piece = bytes.filter(|bytes| !bytes.is_empty()).map(|bytes| (file.name, bytes.to_vec(), 0));
        Ok(Step { next, piece })
    }

    /// The last piece: what there is.
    async fn index(&self, unit: &mut dyn UnitOfWork, export: &Export) -> Result<Step> {
        let mut files: Vec<serde_json::Value> = Vec::new();
        let mut open: Option<(String, u64, u64, Vec<serde_json::Value>)> = None;
        let whole = |(name, bytes, rows, pieces): (String, u64, u64, Vec<serde_json::Value>)| json!({ "name": name, "bytes": bytes, "rows": rows, "pieces": pieces });
        let mut from = 0;
        loop {
            let parts = unit.exports().export_parts(export.id, from, PARTS).await?;
            let more = parts.len() == PARTS as usize;
            for part in parts {
                from = part.n + 1;
                if open.as_ref().is_none_or(|(name, ..)| *name != part.file) {
                    files.extend(open.take().map(whole));
                    open = Some((part.file.clone(), 0, 0, Vec::new()));
                }
                if let Some((_, bytes, rows, pieces)) = &mut open {
                    let sha256 = data_encoding::HEXLOWER.encode(&part.sha256);
                    pieces.push(json!({ "offset": *bytes, "bytes": part.bytes, "sha256": sha256 }));
                    *bytes += part.bytes;
                    *rows += part.rows;
                }
            }
            if !more {
                break;
            }
        }
        files.extend(open.take().map(whole));
        let now = self.ports.clock.now();
        let index = json!({
            "format": 1,
            "export": export.id,
            "requestedAt": export.requested_at,
            "readyAt": now,
            "files": files,
        });
        let index = serde_json::to_vec_pretty(&index)
            .map_err(|e| Error::new(ErrorKind::Internal, "export.index").with_source(e))?;
        let days = Duration::from_hours(24) * u32::from(self.ports.settings.retention.export_days);
        let next =
            Export { state: ExportState::Ready, ready_at: Some(now), expires_at: Some(now + days), ..export.clone() };
        Ok(Step { next, piece: Some(("index.json".to_owned(), index, 0)) })
    }

    /// Removes exports that are past their time; answers how many. One that cannot be removed holds up no other.
    ///
    /// # Errors
    /// The store's and the blob store's.
    pub async fn remove_over(&self) -> Result<u64> {
        let (now, mut after) = (self.ports.clock.now(), None);
        let (mut removed, mut failed) = (0, None);
        loop {
            let over = self.ports.store.begin(&BUILDER).await?.exports().exports_over(now, after, CHUNK).await?;
            let Some(last) = over.last() else { return failed.map_or(Ok(removed), Err) };
            after = Some(last.id);
            for export in over {
                match self.remove(&export).await {
                    Ok(()) => removed += 1,
                    Err(error) => {
                        tracing::error!(export = %export.id, ?error, "an export could not be removed and will be tried again");
                        failed = Some(error);
                    }
                }
            }
        }
    }

    /// Removes all exports of an account that is being erased, with their bytes; answers `false` while somebody is at one, who
    /// would leave a blob behind. Nobody begins another: the account is deleted.
    ///
    /// # Errors
    /// The store's and the blob store's.
    pub(crate) async fn remove_all(&self, account: AccountId) -> Result<bool> {
        let now = self.ports.clock.now();
        let all = self.ports.store.begin(&BUILDER).await?.exports().exports(account, MOST).await?;
        if all.iter().any(|export| export.state == ExportState::Building && now < export.until) {
            return Ok(false);
        }
        for export in all.iter().filter(|export| export.state != ExportState::Gone) {
            self.remove(export).await?;
        }
        Ok(true)
    }

    /// Removes an export that nobody is at: the blobs first, so that none is left behind without a row, and with nothing open
    /// in the store, for there may be thousands.
    async fn remove(&self, export: &Export) -> Result<()> {
        // One more than the row knows of: somebody may have been killed between a piece and its row.
        for n in 0..=export.parts {
            self.ports.blobs.delete(&key(export.id, n)).await?;
        }
        let id = export.id;
        let gone =
            self.ports.transact(&BUILDER, |mut unit| Box::pin(async move { unit.exports().remove_export(id).await }));
        gone.await
    }
}

/// The kind that comes after this one.
fn done(export: &Export) -> Export {
    Export { stage: export.stage + 1, after: String::new(), ..export.clone() }
}

/// A piece of one kind of rows.
async fn rows(unit: &mut dyn UnitOfWork, export: &Export, kind: &str) -> Result<Step> {
    let (mut bytes, mut count, mut after) = (Vec::new(), 0, export.after.clone());
    loop {
        let rows = unit.exports().export_rows(kind, export.account, &after, ROWS).await?;
        let more = rows.len() == ROWS as usize;
        for row in rows {
            // Full before it is read whole: the rest is read again for the next piece.
            if !bytes.is_empty() && bytes.len() + row.json.len() >= PIECE {
                let next = Export { after, ..export.clone() };
                return Ok(Step { next, piece: Some((format!("{kind}.jsonl"), bytes, count)) });
            }
            bytes.extend_from_slice(row.json.as_bytes());
            bytes.push(b'\n');
            count += 1;
            after = row.mark;
        }
        if !more {
            let piece = (!bytes.is_empty()).then(|| (format!("{kind}.jsonl"), bytes, count));
            return Ok(Step { next: done(export), piece });
        }
    }
}
