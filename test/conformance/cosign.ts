/** Runs the real cosign: it signs and verifies with a key of its own, without a transparency log. */
import path from "node:path";
import { run, runOrFail } from "../../scripts/process";
import { clientPath } from "./clients";

/** `bundle` refers to the image; `tag` is the older form, which is kept under a tag: `sha256-….sig`, `sha256-….att`. */
export type SignatureForm = "bundle" | "tag";

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

  /** The file of its public key. */
  get publicKey(): string {
    return path.join(this.folder, "cosign.pub");
  }

  async sign(reference: string, form: SignatureForm): Promise<void> {
    await this.run("sign", "--yes", "--key", this.privateKey, ...this.options(form), reference);
  }

  async attest(reference: string, form: SignatureForm, type: string, predicate: string): Promise<void> {
    const statement = ["--type", type, "--predicate", predicate];
    await this.run("attest", "--yes", "--key", this.privateKey, ...this.options(form), ...statement, reference);
  }

  /** Whether an image has a valid signature in this form. */
  verify(reference: string, form: SignatureForm): Promise<boolean> {
    return this.accepts("verify", reference, form);
  }

  /** Whether an image has a valid attestation of this type in this form. */
  verifyAttestation(reference: string, form: SignatureForm, type: string): Promise<boolean> {
    return this.accepts("verify-attestation", reference, form, "--type", type);
  }

  run(...args: string[]): Promise<string> {
    return runOrFail(clientPath("CONFORMANCE_COSIGN"), args, { env: this.env });
  }

  private async accepts(command: string, reference: string, form: SignatureForm, ...more: string[]): Promise<boolean> {
    const key = ["--key", this.publicKey, "--insecure-ignore-tlog", `--new-bundle-format=${form === "bundle"}`];
    const args = [command, ...key, ...more, reference];
    const { exitCode, stderr } = await run(clientPath("CONFORMANCE_COSIGN"), args, { env: this.env });
    if (exitCode === 0) return true;
    if (/no (matching )?(signatures|attestations)/.test(stderr)) return false;
    throw new Error(`cosign ${args.join(" ")} failed (exit code ${exitCode}):\n${stderr}`);
  }

  private options(form: SignatureForm): string[] {
    return form === "bundle"
      ? ["--signing-config", this.signingConfig]
      : ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false"];
  }

  private get privateKey(): string {
    return path.join(this.folder, "cosign.key");
  }

  private get signingConfig(): string {
    return path.join(this.folder, "signing-config.json");
  }
}
