import { failure, type Reply } from './resp.ts';
import { type Entry, entryOf, type Store, type Value } from './store.ts';

/** A client's state. */
export interface Session {
  db: number;
  authenticated: boolean;
  closing: boolean;
}

/** What commands work on. */
export interface Redis {
  readonly store: Store;
  readonly config: Map<string, string>;
  readonly info: () => string;
  save(): Promise<boolean>;
  shutdown(): Promise<never>;
  /** Change since the last save. */
  dirty: number;
}

export type Command = (redis: Redis, session: Session, args: readonly string[]) => Reply | Promise<Reply>;

export const wrongType = failure('WRONGTYPE Operation against a key holding the wrong kind of value');
export const notInteger = failure('ERR value is not an integer or out of range');
export const syntax = failure('ERR syntax error');

export function typed<T extends Value['type']>(
  redis: Redis,
  session: Session,
  key: string,
  type: T,
): Extract<Value, { type: T }> | undefined | 'wrong' {
  const entry = entryOf(redis.store, session.db, key);
  if (!entry) return undefined;
  return entry.value.type === type ? (entry.value as Extract<Value, { type: T }>) : 'wrong';
}

export function put(redis: Redis, session: Session, key: string, value: Value, expiresAt?: number): void {
  redis.store.databases[session.db]?.set(key, { value, expiresAt });
  redis.dirty++;
}

export const remove = (redis: Redis, session: Session, key: string): boolean => {
  const there = entryOf(redis.store, session.db, key) !== undefined;
  redis.store.databases[session.db]?.delete(key);
  if (there) redis.dirty++;
  return there;
};

export const entry = (redis: Redis, session: Session, key: string): Entry | undefined =>
  entryOf(redis.store, session.db, key);
