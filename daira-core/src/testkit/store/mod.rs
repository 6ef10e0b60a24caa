//! The kit of [`Store`](crate::port::Store): every repository, every reader, and what binds them: units, rules, races.
//!
//! Times in these cases lie within the last minutes, ids too, so that an adapter whose tables are cut by day has them.

pub mod account;
pub mod app;
pub mod audit;
pub mod breach;
pub mod comment;
pub mod consent;
pub mod counter;
pub mod delivery;
pub mod edges;
pub mod erasure;
pub mod export;
pub mod factor;
pub mod feed;
pub mod identity;
pub mod inbox;
pub mod journal;
pub mod lists;
pub mod media;
pub mod notification;
pub mod people;
pub mod phone;
pub mod post;
pub mod race;
pub mod reaction;
pub mod search;
pub mod staff;
pub mod unit;
pub mod visibility;

use super::fixture::Fixture;
use crate::error::{Error, ErrorKind};
use crate::page::Page;
use crate::port::Ports;

super::kit! { $
    /// Runs the [`store`](crate::testkit::store) kit on an adapter: `store_kit!(name, ports)`.
    store_kit, "store", store {
        account: a_registration_waits_and_goes, lapsed_registrations_are_purged, faces_of_an_account_are_counted, a_mailing_waits_and_goes,
            a_mailing_is_for_ones_own_account, lapsed_mailings_are_purged, an_email_has_one_account,
            an_id_is_given_once, a_handle_has_one_living_face, a_version_is_updated_once, a_member_loads_only_their_account,
            handles_are_held_passed_on_and_freed, a_session_is_resolved_while_it_lives, sessions_are_revoked_but_one,
            a_credential_names_the_oldest_face, a_password_is_replaced, others_change_nothing, a_proof_is_noted_by_its_owner,
            ended_sessions_are_purged;
        factor: a_second_factor_comes_back_whole, a_second_factor_is_its_owners, a_passkey_comes_back_whole,
            a_passkey_is_its_owners, a_ceremony_is_taken_once, lapsed_ceremonies_are_purged;
        identity: an_identity_comes_back_whole, an_identity_opens_one_account, an_identity_is_its_owners;
        delivery: a_delivery_is_tried_until_it_is_done, deliveries_go_in_the_order_they_are_due, a_delivery_is_taken_by_one,
            deliveries_are_the_platforms;
        app: an_app_comes_back_whole, an_app_lives_with_its_owner, an_app_is_its_owners, a_grant_is_for_one_face, sessions_of_an_app_end_together,
            a_code_is_exchanged_once, grants_of_dead_apps_are_found;
        phone: a_number_comes_back_whole, a_number_has_one_account, a_number_is_its_owners, codes_for_a_number_are_counted;
        people: standing_and_blocks_hide_people, a_block_shuts_out_every_face, a_profile_is_found_by_its_handle,
            own_faces_come_oldest_first, unknown_handles_are_left_out, counters_come_with_visible_people;
        edges: a_follow_is_one_edge, only_the_ends_write_an_edge, following_takes_consent, a_request_is_taken_once,
            a_relation_tells_every_edge, a_block_is_one_edge, a_mute_of_nothing_is_none, circles_are_their_owners,
            a_deleted_circle_is_seen_by_nobody, one_leaves_all_circles_of_an_owner;
        lists: followers_and_followees_go_newest_first, edges_of_one_instant_are_paged_once_each,
            private_lists_are_for_followers, lists_leave_hidden_people_out, own_lists_are_ones_own,
            relations_tell_nobody_that_they_are_blocked, circles_go_by_name,
            activity_is_for_whom_one_follows_and_lets_see_it;
        post: a_post_comes_back_whole, a_post_has_one_id, a_stale_edit_is_refused, an_edit_replaces_tags_and_keeps_history,
            history_is_for_who_sees_the_post, others_cannot_change_a_post, an_audience_tells_every_edge,
            posts_of_an_author_go_newest_first, a_tag_lists_public_posts, a_tag_keeps_its_first_spelling,
            hidden_posts_make_no_tag_known, deleted_posts_wait_for_their_author, a_purge_takes_all_that_hangs_on_a_post,
            an_id_asked_for_twice_comes_once;
        visibility: every_visibility_for_every_relation, private_authors_are_for_followers, a_deleted_post_is_seen_by_nobody,
            standing_and_blocks_hide_posts, row_security_decides_the_class, a_card_carries_its_viewer;
        comment: a_comment_comes_back_whole, a_stale_comment_is_refused, comments_go_newest_first,
            comments_go_by_reactions, a_deleted_comment_stays_while_answers_hang_on_it, comments_of_hidden_people_are_left_out,
            comments_hang_on_visible_posts, the_author_and_the_host_delete_a_comment;
        reaction: one_reaction_per_person_and_target, posts_and_comments_are_different_targets, reactors_go_newest_first,
            reactors_are_visible_people, nobody_reacts_for_others;
        media: a_picture_comes_back_whole, a_picture_belongs_to_its_owner, pictures_are_seen_with_what_they_hang_on,
            free_pictures_are_swept, a_picture_let_go_is_free;
        notification: an_event_notifies_once, nobody_is_notified_across_a_block, groups_count_people,
            groups_page_as_of_an_instant, the_marker_moves_forward, what_is_over_is_left_out, unread_is_bounded,
            notifications_are_the_platforms;
        inbox: a_post_is_delivered_once_to_each, only_who_may_see_gets_it, circles_and_mentions_are_delivered,
            a_row_counts_while_its_edge_stands, an_unfollow_withdraws, a_refollow_keeps_the_inbox, a_post_is_withdrawn, a_post_for_few_is_withdrawn,
            a_follow_is_backfilled, crossing_the_threshold_loses_nothing, the_inbox_is_the_platforms;
        feed: candidates_are_newest_and_once_each, candidates_are_as_of_an_instant, the_first_way_to_a_post_counts,
            mutes_and_blocks_keep_posts_out, candidates_follow_every_change_of_ties, cards_follow_every_change, popular_posts_fill_up, the_newest_feed_pages,
            feeds_go_on_beyond_inboxes,
            new_posts_are_counted, affinity_decays, seen_and_reason_come_from_pages, seen_is_of_the_latest_pages,
            the_first_frozen_list_holds, a_frozen_list_is_its_owners_for_two_hours, signals_carry_counters;
        counter: deltas_add_up, a_recount_corrects_drift, a_recount_leaves_pending_deltas_out, a_recount_goes_in_chunks,
            every_field_is_recounted, counters_are_the_platforms,
            counters_of_what_is_gone_are_forgotten;
        journal: a_key_is_replayed, a_key_is_bound_to_its_request, a_key_is_in_flight_while_its_unit_is_open,
            a_dropped_unit_frees_its_key, keys_belong_to_an_actor_and_an_operation, a_repeated_request_has_one_effect,
            a_large_result_is_refused, everybody_who_acts_leaves_a_line;
        staff: roles_come_and_go, a_sanction_is_kept_for_its_account, what_was_taken_down_is_its_writers_alone,
            a_takedown_is_told_to_its_owner, what_is_down_is_not_counted, staff_act_in_their_own_name, suspensions_end,
            trust_is_made_of_what_is_known;
        erasure: accounts_are_due_when_their_time_comes, everything_of_a_person_goes, an_answered_comment_stays_without_its_author,
            neighbours_keep_what_is_theirs, an_erasure_goes_on_where_it_was_cut_off, who_is_not_deleted_is_not_erased;
        audit: lines_wait_for_their_seal, what_is_sealed_is_sound, the_chain_is_the_platforms;
        consent: consents_are_a_history, processing_takes_a_standing_consent, consents_are_their_owners;
        export: an_export_goes_its_way, an_export_is_its_owners, rows_are_ones_own_and_come_once,
            an_export_is_gone_on_with;
        breach: a_breach_comes_back_whole, breaches_are_the_platforms;
        search: handles_begin_with_the_prefix, handles_page_by_bytes, hidden_people_are_not_found, tags_begin_with_the_prefix;
        unit: a_dropped_unit_leaves_nothing, a_unit_sees_its_own_writes, a_view_is_one_snapshot, a_commit_is_seen_at_once,
            a_refused_body_rolls_back, the_store_answers_a_ping;
        race: a_block_and_a_follow, opening_up_and_a_request, two_edits, one_handle_for_two, one_email_for_two, one_key_twice,
            two_frozen_lists, two_reactions_of_one_person, one_code_twice, one_ceremony_twice, one_follow_twice, a_circle_and_its_member;
    }
}

