/**
 * The Resource Graph queries that the emulator can run.
 *
 * Clients send few, fixed queries. They are matched as a whole, and any other query is an error: no test passes on a query
 * that the emulator would read differently from Azure.
 */
import { randomUUID } from "node:crypto";
import { ArmError } from "./arm-error";

export type Row = Readonly<Record<string, unknown>>;

/** All registries, by their IDs: `resources | where type =~ "…" [| project COLUMN, …] [| order by id asc]`. */
const registriesQuery =
  /^resources\s*\|\s*where\s+type\s*=~\s*(["'])microsoft\.containerregistry\/registries\1(?:\s*\|\s*project\s+(\w+(?:\s*,\s*\w+)*))?(?:\s*\|\s*order\s+by\s+id\s+asc)?$/i;

/** Runs a known query over the rows of all registries. */
export function runQuery(query: string, registries: readonly Row[]): Row[] {
  const [found, , columns] = registriesQuery.exec(query.trim()) ?? [];
  if (found === undefined) throw unknownQuery();
  const sorted = [...registries].sort((left, right) => (String(left.id) < String(right.id) ? -1 : 1));
  if (columns === undefined) return sorted;
  const names = columns.split(",").map((name) => name.trim());
  return sorted.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));
}

/** The error of Resource Graph for a query that it cannot parse. */
function unknownQuery(): ArmError {
  const support = `timestamp = ${new Date().toISOString()}, correlationId = ${randomUUID()}`;
  return new ArmError(400, "BadRequest", `Please provide below info when asking for support: ${support}.`, {}, [
    {
      code: "InvalidQuery",
      message:
        "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error before retrying.",
    },
    { code: "UnknownQuery", message: "The emulator runs only the queries in known-queries.ts." },
  ]);
}
