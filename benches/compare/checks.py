"""The ten checks as one query of DuckDB over a gzipped file of events."""
import sys

import duckdb

QUERY = """
with events as (
  select verb, requestURI as uri, userAgent as agent, "user".username as name, "user".extra as extra, sourceIPs[-1] as peer,
         objectRef.resource as resource, objectRef.namespace as namespace, objectRef.name as object,
         objectRef.apiGroup as api_group, objectRef.subresource as subresource, coalesce(responseStatus.code, 0) as code,
         impersonatedUser as impersonated, requestObject as body
  from read_json(?, format = 'newline_delimited', compression = 'gzip', maximum_object_size = 67108864, columns = {
    stage: 'VARCHAR', verb: 'VARCHAR', requestURI: 'VARCHAR', userAgent: 'VARCHAR', sourceIPs: 'VARCHAR[]',
    "user": 'STRUCT(username VARCHAR, extra MAP(VARCHAR, VARCHAR[]))',
    objectRef: 'STRUCT(resource VARCHAR, namespace VARCHAR, name VARCHAR, apiGroup VARCHAR, subresource VARCHAR)',
    responseStatus: 'STRUCT(code INTEGER)', impersonatedUser: 'JSON', requestObject: 'JSON'})
  where stage = 'ResponseComplete'
), judged as (
  select *, verb in ('create', 'update', 'patch', 'delete', 'deletecollection') and code < 300 as writes,
         coalesce(name, '') like 'system:serviceaccount:%' as account
  from events
)
select count(*) filter (writes and api_group = 'rbac.authorization.k8s.io'),
       count(*) filter (writes and resource = 'configmaps' and namespace = 'kube-system' and object = 'aws-auth'),
       count(*) filter (account and not regexp_matches(peer,
         '^(10[.]|127[.]|172[.](1[6-9]|2[0-9]|3[01])[.]|192[.]168[.]|169[.]254[.]|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])[.]|::1$|f[cd]|fe[89ab])')),
       count(*) filter (account and regexp_matches(agent, '^(kubectl/|curl/|Wget/|python-requests/|k9s/|Mozilla/)')),
       count(*) filter (account and code in (401, 403)),
       count(*) filter (account and len(map_extract(extra, 'authentication.kubernetes.io/pod-name')) = 0
         and name not like 'system:serviceaccount:kube-system:%'),
       count(*) filter (name = 'system:anonymous' and code < 400
         and not regexp_matches(uri, '^(/healthz|/livez|/readyz|/version|/api[?]|/apis[?]|/openapi)')),
       count(*) filter (resource = 'pods' and subresource = 'exec'),
       count(*) filter (verb = 'create' and resource = 'pods' and subresource is null
         and list_contains(json_extract_string(body, '$.spec.containers[*].securityContext.privileged'), 'true')),
       count(*) filter (impersonated is not null)
from judged
"""

database = duckdb.connect(config={"threads": 1})
print(*database.execute(QUERY, [sys.argv[1]]).fetchone())
