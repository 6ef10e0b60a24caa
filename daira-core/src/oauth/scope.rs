//! What a person may let an app of somebody else's do, and what each operation of the API takes. Both are tables, and there are
//! no others: every transport asks [`needed`] before it lets such an app in.
//!
//! An operation that stands in no table is closed to them. So are, above all, passwords and other ways in, sessions, other
//! apps, blocks, circles and the private side of the account.

use crate::locale::Locale;

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u32);

/// One line of the table of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Its name, as apps ask for it.
    pub name: &'static str,
    bit: u32,
    ar: &'static str,
    en: &'static str,
}

impl Scope {
    /// What a person reads who is asked for it.
    pub fn text(&self, locale: Locale) -> &'static str {
        locale.pick(self.ar, self.en)
    }

    /// The set of this one.
    pub const fn alone(&self) -> Scopes {
        Scopes(self.bit)
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $constant:ident = $bit:literal, $name:literal, $en:literal, $ar:literal;)*) => {
        impl Scopes {
            $($(#[$doc])* pub const $constant: Self = Self(1 << $bit);)*
        }

        /// All scopes there are. Their numbers are stored and never mean anything else.
        pub const SCOPES: &[Scope] = &[$(Scope { name: $name, bit: 1 << $bit, en: $en, ar: $ar }),*];
    };
}

scopes! {
    /// An ID token.
    OPENID = 0, "openid", "Know who you are here.", "يعرف إنت مين هنا.";
    /// A refresh token.
    OFFLINE = 1, "offline_access", "Stay connected while you are away.", "يفضل متوصل وإنت مش موجود.";
    /// The profile that acts.
    READ_PROFILE = 2, "read:profile", "See your profile: name, handle, picture and bio.", "يشوف بروفايلك: الاسم واليوزر والصورة والنبذة.";
    /// Whatever the profile may see of others, and of itself.
    READ_FEED = 3, "read:feed", "See your feed, and the posts and people that you may see.", "يشوف الفيد بتاعك، والبوستات والناس اللي من حقك تشوفهم.";
    /// Posts, comments and pictures.
    WRITE_POSTS = 4, "write:posts", "Write, edit and delete posts and comments in your name.", "يكتب ويعدّل ويمسح بوستات وتعليقات باسمك.";
    /// Reactions.
    WRITE_REACTIONS = 5, "write:reactions", "React to posts and comments in your name.", "يتفاعل مع البوستات والتعليقات باسمك.";
    /// Follows.
    WRITE_FOLLOWS = 6, "write:follows", "Follow and unfollow people in your name.", "يتابع ناس ويلغي متابعتهم باسمك.";
    /// Notifications.
    NOTIFICATIONS = 7, "notifications", "See your notifications and mark them as read.", "يشوف إشعاراتك ويعلّم إنها اتقرت.";
}

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);
    /// What nobody can be given: an operation that needs it is closed to apps.
    pub const CLOSED: Self = Self(1 << 31);

    /// The scopes of a list of names with spaces between them, as RFC 6749 writes it; nothing where one is unknown or twice.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(' ').filter(|name| !name.is_empty()).try_fold(Self::NONE, |all, name| {
            let one = SCOPES.iter().find(|scope| scope.name == name)?.alone();
            (!all.contains(one)).then(|| all.with(one))
        })
    }

    /// Takes a stored number at its word; what no table knows any more is left out.
    pub fn from_stored(bits: i32) -> Self {
        SCOPES
            .iter()
            .filter(|scope| bits.cast_unsigned() & scope.bit != 0)
            .fold(Self::NONE, |all, one| all.with(one.alone()))
    }

    /// The number as it is stored.
    pub const fn stored(self) -> i32 {
        self.0.cast_signed()
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another set are in this one.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The lines of the table, in its order.
    pub fn lines(self) -> impl Iterator<Item = &'static Scope> {
        SCOPES.iter().filter(move |scope| self.contains(scope.alone()))
    }
}

/// The names with spaces between them.
impl core::fmt::Display for Scopes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (at, scope) in self.lines().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.name)?;
        }
        Ok(())
    }
}

