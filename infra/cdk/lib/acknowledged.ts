import * as cdk from "aws-cdk-lib";
import type { CfnInclude } from "aws-cdk-lib/cloudformation-include";

/**
 * What cdk-nag finds in the template and why it is right as it is. The first is the logical id of the resource; one that the
 * template does not have in this form fails, so that no excuse outlives its reason.
 */
export const ACKNOWLEDGED: readonly (readonly [resource: string, rule: string, reason: string])[] = [
  [
    "FailedDeliveries",
    "AwsSolutions-SQS3",
    "It is the queue for what failed; a queue for what failed there would be read by nobody. An alarm watches it.",
  ],
  ["FailedDeliveries", "Serverless-SQSRedrivePolicy", "As AwsSolutions-SQS3: nothing is received from it but by a person."],
  [
    "AnalyzerRole",
    "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:<AnalyzerLog>:log-stream:*]",
    "Lambda chooses the names of the log streams in the function's own log group.",
  ],
  [
    "AlertEmailSubscription",
    "Serverless-SNSRedrivePolicy",
    "An address that bounces is seen by the alarm NotificationsFailed; what was to be mailed is in the other subscriptions too.",
  ],
  // What the CDK itself finds: it does not look at the conditions of resources.
  ...["First", "Second", "Third", "Fourth"].flatMap((cluster) =>
    [
      ["AuditLogSilent", "W1030"],
      ["ApiLogSilent", "W1030"],
      ["Log", "E2529"],
    ].map(
      ([part, rule]) =>
        [`${cluster}${part}`, `CloudFormation-Validate::${rule}`, "It is made only where the cluster is named."] as const,
    ),
  ),
  ...[
    "AnalyzerErrors", "AnalyzerThrottled", "AnalyzerSlow", "DeliveriesLate", "DeliveriesDropped", "FailedDeliveriesWaiting",
    "FailedDeliveriesLost", "AlertsNotSent", "DeliveriesRefused", "NotificationsFailed", "AuditEventsLost", "LinesTruncated",
    "SubscriptionFailing", "MemberRecordsLate", "MemberStreamFull", "MemberStreamSilent",
  ].map(
    (alarm) => [alarm, "CloudFormation-Validate::W1030", "The second topic is there only where one is named."] as const,
  ),
  ...["EksCalls", "LogCalls", "FunctionCalls", "FailedDeliveriesPolicy"].map(
    (part) => [part, "CloudFormation-Validate::W1028", "What is said of clusters and accounts decides which of its parts are there."] as const,
  ),
];

/** Tells cdk-nag, where somebody runs it, what was looked into. */
export function acknowledge(template: CfnInclude): void {
  for (const [resource, id, reason] of ACKNOWLEDGED) {
    cdk.Validations.of(template.getResource(resource)).acknowledge({ id, reason });
  }
}
