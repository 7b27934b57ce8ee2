import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineFolder } from "../../../scripts/engine/engine";
import buildDist from "./dist";
import buildTools from "./tools";

export default async function prepareEngine(): Promise<void> {
  await buildDist();
  await buildTools();
  process.env.TEST_ENGINE = await engineFolder();
  // Tests start without these; one that installs a package needs the machine's own way to npm's registry.
  const network = Object.entries(process.env).filter(([name]) => /proxy$|_CA_CERTS$|^SSL_CERT_/i.test(name));
  process.env.TEST_NETWORK = JSON.stringify(Object.fromEntries(network));
  process.env.REFUSED_WAYS = path.join(mkdtempSync(path.join(tmpdir(), "refused-ways-")), "list");
}
