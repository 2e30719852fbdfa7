# The ten checks: of each event the numbers of those that hold.
def starts($prefixes): . as $text | any($prefixes[]; . as $prefix | $text | startswith($prefix));
def public:
  if . == null or . == "" then false
  elif contains(":") then (. == "::1" or test("^f[cd]") or test("^fe[89ab]")) | not
  else (split(".") | map(tonumber)) as [$a, $b]
    | ($a == 10 or $a == 127 or ($a == 172 and $b >= 16 and $b < 32) or ($a == 192 and $b == 168)
       or ($a == 169 and $b == 254) or ($a == 100 and $b >= 64 and $b < 128)) | not
  end;
select(.stage == "ResponseComplete")
| .user.username as $name | (.verb // "") as $verb | .objectRef as $target | (.responseStatus.code // 0) as $code
| ($verb | . == "create" or . == "update" or . == "patch" or . == "delete" or . == "deletecollection") as $writes
| (($name // "") | startswith("system:serviceaccount:")) as $account
| (
    (select($writes and $code < 300 and $target.apiGroup == "rbac.authorization.k8s.io") | 0),
    (select($writes and $code < 300 and $target.resource == "configmaps" and $target.namespace == "kube-system" and $target.name == "aws-auth") | 1),
    (select($account and (.sourceIPs[-1] | public)) | 2),
    (select($account and (.userAgent // "" | starts(["kubectl/", "curl/", "Wget/", "python-requests/", "k9s/", "Mozilla/"]))) | 3),
    (select($account and ($code == 401 or $code == 403)) | 4),
    (select($account and (.user.extra["authentication.kubernetes.io/pod-name"] == null)
        and ($name | startswith("system:serviceaccount:kube-system:") | not)) | 5),
    (select($name == "system:anonymous" and $code < 400
        and (.requestURI | starts(["/healthz", "/livez", "/readyz", "/version", "/api?", "/apis?", "/openapi"]) | not)) | 6),
    (select($target.resource == "pods" and $target.subresource == "exec") | 7),
    (select($verb == "create" and $target.resource == "pods" and $target.subresource == null
        and any(.requestObject.spec.containers[]?; .securityContext.privileged == true)) | 8),
    (select(.impersonatedUser != null) | 9)
  )
