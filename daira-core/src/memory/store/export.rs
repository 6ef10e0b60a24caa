//! Exports in memory. Of what is kept of a person it hands out what a program that embeds it needs to try exports with:
//! profiles, posts, comments, follows, consents and pictures.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::MemoryUnit;
use super::rows::{FROM, OF_ACCOUNT, OF_PROFILE};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{AccountId, ExportId, Id, ProfileId};
use crate::port::store::ExportRepository;
use crate::record::{Export, ExportFile, ExportPart, ExportRow, ExportState};
use crate::time::Timestamp;

/// Kinds of rows, named as the relational store names them.
const KINDS: [&str; 6] = ["account", "profile", "post", "comment", "follow", "consent"];

impl MemoryUnit {
    fn faces(&self, account: AccountId) -> Vec<ProfileId> {
        self.world.profiles.by(OF_ACCOUNT, (account.raw(), 0)).map(|profile| profile.id).collect()
    }

    /// What there is of a kind, each with a mark that orders it.
    fn kept(&self, kind: &str, account: AccountId) -> Vec<(String, Value)> {
        let world = &self.world;
        let faces = self.faces(account);
        let is_theirs = |profile: ProfileId| faces.contains(&profile);
        let mark = |raw: i64| format!("{raw:020}");
        match kind {
            "account" => world
                .accounts
                .get(&account)
                .map(|a| (mark(0), json!({ "email": a.email.as_str(), "birth_date": a.birth_date.to_string() })))
                .into_iter()
                .collect(),
            "profile" => faces
                .iter()
                .filter_map(|id| world.profiles.get(id))
                .map(|p| (mark(p.id.raw()), json!({ "id": p.id, "handle": p.handle.as_str(), "name": p.name })))
                .collect(),
            "post" => world
                .posts
                .iter()
                .filter(|post| is_theirs(post.author))
                .map(|p| (mark(p.id.raw()), json!({ "id": p.id, "author": p.author, "text": p.text })))
                .collect(),
            "comment" => world
                .comments
                .iter()
                .filter(|comment| is_theirs(comment.author))
                .map(|c| (mark(c.id.raw()), json!({ "id": c.id, "post": c.post, "text": c.text })))
                .collect(),
            "follow" => faces
                .iter()
                .flat_map(|face| world.follows.by(FROM, (face.raw(), 0)))
                .map(|f| {
                    let mark = format!("{} {}", mark(f.follower.raw()), mark(f.followee.raw()));
                    (mark, json!({ "follower": f.follower, "followee": f.followee, "at": f.at }))
                })
                .collect(),
            _ => world
                .consents
                .by(OF_ACCOUNT, (account.raw(), 0))
                .map(|c| {
                    let mark = format!("{} {}", mark(c.at.as_micros()), c.purpose.number());
                    (mark, json!({ "purpose": c.purpose.code(), "given": c.given, "version": c.version, "at": c.at }))
                })
                .collect(),
        }
    }
}

#[async_trait]
impl ExportRepository for MemoryUnit {
    async fn insert_export(&mut self, export: &Export) -> Result<()> {
        self.may_write_account(export.account)?;
        let open = |one: &Export| one.account == export.account && one.state == ExportState::Building;
        if self.world.exports.iter().any(open) {
            return Err(Error::new(ErrorKind::Conflict("export_open"), "export.insert"));
        }
        self.change().exports.insert(export.clone(), "export.insert")
    }

    async fn export(&mut self, id: ExportId) -> Result<Option<Export>> {
        let found = self.world.exports.get(&id).cloned();
        Ok(found.filter(|export| self.may_write_account(export.account).is_ok()))
    }

    async fn exports(&mut self, account: AccountId, limit: u32) -> Result<Vec<Export>> {
        self.may_write_account(account)?;
        let own = self.world.exports.iter().rev().filter(|export| export.account == account);
        Ok(own.take(limit as usize).cloned().collect())
    }

