//! The table of limits in ARCHITECTURE.md, written from the constants in the sources: one that is not listed fails.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use expect_test::expect_file;

use super::super::harness::top;

/// What a limit bounds, its constant, the file of it, and the test at its edge with that test's file.
struct Limit(&'static str, &'static str, &'static str, &'static str, &'static str);

const LIMITS: &[Limit] = &[
    Limit(
        "a delivery, inflated; with it the ratio of inflation",
        "INFLATED_BYTES_MAX",
        "analyzer/src/envelope.rs",
        "a_delivery_at_its_limit_is_read_and_one_past_it_is_not",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "lines of one document of a delivery",
        "LINES_MAX",
        "analyzer/src/envelope.rs",
        "lines_at_their_limit_are_read_and_those_past_it_are_told_to_be_lost",
        "analyzer/src/tests/deliveries.rs",
    ),
    Limit(
        "documents of one record",
        "DOCUMENTS_MAX",
        "analyzer/src/envelope.rs",
        "documents_at_their_limit_are_read_and_those_past_it_are_told_to_be_lost",
        "analyzer/src/tests/deliveries.rs",
    ),
    Limit(
        "an entry of a delivery",
        "ENTRY_BYTES_MAX",
        "analyzer/src/envelope/delivery.rs",
        "an_entry_at_its_limit_is_looked_into_and_one_past_it_is_counted_as_too_long",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "pairs of a query",
        "PARAMETERS_MAX",
        "analyzer/src/audit/query.rs",
        "a_query_at_its_limit_is_believed_and_one_past_it_says_nothing",
        "analyzer/src/tests/adversary/answers.rs",
    ),
    Limit(
        "one line",
        "LINE_BYTES_MAX",
        "analyzer/src/envelope.rs",
        "a_line_at_the_limit_is_read_and_one_past_it_is_not",
        "analyzer/src/envelope.rs",
    ),
    Limit(
        "lines of one entry of the api stream",
        "ENTRY_LINES_MAX",
        "analyzer/src/klog.rs",
        "entries_are_bounded_and_no_line_is_lost",
        "analyzer/src/klog.rs",
    ),
    Limit(
        "lost events read from one entry of the api stream",
        "SUMMARIES_MAX",
        "analyzer/src/klog.rs",
        "summaries_at_their_limit_are_read_and_one_past_it_is_counted_alone",
        "analyzer/src/klog.rs",
    ),
    Limit(
        "fields of an entry of the api stream",
        "FIELDS_MAX",
        "analyzer/src/klog/structured.rs",
        "fields_at_their_limit_are_read_and_one_past_it_is_not",
        "analyzer/src/klog/structured.rs",
    ),
    Limit(
        "fields of a line of the authenticator",
        "FIELDS_MAX",
        "analyzer/src/authenticator.rs",
        "fields_at_their_limit_are_read_and_one_past_it_is_not",
        "analyzer/src/authenticator.rs",
    ),
    Limit(
        "a length in a certificate request",
        "LENGTH_BYTES_MAX",
        "analyzer/src/pkcs10.rs",
        "names_at_their_limits_are_read_and_past_them_count_as_unread",
        "analyzer/src/pkcs10.rs",
    ),
    Limit(
        "attributes of a name in a certificate request",
        "ATTRIBUTES_MAX",
        "analyzer/src/pkcs10.rs",
        "names_at_their_limits_are_read_and_past_them_count_as_unread",
        "analyzer/src/pkcs10.rs",
    ),
    Limit(
        "blocks of a certificate request",
        "BLOCKS_MAX",
        "analyzer/src/pkcs10.rs",
        "names_at_their_limits_are_read_and_past_them_count_as_unread",
        "analyzer/src/pkcs10.rs",
    ),
    Limit(
        "a section of `aws-auth`",
        "SECTION_BYTES_MAX",
        "analyzer/src/aws_auth.rs",
        "a_section_at_its_limit_is_read_and_one_past_it_is_broken",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "YAML aliases of a section",
        "ALIASES_MAX",
        "analyzer/src/aws_auth.rs",
        "aliases_and_depth_at_their_limits_are_read_and_past_them_are_broken",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "YAML depth of a section",
        "DEPTH_MAX",
        "analyzer/src/aws_auth.rs",
        "aliases_and_depth_at_their_limits_are_read_and_past_them_are_broken",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "cells of a set of rules",
        "CELLS_MAX",
        "analyzer/src/rbac/cells.rs",
        "rules_at_the_limit_of_cells_are_taken_apart_and_past_it_are_kept_whole",
        "analyzer/src/rbac/tests/sizes.rs",
    ),
    Limit(
        "rights that meet one risk",
        "RIGHTS_MAX",
        "analyzer/src/rbac/grade.rs",
        "rights_of_one_row_are_kept_to_their_limit_the_gravest_ones",
        "analyzer/src/rbac/tests/sizes.rs",
    ),
    Limit(
        "seconds that a grant may have held to count as withdrawn",
        "WITHDRAWN_SECONDS_MAX",
        "analyzer/src/detections/rbac_grant_withdrawn.rs",
        "what_belongs_together_does_to_its_longest_pause_and_no_longer",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "seconds between delete and create of a binding",
        "PAUSE_SECONDS_MAX",
        "analyzer/src/detections/rbac_role_rebound.rs",
        "what_belongs_together_does_to_its_longest_pause_and_no_longer",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "a file of exceptions",
        "FILE_BYTES_MAX",
        "analyzer/src/exceptions/file.rs",
        "files_at_their_limits_are_read_and_past_them_are_refused",
        "analyzer/src/exceptions/tests.rs",
    ),
    Limit(
        "exceptions",
        "EXCEPTIONS_MAX",
        "analyzer/src/exceptions/file.rs",
        "files_at_their_limits_are_read_and_past_them_are_refused",
        "analyzer/src/exceptions/tests.rs",
    ),
    Limit(
        "a text of an exception",
        "TEXT_BYTES_MAX",
        "analyzer/src/exceptions/file.rs",
        "files_at_their_limits_are_read_and_past_them_are_refused",
        "analyzer/src/exceptions/tests.rs",
    ),
    Limit(
        "remembered objects",
        "OBJECT_BYTES_MAX",
        "analyzer/src/memory/objects.rs",
        "objects_with_long_names_keep_to_their_limit",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "remembered grants of one object",
        "GRANTS_MAX",
        "analyzer/src/memory/grants.rs",
        "the_gravest_are_kept_up_to_the_limit",
        "analyzer/src/memory/grants.rs",
    ),
    Limit(
        "remembered sessions",
        "SESSION_BYTES_MAX",
        "analyzer/src/memory/sessions.rs",
        "sessions_with_long_names_keep_to_their_limit",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "events of a session that are known again",
        "SEEN_MAX",
        "analyzer/src/memory/sessions.rs",
        "a_session_knows_its_last_events_again_and_no_more",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "kinds of request kept of a session",
        "KINDS_MAX",
        "analyzer/src/evidence.rs",
        "kinds_of_request_are_kept_apart_to_their_limit_and_the_rest_is_counted",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "each table of tokens",
        "TOKEN_BYTES_MAX",
        "analyzer/src/memory/tokens.rs",
        "tokens_with_long_names_keep_to_their_limit",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "addresses of one credential",
        "ADDRESSES_MAX",
        "analyzer/src/memory/tokens.rs",
        "addresses_of_a_credential_are_kept_to_their_limit_the_first_ones",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "topics that were told",
        "TOPIC_BYTES_MAX",
        "analyzer/src/memory/streams.rs",
        "what_streams_tell_keeps_to_its_limits",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "refused requests that wait for their cause",
        "REFUSED_BYTES_MAX",
        "analyzer/src/memory/streams.rs",
        "what_streams_tell_keeps_to_its_limits",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "refused requests of one second",
        "REFUSED_PER_SECOND_MAX",
        "analyzer/src/memory/streams.rs",
        "a_flood_of_refusals_is_bounded",
        "analyzer/src/memory/streams.rs",
    ),
    Limit(
        "principals that were let in",
        "GRANTED_BYTES_MAX",
        "analyzer/src/memory/streams.rs",
        "what_streams_tell_keeps_to_its_limits",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "creations of `aws-auth` with unseen content",
        "UNSEEN_BYTES_MAX",
        "analyzer/src/memory/streams.rs",
        "what_streams_tell_keeps_to_its_limits",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "access entries that were created",
        "ENTRY_BYTES_MAX",
        "analyzer/src/memory/streams.rs",
        "what_streams_tell_keeps_to_its_limits",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "a principal that is remembered",
        "ARN_BYTES_MAX",
        "analyzer/src/memory/streams.rs",
        "principals_at_their_limit_are_remembered_and_one_past_it_are_not",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "questions of one judging to the memory",
        "ASKED_MAX",
        "analyzer/src/memory/ledger.rs",
        "questions_are_noted_to_their_limit_and_tokens_to_half_of_it",
        "analyzer/src/memory/tests.rs",
    ),
    Limit(
        "a fact that is read",
        "FACT_BYTES_MAX",
        "analyzer/src/wire.rs",
        "facts_and_memories_at_their_limits_are_read_and_past_them_are_refused",
        "analyzer/src/wire/tests.rs",
    ),
    Limit(
        "a memory that is read",
        "MEMORY_BYTES_MAX",
        "analyzer/src/wire.rs",
        "facts_and_memories_at_their_limits_are_read_and_past_them_are_refused",
        "analyzer/src/wire/tests.rs",
    ),
    Limit(
        "events listed in an alert",
        "EVIDENCE_MAX",
        "analyzer/src/alert.rs",
        "an_alert_lists_as_many_events_as_its_limit_and_counts_the_rest",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "the lines of an alert's text",
        "SCREEN_LINES",
        "analyzer/src/alert/text.rs",
        "an_alert_fits_a_screen_however_much_it_stands_for_and_however_long_the_names_are",
        "analyzer/src/tests/laws.rs",
    ),
    Limit("a headline", "CHARS_MAX", "analyzer/src/text.rs", "text_is_cut_at_its_limit", "analyzer/src/text.rs"),
    Limit(
        "a name in an alert",
        "NAME_CHARS_MAX",
        "analyzer/src/text.rs",
        "text_is_cut_at_its_limit",
        "analyzer/src/text.rs",
    ),
    Limit(
        "alerts of one batch",
        "ALERTS_MAX",
        "analyzer/src/gather.rs",
        "alerts_at_their_limit_are_sent_and_past_it_are_gathered",
        "analyzer/src/tests/limits.rs",
    ),
    Limit(
        "an SNS message",
        "MESSAGE_BYTES_MAX",
        "lambda/src/sink/sns/message.rs",
        "a_message_at_its_limit_is_sent_whole_and_one_past_it_is_cut",
        "lambda/src/sink/sns/message.rs",
    ),
    Limit(
        "the number of a shard",
        "SHARD_BYTES_MAX",
        "lambda/src/event.rs",
        "a_shard_at_its_limit_is_named_and_one_past_it_is_not",
        "lambda/src/event.rs",
    ),
    Limit(
        "the cap of alerts that may be configured",
        "ALERT_CAP_MAX",
        "lambda/src/config.rs",
        "a_cap_at_its_limit_is_taken_and_one_past_it_is_not",
        "lambda/src/config.rs",
    ),
    Limit(
        "a message group",
        "GROUP_CHARS_MAX",
        "lambda/src/sink/sns/message.rs",
        "a_message_group_is_cut_at_its_limit",
        "lambda/src/sink/sns/message.rs",
    ),
    Limit(
        "accounts remembered at a time",
        "HOMES_MAX",
        "lambda/src/memory/homes.rs",
        "accounts_do_not_see_each_other_and_the_one_longest_unused_makes_room",
        "lambda/src/memory/homes.rs",
    ),
    Limit(
        "a fact in the table",
        "BODY_BYTES_MAX",
        "lambda/src/memory/item.rs",
        "a_fact_at_its_limit_is_written_and_of_one_past_it_only_the_version",
        "lambda/src/memory/item.rs",
    ),
    Limit(
        "tokens of which the table knew nothing",
        "UNANSWERED_MAX",
        "lambda/src/memory/questions.rs",
        "unanswered_questions_are_remembered_to_their_limit_and_then_put_anew",
        "lambda/src/memory/questions.rs",
    ),
    Limit(
        "the pause before a message is sent again",
        "PAUSE_MAX",
        "lambda/src/sink/round.rs",
        "pauses_grow_vary_and_stay_within_their_limit",
        "lambda/src/sink/round.rs",
    ),
    Limit(
        "a file of exceptions that the function fetches",
        "OBJECT_BYTES_MAX",
        "lambda/src/exceptions/fetch.rs",
        "an_object_at_its_limit_is_fetched_whole_and_of_one_past_it_as_much_as_tells_that",
        "lambda/src/exceptions/fetch.rs",
    ),
    Limit(
        "judgings of one delivery for what the table adds",
        "ROUNDS_MAX",
        "lambda/src/memory.rs",
        "what_leads_to_more_is_followed_to_its_limit_and_one_past_it_is_told_to_be_too_much",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "questions of one round to the table",
        "ASKS_MAX",
        "lambda/src/memory.rs",
        "questions_at_their_limit_are_put_and_those_past_it_wait_for_the_next_delivery",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "keys of one request to the table",
        "KEYS_MAX",
        "lambda/src/memory/table.rs",
        "keys_at_their_limit_are_one_request_and_one_past_it_are_two",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "pages of one question to the table",
        "PAGES_MAX",
        "lambda/src/memory/table.rs",
        "pages_at_their_limit_are_read_and_one_past_it_are_told_to_be_too_much",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "tries to write one fact",
        "SAVES_MAX",
        "lambda/src/memory/table.rs",
        "a_fact_is_tried_to_its_limit_and_one_past_it_is_left_for_the_next_delivery",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "tries of one request to the table",
        "ATTEMPTS_MAX",
        "lambda/src/memory/table.rs",
        "a_request_is_tried_to_its_limit_and_not_once_past_it",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "the pause before the table is asked again",
        "PAUSE_MAX",
        "lambda/src/memory/table.rs",
        "a_pause_doubles_to_its_limit_and_not_past_it",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "facts that wait to be written",
        "UNSAVED_MAX",
        "lambda/src/memory/writing.rs",
        "what_cannot_be_written_waits_to_its_limit_and_one_past_it_is_counted_as_lost",
        "lambda/src/memory/tests.rs",
    ),
    Limit(
        "alerts of one request to SNS",
        "ENTRIES_MAX",
        "lambda/src/sink/sns.rs",
        "a_request_at_the_limits_of_its_service_is_whole_and_one_past_them_is_split",
        "lambda/src/sink/round.rs",
    ),
    Limit(
        "a request to SNS",
        "BATCH_BYTES_MAX",
        "lambda/src/sink/sns.rs",
        "a_request_at_the_limits_of_its_service_is_whole_and_one_past_them_is_split",
        "lambda/src/sink/round.rs",
    ),
    Limit(
        "alerts of one request to EventBridge",
        "ENTRIES_MAX",
        "lambda/src/sink/events.rs",
        "a_request_at_the_limits_of_its_service_is_whole_and_one_past_them_is_split",
        "lambda/src/sink/round.rs",
    ),
    Limit(
        "a request to EventBridge",
        "BATCH_BYTES_MAX",
        "lambda/src/sink/events.rs",
        "a_request_at_the_limits_of_its_service_is_whole_and_one_past_them_is_split",
        "lambda/src/sink/round.rs",
    ),
    Limit(
        "a line of text that replay reads",
        "TEXT_BYTES_MAX",
        "replay/src/input/split.rs",
        "what_is_too_long_is_passed_over_and_named",
        "replay/src/input/split.rs",
    ),
    Limit(
        "a value that replay reads whole",
        "VALUE_BYTES_MAX",
        "replay/src/input/split.rs",
        "what_is_too_long_is_passed_over_and_named",
        "replay/src/input/split.rs",
    ),
    Limit(
        "threads that read",
        "THREADS_MAX",
        "replay/src/cli.rs",
        "as_many_threads_as_the_limit_are_taken_and_one_past_it_is_not",
        "replay/src/cli.rs",
    ),
    Limit(
        "a file of settings",
        "FILE_BYTES_MAX",
        "replay/src/config.rs",
        "a_file_at_its_limit_is_read_and_one_past_it_is_refused",
        "replay/src/config.rs",
    ),
    Limit(
        "pieces of text read before their turn",
        "PIECES_MAX",
        "replay/src/input/ahead.rs",
        "what_waits_is_bounded_however_many_files_there_are",
        "replay/src/input/ahead/tests.rs",
    ),
    Limit(
        "time read at once of a log group, in milliseconds",
        "WINDOW_MAX",
        "replay/src/live/fetch.rs",
        "windows_grow_to_their_limits_and_not_past_them_and_shrink_where_much_was_logged",
        "replay/src/live/fetch.rs",
    ),
    Limit(
        "time read at once after nothing was logged, in milliseconds",
        "WINDOW_EMPTY_MAX",
        "replay/src/live/fetch.rs",
        "windows_grow_to_their_limits_and_not_past_them_and_shrink_where_much_was_logged",
        "replay/src/live/fetch.rs",
    ),
    Limit(
        "a snapshot or memory that is read",
        "FILE_BYTES_MAX",
        "replay/src/memory.rs",
        "a_file_at_its_limit_is_read_and_one_past_it_is_refused",
        "replay/src/memory.rs",
    ),
    Limit(
        "folders inside folders",
        "FOLDER_DEPTH_MAX",
        "replay/src/input.rs",
        "folders_are_walked_to_the_limit_and_one_past_it_is_told",
        "replay/src/input/tests.rs",
    ),
    Limit(
        "lines of one entry of a text log",
        "ENTRY_LINES_MAX",
        "replay/src/input/content.rs",
        "an_entry_goes_on_to_its_limit_of_lines_and_one_past_it_is_a_line_of_its_own",
        "replay/src/input/tests.rs",
    ),
    Limit(
        "lines held back at the start of a file",
        "STRANGE_LINES_MAX",
        "replay/src/input/content.rs",
        "another_kind_of_file_is_told_once_to_the_limits_and_past_them_line_by_line",
        "replay/src/input/tests.rs",
    ),
    Limit(
        "one of these lines",
        "STRANGE_LINE_BYTES_MAX",
        "replay/src/input/content.rs",
        "another_kind_of_file_is_told_once_to_the_limits_and_past_them_line_by_line",
        "replay/src/input/tests.rs",
    ),
    Limit(
        "logs inside documents inside logs",
        "DEPTH_MAX",
        "replay/src/input/content.rs",
        "documents_inside_each_other_are_opened_to_the_limit_and_one_past_it_is_told",
        "replay/src/input/tests.rs",
    ),
    Limit(
        "documents inside documents",
        "DEPTH_MAX",
        "replay/src/input/document.rs",
        "documents_inside_each_other_are_opened_to_the_limit_and_one_past_it_is_told",
        "replay/src/input/tests.rs",
    ),
    Limit(
        "what stands before a line",
        "PREFIX_BYTES_MAX",
        "replay/src/input/prefix.rs",
        "the_longest_prefix_is_within_the_limit_and_a_stream_name_past_its_own_is_none",
        "replay/src/input/prefix.rs",
    ),
    Limit(
        "layers of gzip",
        "GZIP_LAYERS_MAX",
        "replay/src/input/unpack.rs",
        "layers_come_off_up_to_the_limit",
        "replay/src/input/unpack.rs",
    ),
    Limit(
        "a state of a log group",
        "FILE_BYTES_MAX",
        "replay/src/live/state.rs",
        "a_file_at_its_limit_is_read_and_one_past_it_is_refused",
        "replay/src/live/state.rs",
    ),
    Limit(
        "actors that a run tells of",
        "PEOPLE_MAX",
        "replay/src/people.rs",
        "actors_at_the_limit_are_told_by_name_and_one_past_it_is_counted_with_the_others",
        "replay/src/people.rs",
    ),
];

/// What is shown of something that may be longer: a text as a whole is held to its size by the promises that every alert
/// keeps, and nothing is decided by what is left out.
const SHOWN: &[(&str, &str)] = &[
    ("LINES_MAX", "analyzer/src/alert/chat.rs"),
    ("RESOURCES_MAX", "analyzer/src/alert/ocsf.rs"),
    ("LOG_GROUP_CHARS_MAX", "analyzer/src/alert/ocsf.rs"),
    ("URI_CHARS_MAX", "analyzer/src/alert/record.rs"),
    ("MESSAGE_CHARS_MAX", "analyzer/src/alert/record.rs"),
    ("CLAIMED_MAX", "analyzer/src/alert/record.rs"),
    ("GROUPS_MAX", "analyzer/src/alert/record.rs"),
    ("PATH_CHARS_MAX", "analyzer/src/detections/anonymous_allowed.rs"),
    ("REASONS_MAX", "analyzer/src/detections/aws_auth_changed.rs"),
    ("NAMES_MAX", "analyzer/src/detections/certificate_privileged.rs"),
    ("FLAG_CHARS_MAX", "analyzer/src/detections/control_plane_flagged.rs"),
    ("ERROR_CHARS_MAX", "analyzer/src/exceptions/file.rs"),
    ("PATTERN_CHARS_MAX", "analyzer/src/filter_pattern.rs"),
    ("REASONS_MAX", "analyzer/src/grant.rs"),
    ("LINE_CHARS_MAX", "analyzer/src/grant.rs"),
    ("RULES_WORDED_MAX", "analyzer/src/rbac/grade.rs"),
    ("RULES_MAX", "analyzer/src/rbac/headline.rs"),
    ("WRITTEN_MAX", "analyzer/src/rbac/rights.rs"),
    ("NAMES_SHOWN_MAX", "analyzer/src/rbac/rights.rs"),
    ("LISTED_MAX", "analyzer/src/rbac/words.rs"),
    ("WORD_CHARS_MAX", "analyzer/src/rbac/words.rs"),
    ("WORDS_MAX", "analyzer/src/report/explain.rs"),
    ("GROUPS_CHARS_MAX", "analyzer/src/report/text_lines.rs"),
    ("ADDED_MAX", "analyzer/src/report/text_lines.rs"),
    ("AGENT_CHARS_MAX", "analyzer/src/text.rs"),
    ("PATH_CHARS_MAX", "replay/src/files.rs"),
    ("COLUMNS_MAX", "replay/src/output.rs"),
    ("ALERTS_MAX", "replay/src/page.rs"),
    ("CHANGES_MAX", "replay/src/page/alerts.rs"),
    ("BARS_MAX", "replay/src/page/chart.rs"),
    ("NODES_MAX", "replay/src/page/graph.rs"),
    ("GAINS_MAX", "replay/src/page/graph.rs"),
    ("LABEL_MAX", "replay/src/page/graph.rs"),
    ("TEXT_CHARS_MAX", "replay/src/page/html.rs"),
    ("RULES_MAX", "replay/src/snapshot.rs"),
    ("WORDS_MAX", "replay/src/snapshot.rs"),
    ("RISKS_MAX", "replay/src/snapshot.rs"),
    ("NAMESPACES_MAX", "replay/src/snapshot.rs"),
    ("DISTANCE_MAX", "replay/src/snapshot/resources.rs"),
    ("PLACES_MAX", "replay/src/tally.rs"),
];

/// What passes these is read with care, or asked anew: it takes longer, and the tests of sifting hold that it says the same.
const OF_TIME: &[(&str, &str)] = &[
    ("VISITS_MAX", "analyzer/src/sift.rs"),
    ("KEY_BYTES_MAX", "analyzer/src/sift/callers.rs"),
    ("TABLE_BYTES_MAX", "analyzer/src/sift/callers.rs"),
    ("TAIL_BYTES_MAX", "analyzer/src/sift/scanner.rs"),
    ("DIGITS_MAX", "analyzer/src/sift/scanner.rs"),
];

/// Name and expression of the limit that a line of a source sets.
fn limit(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once("const ")?;
    let (name, rest) = rest.split_once(": ")?;
    let expression = rest.split_once(" = ")?.1.trim_end_matches(';');
    // A trait is told a limit that stands elsewhere.
    (name.ends_with("_MAX") && expression != name).then_some((name, expression))
}

/// Every limit that the sources of a folder set, outside tests.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "tests.rs" {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
            let file = path.strip_prefix(top()).unwrap().to_str().unwrap();
            found.extend(code.lines().filter_map(limit).map(|(name, _)| (name.to_owned(), file.to_owned())));
        }
    }
}

