//! gRPC over a listening server: by our own generated client, and by clients of others that know nothing but the address.

mod calls;
mod grpcurl;
mod python;

use std::time::Duration;

use daira_core::proto::account::v1::account_service_client::AccountServiceClient;
use daira_core::proto::feed::v1::feed_service_client::FeedServiceClient;
use daira_core::proto::notification::v1::notification_service_client::NotificationServiceClient;
use daira_core::proto::post::v1::post_service_client::PostServiceClient;
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt;

use crate::harness::{Listening, Person, Stage};

/// Longer than any call of these tests takes.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// The services at one address.
pub(crate) struct Clients {
    pub(crate) accounts: AccountServiceClient<Channel>,
    pub(crate) posts: PostServiceClient<Channel>,
    pub(crate) feed: FeedServiceClient<Channel>,
    pub(crate) notifications: NotificationServiceClient<Channel>,
}

pub(crate) async fn clients(server: &Listening) -> Clients {
    let channel = Channel::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    Clients {
        accounts: AccountServiceClient::new(channel.clone()),
        posts: PostServiceClient::new(channel.clone()),
        feed: FeedServiceClient::new(channel.clone()),
        notifications: NotificationServiceClient::new(channel),
    }
}

/// A request of somebody, in English.
pub(crate) fn by<T>(who: &Person, message: T) -> Request<T> {
    with(&[("authorization", &format!("Bearer {}", who.token)), ("accept-language", "en")], message)
}

/// A request of a stranger, in English.
fn stranger<T>(message: T) -> Request<T> {
    with(&[("accept-language", "en")], message)
}

fn with<T>(metadata: &[(&'static str, &str)], message: T) -> Request<T> {
    let mut request = Request::new(message);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// The stable code of a refusal.
pub(crate) fn reason(status: &Status) -> String {
    status.get_details_error_info().map_or_else(|| panic!("without a reason: {status:?}"), |info| info.reason)
}

/// Somebody who follows somebody with this many posts.
async fn followed(stage: &Stage, posts: usize) -> (Person, Person) {
    let (author, reader) = (stage.join("mona").await, stage.join("omar").await);
    let follow = serde_json::json!({ "profileId": author.id });
    stage.done(Some(&reader), "follow", follow, "outcome").await;
    for n in 0..posts {
        stage.publish(&author, serde_json::json!({ "text": format!("بوست رقم {n} يا رب") })).await;
    }
    stage.settle().await;
    (author, reader)
}
