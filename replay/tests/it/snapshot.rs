//! A snapshot of a cluster as starting memory, and questions to it, word for word.

use expect_test::{ExpectFile, expect_file};
use serde_json::{Value, json};

use crate::support::{Folder, events, ndjson, rolewatch_in};

/// What `kubectl get ... -o json` prints of a small cluster.
fn cluster() -> Value {
    let rbac = "rbac.authorization.k8s.io";
    let role = |kind: &str, namespace: Option<&str>, name: &str, rules: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
               "metadata": {"name": name, "namespace": namespace, "resourceVersion": "10"}, "rules": rules})
    };
    let binding = |kind: &str, namespace: Option<&str>, name: &str, role: (&str, &str), subjects: Value| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
               "metadata": {"name": name, "namespace": namespace, "resourceVersion": "11"},
               "roleRef": {"apiGroup": rbac, "kind": role.0, "name": role.1}, "subjects": subjects})
    };
    let group = |name: &str| json!({"kind": "Group", "apiGroup": rbac, "name": name});
    let secrets = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]);
    json!({"apiVersion": "v1", "kind": "List", "items": [
        role("ClusterRole", None, "cluster-admin", json!([
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}, {"nonResourceURLs": ["*"], "verbs": ["*"]}])),
        role("ClusterRole", None, "pod-reader", json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])),
        role("Role", Some("ci"), "secret-reader", secrets),
        binding("ClusterRoleBinding", None, "ops", ("ClusterRole", "cluster-admin"), json!([group("ops")])),
        binding("RoleBinding", Some("ci"), "runner", ("Role", "secret-reader"),
            json!([{"kind": "ServiceAccount", "name": "runner", "namespace": "ci"}, {"kind": "User", "apiGroup": rbac, "name": "mallory\u{1b}[2J"}])),
        binding("RoleBinding", Some("ci"), "gone", ("Role", "deleted"), json!([group("system:serviceaccounts:ci")])),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "aws-auth", "namespace": "kube-system"},
         "data": {"mapRoles": "- rolearn: arn:aws:iam::111122223333:role/Ops\n  username: ops\n  groups: [ops]\n- rolearn: arn:aws:iam::111122223333:role/BreakGlass\n  username: bg\n  groups: [system:masters]\n"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "ci"}, "data": {}}
    ]})
}

fn check(args: &[&str], expected: &ExpectFile) {
    let folder = Folder::new();
    folder.write("cluster.json", cluster().to_string());
    folder.write("pod.json", r#"{"kind":"Pod","metadata":{"name":"x"}}"#);
    folder.write("notes.txt", "not JSON");
    folder.write("damaged.memory", b"rolewatch memory \xff\xff");
    folder.write("log", ndjson());
    for (cluster, memory) in [("prod", "prod.memory"), ("blue", "both.memory")] {
        let learn = ["replay", "--quiet", "--cluster", cluster, "--save-memory", memory, "log"];
        let known = ["--memory", "prod.memory"];
        let run =
            rolewatch_in(folder.path(), &[&learn[..], if cluster == "blue" { &known } else { &[] }].concat(), |_| {
                Ok(())
            });
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    }
    expected.assert_eq(&rolewatch_in(folder.path(), args, |_| Ok(())).transcript());
}

#[test]
fn a_snapshot_says_who_can() {
    let ask = ["who-can", "get", "secrets", "-n", "ci", "--memory", "cluster.json"];
    check(&ask, &expect_file!["../golden/who-can.txt"]);
    check(
        &["who-can", "get", "secrets", "--memory", "cluster.json"],
        &expect_file!["../golden/who-can-everywhere.txt"],
    );
    check(&["who-can", "get", "/metrics", "--memory", "cluster.json"], &expect_file!["../golden/who-can-url.txt"]);
    check(&["who-can", "--help"], &expect_file!["../golden/help-who-can.txt"]);
}

#[test]
fn a_resource_may_be_written_as_kubectl_takes_it() {
    let folder = Folder::new();
    folder.write("cluster.json", cluster().to_string());
    let ask = |resource: &str, more: &[&str]| {
        let args = [&["who-can", "get", resource, "--memory", "cluster.json"], more].concat();
        rolewatch_in(folder.path(), &args, |_| Ok(()))
    };
    let whole = ask("secrets", &["-n", "ci"]);
    assert!(whole.stdout.contains("ServiceAccount ci/runner") && whole.stderr.is_empty(), "{}", whole.stderr);
    assert_eq!(ask("Secret", &["-n", "ci"]).stdout, whole.stdout);
    assert!(ask("deploy", &[]).stdout.starts_with("Who can get deployments.apps in"));
    // Those in one namespace are not hidden.
    let everywhere = ask("secrets", &[]).stdout;
    assert!(everywhere.contains("\n  2 more in single namespaces: ci; ask with `-n`\n"), "{everywhere}");
    assert_eq!(ask("secrts", &[]).stderr, "note: no role names `secrts`; did you mean `secrets`?\n");
    assert_eq!(ask("widgets", &[]).stderr, "note: no role names `widgets`; write it as `kubectl api-resources` does\n");
}

#[test]
fn a_snapshot_says_what_somebody_may_do() {
    check(&["rights", "sa:ci/runner", "--memory", "cluster.json"], &expect_file!["../golden/rights-account.txt"]);
    check(&["rights", "group:ops", "--memory", "cluster.json"], &expect_file!["../golden/rights-group.txt"]);
    let grouped = ["rights", "bg", "--group", "system:masters", "--memory", "cluster.json"];
    check(&grouped, &expect_file!["../golden/rights-masters.txt"]);
    check(&["rights", "--help"], &expect_file!["../golden/help-rights.txt"]);
}

/// A group with more rights, in more places, than a screen has lines.
fn far_and_wide() -> Value {
    let rbac = "rbac.authorization.k8s.io";
    let rules: Vec<Value> = [
        ("", "secrets", "get"),
        ("", "pods", "create"),
        ("", "pods/exec", "create"),
        ("", "pods/ephemeralcontainers", "patch"),
        ("", "nodes/proxy", "get"),
        ("", "serviceaccounts/token", "create"),
        ("", "persistentvolumes", "create"),
        ("", "configmaps", "update"),
        ("", "users", "impersonate"),
        (rbac, "clusterroles", "escalate"),
        (rbac, "clusterroles", "bind"),
        (rbac, "clusterrolebindings", "create"),
        ("certificates.k8s.io", "certificatesigningrequests/approval", "update"),
        ("admissionregistration.k8s.io", "mutatingwebhookconfigurations", "create"),
        ("apiregistration.k8s.io", "apiservices", "update"),
    ]
    .map(|(group, resource, verb)| (group.to_owned(), resource, verb))
    .into_iter()
    .chain((1..=14).map(|number| (format!("team-{number:02}.example.com"), "widgets", "get")))
    .map(|(group, resource, verb)| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]}))
    .collect();
    let binding = |kind: &str, namespace: Option<String>, group: &str| {
        let subjects = json!([{"kind": "Group", "apiGroup": rbac, "name": group}]);
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "wide", "namespace": namespace},
               "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "wide"}, "subjects": subjects})
    };
    let everywhere = binding("ClusterRoleBinding", None, "wide");
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "wide"}, "rules": rules});
    let single = (1..=12).map(|number| binding("RoleBinding", Some(format!("team-{number:02}")), "teams"));
    json!({"apiVersion": "v1", "kind": "List", "items": single.chain([everywhere, role]).collect::<Vec<_>>()})
}

