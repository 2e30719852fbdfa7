"""What the template promises, beyond what the linters check."""

import json
import pathlib
import re
import unittest

from cfnlint.decode import decode

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "infra" / "README.md").read_text()
OPERATE = (ROOT / "docs" / "operate.md").read_text()


def read(name):
    template, problems = decode(str(ROOT / "infra" / name))
    assert problems == [], problems
    return template


TEMPLATE = read("template.yaml")
RESOURCES = TEMPLATE["Resources"]
MEMBER = read("member.yaml")

# Each is argued in infra/README.md, "Wildcards": (resource, statement, action or resource).
ARGUED = {
    ("AlertKey", "TheAccountManagesTheKeyByIam", "*"),
    ("AlertKey", "AlarmsPublishToTheEncryptedTopic", "*"),
    ("AlertKey", "EventsPublishToTheEncryptedTopic", "*"),
    (
        "AnalyzerRole",
        "WriteOwnLog",
        "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${AnalyzerLog}:log-stream:*",
    ),
}

# What is denied to everybody, argued there too: (resource, statement, action).
DENIED = {
    ("AlertTopicPolicy", "TlsOnly", "sns:Publish"),
    ("ChatAlertTopicPolicy", "TlsOnly", "sns:Publish"),
    ("FailedDeliveriesPolicy", "TlsOnly", "sqs:*"),
}

# The action that a call of the SDK needs. A call in the code that is not here fails the test, and so does an action that the
# role has for no call.
CALLS = {
    "publish_batch": "sns:Publish",
    "describe_event_bus": "events:DescribeEventBus",
    "put_events": "events:PutEvents",
    "get_parameter": "ssm:GetParameter",
    "get_object": "s3:GetObject",
    "batch_get_item": "dynamodb:BatchGetItem",
    "put_item": "dynamodb:PutItem",
    "query": "dynamodb:Query",
}

# What a service does in the role's name because of a resource here, without a call in the code: (action, resource, why).
BY_SERVICES = {
    ("kms:Decrypt", "AlertTopic", "SNS asks for the topic's key in the name of who publishes"),
    ("kms:GenerateDataKey", "AlertTopic", "as kms:Decrypt"),
    ("sqs:SendMessage", "AnalyzerInvokeConfig", "Lambda hands a failed delivery to the queue"),
    ("logs:CreateLogStream", "Analyzer", "Lambda writes what the function prints"),
    ("logs:PutLogEvents", "Analyzer", "as logs:CreateLogStream"),
    ("kinesis:DescribeStream", "MemberRecords", "Lambda reads the stream in the name of the function"),
    ("kinesis:DescribeStreamSummary", "MemberRecords", "as kinesis:DescribeStream"),
    ("kinesis:GetRecords", "MemberRecords", "as kinesis:DescribeStream"),
    ("kinesis:GetShardIterator", "MemberRecords", "as kinesis:DescribeStream"),
    ("kinesis:ListShards", "MemberRecords", "as kinesis:DescribeStream"),
}

CLUSTERS = ["First", "Second", "Third", "Fourth"]


def as_list(value):
    return value if isinstance(value, list) else [value]


def of_type(kind):
    return {name: it["Properties"] for name, it in RESOURCES.items() if it["Type"] == kind}


def taken(value):
    """A value that is there under a condition, as if the condition held."""
    return value["Fn::If"][1] if isinstance(value, dict) and "Fn::If" in value else value