/// The text of the constant: its expression and what the comment before it says.
fn constant(file: &str, name: &str) -> (String, String) {
    let source = fs::read_to_string(top().join(file)).unwrap();
    let lines: Vec<&str> = source.lines().collect();
    let of = |line: &str| limit(line).filter(|(found, _)| *found == name).map(|(_, expression)| expression.to_owned());
    let named = format!("const {name}: ");
    let found = lines.iter().enumerate().find_map(|(at, line)| Some((at, of(line)?)));
    let (at, expression) = found.unwrap_or_else(|| {
        // A limit by another name.
        let at = lines.iter().position(|line| line.contains(&named));
        let at = at.unwrap_or_else(|| panic!("{file} has no constant {name}"));
        (at, lines[at].split_once(" = ").unwrap().1.trim_end_matches(';').to_owned())
    });
    // Two limits in a row may share their reason.
    let before = lines[..at].iter().rev().skip_while(|line| line.contains("const ") && !line.contains("///"));
    let mut reason: Vec<&str> = before.map_while(|line| line.trim().strip_prefix("/// ")).collect();
    reason.reverse();
    assert!(!reason.is_empty(), "{name} of {file} has no reason");
    (expression, reason.join(" "))
}

/// The value as a person says it.
fn value(name: &str, expression: &str) -> String {
    for (start, unit) in [("Duration::from_secs(", "seconds"), ("Duration::from_millis(", "milliseconds")] {
        if let Some(time) = expression.strip_prefix(start) {
            return format!("{} {unit}", time.trim_end_matches(')'));
        }
    }
    let number = |text: &str| text.trim().trim_matches(['(', ')']).replace('_', "").parse::<u64>().ok();
    let factor = |text: &str| match text.split_once("<<") {
        Some((left, right)) => Some(number(left)? << number(right)?),
        None => text.split(" * ").map(number).product(),
    };
    let value = match (expression.split_once(" + "), expression.split_once(" - ")) {
        (Some(_), _) => expression.split(" + ").map(factor).sum(),
        (None, Some((left, right))) => factor(left).zip(factor(right)).map(|(left, right)| left - right),
        (None, None) => factor(expression),
    };
    match (name.contains("BYTES"), value) {
        (_, None) => format!("`{expression}`"),
        (true, Some(bytes)) if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        (true, Some(bytes)) if bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        (true, Some(bytes)) => format!("{bytes} bytes"),
        (false, Some(number)) if name.contains("CHARS") => format!("{number} characters"),
        (false, Some(number)) if name.contains("SECONDS") => format!("{number} seconds"),
        (false, Some(number)) => number.to_string(),
    }
}

