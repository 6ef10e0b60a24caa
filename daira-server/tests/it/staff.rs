//! Staff over GraphQL and gRPC: who may do what, by the kernel's tables; and what is taken down, by every way that the schema has.

use core::time::Duration;

use daira_core::memory::WallClock;
use daira_core::port::Clock as _;
use daira_core::proto::admin::v1::admin_service_client::AdminServiceClient;
use daira_core::proto::admin::v1::{
    self as admin, AppointRequest, EndPersonSessionsRequest, LiftSanctionRequest, ListStaffRequest,
    LookUpPersonRequest, PresentProfileRequest, PutBackRequest, SanctionPersonRequest, TakeDownRequest,
    look_up_person_request::By,
};
use daira_core::staff::{Permission, PrivateField, Role, StaffRole};
use daira_store::postgres::testing::Server;
use serde_json::{Value, json};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::harness::{Person, Stage};
use crate::introspection::{Schema, list, name, named};
use crate::matrix::{answers, everything, settings};
use crate::real::Real;

/// Some who ask, and the role by which they are to be answered; none for who has none, or has not proved it.
struct Asking {
    what: &'static str,
    who: Option<Person>,
    role: Option<Role>,
    /// What they are told when they have no role.
    refusal: &'static str,
}

/// What transports ask for. The log of breaches is kept at a command, and by use cases that have tests of their own.
static ASKED: std::sync::LazyLock<Vec<Permission>> = std::sync::LazyLock::new(|| {
    Permission::ALL.iter().copied().filter(|one| *one != Permission::KeepBreaches).collect()
});

async fn everybody(stage: &Stage) -> Vec<Asking> {
    let hasty = stage.join("hasty").await;
    stage.appoint(&hasty, StaffRole::Admin).await;
    let user = stage.join("user.one").await;
    stage.prove(&user).await;
    let mut all = vec![
        Asking { what: "nobody", who: None, role: None, refusal: "auth.required" },
        Asking { what: "a user", who: Some(user), role: None, refusal: "staff.not_allowed" },
        Asking {
            what: "an admin without a second factor",
            who: Some(hasty),
            role: None,
            refusal: "staff.second_factor_missing",
        },
    ];
    for (what, role) in
        [("hana.one", StaffRole::Moderator), ("salma.one", StaffRole::SeniorModerator), ("omar.one", StaffRole::Admin)]
    {
        let person = stage.hire(what, role).await;
        all.push(Asking { what, who: Some(person), role: Some(role.into()), refusal: "staff.not_allowed" });
    }
    all
}

fn in_a_week() -> String {
    (WallClock.now() + Duration::from_hours(7 * 24)).to_string()
}

