//! Two units at once: whatever the interleaving, the end is one that some order of the two could have led to.
//!
//! Every case runs several rounds, both sides through [`Ports::transact`], over a store whose units wait for a turn
//! before they commit. An adapter may make one side wait, or have it run again; it may not let both decide on a state
//! that the other is about to end.

use core::time::Duration;

use futures_util::future::join;

use super::world;
use crate::account::{CeremonyKind, PendingCeremony, SecondFactor};
use crate::actor::Actor;
use crate::error::{CommonRefusal, Error, ErrorKind};
use crate::graph::{Block, Follow};
use crate::id::{FeedSessionId, PostId};
use crate::idempotency::{IdempotencyKey, Keyed};
use crate::page::Limit;
use crate::port::Ports;
use crate::port::store::{HandleHolder, Lock};
use crate::post::Visibility;
use crate::reaction::{Reaction, ReactionKind, Target};
use crate::testkit::fixture::{Draft, PLATFORM, Person, Writing, limit};
use crate::testkit::turns::taking_turns;
use crate::text::Handle;

const ROUNDS: usize = 8;

/// Somebody follows while the other blocks: never does a follow stand beside a block.
pub async fn a_block_and_a_follow(ports: &Ports) {
    let world = world(&taking_turns(ports));
    for round in 0..ROUNDS {
        let mona = &world.person(format!("mona{round}").as_str()).await;
        let ali = &world.person(format!("ali{round}").as_str()).await;
        let (actor_mona, actor_ali, at) = (mona.actor(), ali.actor(), world.tick());
        let follow = world.ports.transact(&actor_ali, |mut unit| {
            Box::pin(async move {
                unit.graph().lock_pair(&ali.profile, &mona.profile, false).await?;
                if unit.graph().relation(&ali.profile, &mona.profile).await?.blocked() {
                    return Ok(false);
                }
                unit.graph().insert_follow(&Follow { follower: ali.id, followee: mona.id, at }).await
            })
        });
        let block = world.ports.transact(&actor_mona, |mut unit| {
            Box::pin(async move {
                unit.graph().lock_pair(&mona.profile, &ali.profile, true).await?;
                let block = Block { blocker: mona.id, blocked: ali.id, blocked_account: ali.account, at };
                unit.graph().insert_block(&block).await?;
                unit.graph().delete_follow(ali.id, mona.id).await
            })
        });
        let (followed, ended) = if round % 2 == 0 {
            join(follow, block).await
        } else {
            let (ended, followed) = join(block, follow).await;
            (followed, ended)
        };
        assert_eq!(followed.unwrap(), ended.unwrap(), "the block ends the follow, or prevents it");
        let mut unit = world.unit(&PLATFORM).await;
        let relation = unit.graph().relation(&ali.profile, &mona.profile).await.unwrap();
        assert!(relation.blocked_by && !relation.follows);
    }
}

/// Somebody asks while the profile opens: no request is left behind that nobody will ever answer.
pub async fn opening_up_and_a_request(ports: &Ports) {
    let world = world(&taking_turns(ports));
    for round in 0..ROUNDS {
        let sara = &world.person(Draft::new(format!("sara{round}")).private()).await;
        let ali = &world.person(format!("ali{round}").as_str()).await;
        let (actor_sara, actor_ali, at) = (sara.actor(), ali.actor(), world.tick());
        let ask = world.ports.transact(&actor_ali, |mut unit| {
            Box::pin(async move {
                let sara = unit.accounts().profile(sara.id, Lock::Share).await?.unwrap();
                let follow = Follow { follower: ali.id, followee: sara.id, at };
                if sara.private {
                    unit.graph().insert_request(&follow).await
                } else {
                    unit.graph().insert_follow(&follow).await
                }
            })
        });
        let open = world.ports.transact(&actor_sara, |mut unit| {
            Box::pin(async move {
                let mut profile = unit.accounts().profile(sara.id, Lock::Update).await?.unwrap();
                (profile.private, profile.version) = (false, profile.version + 1);
                unit.accounts().update_profile(&profile).await?;
                for follower in unit.graph().take_requests(sara.id, 100).await? {
                    unit.graph().insert_follow(&Follow { follower, followee: sara.id, at }).await?;
                }
                Ok(())
            })
        });
        let (asked, opened) = if round % 2 == 0 {
            join(ask, open).await
        } else {
            let (opened, asked) = join(open, ask).await;
            (asked, opened)
        };
        assert!(asked.unwrap());
        opened.unwrap();
        let mut unit = world.unit(&PLATFORM).await;
        let relation = unit.graph().relation(&ali.profile, &sara.profile).await.unwrap();
        assert!(relation.follows && !relation.requested);
    }
}

