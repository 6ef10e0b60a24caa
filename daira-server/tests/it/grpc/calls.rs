//! Every method, by the generated client.

use std::sync::atomic::Ordering;
use std::time::Duration;

use daira_core::proto::account::v1::get_profile_request::By;
use daira_core::proto::account::v1::{
    GetProfileRequest, ListSessionsRequest, LogInRequest, LogOutRequest, RefreshSessionRequest, RegisterRequest,
    RevokeSessionRequest, VerifyEmailRequest,
};
use daira_core::proto::feed::v1::{FollowingFeedRequest, HomeFeedRequest, WhyThisRequest};
use daira_core::proto::post::v1::{
    CreatePostRequest, DeletePostRequest, EditPostRequest, GetPostRequest, ListPostsRequest, ReactRequest,
    ReactionKind, RestorePostRequest, Visibility,
};
use daira_server::http::HttpSettings;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use super::{LONG, by, clients, followed, reason, stranger, with};
use crate::harness::{Person, Stage};
use crate::stores::{Trouble, troubled};

fn text(text: &str) -> CreatePostRequest {
    CreatePostRequest { text: text.to_owned(), ..CreatePostRequest::default() }
}

#[tokio::test]
async fn somebody_joins_logs_in_refreshes_and_logs_out() {
    let stage = Stage::new();
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    let wish = RegisterRequest {
        email: "mona@example.com".to_owned(),
        password: "kahraba nour shams".to_owned(),
        handle: "mona".to_owned(),
        name: "منى".to_owned(),
        birth_date: "1999-03-21".to_owned(),
        locale: "en".to_owned(),
        ..RegisterRequest::default()
    };
    let registration_id = accounts.register(wish.clone()).await.unwrap().into_inner().registration_id;
    stage.settle().await;
    let wrong = VerifyEmailRequest { registration_id: "nonsense".to_owned(), ..VerifyEmailRequest::default() };
    let refused = accounts.verify_email(stranger(wrong)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "common.id"));
    let proof = VerifyEmailRequest {
        registration_id,
        code: stage.code_for("mona@example.com"),
        device: "grpc".to_owned(),
        ..VerifyEmailRequest::default()
    };
    let joined = accounts.verify_email(proof).await.unwrap().into_inner();
    let log_in = |password: &str| LogInRequest {
        email: "mona@example.com".to_owned(),
        password: password.to_owned(),
        device: "Phone".to_owned(),
        ..LogInRequest::default()
    };
    let refused = accounts.log_in(stranger(log_in("wrong password"))).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "auth.invalid_credentials"));
    let phone = accounts.log_in(log_in("kahraba nour shams")).await.unwrap().into_inner();
    assert_eq!(phone.profile_id, joined.profile_id);
    let tokens = phone.tokens.unwrap();
    let refresh =
        RefreshSessionRequest { refresh_token: tokens.refresh_token.clone(), ..RefreshSessionRequest::default() };
    let fresh = accounts.refresh_session(refresh).await.unwrap().into_inner().tokens.unwrap();
    assert_ne!(fresh.refresh_token, tokens.refresh_token);

    let mona = Person { id: phone.profile_id, token: fresh.access_token, refresh: fresh.refresh_token };
    let sessions = accounts.list_sessions(by(&mona, ListSessionsRequest {})).await.unwrap().into_inner().sessions;
    let devices: Vec<_> = sessions.iter().map(|session| (session.device.as_str(), session.current)).collect();
    assert_eq!(devices, [("Phone", true), ("grpc", false)]);
    let other = RevokeSessionRequest { session_id: sessions[1].id.clone(), ..RevokeSessionRequest::default() };
    accounts.revoke_session(by(&mona, other.clone())).await.unwrap();
    // Ended is ended: saying it twice changes nothing.
    accounts.revoke_session(by(&mona, other)).await.unwrap();
    let nobodys =
        RevokeSessionRequest { session_id: "ses_0000000000001".to_owned(), ..RevokeSessionRequest::default() };
    let refused = accounts.revoke_session(by(&mona, nobodys)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "common.not_found"));
    accounts.log_out(by(&mona, LogOutRequest::default())).await.unwrap();
    let refused = accounts.list_sessions(by(&mona, ListSessionsRequest {})).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "auth.token_invalid"));
    let refused = accounts.register(stranger(RegisterRequest { handle: "a b".to_owned(), ..wish })).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "handle");
}