/// A world in these ports.
fn world(ports: &Ports) -> Fixture {
    Fixture::new(ports.clone())
}

/// The kind of failure that a result must be.
fn failure<T: core::fmt::Debug>(result: Result<T, Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Reads a list page by page and asserts the law of pages: whatever the size, the pages are the whole list, each item once
/// and in its order. `$page` is an expression over `$after` and `$size`; `$key` makes the next `after` from an item.
macro_rules! all_pages {
    (|$after:ident, $size:ident| $page:expr, |$item:ident| $key:expr) => {{
        let mut whole = None;
        for size in [100, 1, 2, 3] {
            let $size = crate::testkit::fixture::limit(size);
            let mut items = Vec::new();
            let mut last = None;
            loop {
                let $after = last;
                let page: crate::page::Page<_> = $page;
                assert!(page.items.len() <= $size.get(), "a page holds more than asked for");
                assert!(page.items.len() == $size.get() || !page.has_next, "a page is full unless the list is over");
                last = page.items.last().map(|$item| $key);
                items.extend(page.items);
                if !page.has_next {
                    break;
                }
            }
            match &whole {
                None => whole = Some(items),
                Some(whole) => assert_eq!(&items, whole, "pages of {size} are the whole list"),
            }
        }
        whole.unwrap()
    }};
}
use all_pages;

/// The items of a page that must be the last.
fn last_page<T>(page: Page<T>) -> Vec<T> {
    assert!(!page.has_next);
    page.items
}
