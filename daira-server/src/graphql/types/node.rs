//! Things by their global id. The id's prefix tells what it is; what does not exist, is hidden, or is no id at all is null.

use async_graphql::{ID, Interface};
use daira_core::id::{CircleId, CommentId, Id, MediaId, PostId, ProfileId, SessionId};

use super::circle::Circle;
use super::comment::Comment;
use super::me::Session;
use super::media::Picture;
use super::post::Post;
use super::profile::Profile;
use crate::graphql::scope::Scope;

/// Something with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global id: a prefix that tells the kind, and thirteen digits."))]
pub(crate) enum Node {
    /// A profile.
    Profile(Profile),
    /// A post.
    Post(Post),
    /// A comment.
    Comment(Comment),
    /// One of the reader's circles.
    Circle(Circle),
    /// One of the reader's sessions.
    Session(Session),
    /// A picture.
    Picture(Picture),
}

fn parse<I: Id + core::str::FromStr>(id: &str) -> Option<I> {
    id.strip_prefix(I::PREFIX).filter(|rest| rest.starts_with('_')).and_then(|_| id.parse().ok())
}

impl Node {
    /// The thing with this id, if the reader may see it.
    pub(crate) async fn load(scope: &Scope, id: &str) -> daira_core::Result<Option<Self>> {
        if let Some(id) = parse::<ProfileId>(id) {
            return Ok(Profile::load(scope, id).await?.map(Self::Profile));
        }
        if let Some(id) = parse::<PostId>(id) {
            return Ok(Post::load(scope, id).await?.map(Self::Post));
        }
        if let Some(id) = parse::<CommentId>(id) {
            return Ok(Comment::load(scope, id).await?.map(Self::Comment));
        }
        if let Some(id) = parse::<MediaId>(id) {
            // Whether everybody may see it depends on where it hangs; an address that ends is right in any case.
            let media = scope.reads.load(id).await?;
            return Ok(media.map(|media| Self::Picture(Picture { media, everybody: false })));
        }
        if let Some(id) = parse::<CircleId>(id) {
            return Ok(Circle::load(scope, id).await?.map(Self::Circle));
        }
        if let Some(id) = parse::<SessionId>(id)
            && scope.viewer().is_some()
        {
            return Ok(Session::all(scope).await?.into_iter().find(|session| session.0.id == id).map(Self::Session));
        }
        Ok(None)
    }
}