#[tokio::test]
async fn a_post_is_written_read_edited_reacted_to_deleted_and_restored() {
    let stage = Stage::new();
    let (mona, omar) = (stage.join("mona").await, stage.join("omar").await);
    let server = stage.grpc(LONG).await;
    let mut all = clients(&server).await;
    let posts = &mut all.posts;
    let post = posts.create_post(by(&mona, text("يا صباح الفل #صباح"))).await.unwrap().into_inner().post.unwrap();
    assert_eq!((post.visibility(), post.author.as_ref().unwrap().handle.as_str()), (Visibility::Public, "mona"));
    let id = post.id.clone();
    let react = |kind: ReactionKind| ReactRequest { post_id: id.clone(), kind: kind.into(), ..ReactRequest::default() };
    posts.react(by(&omar, react(ReactionKind::Laugh))).await.unwrap();
    stage.settle().await;
    let read = posts.get_post(by(&omar, GetPostRequest { id: id.clone() })).await.unwrap().into_inner().post.unwrap();
    assert_eq!((read.viewer_reaction(), read.reactions), (ReactionKind::Laugh, 1));
    posts.react(by(&omar, react(ReactionKind::Unspecified))).await.unwrap();

    let edit =
        EditPostRequest {
            id: id.clone(), text: "مساء الفل".to_owned(), version: 1, ..EditPostRequest::default()
        };
    let refused = posts.edit_post(by(&omar, edit.clone())).await.unwrap_err();
    assert_eq!(reason(&refused), "common.not_found");
    let edited = posts.edit_post(by(&mona, edit.clone())).await.unwrap().into_inner().post.unwrap();
    assert_eq!((edited.text.as_str(), edited.version, edited.edited_at.is_empty()), ("مساء الفل", 2, false));
    let refused = posts.edit_post(by(&mona, edit)).await.unwrap_err();
    assert_eq!(reason(&refused), "common.stale");
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.metadata.get("current_version").map(String::as_str), Some("2"));

    posts.delete_post(by(&mona, DeletePostRequest { id: id.clone(), ..DeletePostRequest::default() })).await.unwrap();
    let gone = posts.get_post(by(&mona, GetPostRequest { id: id.clone() })).await.unwrap_err();
    assert_eq!((gone.code(), reason(&gone).as_str()), (Code::NotFound, "common.not_found"));
    let back = RestorePostRequest { id, ..RestorePostRequest::default() };
    assert_eq!(posts.restore_post(by(&mona, back)).await.unwrap().into_inner().post.unwrap().text, "مساء الفل");

    let secret = CreatePostRequest { visibility: Visibility::Private.into(), ..text("سر") };
    let secret = posts.create_post(by(&mona, secret)).await.unwrap().into_inner().post.unwrap().id;
    for missing in [secret, "pst_0000000000001".to_owned()] {
        let refused = posts.get_post(by(&omar, GetPostRequest { id: missing })).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "common.not_found"));
    }
    let nowhere = CreatePostRequest { visibility: 99, ..text("x") };
    let refused = posts.create_post(by(&mona, nowhere)).await.unwrap_err();
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "visibility");
}

#[tokio::test]
async fn a_repeated_call_has_one_effect() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut posts = clients(&server).await.posts;
    let keyed = |what: &str| CreatePostRequest { idempotency_key: "k-1".to_owned(), ..text(what) };
    let first = posts.create_post(by(&mona, keyed("مرة واحدة"))).await.unwrap().into_inner();
    assert_eq!(posts.create_post(by(&mona, keyed("مرة واحدة"))).await.unwrap().into_inner(), first);
    let refused = posts.create_post(by(&mona, keyed("حاجة تانية"))).await.unwrap_err();
    assert_eq!(reason(&refused), "idempotency.key_reused");
    let nonsense = CreatePostRequest { idempotency_key: "مفتاح".to_owned(), ..text("x") };
    assert_eq!(reason(&posts.create_post(by(&mona, nonsense)).await.unwrap_err()), "idempotency.key_invalid");
    let list = ListPostsRequest { profile_id: mona.id.clone(), ..ListPostsRequest::default() };
    assert_eq!(posts.list_posts(by(&mona, list)).await.unwrap().into_inner().posts.len(), 1);
}

