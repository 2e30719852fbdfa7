import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { after, test } from "node:test";

import * as cdk from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";

import { ACKNOWLEDGED } from "../lib/acknowledged.ts";
import { Rolewatch, type RolewatchProps } from "../lib/rolewatch.ts";

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "rolewatch-cdk-"));
after(() => fs.rmSync(scratch, { recursive: true }));
const code = path.join(scratch, "code");
fs.mkdirSync(code);
fs.writeFileSync(path.join(code, "bootstrap"), "not a real one");

function make(props: Partial<RolewatchProps>): { rolewatch: Rolewatch; stack: cdk.Stack } {
  const stack = new cdk.Stack(new cdk.App(), "Test");
  return { rolewatch: new Rolewatch(stack, "Rolewatch", { code, ...props }), stack };
}

test("a stack for one cluster is the template with its code", () => {
  const { stack } = make({ clusters: ["prod"] });
  const template = Template.fromStack(stack);
  template.hasResourceProperties("AWS::Serverless::Function", {
    Architectures: ["arm64"],
    CodeUri: { Bucket: Match.anyValue(), Key: Match.stringLikeRegexp("^[0-9a-f]{64}[.]zip$") },
  });
  template.hasResource("AWS::Logs::SubscriptionFilter", {
    Condition: "HasFirstCluster",
    Properties: { LogGroupName: { "Fn::Sub": "/aws/eks/prod/cluster" } },
  });
  const rest = Object.keys(template.toJSON().Parameters as object);
  assert.ok(!rest.includes("ClusterName") && rest.includes("SecondCluster"), rest.join());
  const rules = Object.keys(template.toJSON().Rules as object);
  assert.deepEqual(rules, ["CheckBootstrapVersion"]);
});

test("what is built on top finds the topic, the queue and the function", () => {
  const { rolewatch, stack } = make({ clusters: ["prod"], chatTopic: true, memberAccounts: ["111122223333"] });
  assert.deepEqual(stack.resolve(rolewatch.alertTopic.topicArn), { Ref: "AlertTopic" });
  assert.deepEqual(stack.resolve(rolewatch.chatTopic?.topicArn), { Ref: "ChatAlertTopic" });
  assert.deepEqual(stack.resolve(rolewatch.failedDeliveries.queueArn), { "Fn::GetAtt": ["FailedDeliveries", "Arn"] });
  assert.deepEqual(stack.resolve(rolewatch.analyzer.functionArn), { "Fn::GetAtt": ["Analyzer", "Arn"] });
  assert.deepEqual(stack.resolve(rolewatch.destinationArn), { "Fn::GetAtt": ["MemberDestination", "Arn"] });
  const plain = make({ clusters: ["prod"] }).rolewatch;
  assert.equal(plain.chatTopic, undefined);
  assert.equal(plain.destinationArn, undefined);
});

test("what cannot be deployed is refused with what to do", () => {
  for (const [props, message] of [
    [{}, /nothing is watched/],
    [{ clusters: ["a", "b", "c", "d", "e"] }, /too many for one stack/],
    [{ clusters: ["a b"] }, /EKS cluster name/],
    [{ clusters: ["a"], exceptionsParameter: "/a", exceptionsObject: "a/b" }, /from one place/],
    [{ clusters: ["a"], alertCap: 1000 }, /AlertCap cannot be 1000: it must be a number from 1 to 500/],
    [{ clusters: ["a"], logRetentionDays: 8 }, /LogRetentionDays cannot be 8: it must be one of 1, 3, /],
    [{ clusters: ["a"], exceptionsParameter: "rolewatch" }, /ExceptionsParameter cannot be "rolewatch"/],
    [{ memberAccounts: ["111122223333", "1"] }, /MemberAccounts cannot be "1"/],
  ] as const) {
    assert.throws(() => make(props), message);
  }
  assert.throws(() => make({ clusters: ["a"], code: path.join(scratch, "nowhere") }), /nowhere/);
});

/** Runs the app as `cdk synth` does, and gives the report of its checks. */
function app(context: Record<string, string>, errors: "inherit" | "ignore" = "inherit"): Report {
  const out = fs.mkdtempSync(path.join(scratch, "out-"));
  const env = { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify({ code, ...context }) };
  execFileSync(process.execPath, ["--import", "tsx", "bin/app.ts"], { env, stdio: ["ignore", "ignore", errors] });
  return JSON.parse(fs.readFileSync(path.join(out, "validation-report.json"), "utf8")) as Report;
}

type Found = { ruleName: string };
type Report = { pluginReports: { violations: Found[]; suppressedViolations?: Found[] }[] };

test("cdk-nag finds nothing that is not argued, nor does the CDK", () => {
  const full = { clusters: "prod", members: "444455556666", calls: "yes", memory: "yes", email: "security@example.com" };
  const reports = [app(full), app({ members: "444455556666" })].flatMap((report) => report.pluginReports);
  assert.deepEqual(reports.flatMap((report) => report.violations), []);
  const answered = new Set(reports.flatMap((report) => report.suppressedViolations ?? []).map((found) => found.ruleName));
  // cdk-nag does not tell what it left out; the CDK does.
  const rules = ACKNOWLEDGED.flatMap(([, id]) => /^CloudFormation-Validate::(.+)$/.exec(id)?.[1] ?? []);
  assert.deepEqual(new Set(rules), new Set(["W1030", "E2529", "W1028"]));
  assert.deepEqual(rules.filter((rule) => !answered.has(rule)), [], `found no more; found were ${[...answered].join()}`);
});

test("the app takes no value that it does not know", () => {
  for (const [name, value] of [["architecture", "amd64"], ["mode", "all"], ["calls", "true"]] as const) {
    assert.throws(() => app({ clusters: "prod", [name]: value }, "ignore"));
  }
});
