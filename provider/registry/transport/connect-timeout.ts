/** Limits the time that a connection may take to be made. */
import type { ClientRequest } from "node:http";
import type { Duplex } from "node:stream";

/** The code of the error, which is that of the operating system. */
export const CONNECT_TIMEOUT = "ETIMEDOUT";

/** A host that accepts no connection for so long is closed to this machine: a firewall, or a private endpoint. */
const CONNECT_MS = 10_000;

/** Destroys a connection that is not made in time; `made` is the event of success. */
export function limitConnectTime<S extends Duplex | ClientRequest>(pending: S, made: "secureConnect" | "connect"): S {
  const giveUp = () => pending.destroy(Object.assign(new Error("no connection in time"), { code: CONNECT_TIMEOUT }));
  const timer = setTimeout(giveUp, CONNECT_MS);
  const stop = () => clearTimeout(timer);
  pending.once(made, stop).once("close", stop);
  return pending;
}
