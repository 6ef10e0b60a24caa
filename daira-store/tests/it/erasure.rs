//! A person with a row in every table that may have one is erased, and every column of every table is searched for them.
//!
//! What has to be there before, and what may be there afterwards, is read from the data map: a table that is added to it fails
//! here until somebody has a row in it, and until it is erased.

use std::collections::{BTreeMap, BTreeSet};

use daira_core::account::{AccountService, Due};
use daira_core::id::{ChallengeId, ExportId, Id};
use daira_core::port::Ports;
use daira_core::port::store::{Affinity, CounterField};
use daira_core::reaction::{ReactionKind, Target};
use daira_core::staff;
use daira_core::testkit::fixture::{Draft, Fixture, PLATFORM, Person, Writing};
use daira_store::postgres::data_map::{Table, tables};
use daira_store::postgres::testing::{Server, TestDatabase};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::conformance::ports;

/// Stands in everything that the person wrote, is called or is reached by.
const MARK: &str = "qzmona";
const NUMBER: &str = "+201001234567";

struct Scene {
    ports: Ports,
    admin: PgConnection,
    database: TestDatabase,
    mona: Person,
    ali: Person,
    /// What stands for the person, by the kind that the map gives links.
    values: BTreeMap<&'static str, Vec<String>>,
    /// Their other ids.
    ids: Vec<i64>,
    /// The keys of their pictures and of the neighbour's.
    blobs: (Vec<String>, Vec<String>),
}