    async fn export_parts(&mut self, id: ExportId, from: u32, limit: u32) -> Result<Vec<ExportPart>> {
        let parts = self.world.export_parts.from((id, from)).take_while(|part| part.export == id);
        let parts: Vec<ExportPart> = parts.take(limit as usize).cloned().collect();
        Ok(parts.into_iter().filter(|part| self.may_write_account(part.account).is_ok()).collect())
    }

    async fn take_export(&mut self, now: Timestamp, until: Timestamp) -> Result<Option<Export>> {
        self.platform_only()?;
        let due = |export: &&Export| export.state == ExportState::Building && export.until <= now;
        let Some(found) = self.world.exports.iter().filter(due).min_by_key(|export| (export.until, export.id)) else {
            return Ok(None);
        };
        let taken = Export { until, turn: found.turn + 1, tries: found.tries + 1, ..found.clone() };
        self.change().exports.put(taken.clone(), "export.take")?;
        Ok(Some(taken))
    }

    async fn advance_export(&mut self, export: &Export, part: Option<&ExportPart>) -> Result<bool> {
        self.platform_only()?;
        let mine = |stored: &Export| stored.turn == export.turn && stored.state == ExportState::Building;
        if !self.world.exports.get(&export.id).is_some_and(mine) {
            return Ok(false);
        }
        self.change().exports.put(export.clone(), "export.advance")?;
        if let Some(part) = part {
            self.change().export_parts.insert(part.clone(), "export.advance")?;
        }
        Ok(true)
    }

    async fn exports_over(&mut self, now: Timestamp, after: Option<ExportId>, limit: u32) -> Result<Vec<Export>> {
        self.platform_only()?;
        let over = |export: &&Export| {
            matches!(export.state, ExportState::Ready | ExportState::GivenUp)
                && export.expires_at.is_some_and(|at| at <= now)
                && Some(export.id) > after
        };
        Ok(self.world.exports.iter().filter(over).take(limit as usize).cloned().collect())
    }

    async fn remove_export(&mut self, id: ExportId) -> Result<()> {
        self.platform_only()?;
        self.change().export_parts.take(usize::MAX, |part| part.export == id);
        if let Some(export) = self.world.exports.get(&id).cloned() {
            let gone = Export { state: ExportState::Gone, parts: 0, bytes: 0, ..export };
            self.change().exports.put(gone, "export.remove")?;
        }
        Ok(())
    }

    async fn forget_exports(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        self.platform_only()?;
        let old = |export: &Export| export.state == ExportState::Gone && export.requested_at < before;
        Ok(self.change().exports.take(limit as usize, old).len() as u64)
    }

    fn export_kinds(&self) -> Vec<&'static str> {
        KINDS.to_vec()
    }

    async fn export_rows(&mut self, kind: &str, account: AccountId, after: &str, limit: u32) -> Result<Vec<ExportRow>> {
        self.platform_only()?;
        let mut kept = self.kept(kind, account);
        kept.sort_by(|one, other| one.0.cmp(&other.0));
        let rest = kept.into_iter().filter(|(mark, _)| mark.as_str() > after);
        Ok(rest.take(limit as usize).map(|(mark, json)| ExportRow { mark, json: json.to_string() }).collect())
    }

    async fn export_files(&mut self, account: AccountId, after: &str, limit: u32) -> Result<Vec<ExportFile>> {
        self.platform_only()?;
        let mut files = Vec::new();
        for face in self.faces(account) {
            for media in self.world.media.by(OF_PROFILE, (face.raw(), 0)) {
                files.extend(media.variants.iter().map(|variant| ExportFile {
                    mark: format!("{:020} {}", media.id.raw(), variant.name),
                    name: format!("media/{}-{}", media.id, variant.name),
                    key: variant.key.clone(),
                }));
            }
        }
        files.sort_by(|one, other| one.mark.cmp(&other.mark));
        Ok(files.into_iter().filter(|file| file.mark.as_str() > after).take(limit as usize).collect())
    }
}