#[test]
fn what_is_more_than_a_screen_is_counted() {
    let folder = Folder::new();
    folder.write("wide.json", far_and_wide().to_string());
    let told = |args: &[&str]| rolewatch_in(folder.path(), args, |_| Ok(())).transcript();
    let rights = told(&["rights", "group:wide", "--memory", "wide.json"]);
    expect_file!["../golden/rights-many.txt"].assert_eq(&rights);
    let who = told(&["who-can", "get", "secrets", "--memory", "wide.json"]);
    expect_file!["../golden/who-can-many.txt"].assert_eq(&who);
    let nobody = told(&["rights", "user:nobody", "--memory", "wide.json"]);
    expect_file!["../golden/rights-none.txt"].assert_eq(&nobody);
}

#[test]
fn what_a_run_learned_answers_too() {
    let ask = ["who-can", "delete", "nodes", "--memory", "prod.memory"];
    check(&ask, &expect_file!["../golden/who-can-memory.txt"]);
    let rights = ["rights", "bob", "--memory", "both.memory", "--cluster", "blue"];
    check(&rights, &expect_file!["../golden/rights-memory.txt"]);
    check(&["rights", "bob", "--memory", "both.memory"], &expect_file!["../golden/error-memory-which.txt"]);
    let other = ["rights", "bob", "--memory", "prod.memory", "--cluster", "green"];
    check(&other, &expect_file!["../golden/error-memory-other.txt"]);
    check(&["rights", "bob", "--memory", "damaged.memory"], &expect_file!["../golden/error-memory-damaged.txt"]);
    let save = ["replay", "--save-memory", "no/such/folder", "log"];
    check(&save, &expect_file!["../golden/error-memory-save.txt"]);
}

#[test]
fn what_is_no_snapshot_is_said_to_be_none() {
    check(&["rights", "sa:runner", "--memory", "cluster.json"], &expect_file!["../golden/error-subject.txt"]);
    check(&["rights", "bob", "--memory", "pod.json"], &expect_file!["../golden/error-snapshot-list.txt"]);
    check(&["rights", "bob", "--memory", "notes.txt"], &expect_file!["../golden/error-snapshot-json.txt"]);
    check(&["rights", "bob", "--memory", "missing"], &expect_file!["../golden/error-snapshot-missing.txt"]);
    check(&["replay", "--memory", "cluster.json", "-"], &expect_file!["../golden/error-memory-cluster.txt"]);
}

#[test]
fn a_replay_that_knows_the_cluster_says_what_was_gained() {
    let folder = Folder::new();
    folder.write("cluster.json", cluster().to_string());
    let [_, _, _, role] = events();
    let mut event: Value = serde_json::from_str(&role).unwrap();
    event["verb"] = json!("update");
    event["responseStatus"]["code"] = json!(200);
    event["responseObject"]["rules"][0]["verbs"] = json!(["get", "delete"]);
    event["responseObject"]["metadata"]["resourceVersion"] = json!("12");
    folder.write("log", event.to_string());
    let run = |args: &[&str]| rolewatch_in(folder.path(), args, |_| Ok(())).stdout;
    let known = run(&["replay", "--cluster", "prod", "--memory", "cluster.json", "log"]);
    assert!(known.contains("+ delete pods") && !known.contains("get"), "{known}");
    let unknown = run(&["replay", "--cluster", "prod", "log"]);
    assert!(unknown.contains("= get, delete pods"), "{unknown}");

    // What an earlier run learned does as well.
    folder.write("before", &role);
    run(&["replay", "--cluster", "prod", "--save-memory", "prod.memory", "before"]);
    let learned = run(&["replay", "--cluster", "prod", "--memory", "prod.memory", "log"]);
    assert!(learned.contains("+ delete pods"), "{learned}");
}
