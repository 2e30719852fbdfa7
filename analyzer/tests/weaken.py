"""Turns every row of the adversary suite red once, by taking its defence away.

A test that passes proves little until it has been seen to fail. Each row below names a test of
`analyzer/src/tests/adversary`, or one of another crate with the crate before it, a weakness, and the one edit that builds
the weakness in. The edit is made in a copy of the committed tree; the test must then fail, and not for want of compiling.
An edit whose old text is no longer there, or a test of the suite without a row, fails the run, so the table cannot rot.

    python3 analyzer/tests/weaken.py [NAME...]     only the rows whose test or weakness has this in it
"""

import os
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
COPY = TOP / "target/weaken/tree"
BUILD = TOP / "target/weaken/build"
SUITE = "analyzer/src/tests/adversary"
# Where a test is looked for, by what stands before its name. What the analyzer has no part in is tried where it is written:
# the page of a run, and what the function prints and answers.
CRATES = {
    "": (["-p", "rolewatch-analyzer", "--lib"], "tests::adversary::"),
    "lambda": (["-p", "rolewatch-lambda", "--test", "it"], ""),
    "replay": (["-p", "rolewatch", "--test", "it"], ""),
    "page": (["-p", "rolewatch", "--bin", "rolewatch"], "page::"),
}

