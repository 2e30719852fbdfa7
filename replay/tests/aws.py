"""Stands in for the AWS CLI where the lines of docs/operate.md are tried against the emulator.

aws.py SERVICE OPERATION [--option VALUE]...: the options become one request, --query and --output do what they do there. The
emulator has no function that could be invoked; what one would get is kept in the file that INVOKED names.
"""

import base64
import json
import os
import pathlib
import sys

import boto3
import jmespath
from botocore import xform_name


def options(words):
    """Names with their values, and what stands alone."""
    named, alone = {}, []
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            named[word[2:]] = words.pop(0)
        else:
            alone.append(word)
    return named, alone


def contents(value):
    return pathlib.Path(value.removeprefix("fileb://")).read_bytes() if value.startswith("fileb://") else value


def main(service, operation, *words):
    named, alone = options(list(words))
    query, output = named.pop("query", "@"), named.pop("output", "json")
    client = boto3.client(service, endpoint_url=os.environ["EMULATOR"])
    name = client.meta.method_to_api_mapping[operation.replace("-", "_")]
    members = client.meta.service_model.operation_model(name).input_shape.members
    known = {xform_name(member, "-"): (member, shape.type_name) for member, shape in members.items()}
    # The AWS CLI asks for all of them by itself where an emulator does not.
    request = {"AttributeNames": ["All"]} if operation == "get-queue-attributes" else {}
    for option, value in named.items():
        member, kind = known[option]
        request[member] = int(value) if kind == "integer" else contents(value)
    if (service, operation) == ("lambda", "invoke"):
        assert request["InvocationType"] == "Event" and isinstance(request["Payload"], bytes) and len(alone) == 1, words
        with open(os.environ["INVOKED"], "ab") as file:
            file.write(request["Payload"])
        answer = {"StatusCode": 202}
    else:
        assert not alone, alone
        answer = getattr(client, operation.replace("-", "_"))(**request)
        answer.pop("ResponseMetadata", None)
    found = jmespath.search(query, answer)
    if output == "text":
        print(found)
    elif found or query != "@":
        # Of an empty answer the AWS CLI says nothing; bytes it writes so.
        print(json.dumps(found, default=lambda value: base64.b64encode(value).decode()))


main(*sys.argv[1:])
