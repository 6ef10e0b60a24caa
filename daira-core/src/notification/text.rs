//! The line that a group of notifications is shown as: names and numbers in, one sentence in Masry or English out.
//!
//! Arabic verbs agree with the gender of who acts, which nobody was asked for. So one person stands behind a noun ("رد من
//! منى") and several before a verb in the plural, which has one form. Numbers follow the plural classes of CLDR: one, two,
//! few (3–10), many (11–99) and the hundreds, by the last two digits. Names stand in bidi isolates: whatever script they
//! are in, they do not turn the sentence around.

use super::{NotificationGroup, NotificationKind};
use crate::locale::Locale;

/// The sentence for a group. `names` are display names of its latest people, as far as the reader sees them, newest first;
/// of how many there are in all the group's count tells.
///
/// ```
/// # use daira_core::{locale::Locale, time::Timestamp, notification::{NotificationGroup, NotificationKind, line}};
/// let group = NotificationGroup {
///     kind: NotificationKind::Followed, post: None, comment: None, actors: Vec::new(), count: 13,
///     latest_at: Timestamp::EPOCH, latest_event: 1, unread: true,
/// };
/// let plain = |text: String| text.replace(['\u{2068}', '\u{2069}'], "");
/// assert_eq!(plain(line(&group, &["منى"], Locale::Ar)), "منى و١٢ شخص كمان بدأوا يتابعوك");
/// assert_eq!(plain(line(&group, &["منى"], Locale::En)), "منى and 12 others started following you");
/// ```
pub fn line(group: &NotificationGroup, names: &[&str], locale: Locale) -> String {
    let on_comment = group.comment.is_some();
    match locale {
        Locale::Ar => arabic(group.kind, on_comment, names, group.count.max(1)),
        Locale::En => english(group.kind, on_comment, names, group.count.max(1)),
    }
}

fn arabic(kind: NotificationKind, on_comment: bool, names: &[&str], count: i64) -> String {
    let who = match names {
        [] => arabic_people(count),
        [one, ..] if count == 1 => isolated(one),
        [one, other, ..] if count == 2 => format!("{} و{}", isolated(one), isolated(other)),
        [one, ..] => format!("{} و{} كمان", isolated(one), arabic_people(count - 1)),
    };
    let alone = count == 1;
    match kind {
        NotificationKind::Followed if alone => format!("متابعة جديدة من {who}"),
        NotificationKind::Followed => format!("{who} بدأوا يتابعوك"),
        NotificationKind::FollowRequested if alone => format!("طلب متابعة من {who}"),
        NotificationKind::FollowRequested => format!("{who} طلبوا يتابعوك"),
        NotificationKind::FollowApproved if alone => format!("موافقة من {who} على طلب متابعتك"),
        NotificationKind::FollowApproved => format!("{who} وافقوا على طلبات متابعتك"),
        NotificationKind::Reacted if alone && on_comment => format!("تفاعل من {who} مع الكومنت بتاعك"),
        NotificationKind::Reacted if alone => format!("تفاعل من {who} مع البوست بتاعك"),
        NotificationKind::Reacted if on_comment => format!("{who} تفاعلوا مع الكومنت بتاعك"),
        NotificationKind::Reacted => format!("{who} تفاعلوا مع البوست بتاعك"),
        NotificationKind::Commented if alone => format!("كومنت من {who} على البوست بتاعك"),
        NotificationKind::Commented => format!("{who} علّقوا على البوست بتاعك"),
        NotificationKind::Replied if alone => format!("رد من {who} على الكومنت بتاعك"),
        NotificationKind::Replied => format!("{who} ردّوا على الكومنت بتاعك"),
        NotificationKind::Mentioned if alone => format!("منشن ليك من {who} في بوست"),
        NotificationKind::Mentioned => format!("{who} عملولك منشن"),
    }
}

/// So many people, in words and Arabic digits.
fn arabic_people(count: i64) -> String {
    match (count, count % 100) {
        (1, _) => "شخص".to_owned(),
        (2, _) => "شخصين".to_owned(),
        (_, 3..=10) => format!("{} أشخاص", arabic_digits(count)),
        _ => format!("{} شخص", arabic_digits(count)),
    }
}

/// The number in the digits of Egypt.
fn arabic_digits(number: i64) -> String {
    let arabic = |digit: char| digit.to_digit(10).and_then(|value| char::from_u32(u32::from('٠') + value));
    number.to_string().chars().map(|c| arabic(c).unwrap_or(c)).collect()
}