#[expect(clippy::too_many_lines, reason = "a row for each table, one after the other")]
async fn scene(server: Server) -> Scene {
    let (ports, database) = ports(server).await;
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let world = Fixture::new(ports.clone());
    let (mona, ali) = (world.person(MARK).await, world.person("ali").await);
    let nour = world.person("nour").await;
    let mask = world.person(Draft::new("qzmona_shadow").face_of(&mona)).await;
    for (one, other) in [(&mona, &ali), (&ali, &mask), (&ali, &mona), (&nour, &ali), (&ali, &nour)] {
        world.follow(one, other).await;
    }
    world.request(&mona, &nour).await;
    world.request(&nour, &mona).await;
    world.block(&mask, &ali).await;
    world.block(&nour, &mona).await;
    world.block(&nour, &ali).await;
    for (one, other) in [(&mona, &ali), (&ali, &mona), (&ali, &nour)] {
        world.mute(one, other, true, true).await;
    }
    let circle = world.circle(&mona, "عيلة qzmona", &[&ali]).await;
    world.circle(&ali, "صحاب", &[&mona, &nour]).await;
    let (picture, his_picture) = (world.picture(&mona).await, world.picture(&ali).await);
    let own = world.published(&mona, Writing::new("صباح الخير من qzmona").tag("Cairo").picture(&picture)).await;
    let his = world.published(&ali, Writing::new("أهلا").mention(&mona).mention(&nour)).await;
    let asked = world.comment(&mona, &his, None, "أنا qzmona").await;
    world.comment(&ali, &his, Some(&asked), "أهلا بيكي").await;
    let alone = world.comment(&mona, &his, None, "qzmona تاني").await;
    let under = world.comment(&ali, &own, None, "نورتي").await;
    world.react(&mona, Target::Post(his.id), ReactionKind::Love).await;
    world.react(&mona, Target::Comment(under.id), ReactionKind::Love).await;
    world.react(&ali, Target::Post(own.id), ReactionKind::Love).await;
    world.react(&nour, Target::Post(his.id), ReactionKind::Laugh).await;
    for (field, subject) in [
        (CounterField::PostReactions, own.id.raw()),
        (CounterField::PostReactions, his.id.raw()),
        (CounterField::CommentReactions, alone.id.raw()),
        (CounterField::ProfileFollowers, mona.id.raw()),
        (CounterField::ProfileFollowers, ali.id.raw()),
    ] {
        world.count(field, subject, 1).await;
    }
    world.take_down(staff::Target::Comment(alone.id), mona.id).await;
    let affinities = [(&mona, &ali), (&ali, &mona), (&ali, &nour)].map(|(viewer, author)| (viewer.id, author.id));
    let at = world.now();
    let save = ports.transact(&PLATFORM, |mut unit| {
        Box::pin(async move {
            let all = affinities.map(|(viewer, author)| (viewer, author, Affinity { sum: 1.0, at }));
            unit.feed().add_affinity(&all).await
        })
    });
    save.await.unwrap();
    let [session, other_session, passkey, app, mailing, code, export] =
        [(); 7].map(|()| world.draw::<ChallengeId>().raw());
    let rest = format!(
        r"
        set session_replication_role = origin;
        update daira.account set leaving_at = now() - interval '1 minute' where id = {account};
        update daira.profile set bio = 'bio qzmona', links = array['https://qzmona.example'], avatar = {picture} where id = {me};
        update daira.media set post = {own}, attached = true where id = {picture};
        insert into daira.handle (handle, profile, until) values ('qzmona_before', {me}, now() + interval '1 day');
        insert into daira.registration values (1, '{MARK}@example.com', 'hash qzmona', 'qzmona_new', 'qzmona', '2000-01-01', 'ar', 0, now(), now() + interval '1 hour');
        insert into daira.phone values ({account}, '{NUMBER}', now());
        insert into daira.mailing (id, kind, email, account, locale, created_at, expires_at)
            values ({mailing}, 2, '{MARK}@example.com', {account}, 'ar', now(), now() + interval '1 day'),
                   ({mailing} + 1, 0, '{MARK}@example.com', null, 'ar', now(), now() + interval '1 day');
        insert into daira.mailing (id, kind, phone, locale, created_at, expires_at) values ({mailing} + 2, 11, '{NUMBER}', 'ar', now(), now() + interval '1 day');
        insert into daira.app (id, owner, name, redirects, confidential, secret, created_at, version)
            values ({app}, {account}, 'app qzmona', array['https://qzmona.example/cb'], true, 1, now(), 1),
                   ({app} + 1, {his_account}, 'قطر', array['https://trains.example/cb'], true, 1, now(), 1);
        insert into daira.session (id, account, profile, device, salt, generation, seen_generation, rotated_at, created_at, last_used_at, expires_at, app, scopes, place, known_device)
            values ({session}, {account}, {me}, 'phone of qzmona', '\x00112233445566778899aabbccddeeff', 1, 1, now(), now(), now(), now(), null, null, 'EG-C', true),
                   ({other_session}, {account}, {mask}, 'app', '\x00112233445566778899aabbccddeeff', 1, 1, now(), now(), now(), now(), {app} + 1, 1, null, true),
                   ({other_session} + 1, {his_account}, {him}, 'x', '\x00112233445566778899aabbccddeeff', 1, 1, now(), now(), now(), now(), {app}, 1, null, true);
        insert into daira.app_grant (app, profile, account, scopes, created_at)
            values ({app} + 1, {me}, {account}, 1, now()), ({app}, {him}, {his_account}, 1, now()), ({app} + 1, {him}, {his_account}, 1, now());
        insert into daira.app_code (id, app, account, profile, scopes, redirect, challenge, agreed_on, proven_at, expires_at)
            values ({code}, {app} + 1, {account}, {me}, 1, 'https://trains.example/cb', decode(repeat('00', 32), 'hex'), {session}, now(), now()),
                   ({code} + 1, {app}, {his_account}, {him}, 1, 'https://qzmona.example/cb', decode(repeat('00', 32), 'hex'), 7, now(), now());
        insert into daira.second_factor (account, secret, begun_at, recovery) values ({account}, 'qzmona'::bytea, now(), array['qzmona'::bytea]);
        insert into daira.passkey values ({passkey}, {account}, 'qzmona'::bytea, 'key qzmona'::bytea, 'passkey of qzmona', now());
        insert into daira.identity values ({account}, 'https://id.example', 'subject qzmona', now()), ({his_account}, 'https://id.example', 'ali', now());
        insert into daira.ceremony values ({code} + 2, 1, {account}, 'qzmona'::bytea, now());
        insert into daira.delivery (kind, subject, since, at) values (1, {mailing}, now(), now()), (2, {session}, now(), now());
        insert into daira.staff values ({account}, 1, now());
        insert into daira.sanction (account, by_profile, reason, reference, at, asleep)
        values ({account}, {him}, 1, 'T-1', now(), false), ({his_account}, {me}, 1, 'T-2', now(), false);
        insert into daira.strike (account, kind, subject, at) values ({account}, 0, 0, now()), ({his_account}, 0, 0, now());
        insert into daira.takedown (kind, subject, owner, by_profile, reason, at, kept, notice)
            values (3, {me}, {me}, {him}, 1, now(), 'name qzmona', 1), (3, {him}, {him}, {me}, 1, now(), 'علي', 2);
        insert into daira.post_changed values ({own});
        insert into daira.pull_author values ({me}, {own});
        insert into daira.post_revision values ({own}, 1, 'before qzmona', 'warning qzmona', now());
        insert into daira.page_served values ({me}, now(), int8send({his}), '\x0000'), ({him}, now(), int8send({own}), '\x0000');
        insert into daira.feed_session values (daira.id_floor(now()) + 5, {me}, array[{his}], array['\x00'::bytea], now());
        insert into daira.notification values
            ({me}, 1, now(), 1, {him}, {own}, null), ({him}, 2, now(), 1, {me}, {his}, {alone}), ({him}, 3, now(), 1, {ninth}, {own}, null),
            ({him}, 4, now(), 1, {ninth}, {his}, null);
        insert into daira.notification_marker values ({me}, now()), ({him}, now());
        insert into daira.idempotency (who, operation, key, request, result) values
            ('{me}', 'post.create', 'k', decode(repeat('00', 32), 'hex'), int8send({own})), ('{him}', 'post.create', 'k', decode(repeat('00', 32), 'hex'), int8send({his}));
        insert into daira.consent values ({account}, 1, now(), true, 1), ({his_account}, 1, now(), true, 1);
        insert into daira.export (id, account, requested_at, state, parts, until, locale)
            values ({export}, {account}, now(), 2, 1, now(), 'ar'), ({export} + 1, {his_account}, now(), 2, 1, now(), 'ar');
        insert into daira.export_part values
            ({export}, {account}, 0, 'post.jsonl', 'x', 1, 1, decode(repeat('00', 32), 'hex')),
            ({export} + 1, {his_account}, 0, 'post.jsonl', 'x', 1, 1, decode(repeat('00', 32), 'hex'));
        insert into daira.breach values (1, now(), now());
        insert into daira.breach_note (breach, at, by_profile, step, text) values (1, now(), {me}, 1, 'a backup');
        insert into daira.audit (at, who, action, subject, detail) values (now(), '{me}', 'account.log_in', {session}, ''), (now(), 'system:cli', 'staff.sanctioned', {account}, 'spam');
        ",
        account = mona.account.raw(),
        his_account = ali.account.raw(),
        me = mona.id.raw(),
        mask = mask.id.raw(),
        him = ali.id.raw(),
        ninth = nour.id.raw(),
        own = own.id.raw(),
        his = his.id.raw(),
        alone = alone.id.raw(),
        picture = picture.id.raw(),
    );
    sqlx::raw_sql(AssertSqlSafe(rest)).execute(&mut admin).await.unwrap();
    let keys = |of: &daira_core::media::Media| of.variants.iter().map(|v| v.key.clone()).collect::<Vec<_>>();
    let mut blobs = (keys(&picture), keys(&his_picture));
    for (of, id) in [(&mut blobs.0, export), (&mut blobs.1, export + 1)] {
        of.push(format!("export/{}/00000000", ExportId::from_raw(id)));
    }
    for key in blobs.0.iter().chain(&blobs.1) {
        ports.blobs.put(key, "image/webp", "x".into()).await.unwrap();
    }
    let texts = |ids: &[i64]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    let values = BTreeMap::from([
        ("account", texts(&[mona.account.raw()])),
        ("profile", texts(&[mona.id.raw(), mask.id.raw()])),
        ("who", texts(&[mona.id.raw()])),
        ("email", vec![format!("{MARK}@example.com")]),
        ("session", texts(&[session, other_session])),
        ("post", texts(&[own.id.raw()])),
        ("comment", texts(&[alone.id.raw()])),
        ("circle", texts(&[circle.id.raw()])),
        ("mailing", texts(&[mailing, mailing + 1])),
        ("app", texts(&[app])),
    ]);
    let ids = vec![
        mona.account.raw(),
        mona.id.raw(),
        mask.id.raw(),
        session,
        other_session,
        own.id.raw(),
        alone.id.raw(),
        circle.id.raw(),
        picture.id.raw(),
        passkey,
        app,
        mailing,
        export,
    ];
    Scene { ports, admin, database, mona, ali, values, ids, blobs }
}

