/** The requests of an operation, from the emulator's log. */
import type { LogEntry } from "../emulator/request-log";

/** Prints the requests of this machine by host, and those inside Azure as a sum. */
export function requestCosts(requests: readonly LogEntry[]): string {
  const ours = requests.filter(({ from }) => from === "client");
  const lines = [...new Set(ours.map(({ host }) => host))].map((host) => {
    const methods = ours.filter((request) => request.host === host).map(({ method }) => method);
    return line(methods.length, `${host} (${countEach(methods)})`);
  });
  const inside = requests.filter(({ from }) => from === "azure");
  if (inside.length > 0) {
    const bytes = inside.reduce((sum, { responseBytes }) => sum + responseBytes, 0);
    lines.push(line(inside.length, `inside Azure, which copied ${bytes.toLocaleString("en")} bytes`));
  }
  return [`Requests from here: ${ours.length}, of them to Azure: ${toAzure(requests).length}`, ...lines].join("\n");
}

export function toAzure(requests: readonly LogEntry[]): LogEntry[] {
  const azure = /(^|\.)(azure\.com|microsoftonline\.com|azurecr\.io)$/;
  return requests.filter(({ from, host }) => from === "client" && azure.test(host));
}

/** Requests that ask Azure for an import. */
export function imports(requests: readonly LogEntry[]): LogEntry[] {
  return toAzure(requests).filter(({ method, path }) => method === "POST" && path.includes("/importImage"));
}

/** Requests from here for an image's manifest in a public registry. */
export function lookUps(requests: readonly LogEntry[]): LogEntry[] {
  const azure = new Set(toAzure(requests));
  return requests.filter((each) => each.from === "client" && !azure.has(each) && each.path.includes("/manifests/"));
}

function line(count: number, what: string): string {
  return `${String(count).padStart(4)}  ${what}`;
}

function countEach(methods: readonly string[]): string {
  const each = [...new Set(methods)];
  return each.map((method) => `${methods.filter((other) => other === method).length} ${method}`).join(", ");
}
