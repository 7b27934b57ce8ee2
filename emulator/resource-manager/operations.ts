/** Long-running operations and their signed polling URLs. */
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import type { Settings } from "../state";
import { ArmError } from "./arm-error";

/** The state of an import. */
export type OperationStatus =
  | { readonly kind: "pending" }
  | { readonly kind: "succeeded" }
  | { readonly kind: "failed"; readonly error: ArmError };

/** A long-running operation: an import. */
export interface Operation {
  readonly id: string;
  readonly subscriptionId: string;
  readonly location: string;
  readonly host: string;
  readonly apiVersion: string;
  readonly tenantId: string;
  /** The first target, which responses to polls name while the import is pending. */
  readonly label: string;
  status: OperationStatus;
}

/** Ticks (0.1 µs) of .NET between the year 1 and 1970. */
const ticksOf1970 = 621_355_968_000_000_000n;

/** The operations of a Resource Manager, and the signed addresses at which their results are polled. */
export class Operations {
  readonly #operations = new Map<string, Operation>();
  readonly #key = randomBytes(64);
  // Azure puts its signing certificate into the URL; clients send it back as it is.
  readonly #certificate = randomBytes(2080).toString("base64url");
  readonly #settings: Settings;
  #lastTicks = 0n;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  start(operation: Omit<Operation, "id" | "status">): Operation {
    const started: Operation = { ...operation, id: `registries-${randomUUID()}`, status: { kind: "pending" } };
    this.#operations.set(started.id.toLowerCase(), started);
    return started;
  }

  list(): Operation[] {
    return [...this.#operations.values()];
  }

  /** A new polling URL: every one differs, and each is valid for `operationUrlLifetimeMs`. */
  url(operation: Operation): string {
    const { host, apiVersion } = operation;
    const ticks = this.#ticks();
    const path = resultPath(operation);
    const query = `api-version=${apiVersion}&t=${ticks}&c=${this.#certificate}`;
    const { signature, hash } = this.#sign(path, ticks);
    return `https://${host}${path}?${query}&s=${signature}&h=${hash}`;
  }

  /** The operation of a polling URL, if its signature is valid and its age is allowed. */
  poll(id: string, query: URLSearchParams): Operation {
    const operation = this.#operations.get(id.toLowerCase());
    if (!operation) throw new ArmError(404, "NotFound", `The operation '${id}' was not found.`);
    const ticks = query.get("t") ?? "";
    const expected = this.#sign(resultPath(operation), ticks);
    const isSigned = query.get("s") === expected.signature && query.get("h") === expected.hash;
    if (!isSigned || query.get("c") !== this.#certificate) {
      throw new ArmError(
        403,
        "InvalidOperationSignature",
        "The signature of the operation result address is not valid.",
      );
    }
    const age = Number((this.#now() - BigInt(ticks)) / 10_000n);
    if (age > this.#settings.operationUrlLifetimeMs) {
      throw new ArmError(403, "ExpiredOperationAddress", "The address of the operation result has expired.");
    }
    return operation;
  }

  #sign(path: string, ticks: string | bigint): { signature: string; hash: string } {
    const part = (index: number) => createHmac("sha512", this.#key).update(`${index}|${path}|${ticks}`).digest();
    return {
      signature: Buffer.concat([part(0), part(1), part(2), part(3)]).toString("base64url"),
      hash: part(4).subarray(0, 32).toString("base64url"),
    };
  }

  #now(): bigint {
    return BigInt(Date.now()) * 10_000n + ticksOf1970;
  }

  #ticks(): bigint {
    const now = this.#now();
    this.#lastTicks = now > this.#lastTicks ? now : this.#lastTicks + 1n;
    return this.#lastTicks;
  }
}

function resultPath({ subscriptionId, location, id }: Operation): string {
  const region = location.replaceAll(" ", "").toUpperCase();
  return `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerRegistry/locations/${region}/operationResults/${id}`;
}
