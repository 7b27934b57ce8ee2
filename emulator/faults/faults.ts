/** The active faults, and which of them apply to a request. */
import { hostAliases } from "../image-reference";
import type { Origin } from "../request-log";
import type { Fault } from "./fault";

/** A fault with its counters. */
export type ActiveFault = Fault & { readonly id: number; seen: number; matched: number };

interface MatchedRequest {
  readonly host: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly from: Origin;
}

/** The list of active faults. */
export class Faults {
  #faults: ActiveFault[] = [];
  #nextId = 1;

  /** Replaces all faults. */
  set(faults: readonly Fault[]): void {
    this.#faults = faults.map((fault) => ({ ...fault, id: this.#nextId++, seen: 0, matched: 0 }));
  }

  list(): readonly (Fault & { id: number; matched: number })[] {
    return this.#faults.map(({ seen, ...fault }) => fault);
  }

  /** Returns the faults that apply to this request, and counts it. */
  match(request: MatchedRequest): readonly ActiveFault[] {
    if (this.#faults.length === 0) return [];
    return this.#faults.filter((fault) => {
      if (!isSelected(fault, request)) return false;
      if (fault.matched >= (fault.times ?? Number.POSITIVE_INFINITY)) return false;
      if (fault.seen++ < (fault.after ?? 0)) return false;
      fault.matched++;
      return true;
    });
  }
}

function isSelected(fault: Fault, request: MatchedRequest): boolean {
  if (fault.from !== undefined && fault.from !== request.from) return false;
  if (fault.method === undefined ? request.method === "CONNECT" : fault.method !== request.method) return false;
  if (fault.host !== undefined) {
    const pattern = hostPattern(fault.host);
    if (!hostAliases(request.host).some((name) => pattern.test(name))) return false;
  }
  return fault.path === undefined || new RegExp(fault.path).test(request.path);
}

function hostPattern(host: string): RegExp {
  const escaped = host.toLowerCase().replace(/[.+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*")}$`);
}