fn english(kind: NotificationKind, on_comment: bool, names: &[&str], count: i64) -> String {
    let who = match names {
        [] if count == 1 => "Someone".to_owned(),
        [] => format!("{count} people"),
        [one, ..] if count == 1 => isolated(one),
        [one, other, ..] if count == 2 => format!("{} and {}", isolated(one), isolated(other)),
        [one, ..] if count == 2 => format!("{} and 1 other", isolated(one)),
        [one, ..] => format!("{} and {} others", isolated(one), count - 1),
    };
    let what = match kind {
        NotificationKind::Followed => "started following you",
        NotificationKind::FollowRequested => "asked to follow you",
        NotificationKind::FollowApproved => "approved your follow request",
        NotificationKind::Reacted if on_comment => "reacted to your comment",
        NotificationKind::Reacted => "reacted to your post",
        NotificationKind::Commented => "commented on your post",
        NotificationKind::Replied => "replied to your comment",
        NotificationKind::Mentioned => "mentioned you in a post",
    };
    format!("{who} {what}")
}

/// A name between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE. People cannot write either.
fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CommentId, Id};
    use crate::time::Timestamp;

    const KINDS: [NotificationKind; 7] = [
        NotificationKind::Followed,
        NotificationKind::FollowRequested,
        NotificationKind::FollowApproved,
        NotificationKind::Reacted,
        NotificationKind::Commented,
        NotificationKind::Replied,
        NotificationKind::Mentioned,
    ];

    fn shown(kind: NotificationKind, on_comment: bool, names: &[&str], count: i64, locale: Locale) -> String {
        let group = NotificationGroup {
            kind,
            post: None,
            comment: on_comment.then(|| CommentId::from_raw(1)),
            actors: Vec::new(),
            count,
            latest_at: Timestamp::EPOCH,
            latest_event: 1,
            unread: false,
        };
        line(&group, names, locale).replace(['\u{2068}', '\u{2069}'], "")
    }

    #[test]
    fn arabic_counts_people_as_egyptians_do() {
        for (count, people) in [
            (1, "شخص"),
            (2, "شخصين"),
            (3, "٣ أشخاص"),
            (10, "١٠ أشخاص"),
            (11, "١١ شخص"),
            (99, "٩٩ شخص"),
            (100, "١٠٠ شخص"),
            (102, "١٠٢ شخص"),
            (103, "١٠٣ أشخاص"),
            (110, "١١٠ أشخاص"),
            (111, "١١١ شخص"),
            (1_000, "١٠٠٠ شخص"),
        ] {
            assert_eq!(arabic_people(count), people);
        }
    }

    #[test]
    fn arabic_lines() {
        let reacted = |names: &[&str], count| shown(NotificationKind::Reacted, false, names, count, Locale::Ar);
        assert_eq!(reacted(&["منى"], 1), "تفاعل من منى مع البوست بتاعك");
        assert_eq!(reacted(&["منى", "كريم"], 2), "منى وكريم تفاعلوا مع البوست بتاعك");
        assert_eq!(reacted(&["منى"], 2), "منى وشخص كمان تفاعلوا مع البوست بتاعك");
        assert_eq!(reacted(&["منى", "كريم", "سارة"], 3), "منى وشخصين كمان تفاعلوا مع البوست بتاعك");
        assert_eq!(reacted(&["منى", "كريم", "سارة"], 6), "منى و٥ أشخاص كمان تفاعلوا مع البوست بتاعك");
        assert_eq!(reacted(&["منى", "كريم", "سارة"], 13), "منى و١٢ شخص كمان تفاعلوا مع البوست بتاعك");
        assert_eq!(reacted(&[], 4), "٤ أشخاص تفاعلوا مع البوست بتاعك");
        assert_eq!(shown(NotificationKind::Replied, true, &["Mona"], 1, Locale::Ar), "رد من Mona على الكومنت بتاعك");
        assert_eq!(shown(NotificationKind::Reacted, true, &["منى"], 1, Locale::Ar), "تفاعل من منى مع الكومنت بتاعك");
    }

    #[test]
    fn english_lines() {
        let replied = |names: &[&str], count| shown(NotificationKind::Replied, true, names, count, Locale::En);
        assert_eq!(replied(&["Mona"], 1), "Mona replied to your comment");
        assert_eq!(replied(&["Mona", "Karim"], 2), "Mona and Karim replied to your comment");
        assert_eq!(replied(&["Mona"], 2), "Mona and 1 other replied to your comment");
        assert_eq!(replied(&["Mona", "Karim"], 3), "Mona and 2 others replied to your comment");
        assert_eq!(replied(&[], 1), "Someone replied to your comment");
        assert_eq!(replied(&[], 7), "7 people replied to your comment");
    }

    #[test]
    fn every_kind_has_its_own_line_for_one_and_for_many() {
        for locale in [Locale::Ar, Locale::En] {
            for count in [1, 5] {
                let mut lines: Vec<_> = KINDS.iter().map(|kind| shown(*kind, false, &["منى"], count, locale)).collect();
                lines.sort_unstable();
                lines.dedup();
                assert_eq!(lines.len(), KINDS.len());
            }
        }
    }

    #[test]
    fn names_are_isolated() {
        let isolated = isolated("Mona");
        assert!(isolated.starts_with('\u{2068}') && isolated.ends_with('\u{2069}'));
    }
}
