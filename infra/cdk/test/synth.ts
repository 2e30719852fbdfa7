// Prints the templates that the construct makes of a list of props, given as JSON, for infra/tests/test_cdk.py to compare.
import * as cdk from "aws-cdk-lib";

import { Rolewatch, type RolewatchProps } from "../lib/rolewatch.ts";

const asked = JSON.parse(process.argv[2] ?? "[]") as RolewatchProps[];
const templates = asked.map((props): unknown => {
  const app = new cdk.App();
  const stack = new cdk.Stack(app, "Rolewatch");
  new Rolewatch(stack, "Rolewatch", props);
  return app.synth().getStackByName("Rolewatch").template;
});
process.stdout.write(JSON.stringify(templates));