impl Scene {
    async fn count(&mut self, sql: String) -> i64 {
        let count = sqlx::query_scalar(AssertSqlSafe(sql.clone())).fetch_one(&mut self.admin).await;
        count.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The columns that hold one of these: a text anywhere in it, or a number as text or as eight bytes.
    async fn found(&mut self, map: &[Table], texts: &[&str], ids: &[i64]) -> BTreeSet<(&'static str, &'static str)> {
        let mut found = BTreeSet::new();
        for table in map.iter().filter(|table| table.erasure != "none") {
            for column in &table.columns {
                let (table, column) = (table.name, column.name);
                let shown = format!("t.\"{column}\"::text");
                // Bytes are shown as hexadecimal digits.
                let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
                let of_text = texts.iter().flat_map(|text| [(*text).to_owned(), hex(text.as_bytes())]);
                let of_ids = ids.iter().flat_map(|id| [id.to_string(), hex(&id.to_be_bytes())]);
                let any: Vec<String> =
                    of_text.chain(of_ids).map(|one| format!("position('{one}' in {shown}) > 0")).collect();
                let sql = format!("select count(*) from daira.\"{table}\" t where {}", any.join(" or "));
                if self.count(sql).await > 0 {
                    found.insert((table, column));
                }
            }
        }
        found
    }

    /// Rows that are others' alone: those in which nothing of the person stands.
    async fn others(&mut self, map: &[Table]) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut rows = BTreeMap::new();
        // What processes keep of ties is drawn anew with each of them.
        for table in map.iter().filter(|table| table.links().next().is_some() && table.name != "tie_version") {
            let sql = format!("select to_jsonb(t)::text from daira.\"{}\" t", table.name);
            let all: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut self.admin).await.unwrap();
            let ids: Vec<String> = self.ids.iter().map(ToString::to_string).collect();
            let is_others = |row: &String| {
                !row.contains(MARK) && !row.contains(NUMBER) && !ids.iter().any(|id| row.contains(id.as_str()))
            };
            rows.insert(table.name, all.into_iter().filter(is_others).collect());
        }
        rows
    }
}