# test, weakness, file, old, new
ROWS = [
    ("answers::silence_by_the_form_of_the_answer", "what failed with 406 was not done",
     "analyzer/src/audit/outcome.rs", "406 => Self::Unknown,", "406 => Self::Failed,"),
    ("answers::silence_by_the_form_of_the_answer", "what failed for its Table was not done",
     "analyzer/src/audit/outcome.rs", "400 if status.message.starts_with(NO_TABLE) || wants_table() => Self::Unknown,",
     "400 if status.message.starts_with(NO_TABLE) && !wants_table() => Self::Unknown,"),
    ("answers::silence_by_what_admission_adds_to_a_harmless_patch", "what was asked for is what was stored",
     "analyzer/src/change.rs", "sets_none && after.differs_in_rights(before)", "sets_none && false"),
    ("answers::silence_by_what_admission_adds_to_a_harmless_patch", "a webhook whose patch is not recorded did nothing",
     "analyzer/src/kube/patch.rs", "patch.map_or(Touches::Content, of_annotation)", "patch.map_or(Touches::Nothing, of_annotation)"),
    ("answers::silence_by_what_admission_adds_to_a_harmless_patch", "what webhooks touch does not count",
     "analyzer/src/kube/patch.rs", "touched = touches(reader.raw()?, kind);", "touched = Touches::Nothing; reader.skip()?;"),
    ("answers::hiding_who_gained_by_the_form_of_the_answer", "what a patch asks for is not read",
     "analyzer/src/change.rs", "event.verb == Verb::Patch && self.after.known().is_none()", "false"),
    ("answers::silence_by_a_selector_that_the_server_does_not_read", "every value of a parameter is believed",
     "analyzer/src/detections/aws_auth_deleted.rs", ".take(1)", ".take(9)"),
    ("answers::hiding_a_mapping_from_whoever_reads_other_yaml_than_eks", "keys are compared as ASCII",
     "analyzer/src/aws_auth/go.rs", "'\\u{17f}' => 's',", ""),
    ("answers::hiding_a_mapping_from_whoever_reads_other_yaml_than_eks", "all documents are one",
     "analyzer/src/aws_auth/go.rs", "if begun && (mark(", "if false && (mark("),
    ("answers::hiding_a_mapping_from_whoever_reads_other_yaml_than_eks", "null sets a text anew",
     "analyzer/src/aws_auth/go.rs", "set(known(at), it).unwrap_or_default()", "set(None, it).unwrap_or_default()"),
    ("answers::hiding_a_mapping_from_whoever_reads_other_yaml_than_eks", "lines break where YAML 1.2 breaks them",
     "analyzer/src/aws_auth/go.rs", "let first = if first.contains(", "let first = if false && first.contains("),
    ("answers::a_query_at_its_limit_is_believed_and_one_past_it_says_nothing", "every query is believed",
     "analyzer/src/audit/query.rs", "if query.matches('&').count() < PARAMETERS_MAX", "if true"),
    ("answers::silence_by_a_selector_that_the_server_does_not_read", "a pair with a semicolon is one",
     "analyzer/src/audit/query.rs", "!pair.contains(';')", "pair.len() < usize::MAX"),
    ("answers::silence_by_a_selector_that_the_server_does_not_read", "any label counts",
     "analyzer/src/detections/aws_auth_deleted.rs", 'query("labelSelector").next().is_some_and(', 'query("labelSelector").any('),
    ("crowd::crowding_out_what_was_done_by_what_was_refused", "only severity counts",
     "analyzer/src/gather.rs", "(std::cmp::Reverse(alert.severity), is_refused(alert))", "(std::cmp::Reverse(alert.severity), false)"),
    ("answers::silence_by_the_account_of_a_controller", "the account proves the controller",
     "analyzer/src/audit.rs", "let lent = principal.pod().is_some() ||", "let lent ="),
    ("answers::silence_by_the_account_of_a_controller", "a pod may have the account",
     "analyzer/src/session.rs", "Token::Pod { name, node: principal.node(), controller }",
     "Token::Pod { name, node: principal.node(), controller: false }"),
    ("traces::silence_by_what_a_request_says_of_its_own_object", "the client's word on its deletion is believed",
     "analyzer/src/change.rs", "if let Read::Object(manifest) | Read::Partial(manifest) = response {",
     "if let Read::Object(manifest) | Read::Partial(manifest) = if let Read::Other(_) = response { request } else { response } {"),
    ("traces::silence_by_coming_back_under_a_remembered_name", "what is remembered was there before it was made",
     "analyzer/src/change.rs", ".filter(|_| change.action != Action::Created)", ""),
    ("traces::hiding_that_a_grant_was_taken_back", "the last word on what was given counts alone",
     "analyzer/src/memory/objects.rs", "new.granted = new.granted.and(old.granted.clone());", ""),
    ("traces::hiding_that_a_grant_was_taken_back", "what loses its last finalizer is changed",
     "analyzer/src/change.rs", "manifest.meta.deleting && !manifest.meta.finalizers", "manifest.meta.deleting && false"),
    ("traces::hiding_that_a_grant_was_taken_back", "what was changed unseen gave nothing",
     "analyzer/src/detections/rbac_grant_withdrawn.rs", "case.memory.last(&key).filter(|last| !last.deleted)?", "case.memory.object(&key)?"),
    ("traces::silence_by_forged_times_of_managers", "the oldest time counts",
     "analyzer/src/kube/meta.rs", "Ok(times.and_then(|times| times.into_iter().max()))", "Ok(times.and_then(|times| times.into_iter().min()))"),
    ("traces::silence_by_forged_times_of_managers", "a manager without a time set nothing",
     "analyzer/src/kube/meta.rs", "let times: Option<Vec<Timestamp>> = times.into_iter().flatten().collect();",
     "let times: Option<Vec<Timestamp>> = Some(times.into_iter().flatten().flatten().collect());"),
    ("traces::silence_by_forged_times_of_managers", "the second of the request is before it",
     "analyzer/src/change/ordinary.rs", "set.as_second() < received.as_second()", "set.as_second() <= received.as_second()"),
    ("traces::a_lie_about_who_gave_what", "whoever comes last did it",
     "analyzer/src/change.rs", "change.drifted = sets_none && after.differs_in_rights(before);", "change.ordinary = None;"),
    ("traces::a_lie_about_what_was_taken_back", "whatever is lost was given lately",
     "analyzer/src/detections/rbac_grant_withdrawn.rs", "granted.part.within(&lost)", "Some(lost.clone())"),
    ("answers::silence_by_a_later_witness_of_the_same_version", "a snapshot is from before",
     "analyzer/src/change/ordinary.rs", "known.time.is_some() && known.time <= event.time()",
     "(known.time.is_none() || known.time <= event.time())"),
    ("answers::silence_by_a_later_witness_of_the_same_version", "what was read before was before",
     "analyzer/src/change/ordinary.rs", "known.time.is_some() && known.time <= event.time()", "known.time.is_some()"),
    ("silence::silence_by_what_the_client_says_of_itself", "the user agent is believed",
     "analyzer/src/change.rs", "Outcome::Failed | Outcome::Unauthenticated => Some(Ordinary::Failed),",
     "Outcome::Failed | Outcome::Unauthenticated => Some(Ordinary::Failed),\n"
     "            _ if event.user_agent.starts_with(\"ELB-\") => Some(Ordinary::Routine),"),
    ("silence::silence_by_what_the_client_says_of_itself", "sifting takes writes that succeed for quiet",
     "analyzer/src/change.rs", "&[Facts::WRITES.and(Facts::WATCHED)]", "&[Facts::WRITES.and(Facts::WATCHED).and(Facts::REFUSED)]"),
    ("silence::silence_by_a_forged_first_address", "the first address is taken for the peer",
     "analyzer/src/audit/origin.rs", "let last = addresses.pop();",
     "let last = addresses.iter().next().cloned();"),
    ("silence::silence_by_labels_that_imitate_the_control_plane", "a label proves who wrote",
     "analyzer/src/change/routine.rs", "// Acting as somebody else is never routine.",
     "if is_newer_stock(change) {\n        return true;\n    }"),
    ("silence::silence_by_a_reused_audit_id", "one audit ID is told once",
     "analyzer/src/report/audit_lines.rs",
     "&event.stage_time.map(|time| time.to_string()).unwrap_or_default(),", "\"\","),
    ("silence::silence_by_names_that_look_like_others", "what cannot be seen is printed as it is",
     "analyzer/src/text.rs", "if is_deceptive(character) {", "if false && is_deceptive(character) {"),
    ("silence::silence_by_names_that_look_like_others", "a name proves EKS",
     "analyzer/src/audit/control_plane.rs", "is_aws_helper(principal, account).then_some(Identity::Eks)",
     "(is_aws_helper(principal, account) || name.starts_with(\"eks:\")).then_some(Identity::Eks)"),
    ("silence::silence_by_ten_thousand_harmless_changes", "digests take in grave alerts",
     "analyzer/src/gather.rs", "alert.first().filter(|_| alert.severity < Severity::High)?", "alert.first()?"),
    ("silence::silence_by_breaking_the_neighbouring_lines", "a bad line ends the batch",
     "analyzer/src/report/judge.rs", "        report.lines += 1;\n        let line = match line {",
     "        if report.skipped_total() > 0 {\n            return;\n        }\n"
     "        report.lines += 1;\n        let line = match line {"),
    ("silence::silence_by_a_line_that_the_shipper_cuts", "a cut line is bad JSON",
     "analyzer/src/audit.rs", "draft.cut = true;", "return Err(Unreadable::NotJson);"),
    ("silence::silence_by_a_memory_of_another_cluster", "memory mixes clusters",
     "analyzer/src/change.rs", "cluster: cluster.to_owned(),", "cluster: String::new(),"),
    ("silence::silence_by_a_memory_of_old_versions", "an old version overwrites a newer one",
     "analyzer/src/memory/objects.rs", "(Some(new), Some(old), false) => new < old,", "(Some(_), Some(_), false) => false,"),
    ("silence::silence_by_a_memory_of_refused_writes", "what was refused is remembered",
     "analyzer/src/report/audit_lines.rs",
     "change.took_effect() && !matches!(change.ordinary, Some(Ordinary::DryRun | Ordinary::Failed))",
     "change.action != Action::DeletedMany"),
    ("silence::silence_by_a_memory_that_missed_a_change", "what was known before an unseen change still holds",
     "analyzer/src/memory/objects.rs", "!remembered.deleted && !remembered.unseen)", "!remembered.deleted)"),
    ("silence::silence_by_a_memory_that_missed_a_change", "a change that may have been stored is not remembered",
     "analyzer/src/report/audit_lines.rs", "if !as_before && !change.name.is_empty() {",
     "if stored && !as_before && !change.name.is_empty() {"),
    ("silence::silence_by_an_object_too_large_for_the_server", "the server's word that it left bodies out is not read",
     "analyzer/src/audit.rs", "(false, true) => Some(Cut::Server),", "(false, true) => None,"),
    ("silence::silence_by_a_record_without_bodies", "a body that was not recorded is an empty one",
     "analyzer/src/detections/rbac_binding_changed.rs", "_ => grant::unshown(case, change),",
     "_ => Hit::new(Severity::Low, \"\", \"\"),"),
    ("silence::silence_by_a_name_that_the_server_makes_up", "the name is taken from the request alone",
     "analyzer/src/change.rs", "self.name.clone_from(&self.meta.name);", "self.name.clear();"),
    ("silence::silence_by_another_version_of_the_api", "only v1 is known",
     "analyzer/src/change.rs", "let object = event.object.as_ref()?;\n        let kind = kind(object, &event.verb)?;",
     "let object = event.object.as_ref().filter(|object| object.api_version == \"v1\")?;\n"
     "        let kind = kind(object, &event.verb)?;"),
    ("silence::silence_by_times_that_are_wrong", "an event without a time is no event",
     "analyzer/src/report/audit_lines.rs", "// A cut line has lost its own times.",
     "if event.cut.is_none() {\n                return report.skip(super::Skip::Empty);\n            }"),
    ("silence::silence_by_a_key_of_the_event_said_twice", "of two keys the last counts",
     "analyzer/src/audit/object.rs", "if !slot.is_empty() {", "if false && !slot.is_empty() {"),
    ("silence::silence_by_an_exception_that_fits_too_much", "an exception silences any severity",
     "analyzer/src/exceptions.rs", "alert.severity <= it.max_severity && ", ""),
    ("silence::silence_by_an_exception_that_fits_too_much", "an exception believes a forged name",
     "analyzer/src/exceptions/matcher.rs", "let proven = !matches!(actor.kind, \"forged\" | \"anonymous\" | \"nobody\");",
     "let proven = !actor.kind.is_empty();"),
    ("bodies::hiding_in_a_body_that_json_libraries_refuse", "nesting has a limit past which an event is lost",
     "analyzer/src/json.rs", "                    depth += 1;\n",
     "                    depth += 1;\n                    if depth > 128 {\n"
     "                        return Err(self.unexpected());\n                    }\n"),
    ("bodies::hiding_in_a_body_that_json_libraries_refuse", "a lone surrogate breaks its line",
     "analyzer/src/audit.rs", "let mut draft = Draft::default();",
     "if line.contains(\"\\\\ud800\") {\n            return Err(Unreadable::NotJson);\n        }\n"
     "        let mut draft = Draft::default();"),
    ("bodies::hiding_an_iam_role_behind_the_answer_that_was_asked_for", "an answer of metadata alone holds no annotation",
     "analyzer/src/change.rs", "(Read::Partial(manifest), _) if self.kind == ObjectKind::ServiceAccount => {",
     "(Read::Partial(manifest), _) if self.kind == ObjectKind::AwsAuth => {"),
    ("bodies::hiding_an_iam_role_behind_the_answer_that_was_asked_for", "a role that the log does not hold is none",
     "analyzer/src/detections/sa_iam_role_changed.rs", "return unseen(case, change);", "return None;"),
    ("bodies::hiding_behind_a_record_that_is_lost_for_its_yaml", "the path is compared as the client wrote it",
     "analyzer/src/detections/audit_event_lost.rs",
     "text::percent_decoded(event.uri.split('?').next().unwrap_or_default())",
     "event.uri.split('?').next().unwrap_or_default().to_owned()"),
    ("bodies::hiding_aws_auth_behind_delete_and_create", "a write without recorded content is no change",
     "analyzer/src/detections/aws_auth_replaced_unseen.rs", "fn check(case: &Case<'_>) -> Option<Hit> {",
     "fn check(case: &Case<'_>) -> Option<Hit> {\n    case.event.response.bytes()?;"),
    ("bodies::hiding_behind_an_impersonated_name", "who is acted as counts as who acts",
     "analyzer/src/change/routine.rs",
     "    if event.caller.acting_as.is_some() {\n        return false;\n    }\n"
     "    let principal = &event.caller.authenticated;",
     "    let mut event = event.clone();\n    if let Some(it) = event.caller.acting_as.take() {\n"
     "        event.caller.authenticated = *it;\n    }\n    let event = &event;\n"
     "    let principal = &event.caller.authenticated;"),
    ("bodies::hiding_behind_words_of_a_dry_run_that_was_none", "the words anywhere in the query count",
     "analyzer/src/change/request.rs", "event.query(\"dryRun\").any(|value| value == \"All\")",
     "event.request_uri.contains(\"dryRun=All\")"),
    ("bodies::hiding_behind_words_of_a_dry_run_that_was_none", "the query of a delete is believed",
     "analyzer/src/change/request.rs",
     "(Read::Other(options), _) => options.dry_run.iter().any(|value| value == \"All\"),",
     "(Read::Other(_), _) => in_query(),"),
    ("crowd::hiding_in_the_crowd_by_a_caller_who_was_ordinary_before", "that a token was asked for is no news",
     "analyzer/src/memory/tokens.rs", "        self.taught += 1;\n        self.minted", "        self.minted"),
    ("crowd::hiding_in_the_crowd_by_a_caller_who_was_ordinary_before", "that an address belongs to a node is no news",
     "analyzer/src/memory/tokens.rs", "            self.taught += 1;\n            self.addresses", "            self.addresses"),
    ("crowd::hiding_in_the_crowd_by_a_caller_who_was_ordinary_before", "what was asked once is never asked again",
     "analyzer/src/report/judge.rs", "Arc::ptr_eq(known, visit) && *taught == memory.taught()", "Arc::ptr_eq(known, visit)"),
    ("crowd::hiding_in_the_crowd_by_a_request_that_looks_like_the_others", "only writes of forged names are looked at",
     "analyzer/src/detections/identity_forged.rs", "&[Facts::FORGED]", "&[Facts::FORGED.and(Facts::WRITES)]"),
    ("crowd::hiding_in_the_crowd_by_a_request_that_looks_like_the_others", "only refused impersonation is looked at",
     "analyzer/src/detections/identity_impersonated.rs", "&[Facts::ACTING, ", "&["),
    ("crowd::hiding_in_the_crowd_by_a_request_that_looks_like_the_others", "the head does not tell an address outside",
     "analyzer/src/sift/callers.rs", "        .and_if(session.external.is_some(), Facts::EXTERNAL)\n", ""),
    ("crowd::hiding_in_the_crowd_by_a_request_that_looks_like_the_others", "the head does not tell a request for a token",
     "analyzer/src/sift/head.rs", "        .and_if(TokenRequest::is_about(object), Facts::TOKEN)\n", ""),
    ("crowd::hiding_in_the_crowd_by_a_request_that_looks_like_the_others", "what stands behind the bodies is not told",
     "analyzer/src/sift/head.rs", "b\"authentication.k8s.io/legacy-token\" => (4, Facts::LEGACY_TOKEN),",
     "b\"authentication.k8s.io/legacy-token\" => (4, Facts::NONE),"),
    ("crowd::hiding_in_the_crowd_what_the_memory_should_learn", "a refused login is not learnt",
     "analyzer/src/lesson.rs", "&[Facts::UNAUTHENTICATED, ", "&["),
    ("crowd::hiding_in_the_crowd_what_the_memory_should_learn", "who made a Secret is not learnt",
     "analyzer/src/lesson.rs", "&[Facts::UNAUTHENTICATED, Facts::SECRET.and(Facts::WRITES)]", "&[Facts::UNAUTHENTICATED]"),
    ("injection::injection_into_what_people_and_machines_read", "text is not made printable",
     "analyzer/src/text.rs", "if is_deceptive(character) {", "if false && is_deceptive(character) {"),
    ("injection::injection_into_what_people_and_machines_read", "a headline takes any character",
     "analyzer/src/text.rs", "if matches!(character, ' '..='~') { character } else { '?' }",
     "if character == '?' { '?' } else { character }"),
    ("injection::injection_into_what_people_and_machines_read", "chat takes markup",
     "analyzer/src/alert/chat.rs", "'<' => out.push('\\u{2039}'),", "'<' => out.push('<'),"),
    ("injection::injection_into_the_names_of_the_place", "the delivery's own names are taken as they are",
     "analyzer/src/alert/ocsf.rs", "json!(printable(group, LOG_GROUP_CHARS_MAX))", "json!(group)"),
    ("injection::leaking_what_a_secret_or_a_token_holds", "a body is copied into what is told",
     "analyzer/src/detections/sa_legacy_secret_created.rs",
     "let username = case.event.caller.authenticated.username.as_ref();",
     "let secret = format!(\"{secret} {}\", String::from_utf8_lossy(case.event.request.bytes().unwrap_or_default()));\n"
     "    let username = case.event.caller.authenticated.username.as_ref();"),
    ("injection::leaking_what_a_secret_or_a_token_holds", "an answer is copied into what is told",
     "analyzer/src/detections/sa_token_minted.rs", "let account = format!(\"ServiceAccount {namespace}/{name}\");",
     "let account = format!(\"{}\", String::from_utf8_lossy(case.event.response.bytes().unwrap_or_default()));"),
    ("page: html::tests::text_cannot_leave_its_place", "a quote ends the attribute that it stands in",
     "replay/src/page/html.rs", "'\"' => self.0.push_str(\"&quot;\"),", "'\"' => self.0.push('\"'),"),
    ("replay: report::nothing_from_a_log_becomes_markup", "the page takes markup",
     "replay/src/page/html.rs", "'<' => self.0.push_str(\"&lt;\"),", "'<' => self.0.push('<'),"),
    ("lambda: leaks::leaking_what_a_log_says_through_our_own_log_and_answers", "what is told is logged",
     "lambda/src/handler.rs", "            alerts = alerts.len(),\n            \"delivery judged\"",
     "            alerts = alerts.len(),\n            worst = alerts.first().map(Alert::title),\n"
     "            \"delivery judged\""),
    ("lambda: leaks::leaking_what_a_log_says_through_our_own_log_and_answers", "what AWS says of a request is logged",
     "lambda/src/sink/refusal.rs", "aws_code = shown(error.code()), \"a request was not taken\"",
     "aws_code = shown(error.code()), said = error.message(), \"a request was not taken\""),
    ("lambda: leaks::leaking_what_a_log_says_through_our_own_log_and_answers", "what could not be read is logged",
     "lambda/src/handler.rs", "\"the invocation failed: {error}\");",
     "\"the invocation failed: {error}: {}\", event.payload.get());"),
]