/// Types of the GraphQL schema whose fields are closed unless they stand in [`OPEN`]. Fields of all other types are what one
/// of these leads to, and open with it.
const GUARDED: [&str; 7] = ["Query", "Mutation", "Subscription", "Viewer", "Circle", "Session", "SessionPlace"];

/// What each operation takes: fields of GraphQL types, methods of gRPC services, routes.
const OPEN: &[(&str, Scopes)] = &[
    ("Query.me", Scopes::NONE),
    ("Query.__typename", Scopes::NONE),
    ("Mutation.__typename", Scopes::NONE),
    ("Subscription.__typename", Scopes::NONE),
    ("Viewer.__typename", Scopes::NONE),
    ("Query.__schema", Scopes::NONE),
    ("Query.__type", Scopes::NONE),
    ("Viewer.profile", Scopes::READ_PROFILE),
    ("Viewer.profileVersion", Scopes::READ_PROFILE),
    ("Query.node", Scopes::READ_FEED),
    ("Query.nodes", Scopes::READ_FEED),
    ("Query.profile", Scopes::READ_FEED),
    ("Query.post", Scopes::READ_FEED),
    ("Query.homeFeed", Scopes::READ_FEED),
    ("Query.followingFeed", Scopes::READ_FEED),
    ("Query.newPostsCount", Scopes::READ_FEED),
    ("Query.whyThis", Scopes::READ_FEED),
    ("Query.hashtag", Scopes::READ_FEED),
    ("Query.search", Scopes::READ_FEED),
    ("Profile.posts", Scopes::READ_FEED),
    ("Profile.followers", Scopes::READ_FEED),
    ("Profile.following", Scopes::READ_FEED),
    ("Profile.relation", Scopes::READ_FEED),
    ("Profile.activeNow", Scopes::READ_PROFILE),
    ("Relation.requestedBy", Scopes::CLOSED),
    ("Relation.blocks", Scopes::CLOSED),
    ("Relation.mutesPosts", Scopes::CLOSED),
    ("Relation.mutesStories", Scopes::CLOSED),
    ("Relation.mutesNotifications", Scopes::CLOSED),
    ("Post.circleId", Scopes::CLOSED),
    ("Post.comments", Scopes::READ_FEED),
    ("Post.reactions", Scopes::READ_FEED),
    ("Comment.post", Scopes::READ_FEED),
    ("Comment.parent", Scopes::READ_FEED),
    ("Comment.replies", Scopes::READ_FEED),
    ("Comment.reactions", Scopes::READ_FEED),
    ("ReactionPayload.post", Scopes::READ_FEED),
    ("ReactionPayload.comment", Scopes::READ_FEED),
    ("Query.notifications", Scopes::NOTIFICATIONS),
    ("Viewer.unreadNotifications", Scopes::NOTIFICATIONS),
    ("Subscription.notificationAdded", Scopes::NOTIFICATIONS),
    ("Mutation.markNotificationsRead", Scopes::NOTIFICATIONS),
    ("Mutation.createPost", Scopes::WRITE_POSTS),
    ("Mutation.editPost", Scopes::WRITE_POSTS),
    ("Mutation.deletePost", Scopes::WRITE_POSTS),
    ("Mutation.restorePost", Scopes::WRITE_POSTS),
    ("Mutation.comment", Scopes::WRITE_POSTS),
    ("Mutation.editComment", Scopes::WRITE_POSTS),
    ("Mutation.deleteComment", Scopes::WRITE_POSTS),
    ("Mutation.react", Scopes::WRITE_REACTIONS),
    ("Mutation.unreact", Scopes::WRITE_REACTIONS),
    ("Mutation.follow", Scopes::WRITE_FOLLOWS),
    ("Mutation.unfollow", Scopes::WRITE_FOLLOWS),
    ("Mutation.cancelFollowRequest", Scopes::WRITE_FOLLOWS),
    ("/daira.account.v1.AccountService/GetProfile", Scopes::READ_FEED),
    ("/daira.feed.v1.FeedService/HomeFeed", Scopes::READ_FEED),
    ("/daira.feed.v1.FeedService/FollowingFeed", Scopes::READ_FEED),
    ("/daira.feed.v1.FeedService/WhyThis", Scopes::READ_FEED),
    ("/daira.post.v1.PostService/GetPost", Scopes::READ_FEED),
    ("/daira.post.v1.PostService/ListPosts", Scopes::READ_FEED),
    ("/daira.post.v1.PostService/CreatePost", Scopes::WRITE_POSTS),
    ("/daira.post.v1.PostService/EditPost", Scopes::WRITE_POSTS),
    ("/daira.post.v1.PostService/DeletePost", Scopes::WRITE_POSTS),
    ("/daira.post.v1.PostService/RestorePost", Scopes::WRITE_POSTS),
    ("/daira.post.v1.PostService/React", Scopes::WRITE_REACTIONS),
    ("/daira.notification.v1.NotificationService/ListNotifications", Scopes::NOTIFICATIONS),
    ("/daira.notification.v1.NotificationService/WatchNotifications", Scopes::NOTIFICATIONS),
    ("/daira.notification.v1.NotificationService/MarkNotificationsRead", Scopes::NOTIFICATIONS),
    ("POST /upload", Scopes::WRITE_POSTS),
    ("/oauth/userinfo", Scopes::OPENID),
];