/// What each permission lets do: the mutation and its input, about somebody and a post of theirs.
fn mutation(permission: Permission, whom: &Person, post: &str) -> Option<(&'static str, Value)> {
    let about = |more: Value| {
        let mut input = json!({ "profileId": whom.id, "reason": "OTHER" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let target = json!({ "kind": "POST", "targetId": post, "reason": "OTHER" });
    Some(match permission {
        Permission::LookUp => ("lookUpPerson", about(json!({}))),
        Permission::EndSessions => ("endPersonSessions", about(json!({}))),
        Permission::Restrict => ("sanctionPerson", about(json!({ "measure": "RESTRICT" }))),
        Permission::Suspend => ("sanctionPerson", about(json!({ "measure": "SUSPEND", "until": in_a_week() }))),
        Permission::Ban => ("sanctionPerson", about(json!({ "measure": "BAN" }))),
        Permission::SetKind => ("presentProfile", about(json!({ "presentedAs": "BRAND" }))),
        Permission::TakeDown => ("takeDown", target),
        Permission::PutBack => ("putBack", target),
        Permission::SetRole => ("appoint", about(json!({ "rank": "MODERATOR" }))),
        Permission::ListStaff | Permission::KeepBreaches => return None,
    })
}

/// The code that a mutation or a question is answered with; nothing when it was done.
async fn asked(
    stage: &Stage,
    who: Option<&Person>,
    permission: Permission,
    whom: &Person,
    post: &str,
) -> Option<String> {
    let Some((mutation, input)) = mutation(permission, whom, post) else {
        let body = stage.ask_with(who, "{ staff { members { role } } }", json!({})).await.json();
        if who.is_none() {
            assert_eq!(body, json!({ "data": { "staff": null } }));
            return Some("auth.required".to_owned());
        }
        return body.pointer("/errors/0/extensions/code").map(|code| code.as_str().unwrap().to_owned());
    };
    let kind = match mutation {
        "lookUpPerson" => "LookUpPerson",
        "endPersonSessions" => "EndPersonSessions",
        "sanctionPerson" => "SanctionPerson",
        "presentProfile" => "PresentProfile",
        "takeDown" | "putBack" => "Takedown",
        _ => "Appoint",
    };
    let document =
        format!("mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ userErrors {{ code }} }} }}");
    let body = stage.ask_with(who, &document, json!({ "input": input })).await.json();
    let refused = body.pointer(&format!("/data/{mutation}/userErrors/0/code"));
    let code = refused.or_else(|| body.pointer("/errors/0/extensions/code"));
    code.map(|code| code.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn security_37_each_role_may_do_over_graphql_what_the_table_says() {
    let (schema, stage) = (Schema::read().await, Stage::new());
    let everybody = everybody(&stage).await;
    let mut n = 0;
    for permission in ASKED.iter() {
        for Asking { what, who, role, refusal } in &everybody {
            n += 1;
            let whom = stage.join(&format!("target.{n}")).await;
            let post = stage.publish(&whom, json!({ "text": "كلام" })).await;
            let allowed = role.is_some_and(|role| permission.is_of(role));
            let expected = (!allowed).then(|| (*refusal).to_owned());
            assert_eq!(
                asked(&stage, who.as_ref(), *permission, &whom, &post).await,
                expected,
                "{permission:?} by {what}"
            );
        }
    }
    // No mutation that asks for a reason is missing from the sweep, but the one that lifts what others impose.
    let whom = Person { id: String::new(), token: String::new(), refresh: String::new() };
    let tried = |wanted: &str| {
        let named = |p: &Permission| mutation(*p, &whom, "").is_some_and(|(name, _)| name == wanted);
        Permission::ALL.iter().any(named) || wanted == "liftSanction"
    };
    for field in list(schema.find("Mutation"), "fields") {
        let input = schema.find(named(&list(field, "args")[0]["type"]));
        let is_staffs = list(input, "inputFields").iter().any(|part| named(&part["type"]) == "StaffReason");
        assert!(!is_staffs || tried(name(field)), "{}", name(field));
    }
}

#[tokio::test]
async fn security_35_security_37_private_fields_are_shown_to_whom_the_table_says() {
    let stage = Stage::new();
    let whom = stage.join("nadia").await;
    let selection = "person { email birthDate faces { id } sessions { device } guards { passkeys } }";
    for Asking { what, who, role, .. } in everybody(&stage).await.into_iter().filter(|asking| asking.role.is_some()) {
        for field in PrivateField::ALL {
            let input = json!({ "profileId": whom.id, "reason": "REPORT", "fields": [field.code().to_uppercase()] });
            let payload = stage.tried(who.as_ref(), "lookUpPerson", input, selection).await;
            let person = payload["person"].as_object();
            assert_eq!(person.is_some(), field.is_of(role.unwrap()), "{field:?} for {what}: {payload}");
            let Some(person) = person else { continue };
            let shown: Vec<&str> =
                person.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key.as_str()).collect();
            let expected: &[&str] = match field {
                PrivateField::Email => &["email"],
                PrivateField::BirthDate => &["birthDate"],
                PrivateField::Faces => &["faces"],
                PrivateField::Sessions => &["sessions"],
                PrivateField::SecondFactor => &["guards"],
                PrivateField::Sanction => &[],
            };
            assert_eq!(shown, expected, "{what}");
        }
    }
}

fn signed<T>(who: Option<&Person>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(who) = who {
        let bearer: MetadataValue<_> = format!("Bearer {}", who.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
    }
    request
}

fn reason_of(outcome: Result<(), Status>) -> Option<String> {
    let status = outcome.err()?;
    Some(status.get_details_error_info().expect("a refusal with a code").reason)
}

/// The code that a call is answered with; nothing when it was done.
async fn called(
    calls: &mut AdminServiceClient<Channel>,
    who: Option<&Person>,
    permission: Permission,
    whom: &Person,
    post: &str,
) -> Option<String> {
    let why = Some(admin::Why { reason: "other".to_owned(), reference: String::new() });
    let (profile_id, idempotency_key) = (whom.id.clone(), String::new());
    let sanction = |measure: &str, until: &str| SanctionPersonRequest {
        profile_id: whom.id.clone(),
        measure: measure.to_owned(),
        until: until.to_owned(),
        why: why.clone(),
        idempotency_key: String::new(),
    };
    let (kind, target_id) = ("post".to_owned(), post.to_owned());
    reason_of(match permission {
        Permission::LookUp => {
            let by = Some(By::ProfileId(profile_id));
            let request = LookUpPersonRequest { by, fields: Vec::new(), why, idempotency_key };
            calls.look_up_person(signed(who, request)).await.map(drop)
        }
        Permission::EndSessions => {
            let session_id = String::new();
            let request = EndPersonSessionsRequest { profile_id, session_id, why, idempotency_key };
            calls.end_person_sessions(signed(who, request)).await.map(drop)
        }
        Permission::Restrict => calls.sanction_person(signed(who, sanction("restrict", ""))).await.map(drop),
        Permission::Suspend => calls.sanction_person(signed(who, sanction("suspend", &in_a_week()))).await.map(drop),
        Permission::Ban => calls.sanction_person(signed(who, sanction("ban", ""))).await.map(drop),
        Permission::SetKind => {
            let presented_as = "brand".to_owned();
            let request = PresentProfileRequest { profile_id, presented_as, why, idempotency_key };
            calls.present_profile(signed(who, request)).await.map(drop)
        }
        Permission::TakeDown => {
            calls.take_down(signed(who, TakeDownRequest { kind, target_id, why, idempotency_key })).await.map(drop)
        }
        Permission::PutBack => {
            calls.put_back(signed(who, PutBackRequest { kind, target_id, why, idempotency_key })).await.map(drop)
        }
        Permission::ListStaff => calls.list_staff(signed(who, ListStaffRequest {})).await.map(drop),
        Permission::SetRole => {
            let request = AppointRequest { profile_id, role: "moderator".to_owned(), why, idempotency_key };
            calls.appoint(signed(who, request)).await.map(drop)
        }
        Permission::KeepBreaches => panic!("no call keeps breaches"),
    })
}

#[tokio::test]
async fn security_37_each_role_may_do_over_grpc_what_the_table_says() {
    let stage = Stage::new();
    let listening = stage.grpc(Duration::from_secs(30)).await;
    let channel = Channel::from_shared(format!("http://{}", listening.address)).unwrap().connect().await.unwrap();
    let mut calls = AdminServiceClient::new(channel);
    let everybody = everybody(&stage).await;
    let mut n = 0;
    for permission in ASKED.iter() {
        for Asking { what, who, role, refusal } in &everybody {
            n += 1;
            let whom = stage.join(&format!("target.{n}")).await;
            let post = stage.publish(&whom, json!({ "text": "كلام" })).await;
            let allowed = role.is_some_and(|role| permission.is_of(role));
            let expected = (!allowed).then(|| (*refusal).to_owned());
            let told = called(&mut calls, who.as_ref(), *permission, &whom, &post).await;
            assert_eq!(told, expected, "{permission:?} by {what}");
        }
    }
    // Words that stand for nothing are named, and what was done can be undone.
    let (boss, whom) = (everybody.last().unwrap().who.as_ref(), stage.join("last.one").await);
    let bad = admin::Why { reason: "because".to_owned(), reference: String::new() };
    let lift =
        |why| LiftSanctionRequest { profile_id: whom.id.clone(), why: Some(why), idempotency_key: String::new() };
    let told = reason_of(calls.lift_sanction(signed(boss, lift(bad))).await.map(drop));
    assert_eq!(told.as_deref(), Some("staff.word_unknown"));
    let good = admin::Why { reason: "appeal".to_owned(), reference: "T-1".to_owned() };
    assert_eq!(reason_of(calls.lift_sanction(signed(boss, lift(good.clone()))).await.map(drop)), None);
    let fields = PrivateField::ALL.iter().map(|field| field.code().to_owned()).collect();
    let by = Some(By::Email("last.one@example.com".to_owned()));
    let look = LookUpPersonRequest { by, fields, why: Some(good), idempotency_key: String::new() };
    let person = calls.look_up_person(signed(boss, look)).await.unwrap().into_inner();
    assert_eq!(
        (person.handle.as_str(), person.email.as_str(), person.state.as_str()),
        ("last.one", "last.one@example.com", "active")
    );
    assert_eq!((person.face_ids, person.sessions.len(), person.birth_date.as_str()), (vec![whom.id], 1, "1999-03-21"));
}

/// A word of what is taken down, and nowhere else.
const WORD: &str = "ياقوتة";

async fn nothing_shows_what_was_taken_down(stage: &Stage) {
    let schema = Schema::read().await;
    let (owner, other) = (stage.join("nadia").await, stage.join("tarek").await);
    let boss = stage.hire("omar.one", StaffRole::Admin).await;
    stage.done(Some(&other), "follow", json!({ "profileId": owner.id }), "outcome").await;
    stage.settle().await;
    let text = format!("{WORD} يا @tarek #صباح");
    let post = stage.publish(&owner, json!({ "text": text })).await;
    let edited = json!({ "postId": post, "text": format!("{text} تاني") });
    stage.done(Some(&owner), "editPost", edited, "post { id }").await;
    let public = stage.publish(&owner, json!({ "text": "صباح الخير" })).await;
    let say = json!({ "postId": public, "text": format!("تعليق {WORD}") });
    let comment = stage.done(Some(&owner), "comment", say, "comment { id }").await["comment"]["id"].clone();
    for subject in [json!(post), comment.clone()] {
        stage.done(Some(&other), "react", json!({ "subjectId": subject }), "changed").await;
    }
    stage.settle().await;
    let mut documents = everything(&schema, &owner, &public);
    documents.extend(everything(&schema, &owner, &post));
    // Comments are reached from their post, and by their id.
    let below = "comments { edges { node { id text } } }";
    documents.push(format!("{{ post(id: \"{public}\") {{ {below} }} node(id: {comment}) {{ id }} }}"));
    let told = async |who: Option<&Person>| answers(stage, who, &documents).await.concat();
    let (owner, other) = (Some(&owner), Some(&other));
    // What is asked for names the post, but no answer does.
    let shows = |told: &str| {
        [told.contains(WORD), told.contains(&format!("\"{post}\"")), told.contains(comment.as_str().unwrap())]
    };
    for who in [None, owner, other] {
        assert_eq!(shows(&told(who).await), [true; 3], "before, for {who:?}");
    }
    let targets = [("POST", json!(post)), ("COMMENT", comment.clone())];
    for (kind, target) in &targets {
        let input = json!({ "kind": kind, "targetId": target, "reason": "HATE" });
        stage.done(Some(&boss), "takeDown", input, "targetId").await;
    }
    stage.settle().await;
    for who in [None, other, Some(&boss)] {
        assert_eq!(shows(&told(who).await), [false; 3], "for {who:?}");
    }
    let own = told(owner).await;
    assert_eq!(shows(&own), [true; 3]);
    assert!(own.contains("\"HATE\""), "their owner sees why");
    let counts = async || {
        let document = format!(
            "{{ profile(handle: \"nadia\") {{ counters {{ posts }} }} post(id: \"{public}\") {{ counters {{ comments }} }} }}"
        );
        let reply = stage.ask_with(other, &document, json!({})).await;
        (reply.data("/profile/counters/posts"), reply.data("/post/counters/comments"))
    };
    assert_eq!(counts().await, (json!(1), json!(0)));
    for (kind, target) in &targets {
        let input = json!({ "kind": kind, "targetId": target, "reason": "APPEAL" });
        stage.done(Some(&boss), "putBack", input, "targetId").await;
    }
    stage.settle().await;
    for who in [None, owner, other] {
        assert_eq!(shows(&told(who).await), [true; 3], "back, for {who:?}");
    }
    assert_eq!(counts().await, (json!(2), json!(1)));
}

#[tokio::test]
async fn security_39_what_was_taken_down_shows_by_no_way_in_memory() {
    nothing_shows_what_was_taken_down(&Stage::with(settings())).await;
}

#[tokio::test]
async fn security_39_what_was_taken_down_shows_by_no_way_in_postgresql() {
    let real = Real::on(Server::Pg18, settings()).await;
    nothing_shows_what_was_taken_down(&real).await;
}

#[tokio::test]
async fn security_15_nobody_sets_or_sees_the_password_of_another() {
    let schema = Schema::read().await;
    for field in list(schema.find("Mutation"), "fields") {
        let input = schema.find(named(&list(field, "args")[0]["type"]));
        let parts: Vec<&str> = list(input, "inputFields").iter().map(name).collect();
        let is_staffs = list(input, "inputFields").iter().any(|part| named(&part["type"]) == "StaffReason");
        assert!(!is_staffs || !parts.iter().any(|part| part.to_lowercase().contains("password")), "{}", name(field));
    }
    for ty in ["Person", "PersonSession", "PersonGuards", "StaffEntry"] {
        let fields = list(schema.find(ty), "fields").iter().map(name);
        assert!(!fields.clone().any(|field| field.to_lowercase().contains("password")), "{ty}");
    }
}

#[tokio::test]
async fn the_page_of_permissions_is_the_table() {
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/PERMISSIONS.md")).unwrap();
    assert!(kept == daira_core::staff::permission::markdown(), "run `cargo xtask codegen permissions`");
}
