"""What the template promises, beyond what the linters check."""

import pathlib
import re
import unittest

from cfnlint.decode import decode

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMPLATE, PROBLEMS = decode(str(ROOT / "infra" / "template.yaml"))
RESOURCES = TEMPLATE["Resources"]
README = (ROOT / "infra" / "README.md").read_text()

# Each is argued in infra/README.md, "Wildcards": (resource, statement, action or resource).
ARGUED = {
    ("AlertKey", "TheAccountManagesTheKeyByIam", "kms:*"),
    ("AlertKey", "TheAccountManagesTheKeyByIam", "*"),
    ("AlertKey", "AlarmsPublishToTheEncryptedTopic", "*"),
    ("AlertKey", "AlarmsPublishToTheEncryptedTopic", "kms:GenerateDataKey*"),
    ("AnalyzerRole", "EncryptAlerts", "kms:GenerateDataKey*"),
}


def as_list(value):
    return value if isinstance(value, list) else [value]


def of_type(kind):
    return {name: it["Properties"] for name, it in RESOURCES.items() if it["Type"] == kind}


def statements():
    """Every policy statement of the template with the name of its resource."""

    def walk(name, node):
        if isinstance(node, dict):
            if "Statement" in node:
                for statement in as_list(node["Statement"]):
                    yield name, statement
            for value in node.values():
                yield from walk(name, value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(name, value)

    for name, resource in RESOURCES.items():
        yield from walk(name, resource)


class Template(unittest.TestCase):
    def test_it_can_be_read(self):
        self.assertEqual(PROBLEMS, [])

    def test_no_policy_allows_a_wildcard_that_is_not_argued(self):
        found = set()
        for name, statement in statements():
            if statement["Effect"] != "Allow":
                continue
            for value in as_list(statement["Action"]) + as_list(statement.get("Resource", [])):
                if isinstance(value, str) and "*" in value:
                    found.add((name, statement["Sid"], value))
            self.assertNotEqual(statement.get("Principal"), "*", name)
            self.assertNotIn("NotAction", statement, name)
            self.assertNotIn("NotResource", statement, name)
        self.assertEqual(found, ARGUED)

    def test_services_act_for_this_account_only(self):
        for name, statement in statements():
            principal = statement.get("Principal")
            if not isinstance(principal, dict) or "Service" not in principal or statement["Action"] == "sts:AssumeRole":
                continue
            self.assertIn("aws:SourceAccount", statement["Condition"]["StringEquals"], name)
        for name, permission in of_type("AWS::Lambda::Permission").items():
            self.assertIn("SourceAccount", permission, name)
            self.assertIn("SourceArn", permission, name)

    def test_the_role_has_no_managed_policies(self):
        (role,) = of_type("AWS::IAM::Role").values()
        self.assertNotIn("ManagedPolicyArns", role)
        (function,) = of_type("AWS::Serverless::Function").values()
        self.assertEqual(function["Role"], {"Fn::GetAtt": ["AnalyzerRole", "Arn"]})
        self.assertNotIn("Policies", function)

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
        # The calls in lambda/src/memory/table.rs, on this table alone.
        (statement,) = RESOURCES["ShareMemory"]["Properties"]["PolicyDocument"]["Statement"]
        source = (ROOT / "lambda" / "src" / "memory" / "table.rs").read_text()
        calls = set(re.findall(r"\.(batch_get_item|query|put_item|get_item|delete_item|update_item|scan)\(\)", source))
        self.assertEqual({f"dynamodb:{''.join(word.title() for word in call.split('_'))}" for call in calls}, set(statement["Action"]))
        self.assertEqual(statement["Resource"], {"Fn::GetAtt": ["Memory", "Arn"]})
        for name in ("Memory", "ShareMemory"):
            self.assertEqual(RESOURCES[name]["Condition"], "HasSharedMemory")

    def test_topic_and_queue_refuse_plain_text(self):
        for kind in ("AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"):
            for name, policy in of_type(kind).items():
                denied = [it for it in policy["PolicyDocument"]["Statement"] if it["Effect"] == "Deny"]
                self.assertEqual(denied[0]["Condition"], {"Bool": {"aws:SecureTransport": "false"}}, name)
        for name, topic in of_type("AWS::SNS::Topic").items():
            self.assertEqual(topic["KmsMasterKeyId"], {"Ref": "AlertKey"}, name)

    def test_the_subscription_waits_for_its_permission_and_leaves_one_free(self):
        filters = {name: it for name, it in RESOURCES.items() if it["Type"] == "AWS::Logs::SubscriptionFilter"}
        self.assertEqual(len(filters), 1)
        for it in filters.values():
            self.assertEqual(it["DependsOn"], "LogsMayInvoke")

    def test_filter_patterns_are_no_longer_than_cloudwatch_takes(self):
        parameter = TEMPLATE["Parameters"]["FilterPattern"]
        self.assertEqual(parameter["MaxLength"], 1024)
        patterns = [parameter["Default"], *re.findall(r"```text\n(.*?)\n```", README, re.DOTALL)]
        self.assertEqual(len(patterns), 2)
        for pattern in patterns:
            self.assertLessEqual(len(pattern), 1024)

    def test_every_alarm_tells_somebody(self):
        alarms = of_type("AWS::CloudWatch::Alarm")
        self.assertGreaterEqual(len(alarms), 3)
        for name, alarm in alarms.items():
            self.assertEqual(alarm["AlarmActions"], [{"Ref": "AlertTopic"}], name)

    def test_every_resource_is_explained(self):
        for name in RESOURCES:
            self.assertIn(f"`{name}`", README)

    def test_every_parameter_is_explained_and_in_a_group(self):
        groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        grouped = [name for group in groups for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(TEMPLATE["Parameters"]))
        for name, parameter in TEMPLATE["Parameters"].items():
            self.assertIn("Description", parameter, name)


if __name__ == "__main__":
    unittest.main()
