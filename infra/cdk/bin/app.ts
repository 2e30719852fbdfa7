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

const code = path.resolve(context("code") ?? path.join(import.meta.dirname, "../../../target/lambda/arm64.zip"));
if (!fs.existsSync(code)) {
  throw new Error(`there is no code at ${code}; run \`make package\` first, or name another place with \`-c code=PATH\``);
}

const stack = new cdk.Stack(app, context("stack") ?? "Rolewatch", {
  description: "Rolewatch: who gained what power over EKS clusters",
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
});
new Rolewatch(stack, "Rolewatch", {
  code,
  architecture: context("architecture") === "x86_64" ? "x86_64" : "arm64",
  clusters: list("clusters"),
  memberAccounts: list("members"),
  filterMode: context("mode") as FilterMode | undefined,
  watchAwsCalls: context("calls") === "yes",
  sharedMemory: context("memory") === "yes",
  alertEmail: context("email"),
});

for (const rule of ["W8003", "W9053"]) {
  cdk.Validations.of(stack).acknowledge({
    id: `CloudFormation-Validate::${rule}`,
    reason: "The template is for everybody; what is said here decides its conditions, and makes some of them alike.",
  });
}

// A finding that nobody argued away fails the synthesis.
cdk.Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
