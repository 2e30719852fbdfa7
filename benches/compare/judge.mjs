// The ten checks in a Node Lambda handler.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { gunzipSync } from "node:zlib";
import { BlockList } from "node:net";

const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);
const HUMANS = ["kubectl/", "curl/", "Wget/", "python-requests/", "k9s/", "Mozilla/"];
const OPEN = ["/healthz", "/livez", "/readyz", "/version", "/api?", "/apis?", "/openapi"];
const PRIVATE = new BlockList();
for (const [net, bits] of [["10.0.0.0", 8], ["172.16.0.0", 12], ["192.168.0.0", 16], ["127.0.0.0", 8], ["169.254.0.0", 16], ["100.64.0.0", 10]])
  PRIVATE.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [["::1", 128], ["fc00::", 7], ["fe80::", 10]]) PRIVATE.addSubnet(net, bits, "ipv6");

const known = new Map();
function isPublic(address) {
  if (!known.has(address)) known.set(address, address !== "" && !PRIVATE.check(address, address.includes(":") ? "ipv6" : "ipv4"));
  return known.get(address);
}
const starts = (text, prefixes) => prefixes.some((prefix) => text.startsWith(prefix));

function held(event, hits) {
  if (event.stage !== "ResponseComplete") return;
  const { user = {}, objectRef: target = {}, verb = "", responseStatus = {} } = event;
  const { username: name = "" } = user;
  const { code = 0 } = responseStatus;
  if (WRITES.has(verb) && code < 300) {
    if (target.apiGroup === "rbac.authorization.k8s.io") hits[0]++;
    if (target.resource === "configmaps" && target.namespace === "kube-system" && target.name === "aws-auth") hits[1]++;
  }
  if (name.startsWith("system:serviceaccount:")) {
    if (isPublic(event.sourceIPs?.at(-1) ?? "")) hits[2]++;
    if (starts(event.userAgent ?? "", HUMANS)) hits[3]++;
    if (code === 401 || code === 403) hits[4]++;
    const bound = user.extra !== undefined && "authentication.kubernetes.io/pod-name" in user.extra;
    if (!bound && !name.startsWith("system:serviceaccount:kube-system:")) hits[5]++;
  }
  if (name === "system:anonymous" && code < 400 && !starts(event.requestURI ?? "", OPEN)) hits[6]++;
  if (target.resource === "pods") {
    if (target.subresource === "exec") hits[7]++;
    if (verb === "create" && target.subresource === undefined) {
      const containers = event.requestObject?.spec?.containers ?? [];
      if (containers.some((it) => it.securityContext?.privileged === true)) hits[8]++;
    }
  }
  if (event.impersonatedUser !== undefined) hits[9]++;
}

const deliveries = readFileSync(process.argv[2], "utf8").split("\n");
createInterface({ input: process.stdin }).on("line", () => {
  const hits = new Array(10).fill(0);
  const start = process.cpuUsage();
  for (const data of deliveries)
    for (const entry of JSON.parse(gunzipSync(Buffer.from(data, "base64"))).logEvents) held(JSON.parse(entry.message), hits);
  const used = process.cpuUsage(start);
  console.log((used.user + used.system) / 1e6, ...hits);
});
