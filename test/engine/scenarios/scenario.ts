import { appendFileSync } from "node:fs";
import type { ImageDescription } from "../../../emulator/registry/images";
import { type Box, startBox } from "../../support/emulator";
import { type CommandOptions, type Outcome, PulumiProject } from "../../support/engine";
import { tenantId } from "../../support/fixtures";
import { type ImageArguments, imageProgram } from "../programs";

/** How a wrong way is refused. */
export interface Refusal {
  /** The stable code, in brackets in the text. */
  code: string;
  /** Side, object and remedy: every one of them stands in the text. */
  says: readonly (string | RegExp)[];
  /** What the text must not hold, beside every password of the arguments. */
  never?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** The box, one Pulumi project in it, and what a scenario does with them. */
export class Scenario {
  private constructor(
    readonly box: Box,
    readonly project: PulumiProject,
  ) {}

  static async begin(box?: Box): Promise<Scenario> {
    const world = box ?? (await startBox());
    return new Scenario(world, await PulumiProject.create({ env: world.env, program: "" }));
  }

  get control(): Box["control"] {
    return this.box.control;
  }

  /** The right way: the image is imported, and every target tag holds the digest. */
  async works(args: ImageArguments, digest: string, options: CommandOptions & { in?: string } = {}): Promise<Outcome> {
    await this.project.write(imageProgram(args));
    const up = await this.project.up(options);
    expect([up.exitCode, up.diagnostics("error")]).toEqual([0, []]);
    for (const target of tagsOf(args)) {
      expect(await this.control.digest(`${options.in ?? "myregistry.azurecr.io"}/${target}`)).toBe(digest);
    }
    return up;
  }

  /** The wrong way: it fails with one clean text, and no target tag is any other than before. */
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

  /** Lets an identity of the world do something from now on. */
  async grant(principalId: string, role: string, scope: string): Promise<void> {
    await this.control.call("PUT", "/world", {}, { roleAssignments: [{ principalId, role, scope }] });
  }

  /** Changes a registry of the world. */
  async registry(name: string, properties: object): Promise<void> {
    await this.control.call("PATCH", `/registries/${name}`, {}, properties);
  }
}

/** Checks that a command failed as a wrong way must, and counts it. */
export function expectRefused(way: string, outcome: Outcome, { code, says, never = [] }: Refusal): void {
  const errors = outcome.diagnostics("error").join("\n");
  expect([way, outcome.exitCode]).not.toEqual([way, 0]);
  for (const words of [`[${code}]`, ...says]) {
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

/** Notes for the end of the run that a wrong way was refused in this test. */
export function countRefusal(): void {
  const { REFUSED_WAYS: file } = process.env;
  if (file === undefined) throw new Error("REFUSED_WAYS is not set: test/support/setup/engine.ts sets it");
  appendFileSync(file, `${expect.getState().currentTestName?.split(" ", 1)[0]}\n`);
}

/** The digest of an image that must be there. */
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

/** Makes a service principal with this object ID and no rights, and says which variables make a run be it. */
export async function asIdentity({ control }: Scenario, objectId: string): Promise<NodeJS.ProcessEnv> {
  const clientId = objectId.replace(/f$/, "1");
  const secret = `secret-of-${clientId}`;
  const identity = { tenantId, clientId, objectId, name: clientId, secrets: [secret] };
  await control.call("PUT", "/world", {}, { identities: [identity] });
  return { ARM_CLIENT_ID: clientId, ARM_CLIENT_SECRET: secret };
}