def tests():
    """Every test of the suite, as `module::name`."""
    for file in sorted((TOP / SUITE).glob("*.rs")):
        for name in re.findall(r"#\[test\]\s+fn (\w+)", file.read_text()):
            yield f"{file.stem}::{name}"


def run(test):
    """Whether the test passes in the copy; stops the run when it cannot be compiled."""
    crate, _, name = test.rpartition(": ")
    target, module = CRATES[crate]
    # Unoptimised, a changed line takes seconds to build and not a minute.
    profile = ["--config", "profile.dev.package.rolewatch-analyzer.opt-level=0"]
    command = ["cargo", "test", "--locked", *profile, *target, "--", "--exact", module + name]
    done = subprocess.run(command, cwd=COPY, env=environment(), capture_output=True, text=True)
    if "running 1 test" not in done.stdout:
        print(f"{test} was not run:\n{done.stderr[-3000:]}", flush=True)
        return None
    return done.returncode == 0


RESULTS = {True: "STAYS GREEN", False: "turns red", None: "NOT RUN"}


def environment():
    return {**os.environ, "CARGO_TARGET_DIR": str(BUILD), "RUST_BACKTRACE": "0"}


def main(words):
    missing = set(tests()) - {row[0] for row in ROWS}
    if missing:
        sys.exit(f"no weakness is known for {', '.join(sorted(missing))}")
    COPY.mkdir(parents=True, exist_ok=True)
    tree = subprocess.run(["git", "archive", "HEAD"], cwd=TOP, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(COPY)], input=tree, check=True)
    # The emulator of AWS, which tests of the function need.
    tools = COPY / ".cache"
    if not tools.exists():
        tools.symlink_to(TOP / ".cache")
    green, unknown = 0, 0
    for test, weakness, file, old, new in ROWS:
        if words and not any(word in f"{test} {weakness}" for word in words):
            continue
        path = COPY / file
        strong = path.read_text()
        if strong.count(old) != 1:
            sys.exit(f"{file}: the defence of {test} is not there once: {old}")
        path.write_text(strong.replace(old, new))
        try:
            held = run(test)
        finally:
            path.write_text(strong)
        green += held is True
        unknown += held is None
        print(f"{RESULTS[held]}: {test}: {weakness}", flush=True)
    sys.exit(f"{green} rows stayed green without their defence, {unknown} were not run" if green or unknown else 0)


main(sys.argv[1:])
