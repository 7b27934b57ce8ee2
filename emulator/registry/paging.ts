/** Paging of lists by the query parameters `n` and `last`. */
import { RegistryError } from "./registry-error";

export interface Page<T> {
  items: T[];
  /** Value of the `Link` header; absent on the last page. */
  link?: string;
}

/** The page of a sorted list that `n` and `last` select; it starts after `last`. */
export function page<T>(
  sorted: readonly T[],
  nameOf: (item: T) => string,
  path: string,
  query: URLSearchParams,
  defaultSize = 100,
): Page<T> {
  const last = query.get("last");
  const size = pageSize(query.get("n"), defaultSize);
  const start = last ? startAfter(sorted, nameOf, last) : 0;
  const items = sorted.slice(start, start + size);
  const final = items.at(-1);
  if (final === undefined || start + size >= sorted.length) return { items };
  const next = new URLSearchParams(query);
  next.set("last", nameOf(final));
  next.set("n", String(size));
  return { items, link: `<${path}?${next}>; rel="next"` };
}

function pageSize(n: string | null, defaultSize: number): number {
  if (n === null) return defaultSize;
  if (!/^\d+$/.test(n))
    throw new RegistryError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n });
  return Number(n);
}

/** By position if the name still exists, which also works for lists sorted by time; otherwise by name. */
function startAfter<T>(sorted: readonly T[], nameOf: (item: T) => string, last: string): number {
  const position = sorted.findIndex((item) => nameOf(item) === last);
  if (position >= 0) return position + 1;
  const following = sorted.findIndex((item) => nameOf(item) > last);
  return following < 0 ? sorted.length : following;
}
