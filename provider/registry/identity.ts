/** One identity at one registry: its credential, what the registry thinks of it, and what must not be shown. */
import { ImportError, type Side } from "../failure/failure";
import { registryFailure } from "../failure/registry";
import { basicCredentials, describeIdentity, type RegistryCredential } from "./credential";
import { serverMessage } from "./denial";
import type { HttpResponse } from "./transport/http-message";

export class Identity {
  /** For messages. */
  readonly description: string;
  /** The credentials of the Basic scheme, if there are any. */
  readonly basic: string | undefined;
  readonly #secrets = new Set<string>();
  #verdict: "untried" | "accepted" | ImportError = "untried";

  constructor(
    private readonly side: Side,
    private readonly registry: string,
    readonly credential: RegistryCredential,
  ) {
    this.description = describeIdentity(credential);
    this.basic = basicCredentials(credential);
    if (credential.kind === "password") this.addSecret(credential.password);
    if (this.basic !== undefined) this.addSecret(this.basic);
  }

  /** Throws when the registry has rejected the credentials: trying them again and again could lock the account. */
  throwIfRejected(): void {
    if (this.#verdict instanceof ImportError) throw this.#verdict;
  }

  /** Credentials that are good for one repository are not wrong, whatever another repository responds. */
  accept(): void {
    this.#verdict = "accepted";
  }

  /** The failure of a response that rejects the credentials themselves. */
  reject(message: string | undefined): ImportError {
    const error = new ImportError(registryFailure.credentialsRejected(this.side, this.registry, message));
    if (this.#verdict !== "accepted") this.#verdict = error;
    return error;
  }

  addSecret(secret: string): void {
    if (secret !== "") this.#secrets.add(secret);
  }

  /** The reason that a server gives, without any secret. */
  serverMessage(response: HttpResponse): string | undefined {
    return serverMessage(response, this.#secrets);
  }
}
