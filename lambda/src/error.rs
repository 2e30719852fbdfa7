//! Why an invocation failed: every reason with its code, its meaning and its remedy.

use std::fmt;

use lambda_runtime::Diagnostic;
use rolewatch_analyzer::envelope::EnvelopeError;

use crate::event::EventError;
use crate::sink::SendError;

/// Why an invocation failed. Lambda then tries again twice, and gives the event to the on-failure destination.
#[derive(thiserror::Error)]
pub enum HandlerError {
    /// The event is none that can be read.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The delivery cannot be opened. Trying again does not help, but the on-failure destination keeps it.
    #[error("{0}; look at it with `rolewatch replay` and report it if CloudWatch Logs wrote it")]
    Delivery(#[from] EnvelopeError),
    /// The analysis panicked. What it said is not repeated: it may quote the log.
    #[error("the analysis panicked; report the source position in the log")]
    Panicked,
    /// Not every alert was accepted.
    #[error(transparent)]
    Sink(#[from] SendError),
}

impl HandlerError {
    /// A stable word: the `errorType` of the invocation.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Event(error) => error.code(),
            Self::Delivery(error) => error.code(),
            Self::Panicked => "analysis-panicked",
            Self::Sink(error) => error.code(),
        }
    }
}

/// The runtime logs a failed invocation in this form.
impl fmt::Debug for HandlerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {self}", self.code())
    }
}

impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        Self { error_type: error.code().to_owned(), error_message: error.to_string() }
    }
}

