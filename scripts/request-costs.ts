/** The requests of an operation, from the emulator's log. */
import type { LogEntry } from "acr-emulator";

/** Prints the requests of this machine by host, and those of Azure as a sum. */
export function requestCosts(requests: readonly LogEntry[]): string {
  const ours = requests.filter(({ from }) => from === "client");
  const lines = [...new Set(ours.map(({ host }) => host))].map((host) => {
    const methods = ours.filter((request) => request.host === host).map(({ method }) => method);
    return line(methods.length, `${host} (${countEach(methods)})`);
  });
  const azure = requests.filter(({ from }) => from === "azure");
  if (azure.length > 0) {
    const bytes = azure.reduce((sum, { responseBytes }) => sum + responseBytes, 0);
    lines.push(`Requests from Azure to the source: ${azure.length} (${bytes.toLocaleString("en")} bytes copied)`);
  }
  const toAzure = azureRequests(requests).length || "none";
  const total = ours.length === 0 ? "none" : `${ours.length}, ${toAzure} to Azure`;
  return [`Requests from this machine: ${total}`, ...lines].join("\n");
}

/** Requests from this machine to Azure. */
export function azureRequests(requests: readonly LogEntry[]): LogEntry[] {
  const azure = /(^|\.)(azure\.com|microsoftonline\.com|azurecr\.io)$/;
  return requests.filter(({ from, host }) => from === "client" && azure.test(host));
}

/** Requests that start an import. */
export function importRequests(requests: readonly LogEntry[]): LogEntry[] {
  return azureRequests(requests).filter(({ method, path }) => method === "POST" && path.includes("/importImage"));
}

/** Requests from this machine to a registry outside Azure for a manifest or its digest. */
export function digestRequests(requests: readonly LogEntry[]): LogEntry[] {
  const azure = new Set(azureRequests(requests));
  return requests.filter((each) => each.from === "client" && !azure.has(each) && each.path.includes("/manifests/"));
}

function line(count: number, what: string): string {
  return `${String(count).padStart(4)}  ${what}`;
}

function countEach(methods: readonly string[]): string {
  const distinct = [...new Set(methods)];
  return distinct.map((method) => `${methods.filter((other) => other === method).length} ${method}`).join(", ");
}
