#!/usr/bin/env node
// Rolewatch as a stack of its own: `npx cdk deploy -c clusters=prod,staging -c email=security@example.com`.
import * as fs from "node:fs";
import * as path from "node:path";

import * as cdk from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";

import { type FilterMode, Rolewatch } from "../lib/rolewatch.ts";

const app = new cdk.App();
const context = (name: string): string | undefined => app.node.tryGetContext(name) as string | undefined;
const list = (name: string): string[] => (context(name) ?? "").split(",").filter((word) => word !== "");

/** A value that is none of these is a slip, and must not quietly become the default. */
function oneOf<T extends string>(name: string, known: readonly T[]): T | undefined {
  const value = context(name);
  if (value !== undefined && !(known as readonly string[]).includes(value)) {
    throw new Error(`-c ${name}=${value} is not known; use one of ${known.join(", ")}`);
  }
  return value as T | undefined;
}

const architecture = oneOf("architecture", ["arm64", "x86_64"]) ?? "arm64";
const code = path.resolve(context("code") ?? path.join(import.meta.dirname, `../../../target/lambda/${architecture}.zip`));
if (!fs.existsSync(code)) {
  throw new Error(`there is no code at ${code}; run \`make package\` first, or name another place with \`-c code=PATH\``);
}

const stack = new cdk.Stack(app, context("stack") ?? "Rolewatch", {
  description: "Rolewatch: who gained what power over EKS clusters",
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
});
new Rolewatch(stack, "Rolewatch", {
  code,
  architecture,
  clusters: list("clusters"),
  memberAccounts: list("members"),
  filterMode: oneOf<FilterMode>("mode", ["everything", "logins", "changes"]),
  watchAwsCalls: oneOf("calls", ["yes", "no"]) === "yes",
  sharedMemory: oneOf("memory", ["yes", "no"]) === "yes",
  alertEmail: context("email"),
  alarmTopicArn: context("alarms"),
});

for (const rule of ["W8003", "W9053"]) {
  cdk.Validations.of(stack).acknowledge({
    id: `CloudFormation-Validate::${rule}`,
    reason: "The template is for everybody; what is said here decides its conditions, and makes some of them alike.",
  });
}

// A finding that nobody argued away fails the synthesis.
cdk.Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