/// Two edits that load, change and store: neither overwrites the other.
pub async fn two_edits(ports: &Ports) {
    let world = world(&taking_turns(ports));
    let mona = world.person("mona").await;
    let actor = mona.actor();
    for _ in 0..ROUNDS {
        let post = world.post(&mona, "").await.id;
        let append = |letter: char| {
            world.ports.transact(&actor, move |mut unit| {
                Box::pin(async move {
                    let mut post = unit.posts().post(post, Lock::Update).await?.unwrap();
                    post.text.push(letter);
                    post.version += 1;
                    unit.posts().update(&post, None).await
                })
            })
        };
        let (one, two) = join(append('a'), append('b')).await;
        one.unwrap();
        two.unwrap();
        let stored = world.cards(&actor, &[post]).await.remove(0).post;
        assert!(["ab", "ba"].contains(&stored.text.as_str()), "{}", stored.text);
        assert_eq!(stored.version, 3);
    }
}

/// Two people want one handle: one gets it.
pub async fn one_handle_for_two(ports: &Ports) {
    let world = world(&taking_turns(ports));
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let now = world.now();
    for round in 0..ROUNDS {
        let handle = &Handle::existing(&format!("wanted{round}")).unwrap();
        let claim = async |person: &Person| {
            let holder = HandleHolder::Profile(person.id);
            let actor = person.actor();
            let claim = world.ports.transact(&actor, |mut unit| {
                Box::pin(async move { unit.accounts().claim_handle(handle, holder, None, now).await })
            });
            claim.await.unwrap()
        };
        let (one, two) = join(claim(&mona), claim(&ali)).await;
        assert!(one != two, "exactly one");
    }
}

/// Two registrations prove one e-mail: one account is made, the other unit fails by the key's name.
pub async fn one_email_for_two(ports: &Ports) {
    let world = world(&taking_turns(ports));
    for round in 0..ROUNDS {
        let draft = Draft::new(format!("mona{round}"));
        let (one, two) = (world.account(&draft), world.account(&draft));
        let open = async |account: &crate::account::Account| -> Result<(), Error> {
            let made = world.ports.transact(&PLATFORM, |mut unit| {
                Box::pin(async move { unit.accounts().insert_account(account, "$none$").await })
            });
            made.await
        };
        let results = join(open(&one), open(&two)).await;
        let conflicts = [&results.0, &results.1].into_iter().filter_map(|r| r.as_ref().err()).map(Error::kind);
        assert_eq!(conflicts.collect::<Vec<_>>(), [ErrorKind::Conflict("account_email")]);
    }
}

/// The same request twice at once: one effect; the other is told that it runs, or gets the same answer.
pub async fn one_key_twice(ports: &Ports) {
    let world = world(&taking_turns(ports));
    for round in 0..ROUNDS {
        let mona = &world.person(format!("mona{round}").as_str()).await;
        let actor = mona.actor();
        let keyed = &Keyed::new("test.write", IdempotencyKey::new("k").unwrap(), &"one");
        let write = async || -> Result<PostId, Error> {
            let world = &world;
            let done = world.ports.transact_once(&actor, Some(keyed), |mut unit| {
                let post = world.written(mona, "مرة واحدة");
                Box::pin(async move { unit.posts().insert(&post).await.map(|()| post.id) })
            });
            done.await
        };
        let (one, two) = join(write(), write()).await;
        let all = world.view(&actor).await.posts().by_author(mona.id, None, Limit::DEFAULT).await.unwrap().items;
        assert_eq!(all.len(), 1);
        for result in [one, two] {
            match result {
                Ok(post) => assert_eq!(post, all[0]),
                Err(error) => assert_eq!(error.refusal(), Some(CommonRefusal::KeyInFlight)),
            }
        }
        for patience in 0.. {
            match write().await {
                Err(_) if patience < 100 => world.ports.clock.sleep(Duration::from_millis(20)).await,
                outcome => {
                    assert_eq!(outcome.unwrap(), all[0]);
                    break;
                }
            }
        }
    }
}

/// Two requests rebuild one feed session: both go on with the same list.
pub async fn two_frozen_lists(ports: &Ports) {
    let world = world(&taking_turns(ports));
    let ali = world.person("ali").await;
    let actor = ali.actor();
    for _ in 0..ROUNDS {
        let (session, at): (FeedSessionId, _) = (world.draw(), world.now());
        let freeze = async |list: Vec<(PostId, Vec<u8>)>| {
            let list = &list;
            let frozen = world.ports.transact(&actor, |mut unit| {
                Box::pin(async move { unit.feed().freeze(session, ali.id, list, at).await })
            });
            frozen.await.unwrap()
        };
        let (one, two) = join(freeze(vec![(world.draw(), vec![1])]), freeze(vec![(world.draw(), vec![2])])).await;
        assert_eq!(one, two);
        assert_eq!(world.view(&actor).await.feed().frozen(session, at).await.unwrap(), Some(one));
    }
}