#[tokio::test]
async fn lists_are_paged_to_the_end_without_repeating() {
    let stage = Stage::new();
    let (mona, omar) = followed(&stage, 7).await;
    let server = stage.grpc(LONG).await;
    let mut all = clients(&server).await;
    let (mut home, mut following, mut own) = (Vec::new(), Vec::new(), Vec::new());
    let mut page_token = String::new();
    loop {
        let page =
            all.feed.home_feed(by(&omar, HomeFeedRequest { page_size: 3, page_token })).await.unwrap().into_inner();
        home.extend(page.posts.into_iter().map(|post| post.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
        let stolen = HomeFeedRequest { page_size: 3, page_token: page_token.clone() };
        let refused = all.feed.home_feed(by(&mona, stolen)).await.unwrap_err();
        assert_eq!(reason(&refused), "page.cursor", "a token is its reader's alone");
    }
    let mut page_token = String::new();
    loop {
        let ask = FollowingFeedRequest { page_size: 4, page_token };
        let page = all.feed.following_feed(by(&omar, ask)).await.unwrap().into_inner();
        following.extend(page.posts.into_iter().map(|post| post.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let mut page_token = String::new();
    loop {
        let ask = ListPostsRequest { profile_id: mona.id.clone(), page_size: 5, page_token };
        let page = all.posts.list_posts(stranger(ask)).await.unwrap().into_inner();
        own.extend(page.posts.into_iter().map(|post| post.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!((following.len(), &following), (7, &own), "newest first, each once");
    home.sort();
    own.sort();
    assert_eq!(home, own);

    let why = WhyThisRequest { post_id: home[0].clone() };
    stage.state.services.feed.recorder().flush(&stage.ports).await.unwrap();
    let why = all.feed.why_this(by(&omar, why)).await.unwrap().into_inner();
    let sum: f64 = why.contributions.iter().map(|part| part.by).sum();
    assert!((sum - why.score).abs() < 1e-6 && why.sentences[0].starts_with("You follow"), "{why:?}");
}

#[tokio::test]
async fn profiles_are_found_by_id_and_handle() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut accounts = clients(&server).await.accounts;
    for found in [By::Id(mona.id.clone()), By::Handle("MONA".to_owned())] {
        let profile = accounts.get_profile(GetProfileRequest { by: Some(found) }).await.unwrap().into_inner().profile;
        assert_eq!(profile.unwrap().id, mona.id);
    }
    let missing = [
        Some(By::Id("prf_0000000000001".to_owned())),
        Some(By::Handle("nobody".to_owned())),
        Some(By::Handle("' or 1=1 --".to_owned())),
        None,
    ];
    for missing in missing {
        let refused = accounts.get_profile(GetProfileRequest { by: missing.clone() }).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "common.not_found"), "{missing:?}");
    }
}

#[tokio::test]
async fn a_call_without_a_valid_token_is_unauthenticated_in_the_callers_language() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut feed = clients(&server).await.feed;
    let refused = feed.home_feed(stranger(HomeFeedRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "auth.required"));
    let forged = format!("Bearer {}AAAA", &mona.token[..mona.token.len() - 4]);
    for (language, told) in [("en", "Please log in again."), ("ar-EG", "سجّل دخولك تاني."), ("fr", "سجّل دخولك تاني.")]
    {
        for token in
            [&forged, "Bearer nonsense", "Basic bW9uYTpzZWNyZXQ=", "Bearer", &format!("Bearer {}", mona.refresh)]
        {
            let request = with(&[("authorization", token), ("accept-language", language)], HomeFeedRequest::default());
            let refused = feed.home_feed(request).await.unwrap_err();
            assert_eq!((refused.code(), refused.message()), (Code::Unauthenticated, told), "{token}");
            assert_eq!(refused.get_details_localized_message().unwrap().message, told);
        }
    }
}

#[tokio::test]
async fn what_is_too_large_or_no_message_or_unknown_says_so() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut all = clients(&server).await;
    let refused = all.posts.create_post(by(&mona, text(&"x".repeat(300 * 1024)))).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "http.too_large"));
    assert_eq!(refused.get_details_localized_message().unwrap().locale, "en");

    let channel = tonic::transport::Channel::from_shared(format!("http://{}", server.address)).unwrap();
    let mut raw = tonic::client::Grpc::new(channel.connect().await.unwrap());
    for (method, code, wanted) in [
        ("/daira.feed.v1.FeedService/HomeFeed", Code::InvalidArgument, "http.malformed"),
        ("/daira.feed.v1.FeedService/Nothing", Code::Unimplemented, "http.not_found"),
        ("/daira.admin.v1.AdminService/Ban", Code::Unimplemented, "http.not_found"),
    ] {
        raw.ready().await.unwrap();
        // A text where a number belongs.
        let request =
            with(&[("accept-language", "en")], LogInRequest { email: "x".to_owned(), ..LogInRequest::default() });
        let codec = tonic_prost::ProstCodec::<LogInRequest, HomeFeedRequest>::default();
        let refused = raw.unary(request, http::uri::PathAndQuery::from_static(method), codec).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, wanted), "{method}");
    }
}