async fn nothing_of_who_was_erased_is_left_but_what_the_map_keeps(server: Server) {
    let map = tables().unwrap();
    let mut scene = scene(server).await;
    for table in &map {
        for link in table.links() {
            let values = &scene.values[link.kind];
            let any = values.iter().map(|value| format!("'{value}'")).collect::<Vec<_>>().join(", ");
            let sql =
                format!("select count(*) from daira.\"{}\" where \"{}\"::text in ({any})", table.name, link.column);
            assert!(scene.count(sql).await > 0, "nothing of the person stands in {}.{}", table.name, link.column);
        }
    }
    let ids = scene.ids.clone();
    let before = scene.found(&map, &[MARK, NUMBER], &[]).await;
    assert!(before.len() > 28, "what is searched for is there: {before:?}");
    let neighbours = scene.others(&map).await;
    assert!(neighbours.values().filter(|rows| !rows.is_empty()).count() > 15);

    let accounts = AccountService::new(scene.ports.clone());
    assert_eq!(accounts.erase_due().await.unwrap(), 1);
    let goodbye: Vec<i64> =
        sqlx::query_scalar("select id from daira.mailing where kind = 15").fetch_all(&mut scene.admin).await.unwrap();
    assert_eq!(goodbye.len(), 1, "the address stands in the last mail until that is sent");
    assert!(accounts.deliver(Due::Mailing(ChallengeId::from_raw(goodbye[0]))).await.unwrap());

    let named = scene.found(&map, &[MARK, NUMBER], &[]).await;
    assert!(named.is_empty(), "what they wrote, are called or are reached by: {named:?}");
    let stays = |(table, column): &(&str, &str)| {
        let table = map.iter().find(|other| other.name == *table).unwrap();
        table.columns.iter().any(|other| other.name == *column && ["keep", "fall"].contains(&other.erasure))
    };
    let mut left = scene.found(&map, &[], &ids).await;
    assert!(left.contains(&("audit", "subject")) && left.contains(&("audit", "who")), "the trail stays");
    left.retain(|place| !stays(place));
    assert!(left.is_empty(), "what stands for them: {left:?}");

    let after = scene.others(&map).await;
    for (table, rows) in neighbours {
        let lost: Vec<_> = rows.difference(&after[table]).collect();
        assert!(lost.is_empty(), "{table} lost what is somebody else's: {lost:?}");
    }
    for key in &scene.blobs.0 {
        assert!(scene.ports.blobs.head(key).await.unwrap().is_none(), "{key} is there");
    }
    for key in &scene.blobs.1 {
        assert!(scene.ports.blobs.head(key).await.unwrap().is_some(), "{key} is gone");
    }
    // Those who stay find each other as before.
    let world = Fixture::new(scene.ports.clone());
    let seen = world.view(&scene.ali.actor()).await.accounts().profiles(&[scene.ali.id, scene.mona.id]).await.unwrap();
    assert_eq!(seen.iter().map(|profile| profile.id).collect::<Vec<_>>(), [scene.ali.id]);
}

