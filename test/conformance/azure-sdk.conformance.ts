/** The Python SDK of Azure Container Registry against the emulator. */

import path from "node:path";
import { environment } from "../../scripts/environment";
import { runOrFail } from "../../scripts/process";
import { holdImports, useEmulator } from "../support/emulator";
import { until } from "../support/until";
import { clientPath } from "./clients";
import { Crane } from "./crane";
import { printError } from "./print";
import { recordRow } from "./results";

interface Exchange {
  method: string;
  url: string;
  status: number;
  body: string;
  headers: Record<string, string>;
}

interface Outcome {
  status?: string;
  error?: { status: number; message: string };
  exchanges: Exchange[];
}

const hub = "docker.io/library/hello-world:latest";
const emulator = useEmulator();
let crane: Crane;
beforeAll(async () => {
  crane = await Crane.at(emulator, "myregistry");
});

async function importImage(parameters: object): Promise<Outcome> {
  const script = path.join(__dirname, "import_image.py");
  const args = ["-I", script, "images", "myregistry", JSON.stringify(parameters)];
  const printed = await runOrFail(clientPath("CONFORMANCE_AZURE_SDK"), args, {
    env: environment(crane.home, emulator.env),
  });
  return JSON.parse(printed);
}

const source = { registryUri: "docker.io", sourceImage: "library/hello-world:latest" };

test("begin_import_image polls the operation as recorded in production, and imports the image", async () => {
  const release = await holdImports(emulator);
  const running = importImage({ source, targetTags: ["by-sdk:latest"], mode: "NoForce" });
  await until(async () => (await emulator.control.requests({ path: "/operationResults/" })).length > 1);
  await release();
  const { status, error, exchanges } = await running;
  for (const { method, url, status: code, body, headers } of exchanges) {
    const kind = url.replace(/\?.*$/, "").replace(/.*\/(importImage|operationResults)(\/.*)?$/, "…/$1");
    const location = headers.location === undefined ? "no `Location`" : "`Location`";
    recordRow("sdk", `${method} ${kind}`, `${code}, ${body === "" ? "empty body" : `\`${body}\``}, ${location}`);
  }
  expect([error, status]).toEqual([undefined, "Succeeded"]);

  const [post, ...polls] = exchanges;
  expect(post).toMatchObject({ method: "POST", status: 202, body: "", headers: { "content-length": "0" } });
  expect(post?.headers).not.toHaveProperty("content-type");
  expect(post?.headers).not.toHaveProperty("azure-asyncoperation");
  const pending = polls.slice(0, -1);
  expect(pending.length).toBeGreaterThan(1);
  for (const poll of pending) {
    expect([poll.status, JSON.parse(poll.body)]).toEqual([202, { "by-sdk:latest": "Pending", status: "Accepted" }]);
  }
  const last = polls.at(-1);
  expect([last?.status, JSON.parse(last?.body ?? "")]).toEqual([200, { status: "Succeeded" }]);
  expect(last?.headers).not.toHaveProperty("location");
  // Each response has a new Location, which the SDK polls next.
  expect(polls.map(({ url }) => url)).toEqual(exchanges.slice(0, -1).map(({ headers }) => headers.location));
  expect(new Set(polls.map(({ url }) => url)).size).toBe(polls.length);

  expect(await crane.manifests("myregistry.azurecr.io/by-sdk:latest")).toEqual(await crane.manifests(hub));
  await crane.run("validate", "--remote", "myregistry.azurecr.io/by-sdk:latest");
});

test("begin_import_image imports by digest without a tag, and reports that a target tag exists", async () => {
  const { digest } = await emulator.control.image(hub);
  const untagged = await importImage({
    source: { ...source, sourceImage: `library/hello-world@${digest}` },
    untaggedTargetRepositories: ["by-sdk-untagged"],
    mode: "Force",
  });
  expect(untagged).toMatchObject({ status: "Succeeded" });
  expect(await crane.manifests(`myregistry.azurecr.io/by-sdk-untagged@${digest}`)).toEqual(await crane.manifests(hub));

  await emulator.control.moveTag("myregistry.azurecr.io/taken:1");
  const { error, exchanges } = await importImage({ source, targetTags: ["taken:1"], mode: "NoForce" });
  recordRow("sdk", "an import over an existing tag", `HttpResponseError: ${printError(error?.message ?? "none")}`);
  expect(error?.message).toContain("Tag taken:1 already exists in target registry.");
  // The SDK polls no further after an error.
  expect(exchanges.map(({ status }) => status).filter((code) => code === error?.status)).toHaveLength(1);
});
