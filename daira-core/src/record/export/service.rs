//! Asking for an export, and having it.

use core::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{Export, ExportPart, ExportRefusal, ExportState};
use crate::account::{AccountService, audit};
use crate::actor::Actor;
use crate::checks::keyed;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ExportId;
use crate::idempotency::IdempotencyKey;
use crate::port::Ports;

/// How many exports their owner is shown.
const SHOWN: u32 = 10;
/// Pieces that are listed at once.
const PARTS: u32 = 500;

/// Hands people what is kept of them. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ExportService {
    pub(super) ports: Arc<Ports>,
    pub(super) accounts: Arc<AccountService>,
}

/// A file of an export, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeFile {
    /// Its name, for instance `post.jsonl`.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// How many lines are in it; none for what is not made of lines.
    pub rows: u64,
}

/// A file of an export that may be read by whoever asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// Its size.
    pub bytes: u64,
    parts: Vec<ExportPart>,
}

impl OpenFile {
    /// Its pieces as far as a range of it reaches, each with the range within.
    pub fn pieces(&self, range: Range<u64>) -> Vec<(String, Range<u64>)> {
        let mut start = 0;
        let mut pieces = Vec::new();
        for part in &self.parts {
            let end = start + part.bytes;
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                pieces.push((part.key.clone(), from - start..to - start));
            }
            start = end;
        }
        pieces
    }
}

impl ExportService {
    /// Over these ports.
    pub fn new(ports: Ports, accounts: AccountService) -> Self {
        Self { ports: Arc::new(ports), accounts: Arc::new(accounts) }
    }

    /// Asks for an export of everything that is kept of the account, all its faces included.
    ///
    /// # Errors
    /// [`AccountRefusal::ProofNeeded`](crate::account::AccountRefusal), [`ExportRefusal::Running`],
    /// [`LimitRefusal::Reached`](crate::port::LimitRefusal) after too many in a day.
    pub async fn request(&self, actor: &Actor, key: Option<IdempotencyKey>) -> Result<ExportId> {
        let member = *actor.member()?;
        let keyed = keyed("export.request", key, &());
        let (ids, now) = (&self.ports.ids, self.ports.clock.now());
        let asked = self.ports.transact_once(actor, keyed.as_ref(), |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                // Locked, so that of two requests the second finds the export of the first.
                let account = self.accounts.proved_owner(unit, member, now).await?;
                let exports = unit.exports().exports(account.id, 1).await?;
                if exports.iter().any(|export| export.state == ExportState::Building) {
                    return Err(ExportRefusal::Running.into());
                }
                self.accounts.count_export(account.id).await?;
                let id = ids.draw(now, ids.shard());
                let export = Export {
                    id,
                    account: account.id,
                    requested_at: now,
                    state: ExportState::Building,
                    stage: 0,
                    after: String::new(),
                    parts: 0,
                    bytes: 0,
                    tries: 0,
                    turn: 0,
                    until: now,
                    ready_at: None,
                    expires_at: None,
                    locale: account.locale,
                };
                unit.exports().insert_export(&export).await?;
                audit(unit, "export.requested", id, "", now).await?;
                Ok(id)
            })
        });
        match asked.await {
            Err(error) if error.kind() == ErrorKind::Conflict("export_open") => Err(ExportRefusal::Running.into()),
            asked => asked,
        }
    }

    /// The last exports that were asked for, newest first.
    ///
    /// # Errors
    /// Only for somebody who is not logged in, and the store's.
    pub async fn exports(&self, actor: &Actor) -> Result<Vec<Export>> {
        let account = actor.member()?.account;
        let mut unit = self.ports.store.begin(actor).await?;
        let exports = unit.exports().exports(account, SHOWN).await?;
        unit.rollback().await?;
        Ok(exports)
    }

    /// The files of an export that is ready.
    ///
    /// # Errors
    /// Not found for an export that is not the actor's, not ready, or past its time.
    pub async fn files(&self, actor: &Actor, id: ExportId) -> Result<Vec<WholeFile>> {
        let mut files: Vec<WholeFile> = Vec::new();
        for part in self.parts(actor, id).await? {
            match files.last_mut().filter(|file| file.name == part.file) {
                Some(file) => {
                    file.bytes += part.bytes;
                    file.rows += part.rows;
                }
                None => files.push(WholeFile { name: part.file, bytes: part.bytes, rows: part.rows }),
            }
        }
        Ok(files)
    }

    /// Opens a file of an export for its owner, who proved themselves a short while ago.
    ///
    /// # Errors
    /// Those of [`files`](Self::files), [`AccountRefusal::ProofNeeded`](crate::account::AccountRefusal).
    pub async fn open(&self, actor: &Actor, id: ExportId, file: &str) -> Result<OpenFile> {
        let member = *actor.member()?;
        let now = self.ports.clock.now();
        let parts: Vec<ExportPart> =
            self.parts(actor, id).await?.into_iter().filter(|part| part.file == file).collect();
        if parts.is_empty() {
            return Err(Error::not_found());
        }
        let noted = self.ports.transact(actor, |mut unit| {
            Box::pin(async move {
                let unit = &mut *unit;
                self.accounts.proved_owner(unit, member, now).await?;
                audit(unit, "export.downloaded", id, "", now).await
            })
        });
        noted.await?;
        Ok(OpenFile { bytes: parts.iter().map(|part| part.bytes).sum(), parts })
    }

    /// Reads a piece of an open file.
    ///
    /// # Errors
    /// Not found when it is gone meanwhile; the blob store's.
    pub async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        self.ports.blobs.get(key, Some(range)).await?.ok_or_else(Error::not_found)
    }

    async fn parts(&self, actor: &Actor, id: ExportId) -> Result<Vec<ExportPart>> {
        let account = actor.member()?.account;
        let now = self.ports.clock.now();
        let mut unit = self.ports.store.begin(actor).await?;
        let export = unit.exports().export(id).await?.filter(|export| export.account == account);
        let is_there = |export: &Export| {
            export.state == ExportState::Ready && export.expires_at.is_some_and(|expires_at| now < expires_at)
        };
        if !export.as_ref().is_some_and(is_there) {
            return Err(Error::not_found());
        }
        let mut all = Vec::new();
        loop {
            let from = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let parts = unit.exports().export_parts(id, from, PARTS).await?;
            let more = parts.len() == PARTS as usize;
            all.extend(parts);
            if !more {
                break;
            }
        }
        unit.rollback().await?;
        Ok(all)
    }
}
