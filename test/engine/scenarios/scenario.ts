/** Steps that the scenarios share: deploy and expect success, or a clean error. */
import { appendFileSync } from "node:fs";
import type { ImageDescription } from "acr-emulator";
import { startTestEmulator, type TestEmulator } from "../../support/emulator";
import { type CommandOptions, type Outcome, PulumiProject } from "../../support/engine";
import { tenantId } from "../../support/fixtures";
import { type ImageArguments, imageProgram } from "../programs";

/** How an operation must fail. */
export interface Refusal {
  /** The failure code, which the message has in brackets. */
  code: string;
  /** Parts of the message: side, object and hint. */
  message: readonly (string | RegExp)[];
  /** What the output must not contain, besides the passwords of the arguments. */
  never?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** The emulator and a Pulumi project that runs in it. */
export class Scenario {
  private constructor(
    readonly emulator: TestEmulator,
    readonly project: PulumiProject,
  ) {}

  static async begin(emulator?: TestEmulator): Promise<Scenario> {
    const world = emulator ?? (await startTestEmulator());
    return new Scenario(world, await PulumiProject.create({ env: world.env, program: "" }));
  }

  get control(): TestEmulator["control"] {
    return this.emulator.control;
  }

  /** Deploys the arguments, and expects that every target tag holds the digest. */
  async works(args: ImageArguments, digest: string, options: CommandOptions & { in?: string } = {}): Promise<Outcome> {
    await this.project.write(imageProgram(args));
    const up = await this.project.up(options);
    expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
    for (const target of tagsOf(args)) {
      expect(await this.control.digest(`${options.in ?? "myregistry.azurecr.io"}/${target}`)).toBe(digest);
    }
    return up;
  }

  /** Deploys the arguments, and expects one clean error and unchanged target tags. */
  async refuses(way: string, args: ImageArguments, refusal: Refusal): Promise<Outcome> {
    await this.project.write(imageProgram(args));
    const { env } = refusal;
    const held = () => Promise.all(tagsOf(args).map((tag) => this.control.digest(`myregistry.azurecr.io/${tag}`)));
    const before = await held();
    const outcome = await this.project.up(env === undefined ? {} : { env });
    expectRefused(way, outcome, { ...refusal, never: [...(refusal.never ?? []), ...passwordsIn(args)] });
    expect([way, await held()]).toEqual([way, before]);
    return outcome;
  }

  /** Assigns a role. */
  async grant(principalId: string, role: string, scope: string): Promise<void> {
    await this.control.call("PUT", "/state", {}, { roleAssignments: [{ principalId, role, scope }] });
  }

  /** Changes a registry. */
  async registry(name: string, properties: object): Promise<void> {
    await this.control.call("PATCH", `/registries/${name}`, {}, properties);
  }
}

/** Expects that a command failed as described, and counts it. */
export function expectRefused(way: string, outcome: Outcome, { code, message, never = [] }: Refusal): void {
  const errors = outcome.diagnostics("error").join("\n");
  expect([way, outcome.exitCode]).not.toEqual([way, 0]);
  for (const words of [`[${code}]`, ...message]) {
    const expected = typeof words === "string" ? expect.stringContaining(words) : expect.stringMatching(words);
    expect([way, errors]).toEqual([way, expected]);
  }
  expect([way, outcome.text]).toEqual([
    way,
    expect.not.stringMatching(/^\s*at .*(\.[jt]s|node:)|node_modules|dist\//m),
  ]);
  for (const secret of never) {
    expect([way, outcome.text]).toEqual([way, expect.not.stringContaining(secret)]);
    expect([way, JSON.stringify(outcome.events)]).toEqual([way, expect.not.stringContaining(secret)]);
  }
  countRefusal();
}

/** Records for the summary of the run that this test saw an operation fail as it must. */
export function countRefusal(): void {
  const { REFUSED_WAYS: file } = process.env;
  if (file === undefined) throw new Error("REFUSED_WAYS is not set: test/support/setup/engine.ts sets it");
  appendFileSync(file, `${expect.getState().currentTestName?.split(" ", 1)[0]}\n`);
}

/** The digest of an image, which must exist. */
export async function imageDigest({ control }: Pick<Scenario, "control">, reference: string): Promise<string> {
  const { digest }: ImageDescription = await control.image(reference);
  return digest;
}

function tagsOf({ targetTags = [] }: ImageArguments): readonly string[] {
  return targetTags as readonly string[];
}

function passwordsIn({ source }: ImageArguments): string[] {
  const { credentials } = Object(source) as { credentials?: { password?: string } };
  return credentials?.password ? [credentials.password] : [];
}

/** Adds a service principal without rights, and returns the variables that sign in as it. */
export async function asIdentity({ control }: Scenario, objectId: string): Promise<NodeJS.ProcessEnv> {
  const clientId = objectId.replace(/f$/, "1");
  const secret = `secret-of-${clientId}`;
  const identity = { tenantId, clientId, objectId, name: clientId, secrets: [secret] };
  await control.call("PUT", "/state", {}, { identities: [identity] });
  return { ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: secret };
}
