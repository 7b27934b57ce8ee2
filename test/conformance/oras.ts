/** Runs the real oras, which attaches and lists referrers. */
import { runOrFail } from "../../scripts/process";
import { clientPath } from "./clients";

/** A referrer with what refers to it in turn. */
export interface Referrer {
  readonly digest: string;
  readonly artifactType: string;
  readonly referrers?: readonly Referrer[];
}

export class Oras {
  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** @param file - `path:mediaType` */
  async attach(reference: string, artifactType: string, file: string): Promise<void> {
    await this.run("attach", "--disable-path-validation", "--artifact-type", artifactType, reference, file);
  }

  /** What refers to an image, by the referrers API or, where there is none, by the tag schema. */
  async discover(reference: string): Promise<readonly Referrer[]> {
    const found: Referrer = JSON.parse(await this.run("discover", "--format", "json", reference));
    return found.referrers ?? [];
  }

  run(...args: string[]): Promise<string> {
    return runOrFail(clientPath("CONFORMANCE_ORAS"), args, { env: this.env });
  }
}
