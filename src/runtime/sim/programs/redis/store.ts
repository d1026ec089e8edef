/** A key's value. */
export type Value =
  | { readonly type: 'string'; text: string }
  | { readonly type: 'list'; readonly items: string[] }
  | { readonly type: 'hash'; readonly fields: Map<string, string> }
  | { readonly type: 'set'; readonly members: Set<string> }
  | { readonly type: 'zset'; readonly scores: Map<string, number> };

export interface Entry {
  readonly value: Value;
  expiresAt: number | undefined;
}

/** The sixteen databases of a server. */
export interface Store {
  readonly databases: readonly Map<string, Entry>[];
  readonly now: () => number;
}

export const createStore = (now: () => number): Store => ({
  databases: Array.from({ length: 16 }, () => new Map<string, Entry>()),
  now,
});

/** A key's entry, unless it has expired. */
export function entryOf(store: Store, db: number, key: string): Entry | undefined {
  const data = store.databases[db];
  const entry = data?.get(key);
  if (entry?.expiresAt !== undefined && entry.expiresAt <= store.now()) {
    data?.delete(key);
    return undefined;
  }
  return entry;
}

/** Bytes that the data stand for, roughly as Redis counts them. */
export function sizeOfStore(store: Store): number {
  let bytes = 0;
  for (const data of store.databases)
    for (const [key, { value }] of data) {
      bytes += 64 + key.length;
      if (value.type === 'string') bytes += value.text.length;
      else if (value.type === 'list') for (const item of value.items) bytes += 16 + item.length;
      else if (value.type === 'hash')
        for (const [field, text] of value.fields) bytes += 32 + field.length + text.length;
      else if (value.type === 'set') for (const member of value.members) bytes += 24 + member.length;
      else for (const member of value.scores.keys()) bytes += 32 + member.length;
    }
  return bytes;
}

/** The text of a snapshot: the simulation's own form behind Redis' first bytes. */
export function dumpStore(store: Store): string {
  const rows = store.databases.flatMap((data, db) =>
    [...data].map(([key, { value, expiresAt }]) => ({
      db,
      key,
      expiresAt,
      type: value.type,
      data:
        value.type === 'string'
          ? value.text
          : value.type === 'list'
            ? value.items
            : value.type === 'hash'
              ? [...value.fields]
              : value.type === 'set'
                ? [...value.members]
                : [...value.scores],
    })),
  );
  return `REDIS0011${JSON.stringify(rows)}`;
}

/** Reads a snapshot back; the number of keys, or undefined when it is none of this simulation's. */
export function loadStore(store: Store, text: string): number | undefined {
  if (!text.startsWith('REDIS0011[')) return undefined;
  const rows = JSON.parse(text.slice(9)) as {
    db: number;
    key: string;
    expiresAt?: number;
    type: Value['type'];
    data: unknown;
  }[];
  for (const { db, key, expiresAt, type, data } of rows) {
    const value: Value =
      type === 'string'
        ? { type, text: data as string }
        : type === 'list'
          ? { type, items: data as string[] }
          : type === 'hash'
            ? { type, fields: new Map(data as [string, string][]) }
            : type === 'set'
              ? { type, members: new Set(data as string[]) }
              : { type, scores: new Map(data as [string, number][]) };
    store.databases[db]?.set(key, { value, expiresAt });
  }
  return rows.length;
}