/// What an operator needs to know about one code.
#[derive(Debug)]
pub struct ErrorCode {
    /// The `errorType`.
    pub code: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// Every code, in the order of the operator's table.
pub const CODES: &[ErrorCode] = &[
    ErrorCode {
        code: "configuration-invalid",
        meaning: "An environment variable cannot be used. The function does not start.",
        remedy: "The message names the variable and what is allowed; see environment.md.",
    },
    ErrorCode {
        code: "sns-throttled",
        meaning: "SNS or its key asked to slow down until the time of the invocation was over.",
        remedy: "Look at the quota of Publish in this Region. Lambda repeats the delivery.",
    },
    ErrorCode {
        code: "sns-unavailable",
        meaning: "SNS answered with server errors until the time of the invocation was over.",
        remedy: "Nothing, unless it lasts: Lambda repeats the delivery.",
    },
    ErrorCode {
        code: "sns-unreachable",
        meaning: "No answer from SNS: name resolution, connection, TLS or time-out.",
        remedy: "A function in a VPC needs a NAT gateway or an interface endpoint for SNS.",
    },
    ErrorCode {
        code: "sns-access-denied",
        meaning: "The function's role, a policy of the topic or of the organisation forbids `sns:Publish`.",
        remedy: "Compare the role with infra/template.yaml.",
    },
    ErrorCode {
        code: "sns-key-refused",
        meaning: "The KMS key of the topic is disabled, deleted or closed to the function's role.",
        remedy: "The role needs `kms:GenerateDataKey*` and `kms:Decrypt` on that key.",
    },
    ErrorCode {
        code: "sns-topic-missing",
        meaning: "The topic does not exist.",
        remedy: "Correct `ROLEWATCH_ALERT_TOPIC_ARN` or `ROLEWATCH_CHAT_TOPIC_ARN`, or create the topic again.",
    },
    ErrorCode {
        code: "sns-refused",
        meaning: "SNS refused a message, even after it had been cut to its headline.",
        remedy: "Report it together with the AWS error code in the log line before.",
    },
    ErrorCode {
        code: "events-throttled",
        meaning: "EventBridge asked to slow down until the time of the invocation was over.",
        remedy: "Look at the quota of PutEvents in this Region. Lambda repeats the delivery.",
    },
    ErrorCode {
        code: "events-unavailable",
        meaning: "EventBridge answered with server errors until the time of the invocation was over.",
        remedy: "Nothing, unless it lasts: Lambda repeats the delivery.",
    },
    ErrorCode {
        code: "events-unreachable",
        meaning: "No answer from EventBridge: name resolution, connection, TLS or time-out.",
        remedy: "A function in a VPC needs a NAT gateway or an interface endpoint for EventBridge.",
    },
    ErrorCode {
        code: "events-access-denied",
        meaning: "The function's role or a policy of the bus forbids `events:PutEvents`.",
        remedy: "Compare the role with infra/template.yaml.",
    },
    ErrorCode {
        code: "events-key-refused",
        meaning: "The KMS key of the event bus cannot be used.",
        remedy: "Open the key to EventBridge as its user guide says.",
    },
    ErrorCode {
        code: "events-bus-missing",
        meaning: "The event bus does not exist. EventBridge itself would take the alerts and drop them.",
        remedy: "Correct `ROLEWATCH_EVENT_BUS`, or create the bus again.",
    },
    ErrorCode {
        code: "events-refused",
        meaning: "EventBridge refused an event, even after it had been cut to its headline.",
        remedy: "Report it together with the AWS error code in the log line before.",
    },
    ErrorCode {
        code: "memory-throttled",
        meaning: "DynamoDB asked to slow down, or several processes wrote the same fact at once.",
        remedy: "Nothing, unless it lasts: the delivery was judged, and what is not written is tried again. The table should be on demand.",
    },
    ErrorCode {
        code: "memory-unavailable",
        meaning: "DynamoDB answered with server errors.",
        remedy: "Nothing, unless it lasts.",
    },
    ErrorCode {
        code: "memory-unreachable",
        meaning: "No answer from DynamoDB: name resolution, connection, TLS or time-out.",
        remedy: "A function in a VPC needs a gateway endpoint for DynamoDB, which costs nothing, or a NAT gateway.",
    },
    ErrorCode {
        code: "memory-out-of-time",
        meaning: "DynamoDB did not answer within the five seconds that a delivery gives it.",
        remedy: "Nothing, unless it lasts.",
    },
    ErrorCode {
        code: "memory-access-denied",
        meaning: "The function's role or a policy forbids `dynamodb:BatchGetItem`, `dynamodb:Query` or `dynamodb:PutItem`.",
        remedy: "Compare the role with infra/template.yaml.",
    },
    ErrorCode {
        code: "memory-key-refused",
        meaning: "The KMS key of the table cannot be used.",
        remedy: "Open the key to the function's role.",
    },
    ErrorCode {
        code: "memory-table-missing",
        meaning: "The table does not exist, or is still being made.",
        remedy: "Correct `ROLEWATCH_MEMORY_TABLE`, or create the table again. It begins empty, and fills by itself.",
    },
    ErrorCode {
        code: "memory-refused",
        meaning: "DynamoDB refused a request: most likely the key of the table is not `pk` and `sk`.",
        remedy: "Compare the table with infra/template.yaml; the AWS error code is in the log line before.",
    },
    ErrorCode {
        code: "memory-too-much",
        meaning: "One delivery asked for more than is read: thousands of tokens, or tens of megabytes of roles.",
        remedy: "Nothing. If it is the rule, split the cluster's log by a filter pattern.",
    },
    ErrorCode {
        code: "out-of-time",
        meaning: "No time was left to publish.",
        remedy: "Raise the function's time-out or memory.",
    },
    ErrorCode {
        code: "delivery-not-base64",
        meaning: "`awslogs.data`, or the data of a Kinesis record, is not base64.",
        remedy: "Find out who invoked the function; CloudWatch Logs does not write this.",
    },
    ErrorCode {
        code: "delivery-not-gzip",
        meaning: "The decoded data is not gzip.",
        remedy: "Find out who invoked the function, or what rewrites the records on the way.",
    },
    ErrorCode {
        code: "delivery-gzip-damaged",
        meaning: "The gzip stream is damaged before its first log line. One that is damaged later is read up to there.",
        remedy: "Read the same minutes from the log group with `rolewatch replay`.",
    },
    ErrorCode {
        code: "delivery-too-large",
        meaning: "The delivery inflates to more than is read. CloudWatch Logs does not send such deliveries.",
        remedy: "Find out who invoked the function, then read the same minutes with `rolewatch replay`.",
    },
    ErrorCode {
        code: "delivery-too-many",
        meaning: "One document has more than 100,000 lines, or one record more than 1,000 documents. The first of them are judged; the rest is counted as damage. CloudWatch Logs does not send such deliveries.",
        remedy: "Find out who invoked the function, or who writes to the stream, then read the same minutes with `rolewatch replay`.",
    },
    ErrorCode {
        code: "delivery-not-json",
        meaning: "The inflated data is not a JSON object.",
        remedy: "Find out who invoked the function, or what rewrites the records on the way.",
    },
    ErrorCode {
        code: "delivery-no-log-events",
        meaning: "The document has no `logEvents`.",
        remedy: "Find out who invoked the function; it is not a CloudWatch Logs subscription.",
    },
    ErrorCode {
        code: "event-unknown-shape",
        meaning: "The event is not of CloudWatch Logs, Kinesis or EventBridge.",
        remedy: "Remove the trigger that sends it.",
    },
    ErrorCode {
        code: "event-no-data",
        meaning: "The event has the right shape and no data in it.",
        remedy: "Find out who invoked the function; AWS does not write this.",
    },
    ErrorCode {
        code: "event-unsupported",
        meaning: "An EventBridge event that is no call of the AWS API recorded by CloudTrail.",
        remedy: "Remove the rule that sends it.",
    },
    ErrorCode {
        code: "exceptions-unreachable",
        meaning: "No answer from SSM or S3 when the exceptions were read. The last good copy holds.",
        remedy: "A function in a VPC needs a NAT gateway, or endpoints for SSM and S3.",
    },
    ErrorCode {
        code: "exceptions-missing",
        meaning: "The parameter, bucket or object that `ROLEWATCH_EXCEPTIONS` names does not exist. The last good copy holds.",
        remedy: "Create it, or correct the variable.",
    },
    ErrorCode {
        code: "exceptions-access-denied",
        meaning: "The function's role may not read the exceptions. The last good copy holds.",
        remedy: "Compare the role with infra/template.yaml; an encrypted parameter or object needs `kms:Decrypt`, too.",
    },
    ErrorCode {
        code: "exceptions-unavailable",
        meaning: "SSM or S3 answered with an error. The last good copy holds.",
        remedy: "Nothing, unless it lasts: the function looks again within a minute.",
    },
    ErrorCode {
        code: "exceptions-unusable",
        meaning: "The text of the exceptions cannot be used. The last good copy holds.",
        remedy: "The message names line and column; try the file with `rolewatch exceptions check`.",
    },
    ErrorCode {
        code: "analysis-panicked",
        meaning: "A fault in Rolewatch. The delivery is not lost: the on-failure destination keeps it.",
        remedy: "Report it with the source position that the log gives.",
    },
    ErrorCode {
        code: "panic",
        meaning: "Where in the sources the fault of `analysis-panicked` is, in the log line before it.",
        remedy: "Report it; the line holds nothing of the cluster's log.",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::CODES;

    /// Every text in the body of a `fn code`, and every literal `error_type`, of the sources below a folder.
    fn codes_in(folder: &Path, out: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes_in(&path, out);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("\n#[cfg(test)]\n").next().unwrap();
            for body in source.split("pub const fn code(").skip(1) {
                let body = body.split("\n    }\n").next().unwrap();
                let words = body.split('"').skip(1).step_by(2);
                out.extend(words.map(ToOwned::to_owned));
            }
            let literals = source.split("error_type = \"").skip(1).filter_map(|rest| rest.split('"').next());
            out.extend(literals.filter(|word| !word.is_empty()).map(ToOwned::to_owned));
        }
    }

    #[test]
    fn the_table_has_every_code_of_the_sources_once_and_no_other() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = BTreeSet::new();
        for folder in ["lambda/src", "analyzer/src"] {
            codes_in(&top.join(folder), &mut found);
        }
        let listed: BTreeSet<String> = CODES.iter().map(|code| code.code.to_owned()).collect();
        assert_eq!(listed.len(), CODES.len(), "a code is there twice");
        assert_eq!(listed, found);
        for code in CODES {
            assert!(code.meaning.ends_with('.') && code.remedy.ends_with('.'), "{}", code.code);
        }
    }
}