/// The body of a test.
fn body(file: &str, test: &str) -> String {
    let source = fs::read_to_string(top().join(file)).unwrap();
    let (before, rest) =
        source.split_once(&format!("fn {test}(")).unwrap_or_else(|| panic!("{file} has no test {test}"));
    let line = before.rsplit('\n').next().unwrap();
    let indent = line.len() - line.trim_start_matches(' ').len();
    rest.split(&format!("\n{}}}\n", " ".repeat(indent))).next().unwrap().to_owned()
}

#[test]
fn the_table_of_limits_is_current_and_each_limit_has_a_test() {
    let mut listed: Vec<(String, String)> =
        LIMITS.iter().map(|Limit(_, name, file, ..)| ((*name).to_owned(), (*file).to_owned())).collect();
    let mut table = String::from("| Of | Limit | Why | Constant |\n|---|---|---|---|\n");
    for Limit(of, name, file, test, test_file) in LIMITS {
        let (expression, reason) = constant(file, name);
        let body = body(test_file, test);
        // A screen is counted by the promises, and the parts of the memory are filled by one function.
        let is_named = body.contains(name) || *name == "SCREEN_LINES";
        let goes_past = ["+ 1", "..=", "past it", "fill(", "u32::MAX", "\"new\"", "promises"];
        assert!(is_named, "{test} of {test_file} does not know {name}");
        assert!(goes_past.iter().any(|word| body.contains(word)), "{test} of {test_file} does not go past {name}");
        writeln!(table, "| {of} | {} | {reason} | `{name}` of `{file}` |", value(name, &expression)).unwrap();
    }
    for (says, list) in [
        ("Of what is shown, where no text as a whole passes its size:", SHOWN),
        ("Of what costs time when it is passed, and changes nothing else:", OF_TIME),
    ] {
        write!(table, "\n{says}\n\n| Limit | Why | Constant |\n|---|---|---|\n").unwrap();
        for (name, file) in list {
            listed.push(((*name).to_owned(), (*file).to_owned()));
            let (expression, reason) = constant(file, name);
            writeln!(table, "| {} | {reason} | `{name}` of `{file}` |", value(name, &expression)).unwrap();
        }
    }
    let mut found = Vec::new();
    for room in ["analyzer/src", "lambda/src", "replay/src"] {
        sources(&top().join(room), &mut found);
    }
    let listed: BTreeSet<_> = listed.into_iter().collect();
    let missing: Vec<_> = found.iter().filter(|limit| !listed.contains(limit)).collect();
    assert!(missing.is_empty(), "limits in no list of {}: {missing:?}", file!());

    let path = top().join("ARCHITECTURE.md");
    let page = fs::read_to_string(&path).unwrap();
    let (front, rest) = page.split_once("<!-- written by a test: limits -->\n").unwrap();
    let (_, back) = rest.split_once("<!-- end -->\n").unwrap();
    let page = format!("{front}<!-- written by a test: limits -->\n{table}<!-- end -->\n{back}");
    expect_file![path].assert_eq(&page);
}