/// Programs take away nothing by themselves, and the functions nothing of whom is not deleted.
async fn programs_erase_nobody_by_hand(server: Server) {
    let mut scene = scene(server).await;
    let account = scene.mona.account.raw();
    let config = scene.database.config();
    for (url, may_call) in [(&config.app_url, false), (&config.worker_url, true)] {
        let mut db = PgConnection::connect(url).await.unwrap();
        for sql in [
            "delete from daira.account".to_owned(),
            "delete from daira.profile".to_owned(),
            "delete from daira.notification".to_owned(),
            format!("select * from daira.erase_told({account}, 10, now())"),
            format!("select daira.erase_rest({account}, 10)"),
        ] {
            let refused = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut db).await.unwrap_err();
            assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{sql}");
        }
        scene
            .count(format!(
                "with d as (update daira.account set state = 4 where id = {account} returning 1) select count(*) from d"
            ))
            .await;
        let called = sqlx::raw_sql(AssertSqlSafe(format!("select * from daira.erase_told({account}, 1, now())")))
            .execute(&mut db)
            .await;
        assert_eq!(called.is_ok(), may_call);
        scene
            .count(format!(
                "with d as (update daira.account set state = 0 where id = {account} returning 1) select count(*) from d"
            ))
            .await;
    }
}

on_each_server!(nothing_of_who_was_erased_is_left_but_what_the_map_keeps, programs_erase_nobody_by_hand);
