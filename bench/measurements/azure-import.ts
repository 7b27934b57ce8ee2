/** What people do today: one `az acr import` per image, whether or not anything moved. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { cacheFolder } from "../../scripts/cache";
import { runOrFail } from "../../scripts/process";
import type { Bench } from "../bench";
import { time } from "../duration";
import { createImages, setNetwork, takeTraffic } from "../emulator";
import { seconds } from "../figures";
import { median } from "../statistics";

const CALLS = 5;
const root = path.join(__dirname, "../..");

/** One item of a list: how long a call takes, measured, or as the page of the conformance suite has it. */
export async function azureImportNote(bench: Bench, latency: number): Promise<string> {
  const python = azureCliPython();
  const times = python === undefined ? publishedTimes() : await measureCalls(python, bench, latency);
  const call = median(times);
  const where =
    python === undefined
      ? "median in the [results of the conformance suite](../test/conformance/RESULTS.md), which installs the Azure CLI; not measured here"
      : `median of ${times.length} calls`;
  return [
    `- \`az acr import\`, which imports again whether or not anything moved: ${seconds(call)} for one image (${where}),`,
    `  so ${(call / 10).toFixed(0)} s for 100 images in a loop. The emulator copies at once; Azure takes longer.`,
  ].join("\n");
}

/** The Azure CLI's interpreter, where `npm run conformance` has installed it: 700 MB are too much for a bench. */
function azureCliPython(): string | undefined {
  const cache = existsSync(cacheFolder()) ? readdirSync(cacheFolder()) : [];
  const installed = cache.find((name) => /^azure-cli-[0-9a-f]+$/.test(name));
  return installed === undefined ? undefined : path.join(cacheFolder(), installed, "bin", "python");
}

async function measureCalls(python: string, { emulator, env }: Bench, latency: number): Promise<number[]> {
  const call = (...args: readonly string[]) => runOrFail(python, ["-I", "-m", "azure.cli", ...args], { env });
  const { ARM_CLIENT_ID = "", ARM_CLIENT_SECRET = "", ARM_TENANT_ID = "" } = env;
  const identity = ["--username", ARM_CLIENT_ID, "--password", ARM_CLIENT_SECRET, "--tenant", ARM_TENANT_ID];
  await call("login", "--service-principal", ...identity);
  setNetwork(emulator, { latency });
  const times: number[] = [];
  for (const { reference, name } of createImages(emulator, CALLS)) {
    const args = ["--name", "myregistry", "--source", reference, "--image", `az/${name}:1`, "--force"];
    times.push((await time(() => call("acr", "import", ...args))).ms);
  }
  setNetwork(emulator, { latency: 0 });
  takeTraffic(emulator);
  return times;
}

/** Milliseconds of the successful calls in the table "Every command of the import articles". */
function publishedTimes(): number[] {
  const rows = readFileSync(path.join(root, "test/conformance/RESULTS.md"), "utf8").matchAll(
    /`az acr import [^|]*\|\s*0, ([\d.]+) s/g,
  );
  return [...rows].map(([, time]) => Number(time) * 1000);
}
