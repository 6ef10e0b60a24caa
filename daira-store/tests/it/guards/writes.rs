//! Writing what is not one's own: refused, or without any effect, and never telling what is there.

use daira_core::error::ErrorKind;
use daira_core::id::Id as _;
use daira_core::post::{Post, Visibility};
use daira_core::testkit::fixture::{Draft, PLATFORM, Writing};
use daira_store::postgres::testing::Server;

use super::{FORBIDDEN, Guarded, attempt, count};

async fn security_51_nobody_writes_in_anothers_name(server: Server) {
    let guarded = Guarded::new(server).await;
    let (mona, eve) = (guarded.world.person("mona").await, guarded.world.person("eve").await);
    let open = guarded.world.post(&mona, "للكل").await.id.raw();
    let own = guarded.world.post(&eve, "لي").await.id.raw();
    let circle = guarded.world.circle(&mona, "شلة", &[]).await.id.raw();
    guarded.world.follow(&eve, &mona).await;
    let (m, ma, e) = (mona.id.raw(), mona.account.raw(), eve.id.raw());
    let mut db = guarded.speaking(&eve).await;
    for sql in [
        format!("insert into daira.post (id, author, visibility, replies, delivery, kind, version, text) values (1, {m}, 1, 1, 1, 0, 1, '')"),
        format!("insert into daira.comment (id, post, author, depth, version, text) values (1, {open}, {m}, 1, 1, '')"),
        format!("insert into daira.reaction (target, on_comment, by, kind, at) values ({open}, false, {m}, 1, now())"),
        format!("insert into daira.follow (follower, followee, at) values ({m}, 7, now())"),
        format!("insert into daira.follow_request (follower, followee, at) values ({m}, {e}, now())"),
        format!("insert into daira.block (blocker, blocked, blocked_account, at) values ({m}, {e}, {}, now())", eve.account.raw()),
        format!("insert into daira.mute (muter, muted, posts, stories, notifications, at) values ({m}, {e}, true, true, true, now())"),
        format!("insert into daira.circle (id, owner, name, created_at, version) values (1, {m}, 'x', now(), 1)"),
        format!("insert into daira.circle_member (circle, member, owner, at) values ({circle}, {e}, {m}, now())"),
        format!("insert into daira.account (id, email, birth_date, locale, created_at, version) values ({ma}, 'x@example.com', now(), 'ar', now(), 1)"),
        format!("insert into daira.credential (account, password_hash) values ({ma}, 'x')"),
        format!("insert into daira.profile (id, account, handle, name, bio, links, created_at, version) values (1, {ma}, 'mona2', '', '', '{{}}', now(), 1)"),
        format!("insert into daira.session (id, account, profile, device, salt, generation, seen_generation, rotated_at, created_at, last_used_at, expires_at, known_device)
                 values (1, {ma}, {m}, '', '\\x00000000000000000000000000000000', 0, 0, now(), now(), now(), now(), true)"),
        format!("insert into daira.media (id, owner, width, height, blurhash, variants, created_at) values (1, {m}, 1, 1, '', '[]', now())"),
        format!("insert into daira.inbox (profile, post, author, reason, kind, at) values ({e}, {open}, {m}, 1, 0, now())"),
        format!("insert into daira.feed_session (session, viewer, posts, reasons, at) values ({open}, {m}, '{{}}', '{{}}', now())"),
        format!("insert into daira.affinity (viewer, author, sum, at) values ({m}, {e}, 9, now())"),
        format!("insert into daira.notification_marker (profile, read_at) values ({m}, now())"),
        format!("insert into daira.idempotency (who, operation, key, request, result) values ('{m}', 'x', 'x', decode(repeat('00', 32), 'hex'), '')"),
        format!("insert into daira.post_changed (post) values ({open})"),
        format!("insert into daira.post_counter (post, reactions) values ({own}, 1000000)"),
        format!("update daira.post set author = {m} where id = {own}"),
        format!("update daira.post set text = 'صدقوني' where id = {open}"),
        format!("update daira.profile set account = {ma} where id = {e}"),
        format!("update daira.profile set name = 'Eve' where id = {m}"),
        format!("update daira.follow set at = now() where follower = {e}"),
        "update daira.handle set profile = 1".to_owned(),
        format!("delete from daira.post where id = {own}"),
    ] {
        assert_eq!(attempt(&mut db, &sql).await, Err(FORBIDDEN.to_owned()), "{sql}");
    }
    assert_eq!(count(&mut guarded.admin().await, "daira.post where text <> 'للكل' and text <> 'لي'").await, 0);
}

async fn security_52_what_is_hidden_is_changed_like_what_is_not_there(server: Server) {
    let guarded = Guarded::new(server).await;
    let (mona, eve) = (guarded.world.person("mona").await, guarded.world.person("eve").await);
    let hidden = guarded.world.post(&mona, Writing::new("سر").visible(Visibility::Private)).await;
    let absent = Post { id: guarded.world.draw(), ..hidden.clone() };
    guarded.world.block(&mona, &guarded.world.person("ali").await).await;
    guarded.world.follow(&guarded.world.person("sara").await, &mona).await;
    let mut db = guarded.speaking(&eve).await;
    for id in [hidden.id.raw(), absent.id.raw()] {
        for sql in [
            format!("update daira.post set text = 'x' where id = {id}"),
            format!("select from daira.post where id = {id} for update"),
            format!("update daira.account set locale = 'en' where id = {}", mona.account.raw()),
            format!("update daira.session set revoked_at = now() where account = {}", mona.account.raw()),
            format!("delete from daira.block where blocker = {}", mona.id.raw()),
            format!("delete from daira.follow where followee = {} and follower <> {}", mona.id.raw(), eve.id.raw()),
            format!("delete from daira.circle where owner = {}", mona.id.raw()),
            format!("delete from daira.reaction where target = {id}"),
        ] {
            assert_eq!(attempt(&mut db, &sql).await, Ok(0), "{sql}");
        }
    }
    let mut told = Vec::new();
    for post in [&hidden, &absent] {
        let mut unit = guarded.world.unit(&eve.actor()).await;
        let changed = Post { version: 2, ..post.clone() };
        let error = unit.posts().update(&changed, None).await.unwrap_err();
        told.push((error.kind(), error.to_string(), error.refused_as().code));
    }
    assert_eq!(told[0], told[1]);
    assert!(guarded.world.sees(&mona.actor(), &hidden).await);
}

async fn security_55_constraints_tell_nothing_to_clients(server: Server) {
    let guarded = Guarded::new(server).await;
    let draft = Draft::new("mona");
    let mona = guarded.world.person(draft.clone()).await;
    let mut twice = guarded.world.account(&draft);
    let mut errors = Vec::new();
    let mut unit = guarded.world.unit(&PLATFORM).await;
    errors.push(unit.accounts().insert_account(&twice, "$secret-hash$").await.unwrap_err());
    assert_eq!(errors[0].kind(), ErrorKind::Conflict("account_email"));
    twice.id = mona.account;
    let mut unit = guarded.world.unit(&PLATFORM).await;
    errors.push(unit.accounts().insert_account(&twice, "$secret-hash$").await.unwrap_err());
    let post = guarded.world.post(&mona, Writing::new("secret").visible(Visibility::Private)).await;
    let eve = guarded.world.person("eve").await;
    let mut unit = guarded.world.unit(&eve.actor()).await;
    errors.push(unit.posts().insert(&Post { author: eve.id, ..post.clone() }).await.unwrap_err());
    let mut unit = guarded.world.unit(&eve.actor()).await;
    errors.push(unit.posts().insert(&Post { id: guarded.world.draw(), ..post.clone() }).await.unwrap_err());
    let mut unit = guarded.world.unit(&mona.actor()).await;
    let long = Post { id: guarded.world.draw(), text: "secret".repeat(20_000), ..post };
    errors.push(unit.posts().insert(&long).await.unwrap_err());
    for error in errors {
        let told = format!("{error} {}", error.refused_as().code).to_lowercase();
        for secret in ["secret", "example.com", "_pkey", "duplicate", "constraint", "violat", "daira.", "policy"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(std::error::Error::source(&error).is_some(), "the log gets to know");
    }
}

on_each_server!(
    security_51_nobody_writes_in_anothers_name,
    security_52_what_is_hidden_is_changed_like_what_is_not_there,
    security_55_constraints_tell_nothing_to_clients,
);
