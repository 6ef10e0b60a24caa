//! Notifications over gRPC: a list, a marker, and a call that goes on.

use daira_core::proto::notification::v1::{
    ListNotificationsRequest, MarkNotificationsReadRequest, NotificationKind, WatchNotificationsRequest,
};
use serde_json::json;
use tonic::Code;
use tonic_types::StatusExt;

use super::{log_out, react, two};
use crate::grpc::{LONG, by, clients};
use crate::harness::Stage;

#[tokio::test]
async fn a_watching_call_tells_until_the_session_ends() {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    let server = stage.grpc(LONG).await;
    let mut client = clients(&server).await.notifications;
    let watch = by(&mona, WatchNotificationsRequest { since: String::new() });
    let mut watched = client.watch_notifications(watch).await.unwrap().into_inner();
    react(&stage, &karim, &post).await;
    let line = watched.message().await.unwrap().unwrap();
    assert_eq!((line.kind(), line.count, line.post_id.as_str()), (NotificationKind::Reacted, 1, post.as_str()));
    assert_eq!((line.actor_ids, line.unread), (vec![karim.id.clone()], true));
    assert!(line.text.contains("karim"), "{}", line.text);
    log_out(&stage, &mona).await;
    let ended = watched.message().await.unwrap_err();
    let reason = ended.get_error_details().error_info().unwrap().reason.clone();
    assert_eq!((ended.code(), reason.as_str()), (Code::Unauthenticated, "auth.session_ended"));
}

#[tokio::test]
async fn the_list_pages_and_the_marker_moves() {
    let stage = Stage::new();
    let (mona, karim, post) = two(&stage).await;
    react(&stage, &karim, &post).await;
    let comment = json!({ "postId": post, "text": "حلوة" });
    stage.done(Some(&karim), "comment", comment, "clientMutationId").await;
    stage.settle().await;
    let server = stage.grpc(LONG).await;
    let mut client = clients(&server).await.notifications;
    let list = async |page_size: i32, page_token: &str| {
        let ask = ListNotificationsRequest { page_size, page_token: page_token.to_owned() };
        client.clone().list_notifications(by(&mona, ask)).await.map(tonic::Response::into_inner)
    };
    let first = list(1, "").await.unwrap();
    let second = list(1, &first.next_page_token).await.unwrap();
    let kinds = [&first, &second].map(|page| page.notifications[0].kind());
    assert_eq!(kinds, [NotificationKind::Commented, NotificationKind::Reacted]);
    assert!(second.next_page_token.is_empty() && second.notifications[0].unread);
    for (size, token, code) in [(-1, "", "page.size"), (1, "nonsense", "page.cursor")] {
        let refused = list(size, token).await.unwrap_err();
        assert_eq!(refused.get_error_details().error_info().unwrap().reason, code);
    }
    for wrong in ["yesterday", "2026-13-01T00:00:00Z"] {
        let mark = MarkNotificationsReadRequest { up_to: wrong.to_owned(), idempotency_key: String::new() };
        let refused = client.mark_notifications_read(by(&mona, mark)).await.unwrap_err();
        assert_eq!(refused.get_error_details().error_info().unwrap().reason, "common.time");
    }
    let mark = MarkNotificationsReadRequest { up_to: String::new(), idempotency_key: "k".to_owned() };
    client.mark_notifications_read(by(&mona, mark)).await.unwrap();
    let mut again = clients(&server).await.notifications;
    let ask = ListNotificationsRequest { page_size: 0, page_token: String::new() };
    let read = again.list_notifications(by(&mona, ask)).await.unwrap().into_inner();
    assert!(read.notifications.iter().all(|line| !line.unread), "{read:?}");
}

#[tokio::test]
async fn a_server_that_goes_ends_its_calls() {
    let stage = Stage::new();
    let mona = stage.join("mona").await;
    let server = stage.grpc(LONG).await;
    let mut client = clients(&server).await.notifications;
    let watch = by(&mona, WatchNotificationsRequest { since: String::new() });
    let mut watched = client.watch_notifications(watch).await.unwrap().into_inner();
    server.stop.cancel();
    assert_eq!(watched.message().await.unwrap_err().code(), Code::Unavailable);
    server.drain().await;
}