/// One person reacts twice at once: the two answers of what was before make a chain, so that counters stay right.
pub async fn two_reactions_of_one_person(ports: &Ports) {
    let world = world(&taking_turns(ports));
    let mona = world.person("mona").await;
    let actor = mona.actor();
    for _ in 0..ROUNDS {
        let post = world.post(&mona, "1").await;
        let at = world.tick();
        let react = async |kind| {
            let reaction = Reaction { by: mona.id, target: Target::Post(post.id), kind, at };
            let put =
                world.ports.transact(&actor, |mut unit| Box::pin(async move { unit.reactions().put(&reaction).await }));
            put.await.unwrap()
        };
        let (like, sad) = join(react(ReactionKind::Like), react(ReactionKind::Sad)).await;
        let last = world.cards(&actor, &[post.id]).await[0].viewer_reaction;
        match (like, sad) {
            (None, Some(ReactionKind::Like)) => assert_eq!(last, Some(ReactionKind::Sad)),
            (Some(ReactionKind::Sad), None) => assert_eq!(last, Some(ReactionKind::Like)),
            other => panic!("no order of the two answers {other:?}"),
        }
    }
}

/// The same follow twice at once: one of the two made it.
pub async fn one_follow_twice(ports: &Ports) {
    let world = world(&taking_turns(ports));
    let mona = world.person("mona").await;
    let actor = mona.actor();
    for round in 0..ROUNDS {
        let star = world.person(format!("star{round}").as_str()).await;
        let follow = Follow { follower: mona.id, followee: star.id, at: world.tick() };
        let insert = async || {
            let made = world
                .ports
                .transact(&actor, |mut unit| Box::pin(async move { unit.graph().insert_follow(&follow).await }));
            made.await.unwrap()
        };
        let (one, two) = join(insert(), insert()).await;
        assert!(one != two, "exactly one");
    }
}

/// A circle goes while somebody is put into it: nobody is left in a circle that is not there.
pub async fn a_circle_and_its_member(ports: &Ports) {
    let world = world(&taking_turns(ports));
    let (mona, ali) = (world.person("mona").await, world.person("ali").await);
    let actor = mona.actor();
    for round in 0..ROUNDS {
        let circle = world.circle(&mona, &format!("شلة {round}"), &[]).await.id;
        let post = world.post(&mona, Writing::new("لينا").visible(Visibility::Circle(circle))).await;
        let (member, at) = (ali.id, world.tick());
        let add = world.ports.transact(&actor, |mut unit| {
            Box::pin(async move {
                if unit.graph().circle(circle, Lock::Share).await?.is_none() {
                    return Ok(false);
                }
                unit.graph().insert_circle_member(circle, member, at).await
            })
        });
        let delete =
            world.ports.transact(&actor, |mut unit| Box::pin(async move { unit.graph().delete_circle(circle).await }));
        let (added, deleted) = join(add, delete).await;
        assert!(deleted.unwrap());
        added.unwrap();
        assert!(!world.sees(&ali.actor(), &post).await);
        let members = world.view(&actor).await.graph().circle_members(circle, None, limit(100)).await.unwrap();
        assert!(members.items.is_empty());
    }
}

/// Two spend the same code of a second factor: one of them finds it spent.
pub async fn one_code_twice(ports: &Ports) {
    let world = world(&taking_turns(ports));
    for round in 0..ROUNDS {
        let mona = &world.person(format!("mona{round}").as_str()).await;
        let actor = mona.actor();
        let mut unit = world.unit(&actor).await;
        let factor = SecondFactor { recovery: vec![[1; 32], [2; 32]], ..SecondFactor::none(mona.account) };
        unit.factors().put_second_factor(&factor).await.unwrap();
        unit.commit().await.unwrap();
        let spend = || {
            world.ports.transact(&actor, |mut unit| {
                Box::pin(async move {
                    let mut factor = unit.factors().second_factor(mona.account).await?.unwrap();
                    let before = factor.recovery.len();
                    factor.recovery.retain(|code| *code != [1; 32]);
                    unit.factors().put_second_factor(&factor).await?;
                    Ok(factor.recovery.len() < before)
                })
            })
        };
        let (one, other) = join(spend(), spend()).await;
        assert!(one.unwrap() != other.unwrap(), "it is spent once");
    }
}

/// Two answer one ceremony: one of them gets it.
pub async fn one_ceremony_twice(ports: &Ports) {
    let world = world(&taking_turns(ports));
    for _ in 0..ROUNDS {
        let pending = &PendingCeremony {
            id: world.draw(),
            kind: CeremonyKind::LogIn,
            account: None,
            state: b"{}".to_vec(),
            expires_at: world.now() + Duration::from_mins(1),
        };
        let mut unit = world.unit(&Actor::Anonymous).await;
        unit.factors().insert_ceremony(pending).await.unwrap();
        unit.commit().await.unwrap();
        let take = || {
            world.ports.transact(&Actor::Anonymous, |mut unit| {
                Box::pin(async move { unit.factors().take_ceremony(pending.id).await })
            })
        };
        let (one, other) = join(take(), take()).await;
        assert!(one.unwrap().is_some() != other.unwrap().is_some(), "it is taken once");
    }
}