def statements(resources=None):
    """Every policy statement with the name of its resource."""

    def walk(name, node):
        if isinstance(node, dict):
            if "Statement" in node:
                for statement in as_list(node["Statement"]):
                    yield name, taken(statement)
            for value in node.values():
                yield from walk(name, value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(name, value)

    for name, resource in (resources or RESOURCES).items():
        yield from walk(name, resource)


def text_of(value):
    """A string, or what stands in a Fn::Sub."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        return as_list(value["Fn::Sub"])[0]
    return value


class Template(unittest.TestCase):
    def test_no_policy_allows_a_wildcard_that_is_not_argued(self):
        found, denied = set(), set()
        for name, statement in [*statements(), *statements(MEMBER["Resources"])]:
            if statement["Effect"] != "Allow":
                self.assertEqual((statement["Effect"], statement["Principal"]), ("Deny", "*"))
                denied.update((name, statement["Sid"], action) for action in as_list(statement["Action"]))
                continue
            for value in as_list(statement["Action"]) + as_list(statement.get("Resource", [])):
                value = text_of(value)
                if isinstance(value, str) and "*" in value:
                    found.add((name, statement["Sid"], value))
            self.assertNotEqual(statement.get("Principal"), "*", name)
            self.assertNotIn("NotAction", statement, name)
            self.assertNotIn("NotResource", statement, name)
        self.assertEqual((found, denied), (ARGUED, DENIED))
        argued = README.split("### Wildcards", 1)[1].split("\n## ", 1)[0]
        for resource, _, _ in ARGUED | DENIED:
            self.assertIn(f"`{resource}`", argued)

    def test_services_act_for_this_account_only(self):
        for name, statement in statements():
            principal = statement.get("Principal")
            if not isinstance(principal, dict) or "Service" not in principal or principal["Service"] == "lambda.amazonaws.com":
                continue
            bound = {key for condition in statement["Condition"].values() for key in condition}
            mine = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:sns:topicArn"}
            self.assertTrue(bound & mine, name)
        for name, permission in of_type("AWS::Lambda::Permission").items():
            self.assertIn("SourceAccount", permission, name)
            self.assertIn("SourceArn", permission, name)

    def test_the_role_has_no_managed_policies(self):
        role = RESOURCES["AnalyzerRole"]["Properties"]
        self.assertNotIn("ManagedPolicyArns", role)
        (function,) = of_type("AWS::Serverless::Function").values()
        self.assertEqual(function["Role"], {"Fn::GetAtt": ["AnalyzerRole", "Arn"]})
        self.assertNotIn("Policies", function)

    def test_the_role_may_do_what_the_code_calls_and_nothing_else(self):
        code = "".join(file.read_text() for file in sorted((ROOT / "lambda" / "src").rglob("*.rs")))
        # Calls of the SDK are built and then sent: `client.get_object().bucket(...)`, `self.client.put_events()...`.
        called = set(re.findall(r"\bclient\s*\.(\w+)\(\)", code))
        self.assertEqual(called - CALLS.keys(), set(), "calls whose action is not known here")
        needed = {CALLS[call] for call in called} | {action for action, _, _ in BY_SERVICES}
        for _, resource, _ in BY_SERVICES:
            self.assertIn(resource, RESOURCES)
        policies = {name: it for name, it in RESOURCES.items() if it["Type"] == "AWS::IAM::RolePolicy"}
        for name, policy in policies.items():
            self.assertEqual(policy["Properties"]["RoleName"], {"Ref": "AnalyzerRole"}, name)
        allowed = set()
        for name, statement in statements({"AnalyzerRole": RESOURCES["AnalyzerRole"], **policies}):
            if statement["Action"] != "sts:AssumeRole":
                self.assertEqual(statement["Effect"], "Allow", name)
                allowed.update(as_list(statement["Action"]))
        self.assertEqual(allowed, needed)

    def test_cloudwatch_logs_may_write_the_stream_and_nothing_else(self):
        found = {(it.get("Sid"), *as_list(it["Action"])) for _, it in statements({"it": RESOURCES["MemberLogsRole"]})}
        self.assertEqual(found, {(None, "sts:AssumeRole"), ("WriteStream", "kinesis:PutRecord")})
        others = {name for name, it in RESOURCES.items() if it["Type"] == "AWS::IAM::Role"} - {"AnalyzerRole", "MemberLogsRole"}
        self.assertEqual(others, set())

    def test_the_estimate_of_costs_knows_how_many_alarms_there_are(self):
        always = {None, "HasFirstCluster", "WatchesFirstApiLog"}
        alarms = [it for it in RESOURCES.values() if it["Type"] == "AWS::CloudWatch::Alarm" and it.get("Condition") in always]
        assumed = re.search(r'assume\("alarms", ([0-9.]+),', (ROOT / "replay/src/cost/estimate.rs").read_text())
        self.assertEqual(len(alarms), float(assumed[1]))
        self.assertIn(f"the key and {len(alarms)} alarms", README)

    def test_the_function_gets_exactly_the_documented_variables(self):
        page = (ROOT / "docs" / "environment.md").read_text()
        documented = re.findall(r"^## `(\w+)`$", page, re.MULTILINE)
        (function,) = of_type("AWS::Serverless::Function").values()
        self.assertEqual(sorted(function["Environment"]["Variables"]), sorted(documented))

    def test_the_function_is_what_was_tested(self):
        (function,) = of_type("AWS::Serverless::Function").values()
        self.assertEqual(function["Runtime"], "provided.al2023")
        self.assertEqual(function["Architectures"], ["arm64"])
        self.assertEqual(function["LoggingConfig"]["LogFormat"], "JSON")
        self.assertEqual(function["LoggingConfig"]["LogGroup"], {"Ref": "AnalyzerLog"})
        self.assertIn("RetentionInDays", RESOURCES["AnalyzerLog"]["Properties"])

    def test_a_failed_delivery_is_kept_for_two_weeks(self):
        (config,) = of_type("AWS::Lambda::EventInvokeConfig").values()
        destination = config["DestinationConfig"]["OnFailure"]["Destination"]
        self.assertEqual(destination, {"Fn::GetAtt": ["FailedDeliveries", "Arn"]})
        (queue,) = of_type("AWS::SQS::Queue").values()
        self.assertEqual(queue["MessageRetentionPeriod"], 14 * 24 * 3600)
        self.assertEqual(queue["MaximumMessageSize"], 1 << 20)
        self.assertTrue(queue["SqsManagedSseEnabled"])

    def test_the_table_is_what_the_function_asks_of_it(self):
        (table,) = of_type("AWS::DynamoDB::Table").values()
        self.assertEqual([(it["AttributeName"], it["KeyType"]) for it in table["KeySchema"]], [("pk", "HASH"), ("sk", "RANGE")])
        self.assertEqual(table["TimeToLiveSpecification"], {"AttributeName": "exp", "Enabled": True})
        self.assertEqual(table["BillingMode"], "PAY_PER_REQUEST")
        self.assertTrue(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
        (statement,) = RESOURCES["ShareMemory"]["Properties"]["PolicyDocument"]["Statement"]
        self.assertEqual(statement["Resource"], {"Fn::GetAtt": ["Memory", "Arn"]})
        for name in ("Memory", "ShareMemory"):
            self.assertEqual(RESOURCES[name]["Condition"], "HasSharedMemory")

    def test_topic_and_queue_refuse_plain_text(self):
        for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
            for name, policy in of_type(kind).items():
                document = {"it": policy["PolicyDocument"]}
                denied = [it for _, it in statements(document) if it["Effect"] == "Deny"]
                self.assertEqual(denied[0]["Condition"], {"Bool": {"aws:SecureTransport": "false"}}, name)
        for name, topic in of_type("AWS::SNS::Topic").items():
            self.assertEqual(topic["KmsMasterKeyId"], {"Ref": "AlertKey"}, name)

    def test_every_cluster_is_watched_like_the_first(self):
        self.assertEqual(len(of_type("AWS::Logs::SubscriptionFilter")), len(CLUSTERS))
        parts = ["LogMayInvoke", "Log", "AuditLogSilent", "ApiLogSilent"]
        first = json.dumps([RESOURCES[f"First{part}"] for part in parts])
        for cluster in CLUSTERS:
            own = json.dumps([RESOURCES[f"{cluster}{part}"] for part in parts])
            name = "ClusterName" if cluster == "First" else f"{cluster}Cluster"
            renamed = first.replace("ClusterName", name)
            for part in ["HasFirstCluster", "WatchesFirstApiLog", "FirstLogMayInvoke"]:
                renamed = renamed.replace(part, part.replace("First", cluster))
            self.assertEqual(own, renamed)
            self.assertEqual(RESOURCES[f"{cluster}Log"]["DependsOn"], f"{cluster}LogMayInvoke")
            for rule in ["EksCalls", "LogCalls", "SubscriptionFailing"]:
                self.assertIn(f'"{name}"', json.dumps(RESOURCES[rule]).replace("${", '"').replace("}/", '"'), rule)

    def test_the_patterns_are_those_of_the_code(self):
        page = (ROOT / "docs" / "filter-patterns.md").read_text()
        modes = re.findall(r"^## `(\w+)`$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        printed = {mode: "".join(re.findall(r"```text\n(.*?)\n```", text, re.DOTALL)) for mode, text in modes}
        offered = {mode: entry["Pattern"] for mode, entry in TEMPLATE["Mappings"]["FilterPatterns"].items()}
        self.assertEqual(offered, printed)
        for template in (TEMPLATE, MEMBER):
            self.assertEqual(template["Parameters"]["FilterMode"]["AllowedValues"], list(printed))
            self.assertEqual(template["Parameters"]["FilterMode"]["Default"], "everything")
        self.assertEqual(MEMBER["Mappings"], TEMPLATE["Mappings"])
        for pattern in printed.values():
            self.assertLessEqual(len(pattern), 1024)

    def test_rules_bring_the_calls_that_detections_read(self):
        # Each file without its own tests: a call named there is not read.
        code = "".join((ROOT / "analyzer/src/detections" / file).read_text().split("#[cfg(test)]")[0]
                       for file in ("access_entry_changed.rs", "control_plane_exposed.rs"))
        verbs = "Activate|Associate|Create|Delete|Deregister|Disassociate|Put|Register|Update"
        read_there = set(re.findall(rf'"((?:{verbs})[A-Z]\w+)"', code))
        asked = set()
        for rule in ("EksCalls", "LogCalls"):
            asked.update(RESOURCES[rule]["Properties"]["EventPattern"]["detail"]["eventName"])
        self.assertEqual(asked, read_there)

    def test_the_stream_keeps_what_is_not_accepted_until_it_is_old(self):
        (mapping,) = of_type("AWS::Lambda::EventSourceMapping").values()
        self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertTrue(mapping["BisectBatchOnFunctionError"])
        self.assertGreater(mapping["ParallelizationFactor"], 1)
        self.assertEqual(mapping["MaximumRetryAttempts"], -1)
        kept = RESOURCES["MemberStream"]["Properties"]["RetentionPeriodHours"] * 3600
        self.assertLess(mapping["MaximumRecordAgeInSeconds"], kept, "what is given up can still be read")
        destination = mapping["DestinationConfig"]["OnFailure"]["Destination"]
        self.assertEqual(destination, {"Fn::GetAtt": ["FailedDeliveries", "Arn"]})
        # The policy of a destination is text: see that it is JSON once the accounts are in it.
        text, values = RESOURCES["MemberDestination"]["Properties"]["DestinationPolicy"]["Fn::Sub"]
        glue, accounts = values["Members"]["Fn::Join"]
        self.assertEqual(accounts, {"Ref": "MemberAccounts"})
        policy = json.loads(text.replace("${Members}", glue.join(["111122223333", "444455556666"])))
        self.assertEqual(policy["Statement"][0]["Principal"], {"AWS": ["111122223333", "444455556666"]})
        self.assertEqual(policy["Statement"][0]["Action"], "logs:PutSubscriptionFilter")

    def test_every_alarm_tells_somebody_what_to_do(self):
        alarms = of_type("AWS::CloudWatch::Alarm")
        self.assertGreaterEqual(len(alarms), 20)
        page = OPERATE.split("## On each alarm", 1)[1].split("\n## ", 1)[0]
        chapters = re.findall(r"^### (\w+)$", page, re.MULTILINE)
        kinds = {name.removeprefix(next((it for it in CLUSTERS if name.startswith(it)), "")) for name in alarms}
        kinds.update(name for name, it in MEMBER["Resources"].items() if it["Type"] == "AWS::CloudWatch::Alarm")
        # The rule about the function tells by itself.
        self.assertEqual(sorted(chapters), sorted(kinds | {"FunctionCalls"}))
        for name, alarm in alarms.items():
            for actions in [alarm["AlarmActions"], alarm.get("OKActions", alarm["AlarmActions"])]:
                self.assertEqual([taken(it) for it in actions], [{"Ref": "AlertTopic"}, {"Ref": "AlarmTopicArn"}], name)
            says = text_of(alarm["AlarmDescription"])
            self.assertIn("docs/operate.md", says, name)
            self.assertLessEqual(len(says), 1024, name)

    def test_alarms_and_dashboard_name_metrics_that_exist(self):
        table = OPERATE.split("<!-- written by a test: metrics -->", 1)[1].split("<!-- end -->", 1)[0]
        counted = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
        telemetry = (ROOT / "lambda" / "src" / "telemetry.rs").read_text()
        by_function = set(re.findall(r'"(\w+)"', telemetry.split("BY_FUNCTION: &[&str] =", 1)[1].split("&[", 1)[1].split("]", 1)[0]))
        by_log = set(re.findall(r'"(\w+)"', telemetry.split("BY_LOG: &[&str] = &[", 1)[1].split("]", 1)[0]))
        self.assertLessEqual(by_function | by_log, counted)
        for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
            if taken(alarm.get("Namespace")) == "Rolewatch":
                own = taken(alarm["MetricName"])
                self.assertIn(own, counted, name)
                dimensions = [taken(it)["Name"] for it in alarm["Dimensions"]]
                wanted = ["Cluster", "Account", "Function"] if own in by_log else ["Function"]
                self.assertTrue(own in by_log | by_function, name)
                self.assertEqual(dimensions, wanted, name)
        body = RESOURCES["Board"]["Properties"]["DashboardBody"]["Fn::Sub"]
        shown = set()
        for widget in json.loads(body)["widgets"]:
            for metric in widget["properties"]["metrics"]:
                if isinstance(metric[0], dict):
                    search = re.fullmatch(
                        r"SEARCH\('\{Rolewatch,(.*)Cluster\} .*MetricName=\"(\w+)\"', '(Sum|Maximum)', 300\)", metric[0]["expression"]
                    )
                    self.assertEqual(search[1], "Function,Account," if search[2] in by_log else "", search[2])
                    shown.add(search[2])
                elif metric[0] == "Rolewatch":
                    self.assertIn(metric[1], by_function)
                    shown.add(metric[1])
        # `Lines` is the sum of what the first widget shows and of streams that no detection reads.
        self.assertEqual(shown, counted - {"Lines"})

    def test_every_resource_is_explained_and_what_it_costs(self):
        for template, heading in ((TEMPLATE, "## What it makes, why, and what it costs"), (MEMBER, "### The member's stack")):
            table = README.split(heading, 1)[1].split("\n#", 1)[0]
            rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines() if row.startswith("| `")]
            named = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
            for row in rows:
                self.assertEqual(len(row), 3, row)
                self.assertTrue(row[1] and row[2], row)
            self.assertEqual(sorted(named), sorted(template["Resources"]))

    def test_every_parameter_is_explained_and_in_a_group(self):
        for template in (TEMPLATE, MEMBER):
            interface = template["Metadata"]["AWS::CloudFormation::Interface"]
            grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
            self.assertEqual(sorted(grouped), sorted(template["Parameters"]))
            self.assertEqual(sorted(interface["ParameterLabels"]), sorted(template["Parameters"]))
            for name, parameter in template["Parameters"].items():
                self.assertIn("Description", parameter, name)

    def test_everything_may_be_left_out_but_what_sends_alerts(self):
        always = {name for name, it in RESOURCES.items() if "Condition" not in it}
        alarms = set(of_type("AWS::CloudWatch::Alarm"))
        self.assertEqual(
            always - alarms,
            {"AlertKey", "AlertTopic", "AlertTopicPolicy", "Analyzer", "AnalyzerInvokeConfig", "AnalyzerLog", "AnalyzerRole",
             "FailedDeliveries", "FailedDeliveriesPolicy"},
        )


if __name__ == "__main__":
    unittest.main()