#[tokio::test]
async fn calls_are_measured_by_method_and_code() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let channel = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    let mut feed = clients(&server).await.feed;
    feed.home_feed(by(&mona, HomeFeedRequest::default())).await.unwrap();
    feed.home_feed(by(&mona, HomeFeedRequest::default())).await.unwrap();
    feed.home_feed(stranger(HomeFeedRequest::default())).await.unwrap_err();
    HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await.unwrap();
    for made_up in ["/daira.feed.v1.FeedService/Nothing", "/no.such.Service/Nothing"] {
        let mut raw = tonic::client::Grpc::new(channel.clone());
        raw.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<HomeFeedRequest, HomeFeedRequest>::default();
        let path = http::uri::PathAndQuery::from_static(made_up);
        raw.unary(stranger(HomeFeedRequest::default()), path, codec).await.unwrap_err();
    }
    let shown = stage.get("/metrics").await.text;
    assert!(shown.contains("# UNIT rpc_server_call_duration_seconds seconds"), "{shown}");
    for (method, code, count) in [
        ("daira.feed.v1.FeedService/HomeFeed", "OK", 2),
        ("daira.feed.v1.FeedService/HomeFeed", "UNAUTHENTICATED", 1),
        ("grpc.health.v1.Health/Check", "OK", 1),
        ("unknown", "UNIMPLEMENTED", 2),
    ] {
        let line = format!("rpc_server_call_duration_seconds_count{{method=\"{method}\",code=\"{code}\"}} {count}");
        assert!(shown.contains(&line), "no {line} in {shown}");
    }
    assert!(shown.contains("rpc_server_active_calls 0") && !shown.contains("Nothing"), "{shown}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up() {
    let trap = troubled(HttpSettings::default(), Trouble::Hang);
    let mona = trap.stage.join("mona").await;
    let server = trap.stage.grpc(Duration::from_millis(100)).await;
    let mut feed = clients(&server).await.feed;
    trap.begun.store(true, Ordering::SeqCst);
    let refused = feed.home_feed(by(&mona, HomeFeedRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::DeadlineExceeded, "http.timed_out"));
    assert!(refused.get_details_retry_info().is_some());
    assert_eq!(trap.given_up.load(Ordering::SeqCst), 1, "the store's work was given up, not left behind");
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_connection_lives() {
    let trap = troubled(HttpSettings::default(), Trouble::Panic);
    let mona = trap.stage.join("mona").await;
    let server = trap.stage.grpc(LONG).await;
    let mut feed = clients(&server).await.feed;
    trap.begun.store(true, Ordering::SeqCst);
    let refused = feed.home_feed(by(&mona, HomeFeedRequest::default())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Internal, "http.internal"));
    assert!(!format!("{refused:?}").contains("panicked") && refused.metadata().contains_key("x-request-id"));
    trap.begun.store(false, Ordering::SeqCst);
    feed.home_feed(by(&mona, HomeFeedRequest::default())).await.unwrap();
}

#[tokio::test]
async fn health_says_serving_until_the_server_drains() {
    let stage = Stage::new();
    let server = stage.grpc(LONG).await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", server.address)).unwrap();
    let mut health = HealthClient::new(channel.connect().await.unwrap());
    let mut watches = Vec::new();
    for service in ["", "daira.account.v1.AccountService", "daira.post.v1.PostService", "daira.feed.v1.FeedService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let now = health.check(request.clone()).await.unwrap().into_inner();
        assert_eq!(now.status(), ServingStatus::Serving, "{service}");
        watches.push(health.watch(request).await.unwrap().into_inner());
    }
    let unknown = health.check(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    server.stop.cancel();
    for watch in &mut watches {
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
        assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
        assert!(watch.message().await.unwrap().is_none(), "nobody is kept waiting");
    }
    server.drain().await;
}
