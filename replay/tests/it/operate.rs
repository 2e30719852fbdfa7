//! The shell lines of docs/operate.md about failed deliveries, as they stand there, against an emulated SQS and Kinesis.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::live::{emulator, python};
use crate::support::{Folder, events, gzip, lambda_event, subscription};

/// The blocks of shell in the chapters about what waits.
fn blocks() -> Vec<String> {
    let page = include_str!("../../../docs/operate.md");
    let chapters = page.split_once("### After a failure\n").unwrap().1.split_once("\n## On each alarm\n").unwrap().0;
    chapters.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Runs `script` where `aws` is the emulator and `rolewatch` the binary.
fn shell(folder: &Folder, script: &str) -> (String, String) {
    let aws =
        format!("#!/bin/sh\nexec '{}' '{}/tests/aws.py' \"$@\"\n", python().display(), env!("CARGO_MANIFEST_DIR"));
    folder.write("bin/aws", aws);
    fs::set_permissions(folder.path().join("bin/aws"), fs::Permissions::from_mode(0o755)).unwrap();
    let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rolewatch"), folder.path().join("bin/rolewatch"));
    let path = format!("{}:{}", folder.path().join("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-euc", script])
        .current_dir(folder.path())
        .env("PATH", path)
        .env("EMULATOR", format!("http://{}", emulator()))
        .env("INVOKED", folder.path().join("invoked"))
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{script}\n{stdout}\n{stderr}");
    (stdout, stderr)
}

/// Loudly, where a tool of the operator's is not there.
fn is_missing(tool: &str) -> bool {
    let missing = !Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if missing {
        // Past the capture of the test runner: a test that did not run must be seen.
        let _ = writeln!(std::io::stderr(), "\nSKIPPED: {tool} is not installed, so docs/operate.md was not tried");
    }
    missing
}

/// Makes a queue in which these messages wait.
fn queue(folder: &Folder, name: &str, messages: &[String]) -> String {
    let send = |(number, message): (usize, &String)| {
        folder.write(&format!("{name}-{number}"), message);
        format!("aws sqs send-message --queue-url \"$QUEUE\" --message-body \"$(cat {name}-{number})\" >sent\n")
    };
    let create = format!("QUEUE=$(aws sqs create-queue --queue-name {name} --query QueueUrl --output text)\n");
    create + &messages.iter().enumerate().map(send).collect::<String>()
}

#[test]
fn what_waits_is_read_handed_back_and_deleted_as_the_page_says() {
    if is_missing("jq") || is_missing("bash") {
        return;
    }
    let (folder, blocks) = (Folder::new(), blocks());
    let [read, hand_back, read_stream] = blocks.as_slice() else { panic!("{blocks:?}") };
    let delivery = lambda_event(&subscription(&events()));
    let failed = format!(
        r#"{{"version":"1.0","requestContext":{{"condition":"RetriesExhausted"}},"requestPayload":{delivery},"responsePayload":{{"errorType":"sns-access-denied"}}}}"#
    );
    let call = json!({"source": "aws.eks", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "CreateAccessEntry"}});
    let record = json!({"requestContext": {"condition": "RetryAttemptsExhausted"}, "KinesisBatchInfo": {"shardId": "shardId-000000000000"}});

    let (alerts, summary) = shell(&folder, &(queue(&folder, "read", std::slice::from_ref(&failed)) + read));
    assert!(alerts.contains("bob cluster-admin") && summary.contains("alerts   2"), "{alerts}{summary}");
    let (nothing, summary) = shell(&folder, &(queue(&folder, "empty", &[]) + read));
    assert!(nothing.is_empty() && summary.starts_with("Summary\n"), "an empty queue is no error: {summary}");

    // The place of a record and a sentence stay, whatever stands around them.
    let sentence = "alice changed the function".to_owned();
    let waiting = [record.to_string(), failed, sentence, call.to_string()];
    let left = "echo left\naws sqs get-queue-attributes --queue-url \"$QUEUE\" --query Attributes --output json";
    let script = queue(&folder, "back", &waiting) + "FUNCTION=rolewatch\n" + hand_back + left;
    let (told, complaints) = shell(&folder, &script);
    let (told, left) = told.split_once("left\n").unwrap();
    assert_eq!((told.lines().count(), complaints.as_str()), (2, ""), "{told}");
    assert!(left.contains(r#""ApproximateNumberOfMessagesNotVisible": "2""#), "{left}");
    let invoked = fs::read_to_string(folder.path().join("invoked")).unwrap();
    let invoked: Vec<Value> = invoked.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(invoked, [serde_json::from_str(&delivery).unwrap(), call]);

    folder.write("record", gzip(subscription(&events())));
    let put = "SHARD=shardId-000000000000 STREAM=members\naws kinesis create-stream --stream-name $STREAM --shard-count 1\n\
        NUMBER=$(aws kinesis put-record --stream-name $STREAM --partition-key x --data fileb://record --query SequenceNumber --output text)\n";
    let (alerts, summary) = shell(&folder, &(put.to_owned() + read_stream));
    assert!(alerts.contains("bob cluster-admin") && summary.contains("alerts   2"), "{alerts}{summary}");
}
