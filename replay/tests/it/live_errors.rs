//! What keeps `--log-group` from reading, in the words that a person is told.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Command;

use expect_test::expect;
use serde_json::{Value, json};

use crate::live::{command, group, interrupt, now_ms, proxy, put, run};
use crate::proxy::Fate;
use crate::support::{AUDIT_STREAM, Folder, base64, events};

#[test]
fn a_state_is_gone_on_from_only_where_it_fits() {
    let (group, folder) = (group("state", &[AUDIT_STREAM]), Folder::new());
    put(&group, AUDIT_STREAM, &[(now_ms() - 5_000, events()[0].clone())]);
    let mut said = String::new();
    let mut run_with = |group: &str, state: &str, more: &[&str]| {
        let args = [&["replay", "--quiet", "--log-group", group, "--state", state], more].concat();
        let (status, _, stderr) = run(command(&args).current_dir(folder.path()));
        let _ = writeln!(said, "{status} {}", stderr.trim_end());
    };
    run_with(&group, "state.json", &[]);
    run_with(&group, "state.json", &[]);
    run_with("/aws/eks/other/cluster", "state.json", &[]);
    run_with(&group, "state.json", &["--log-stream", "kube"]);
    let samples = ["replay", "--quiet", "--cluster", "state", "--save-memory", "x.mem", "log"];
    folder.write("log", events()[1].as_bytes());
    assert_eq!(run(command(&samples).current_dir(folder.path())).0, 0);
    let again = ["replay", "--log-group", &group, "--state", "state.json", "--memory", "x.mem"];
    let (_, _, stderr) = run(command(&again).current_dir(folder.path()));
    let note = "note: the state knows what the last run learned; `--memory` counts for the first run only\n";
    assert!(stderr.starts_with(note), "{stderr}");
    let mut damaged: Value = serde_json::from_slice(&std::fs::read(folder.path().join("state.json")).unwrap()).unwrap();
    damaged["memory"] = json!(base64("rolewatch memory \u{2}no deflate"));
    folder.write("damaged.json", damaged.to_string());
    run_with(&group, "damaged.json", &[]);
    folder.write("notes.txt", "hello");
    run_with(&group, "notes.txt", &[]);
    folder.write("newer.json", r#"{"rolewatch_state":99}"#);
    run_with(&group, "newer.json", &[]);
    run_with(&group, "no/such/folder.json", &[]);
    expect![[r#"
        0 
        0 
        2 error: cannot go on from `state.json`: it is about another log group, Region or choice of streams; name another file, or remove it to begin anew
        2 error: cannot go on from `state.json`: it is about another log group, Region or choice of streams; name another file, or remove it to begin anew
        2 error: cannot go on from `damaged.json`: its memory is damaged, or another version of rolewatch wrote it; name another file, or remove it to begin anew
        2 error: cannot go on from `notes.txt`: it is no state of `rolewatch replay`; name another file, or remove it to begin anew
        2 error: cannot go on from `newer.json`: another version of rolewatch wrote it; name another file, or remove it to begin anew
        2 error: cannot write the state `no/such/folder.json`: no such file or folder; name a file in a folder that you may write to
    "#]].assert_eq(&said);
}

#[test]
fn what_keeps_a_group_from_being_read_is_said_in_one_line() {
    let empty = group("empty", &[AUDIT_STREAM]);
    let error = |command: &mut Command| {
        let (status, _, stderr) = run(command);
        let line = stderr.lines().find(|line| line.starts_with("error: ")).unwrap_or_default().to_owned();
        format!("{status} {line}\n")
    };
    let args = |group| ["replay", "--quiet", "--log-group", group];
    let mut said = error(&mut command(&args(&empty)));
    said += &error(&mut command(&args("/aws/eks/missing/cluster")));
    said += &error(command(&args(&empty)).env_remove("AWS_REGION"));
    said += &error(command(&args(&empty)).env_remove("AWS_ACCESS_KEY_ID"));
    said += &error(command(&args(&empty)).env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").env("AWS_MAX_ATTEMPTS", "1"));
    let throttling = proxy(|_| Fate::Refuse("ThrottlingException"));
    said += &error(command(&args(&empty)).env("AWS_ENDPOINT_URL", &throttling.url).env("AWS_MAX_ATTEMPTS", "1"));
    said += &error(&mut command(&[&args(&empty)[..], &["--profile", "missing"]].concat()));
    let turned = ["--from", "2026-03-02T00:00:00Z", "--to", "2026-03-01T00:00:00Z"];
    said += &error(&mut command(&[&args(&empty)[..], &turned].concat()));
    expect![[r#"
        2 error: nothing was logged in `/aws/eks/empty/cluster` in that time; check `--since`, `--log-stream`, and that the cluster's audit and api logs are on
        2 error: no log group is called `/aws/eks/missing/cluster`; check its name, `--region` and `--profile`, and that the cluster's logging is on
        2 error: no AWS Region is set; use `--region`, or set AWS_REGION or `region` in the profile
        2 error: no AWS credentials were found; use `--profile`, set AWS_PROFILE, or log in
        2 error: CloudWatch Logs does not answer; check the network, the proxy and `--region`
        2 error: CloudWatch Logs asked to slow down until it was no use; try again later, or ask for less time
        2 error: the profile `missing` gives no AWS credentials; check its name in ~/.aws/config, or log in with it
        2 error: `--to` is not after the time to begin with; check `--from`, `--since` and `--to`
    "#]].assert_eq(&said);
}

#[test]
fn refusals_say_what_to_do_and_throttling_is_waited_out() {
    let mut said = String::new();
    for codes in [
        &["ExpiredTokenException"][..],
        &["AccessDeniedException"],
        &["InvalidOperationException"],
        &["InvalidParameterException"],
        // Tried again until it is let through, to an empty page.
        &["ThrottlingException", "ThrottlingException"],
    ] {
        let args = ["replay", "--quiet", "--log-group", "/aws/eks/prod/cluster"];
        let refusing = proxy(|number| codes.get(number).map_or(Fate::Nothing, |code| Fate::Refuse(code)));
        let (status, _, stderr) = run(command(&args).env("AWS_ENDPOINT_URL", &refusing.url));
        let _ = write!(said, "{status} {stderr}");
    }
    expect![[r#"
        2 error: the AWS credentials have expired or are not valid; log in again, for example with `aws sso login`
        2 error: access to `/aws/eks/prod/cluster` is denied; the identity needs logs:FilterLogEvents on it
        2 error: `/aws/eks/prod/cluster` is of the class Infrequent Access, which cannot be fetched; read it with Logs Insights and pipe the result into `rolewatch replay -`
        2 error: CloudWatch Logs refused: InvalidParameterException; check the log group and the times
        2 error: nothing was logged in `/aws/eks/prod/cluster` in that time; check `--since`, `--log-stream`, and that the cluster's audit and api logs are on
    "#]].assert_eq(&said);
}

/// What was not told is told by the next run.
#[test]
fn a_state_is_kept_as_it_was_when_nobody_reads_what_is_told() {
    let (group, folder) = (group("untold", &[AUDIT_STREAM]), Folder::new());
    put(&group, AUDIT_STREAM, &[(now_ms() - 5_000, events()[1].clone())]);
    let args =
        ["replay", "--quiet", "--format", "ocsf", "--log-group", &group, "--state", "state.json", "--fail-on", "low"];
    let mut child = command(&args).current_dir(folder.path()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let said = format!("{} {}", output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr));
    expect![[r#"
        2 error: the reader of the output went away before everything was told; the state is what it was, so run it again
    "#]].assert_eq(&said);
    assert!(!folder.path().join("state.json").exists());
    let (status, told, stderr) = run(command(&args).current_dir(folder.path()));
    assert!(status == 1 && told.contains("bob-admin"), "{stderr}");
}

#[test]
fn whoever_follows_a_silent_group_is_told_so_and_waits() {
    let silent = group("silent", &[AUDIT_STREAM]);
    let mut child = command(&["replay", "--follow", "--log-group", &silent]).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    interrupt(&child);
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    expect![[r#"
        note: nothing was logged in `/aws/eks/silent/cluster` in that time; waiting for what comes
        Summary
          files    1
          lines    0
          alerts   0
          quiet    0
          skipped  0
    "#]]
    .assert_eq(&said);
}

#[test]
fn a_profile_without_credentials_is_told() {
    let folder = Folder::new();
    folder.write("config", "[profile half]\nsource_profile = x\n[profile sso]\nsso_session = x\nsso_account_id = 111122223333\nsso_role_name = x\n[sso-session x]\nsso_region = us-east-1\nsso_start_url = https://example.com\n");
    let mut said = String::new();
    for profile in ["half", "sso", "missing"] {
        let mut command = command(&["replay", "--quiet", "--log-group", "/aws/eks/prod/cluster", "--profile", profile]);
        command.env("AWS_CONFIG_FILE", folder.path().join("config")).env("HOME", folder.path());
        let (status, _, stderr) = run(&mut command);
        let _ = write!(said, "{status} {stderr}");
    }
    expect![[r#"
        2 error: the profile `half` gives no AWS credentials; check its name in ~/.aws/config, or log in with it
        2 error: the AWS credentials cannot be loaded; log in again, for example with `aws sso login`, and check `--profile`
        2 error: the profile `missing` gives no AWS credentials; check its name in ~/.aws/config, or log in with it
    "#]].assert_eq(&said);
}
