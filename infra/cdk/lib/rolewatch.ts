import * as path from "node:path";

import * as cdk from "aws-cdk-lib";
import { CfnInclude } from "aws-cdk-lib/cloudformation-include";
import type * as lambda from "aws-cdk-lib/aws-lambda";
import { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import type * as sam from "aws-cdk-lib/aws-sam";
import { type ITopic, Topic } from "aws-cdk-lib/aws-sns";
import { type IQueue, Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledged.ts";

/** How urgent an alert is. */
export type Severity = "informational" | "low" | "medium" | "high" | "critical";

/** How much of a log is judged; `docs/filter-patterns.md` says what each does not see. */
export type FilterMode = "everything" | "logins" | "changes";

/**
 * What to watch, and whom to tell. Whatever is left out stays a parameter of the stack, with the default of the SAM template.
 */
export interface RolewatchProps {
  /**
   * The code: a zip that `make package` wrote, or a folder that holds `bootstrap`.
   */
  readonly code: string;

  /**
   * What the code was built for.
   *
   * @default "arm64"
   */
  readonly architecture?: "arm64" | "x86_64";

  /**
   * Names of EKS clusters of the stack's account and Region, at most four. Their log groups must exist.
   *
   * @default - none; then `memberAccounts` must name some account
   */
  readonly clusters?: readonly string[];

  /**
   * Accounts that send the logs of their clusters here. Each deploys `member.yaml` with {@link Rolewatch.destinationArn}.
   *
   * @default - none
   */
  readonly memberAccounts?: readonly string[];

  /**
   * Shards of the stream for the logs of member accounts.
   *
   * @default 1
   */
  readonly streamShards?: number;

  /**
   * How much of the clusters' logs is judged.
   *
   * @default "everything"
   */
  readonly filterMode?: FilterMode;

  /**
   * Also judge calls of the AWS API about these clusters. Needs a CloudTrail trail that logs management events.
   *
   * @default false
   */
  readonly watchAwsCalls?: boolean;

  /**
   * Public networks in CIDR notation that service accounts may come from without an alert.
   *
   * @default - none
   */
  readonly trustedNetworks?: readonly string[];

  /**
   * Subscribed to the alerts. AWS asks the address to confirm.
   *
   * @default - none
   */
  readonly alertEmail?: string;

  /**
   * Make a second topic, for Amazon Q Developer in chat applications.
   *
   * @default false
   */
  readonly chatTopic?: boolean;

  /**
   * ARN of an EventBridge bus that gets every alert too.
   *
   * @default - none
   */
  readonly eventBusArn?: string;

  /**
   * ARN of a topic of yours that hears every alarm too. Without it nobody learns when the alert topic is what broke.
   *
   * @default - none
   */
  readonly alarmTopicArn?: string;

  /**
   * Alerts less urgent are counted and not sent.
   *
   * @default "low"
   */
  readonly minimumSeverity?: Severity;

  /**
   * The most messages that one delivery brings; what is more goes into one last digest.
   *
   * @default 50
   */
  readonly alertCap?: number;

  /**
   * Name of an SSM parameter, beginning with a slash, that holds exceptions.
   *
   * @default - none
   */
  readonly exceptionsParameter?: string;

  /**
   * An S3 object as `bucket/key` that holds exceptions, instead of a parameter.
   *
   * @default - none
   */
  readonly exceptionsObject?: string;

  /**
   * A DynamoDB table in which all processes of the function share what they remember.
   *
   * @default false
   */
  readonly sharedMemory?: boolean;

  /**
   * Memory of the function in MB, which is also processor.
   *
   * @default 256
   */
  readonly memorySize?: number;

  /**
   * Days to keep the function's own log, which holds ids and counts.
   *
   * @default 30
   */
  readonly logRetentionDays?: number;

  /**
   * Make a CloudWatch dashboard.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * Values of further parameters of the SAM template, by their names there.
   *
   * @default - none
   */
  readonly parameters?: Readonly<Record<string, string>>;
}

/**
 * Rolewatch: reads the control-plane logs of EKS clusters and tells who gained what power in them.
 *
 * It is the SAM template of the project with its parameters filled in, so both make the same resources. Logical ids are
 * those of the template: a stack holds one Rolewatch.
 *
 * @example
 * const rolewatch = new Rolewatch(stack, "Rolewatch", {
 *   code: "../../target/lambda/arm64.zip",
 *   clusters: ["prod", "staging"],
 *   alertEmail: "security@example.com",
 * });
 * rolewatch.alertTopic.addSubscription(new UrlSubscription("https://pager.example.com/rolewatch"));
 */
export class Rolewatch extends Construct {
  /** Subscribe to this topic to get the alerts, and the alarms about Rolewatch itself. */
  public readonly alertTopic: ITopic;

  /** The topic for a chat channel, if there is one. */
  public readonly chatTopic?: ITopic;

  /** Deliveries that failed for good. */
  public readonly failedDeliveries: IQueue;

  /** The function. */
  public readonly analyzer: lambda.IFunction;

  /** What `member.yaml` needs in the member accounts, if there are any. */
  public readonly destinationArn?: string;

  /** The template, for whatever else should be different. */
  public readonly template: CfnInclude;

  public constructor(scope: Construct, id: string, props: RolewatchProps) {
    super(scope, id);
    this.template = new CfnInclude(this, "Template", { templateFile: TEMPLATE, parameters: parameters(props) });

    const code = new Asset(this, "Code", { path: props.code });
    const analyzer = this.template.getResource("Analyzer") as sam.CfnFunction;
    analyzer.codeUri = { bucket: code.s3BucketName, key: code.s3ObjectKey };
    analyzer.architectures = [props.architecture ?? "arm64"];

    // The template checks its parameters when it is deployed. Here they are known, and were checked above.
    for (const rule of ["SomethingIsWatched", "MoreClustersFollowTheFirst", "ExceptionsAreInOnePlace"]) {
      const parent = this.template.getRule(rule).node.scope;
      parent?.node.tryRemoveChild(this.template.getRule(rule).node.id);
    }

    const ref = (name: string): string => this.template.getResource(name).ref;
    const arn = (name: string): string => this.template.getResource(name).getAtt("Arn").toString();
    this.alertTopic = Topic.fromTopicArn(this, "Alerts", ref("AlertTopic"));
    this.failedDeliveries = Queue.fromQueueArn(this, "Failed", arn("FailedDeliveries"));
    this.analyzer = LambdaFunction.fromFunctionAttributes(this, "Function", {
      functionArn: arn("Analyzer"),
      sameEnvironment: true,
    });
    if (props.chatTopic) {
      this.chatTopic = Topic.fromTopicArn(this, "Chat", ref("ChatAlertTopic"));
    }
    if (props.memberAccounts?.length) {
      this.destinationArn = arn("MemberDestination");
    }
    acknowledge(this.template);
  }
}

/** The template's parameters, all of them that the props say something about. */
function parameters(props: RolewatchProps): Record<string, unknown> {
  const clusters = props.clusters ?? [];
  if (clusters.length > CLUSTERS_MAX) {
    throw new Error(`${clusters.length} clusters are too many for one stack: at most ${CLUSTERS_MAX}; make a second stack`);
  }
  if (clusters.length === 0 && !props.memberAccounts?.length) {
    throw new Error("nothing is watched: name clusters of this account, or accounts that send their logs");
  }
  const yes = (value?: boolean): string | undefined => (value === undefined ? undefined : value ? "yes" : "no");
  const some = <T>(list?: readonly T[]): readonly T[] | undefined => (list?.length ? list : undefined);
  const said: Record<string, unknown> = {
    ClusterName: clusters[0],
    SecondCluster: clusters[1],
    ThirdCluster: clusters[2],
    FourthCluster: clusters[3],
    MemberAccounts: some(props.memberAccounts),
    StreamShards: props.streamShards,
    FilterMode: props.filterMode,
    WatchAwsCalls: yes(props.watchAwsCalls),
    TrustedNetworks: some(props.trustedNetworks)?.join(","),
    AlertEmail: props.alertEmail,
    ChatTopic: yes(props.chatTopic),
    EventBusArn: props.eventBusArn,
    AlarmTopicArn: props.alarmTopicArn,
    MinimumSeverity: props.minimumSeverity,
    AlertCap: props.alertCap,
    ExceptionsParameter: props.exceptionsParameter,
    ExceptionsObject: props.exceptionsObject,
    SharedMemory: yes(props.sharedMemory),
    MemorySize: props.memorySize,
    LogRetentionDays: props.logRetentionDays,
    Dashboard: yes(props.dashboard),
    ...props.parameters,
  };
  const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  if (known.ExceptionsParameter !== undefined && known.ExceptionsObject !== undefined) {
    throw new Error("exceptions are read from one place: a parameter or an object");
  }
  check(known);
  return known;
}

/** What the template says of its parameters holds for props too: a parameter that is filled in is no longer there to say it. */
function check(said: Record<string, unknown>): void {
  const template = new CfnInclude(new cdk.Stack(), "Template", { templateFile: TEMPLATE });
  for (const [name, value] of Object.entries(said)) {
    const parameter = template.getParameter(name);
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      const wanted = cdk.Token.isUnresolved(one) ? undefined : refusal(parameter, String(one));
      if (wanted !== undefined) {
        throw new Error(`${name} cannot be ${JSON.stringify(one)}: ${wanted}`);
      }
    }
  }
}

/** What a value of this parameter must be, where this one is not. */
function refusal(parameter: cdk.CfnParameter, value: string): string | undefined {
  const { allowedPattern, allowedValues, minValue = -Infinity, maxValue = Infinity } = parameter;
  if (allowedPattern !== undefined && !new RegExp(`^(?:${allowedPattern})$`).test(value)) {
    return parameter.constraintDescription ?? `it must be ${allowedPattern}`;
  }
  if (allowedValues !== undefined && !allowedValues.map(String).includes(value)) {
    return `it must be one of ${allowedValues.join(", ")}`;
  }
  if (parameter.type === "Number" && !(Number(value) >= minValue && Number(value) <= maxValue)) {
    return `it must be a number from ${minValue} to ${maxValue}`;
  }
  return undefined;
}

const TEMPLATE = path.resolve(import.meta.dirname, "../../template.yaml");

/** As many as the template has parameters for. */
const CLUSTERS_MAX = 4;