/// What an operation takes: a method of gRPC as its path, a route. [`Scopes::CLOSED`] for one that is in no table.
pub fn needed(operation: &str) -> Scopes {
    OPEN.iter().find(|(name, _)| *name == operation).map_or(Scopes::CLOSED, |(_, scopes)| *scopes)
}

/// What a field of a GraphQL type takes.
pub fn needed_for_field(of_type: &str, field: &str) -> Scopes {
    let is_it = |name: &str| name.strip_prefix(of_type).and_then(|rest| rest.strip_prefix('.')) == Some(field);
    match OPEN.iter().find(|(name, _)| is_it(name)) {
        Some((_, scopes)) => *scopes,
        None if GUARDED.contains(&of_type) => Scopes::CLOSED,
        None => Scopes::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_and_written_by_name() {
        let two = Scopes::parse("write:posts  openid").unwrap();
        assert_eq!((two, two.to_string().as_str()), (Scopes::OPENID.with(Scopes::WRITE_POSTS), "openid write:posts"));
        assert_eq!((Scopes::parse(""), Scopes::NONE.to_string().as_str()), (Some(Scopes::NONE), ""));
        for bad in ["admin", "openid openid", "openid,write:posts", "OPENID", "openid\twrite:posts"] {
            assert_eq!(Scopes::parse(bad), None, "{bad}");
        }
        assert_eq!(Scopes::from_stored(two.stored()), two);
        assert_eq!(Scopes::from_stored(-1), Scopes(0xff), "only what is in the table");
    }

    #[test]
    fn every_scope_has_words_of_its_own_and_none_is_the_closed_one() {
        let names: std::collections::BTreeSet<_> = SCOPES.iter().map(|scope| scope.name).collect();
        let bits = SCOPES.iter().fold(0, |bits, scope| bits | scope.bit);
        assert_eq!((names.len(), bits.count_ones() as usize), (SCOPES.len(), SCOPES.len()));
        assert!(!Scopes(bits).contains(Scopes::CLOSED));
        for scope in SCOPES {
            assert!(scope.text(Locale::Ar) != scope.text(Locale::En), "{}", scope.name);
        }
    }

    #[test]
    fn what_is_in_no_table_is_closed() {
        assert_eq!(needed_for_field("Mutation", "createPost"), Scopes::WRITE_POSTS);
        assert_eq!(needed_for_field("Post", "text"), Scopes::NONE);
        for (of_type, field) in [
            ("Mutation", "changePassword"),
            ("Mutation", "authorizeApp"),
            ("Mutation", "switchProfile"),
            ("Mutation", "block"),
            ("Viewer", "account"),
            ("Viewer", "sessions"),
            ("Viewer", "profiles"),
            ("Query", "sessions"),
            ("Query", "somethingNew"),
            ("Session", "device"),
            ("Circle", "name"),
        ] {
            assert_eq!(needed_for_field(of_type, field), Scopes::CLOSED, "{of_type}.{field}");
        }
        assert_eq!(needed("/daira.account.v1.AccountService/ChangePassword"), Scopes::CLOSED);
    }
}
