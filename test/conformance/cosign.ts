/** Runs the real cosign: it signs and verifies with a key of its own, without a transparency log. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { run, runOrFail } from "../../scripts/process";
import { clientPath } from "./clients";

/** `bundle` refers to the image; `tag` is the older form, which is kept under a tag: `sha256-….sig`, `sha256-….att`. */
export type SignatureForm = "bundle" | "tag";

/** How the output of `cosign verify` names the forms. */
const TYPES = { bundle: "https://sigstore.dev/cosign/sign/v1", tag: "cosign container image signature" };

export class Cosign {
  private constructor(
    private readonly env: NodeJS.ProcessEnv,
    /** A folder for its keys. */
    private readonly folder: string,
  ) {}

  /** A cosign with a new key. */
  static async at(env: NodeJS.ProcessEnv, folder: string): Promise<Cosign> {
    const cosign = new Cosign({ ...env, COSIGN_PASSWORD: "" }, folder);
    await cosign.run("generate-key-pair", "--output-key-prefix", path.join(folder, "cosign"));
    // Without services: nothing is logged or timestamped.
    await cosign.run("signing-config", "create", "--out", cosign.signingConfig);
    return cosign;
  }

  /** In PEM. */
  get publicKey(): string {
    return readFileSync(this.publicKeyFile, "utf8");
  }

  async sign(reference: string, form: SignatureForm): Promise<void> {
    await this.run("sign", "--yes", "--key", this.privateKey, ...this.options(form), reference);
  }

  async attest(reference: string, form: SignatureForm, type: string, predicate: string): Promise<void> {
    const statement = ["--type", type, "--predicate", predicate];
    await this.run("attest", "--yes", "--key", this.privateKey, ...this.options(form), ...statement, reference);
  }

  /** Whether an image has a valid signature in this form. */
  async verify(reference: string, form: SignatureForm): Promise<boolean> {
    // Where there is no bundle, cosign takes the older form: what it prints decides.
    const printed = await this.accepted("verify", reference, form);
    const accepted: { critical: { type: string } }[] = printed === undefined ? [] : JSON.parse(printed);
    return accepted.some(({ critical }) => critical.type === TYPES[form]);
  }

  /** Whether an image has a valid attestation of this type. */
  async verifyAttestation(reference: string, form: SignatureForm, type: string): Promise<boolean> {
    return (await this.accepted("verify-attestation", reference, form, "--type", type)) !== undefined;
  }

  run(...args: string[]): Promise<string> {
    return runOrFail(clientPath("CONFORMANCE_COSIGN"), args, { env: this.env });
  }

  /** What cosign prints of that which it accepts; undefined when it finds nothing that is valid. */
  private async accepted(
    command: string,
    reference: string,
    form: SignatureForm,
    ...more: string[]
  ): Promise<string | undefined> {
    const key = ["--key", this.publicKeyFile, "--insecure-ignore-tlog", `--new-bundle-format=${form === "bundle"}`];
    const args = [command, ...key, ...more, reference];
    const { exitCode, stdout, stderr } = await run(clientPath("CONFORMANCE_COSIGN"), args, { env: this.env });
    if (exitCode === 0) return stdout;
    if (/no (matching )?(signatures|attestations)/.test(stderr)) return undefined;
    throw new Error(`cosign ${args.join(" ")} failed (exit code ${exitCode}):\n${stderr}`);
  }

  private options(form: SignatureForm): string[] {
    return form === "bundle"
      ? ["--signing-config", this.signingConfig]
      : ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"];
  }

  private get publicKeyFile(): string {
    return path.join(this.folder, "cosign.pub");
  }

  private get privateKey(): string {
    return path.join(this.folder, "cosign.key");
  }

  private get signingConfig(): string {
    return path.join(this.folder, "signing-config.json");
  }
}
