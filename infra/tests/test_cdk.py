"""The CDK construct makes what the SAM template makes, resource by resource."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from cfnlint.decode import decode

INFRA = pathlib.Path(__file__).resolve().parents[1]
CDK = INFRA / "cdk"

# What the construct is asked for, and the parameters of the template that say the same.
ASKED = [
    ({"clusters": ["prod"]}, {"ClusterName": "prod"}),
    (
        {
            "clusters": ["prod", "staging", "a_b-c", "d"],
            "memberAccounts": ["111122223333", "444455556666"],
            "streamShards": 3,
            "filterMode": "changes",
            "watchAwsCalls": True,
            "trustedNetworks": ["192.0.2.0/24", "2001:db8::/56"],
            "alertEmail": "security@example.com",
            "chatTopic": True,
            "eventBusArn": "arn:aws:events:eu-west-1:111122223333:event-bus/security",
            "alarmTopicArn": "arn:aws:sns:eu-west-1:111122223333:operators",
            "minimumSeverity": "high",
            "alertCap": 5,
            "exceptionsParameter": "/rolewatch/exceptions",
            "sharedMemory": True,
            "memorySize": 512,
            "logRetentionDays": 90,
            "dashboard": False,
        },
        {
            "ClusterName": "prod",
            "SecondCluster": "staging",
            "ThirdCluster": "a_b-c",
            "FourthCluster": "d",
            "MemberAccounts": ["111122223333", "444455556666"],
            "StreamShards": 3,
            "FilterMode": "changes",
            "WatchAwsCalls": "yes",
            "TrustedNetworks": "192.0.2.0/24,2001:db8::/56",
            "AlertEmail": "security@example.com",
            "ChatTopic": "yes",
            "EventBusArn": "arn:aws:events:eu-west-1:111122223333:event-bus/security",
            "AlarmTopicArn": "arn:aws:sns:eu-west-1:111122223333:operators",
            "MinimumSeverity": "high",
            "AlertCap": 5,
            "ExceptionsParameter": "/rolewatch/exceptions",
            "SharedMemory": "yes",
            "MemorySize": 512,
            "LogRetentionDays": 90,
            "Dashboard": "no",
        },
    ),
    ({"memberAccounts": ["444455556666"], "exceptionsObject": "bucket/key"},
     {"MemberAccounts": ["444455556666"], "ExceptionsObject": "bucket/key"}),
]


def with_values(node, values):
    """The template with parameters filled in, and each intrinsic function in one form."""
    if isinstance(node, list):
        return [with_values(it, values) for it in node]
    if not isinstance(node, dict):
        # A number may be written as a text wherever CloudFormation reads one.
        return str(node) if type(node) is int else node
    if list(node) == ["Ref"] and node["Ref"] in values:
        return with_values(values[node["Ref"]], {})
    if list(node) == ["Fn::GetAtt"] and isinstance(node["Fn::GetAtt"], str):
        return {"Fn::GetAtt": node["Fn::GetAtt"].split(".", 1)}
    if list(node) == ["Fn::Sub"]:
        text, *more = node["Fn::Sub"] if isinstance(node["Fn::Sub"], list) else [node["Fn::Sub"]]
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", str(value))
        # A text that had nothing else to fill in is the text.
        return {"Fn::Sub": [text, *with_values(more, values)]} if more else {"Fn::Sub": text}
    return {key: with_values(value, values) for key, value in node.items()}


def parts(template):
    """What a template makes. Its interface and its rules are for those who type parameters in."""
    return {section: template[section] for section in ("Resources", "Conditions", "Mappings", "Outputs")}


@unittest.skipUnless(shutil.which("node") and (CDK / "node_modules").is_dir(), "make infra-cdk installs what this needs")
class Construct(unittest.TestCase):
    maxDiff = None

    def test_both_make_the_same(self):
        sam, problems = decode(str(INFRA / "template.yaml"))
        self.assertEqual(problems, [])
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "bootstrap").write_text("not a real one")
            asked = json.dumps([{"code": folder, **props} for props, _ in ASKED])
            command = ["node", "--import", "tsx", "test/synth.ts", asked]
            said = set()
            synthesised = json.loads(subprocess.run(command, cwd=CDK, check=True, capture_output=True).stdout)
            for (_, values), made in zip(ASKED, synthesised, strict=True):
                self.assertLessEqual(values.keys(), sam["Parameters"].keys())
                said.update(values)
                wanted = json.loads(json.dumps(sam))
                code = made["Resources"]["Analyzer"]["Properties"].pop("CodeUri")
                self.assertRegex(code["Key"], r"^[0-9a-f]{64}\.zip$")
                wanted["Resources"]["Analyzer"]["Properties"].pop("CodeUri")
                for template in (made, wanted):
                    for resource in template["Resources"].values():
                        # Where SAM and the CDK note how the code is built, and where a construct stands.
                        resource.pop("Metadata", None)
                        # One is a list and the other a name.
                        if isinstance(resource.get("DependsOn"), str):
                            resource["DependsOn"] = [resource["DependsOn"]]
                made, wanted = (with_values(parts(template), values) for template in (made, wanted))
                for section, entries in wanted.items():
                    self.assertEqual(sorted(made[section]), sorted(entries))
                    for name, entry in entries.items():
                        self.assertEqual(made[section][name], entry, f"{section}/{name}")
        # A parameter that the construct does not know cannot be compared.
        self.assertEqual(said, set(sam["Parameters"]))


if __name__ == "__main__":
    unittest.main()
