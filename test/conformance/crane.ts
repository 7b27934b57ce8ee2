/** Runs the real crane. */

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { environment } from "../../scripts/environment";
import { runOrFail } from "../../scripts/process";
import type { TestEmulator } from "../support/emulator";
import { clientPath } from "./clients";

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** The real crane with its own home, to read what was imported. */
export class Crane {
  readonly env: NodeJS.ProcessEnv;
  readonly #config: string;

  /** @param home - An empty folder for its configuration. */
  constructor(
    emulator: TestEmulator,
    readonly home: string,
  ) {
    const folder = path.join(home, "docker");
    mkdirSync(folder, { recursive: true });
    this.#config = path.join(folder, "config.json");
    writeFileSync(this.#config, JSON.stringify({ auths: {} }));
    this.env = environment(home, { ...emulator.env, DOCKER_CONFIG: folder });
  }

  /** Uses an account for a registry from now on; by default the default identity of the emulator. */
  logIn(host: string, account?: Account): void {
    const { ARM_CLIENT_ID = "", ARM_CLIENT_SECRET = "" } = this.env;
    const { username, password } = account ?? { username: ARM_CLIENT_ID, password: ARM_CLIENT_SECRET };
    const { auths } = JSON.parse(readFileSync(this.#config, "utf8"));
    auths[host] = { auth: Buffer.from(`${username}:${password}`).toString("base64") };
    writeFileSync(this.#config, JSON.stringify({ auths }));
  }

  /** A crane with a new home, which is removed after the test file, logged in to these Azure registries. */
  static async at(emulator: TestEmulator, ...registries: string[]): Promise<Crane> {
    const crane = new Crane(emulator, await mkdtemp(path.join(tmpdir(), "conformance-")));
    homes.push(crane.home);
    for (const name of registries) crane.logIn(`${name}.azurecr.io`);
    return crane;
  }

  run(...args: string[]): Promise<string> {
    return runOrFail(clientPath("CONFORMANCE_CRANE"), args, { env: this.env });
  }

  async digest(reference: string): Promise<string> {
    return (await this.run("digest", reference)).trim();
  }

  async tags(repository: string): Promise<string[]> {
    return (await this.run("ls", repository)).split("\n").filter((line) => line !== "");
  }

  /** The manifest of a reference and all manifests below it, byte for byte, by digest; the root comes first. */
  async manifests(reference: string): Promise<Map<string, string>> {
    const repository = reference.replace(/(@sha256:[0-9a-f]+|:[^:/]+)$/, "");
    const found = new Map<string, string>();
    const visit = async (wanted: string): Promise<void> => {
      const text = await this.run("manifest", wanted);
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      if (wanted.includes("@") && !wanted.endsWith(`@${digest}`)) throw new Error(`${wanted} has the digest ${digest}`);
      found.set(digest, text);
      const { manifests = [] }: { manifests?: { digest: string }[] } = JSON.parse(text);
      for (const child of manifests) if (!found.has(child.digest)) await visit(`${repository}@${child.digest}`);
    };
    await visit(reference);
    return found;
  }
}

const homes: string[] = [];
afterAll(() => Promise.all(homes.map((home) => rm(home, { recursive: true, force: true, maxRetries: 5 }))));
