/** Keeps what was made for a key. */

/** The value of a key, made the first time. */
export function cached<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}
