import { type Command, entry, notInteger, put, remove, typed, wrongType } from './context.ts';
import { bulk, failure, integer, list } from './resp.ts';

const push =
  (left: boolean): Command =>
  (redis, session, [key = '', ...items]) => {
    const value = typed(redis, session, key, 'list') ?? { type: 'list' as const, items: [] };
    if (value === 'wrong') return wrongType;
    for (const item of items) value.items[left ? 'unshift' : 'push'](item);
    put(redis, session, key, value, entry(redis, session, key)?.expiresAt);
    return integer(value.items.length);
  };

const pop =
  (left: boolean): Command =>
  (redis, session, [key = '', count]) => {
    const value = typed(redis, session, key, 'list');
    if (value === 'wrong') return wrongType;
    if (!value) return count === undefined ? bulk(null) : { t: 'array', items: null };
    const taken = Array.from(
      { length: Math.min(value.items.length, Number(count ?? 1)) },
      () => (left ? value.items.shift() : value.items.pop()) ?? '',
    );
    redis.dirty++;
    if (value.items.length === 0) remove(redis, session, key);
    return count === undefined ? bulk(taken[0]) : list(taken);
  };

const range = (length: number, from: number, to: number): readonly [number, number] => [
  from < 0 ? Math.max(0, length + from) : from,
  to < 0 ? length + to + 1 : Math.min(length, to + 1),
];

const combined =
  (kind: 'inter' | 'union' | 'diff'): Command =>
  (redis, session, names) => {
    const sets: Set<string>[] = [];
    for (const name of names) {
      const value = typed(redis, session, name, 'set');
      if (value === 'wrong') return wrongType;
      sets.push(value?.members ?? new Set());
    }
    const [first = new Set<string>(), ...others] = sets;
    if (kind === 'union') return list([...new Set(sets.flatMap((one) => [...one]))]);
    return list(
      [...first].filter((member) =>
        kind === 'inter' ? others.every((one) => one.has(member)) : others.every((one) => !one.has(member)),
      ),
    );
  };

/** Commands of lists, hashes and sets, with their arity. */
export const collectionCommands: Readonly<Record<string, readonly [number, Command]>> = {
  lpush: [-3, push(true)],
  rpush: [-3, push(false)],
  lpop: [-2, pop(true)],
  rpop: [-2, pop(false)],
  llen: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'list');
      return value === 'wrong' ? wrongType : integer(value?.items.length ?? 0);
    },
  ],
  lrange: [
    4,
    (r, s, [key = '', from, to]) => {
      const value = typed(r, s, key, 'list');
      if (value === 'wrong') return wrongType;
      if (!/^-?\d+$/.test(from ?? '') || !/^-?\d+$/.test(to ?? '')) return notInteger;
      return list(value ? value.items.slice(...range(value.items.length, Number(from), Number(to))) : []);
    },
  ],
  lindex: [
    3,
    (r, s, [key = '', at]) => {
      const value = typed(r, s, key, 'list');
      return value === 'wrong' ? wrongType : bulk(value?.items.at(Number(at)));
    },
  ],
  hset: [
    -4,
    (r, s, [key = '', ...pairs]) => {
      const value = typed(r, s, key, 'hash') ?? { type: 'hash' as const, fields: new Map<string, string>() };
      if (value === 'wrong') return wrongType;
      if (pairs.length % 2 !== 0) return failure("ERR wrong number of arguments for 'hset' command");
      let added = 0;
      for (let at = 0; at < pairs.length; at += 2) {
        if (!value.fields.has(pairs[at] ?? '')) added++;
        value.fields.set(pairs[at] ?? '', pairs[at + 1] ?? '');
      }
      put(r, s, key, value, entry(r, s, key)?.expiresAt);
      return integer(added);
    },
  ],
  hget: [
    3,
    (r, s, [key = '', field = '']) => {
      const value = typed(r, s, key, 'hash');
      return value === 'wrong' ? wrongType : bulk(value?.fields.get(field));
    },
  ],
  hgetall: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'hash');
      return value === 'wrong' ? wrongType : list([...(value?.fields ?? [])].flat());
    },
  ],
  hkeys: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'hash');
      return value === 'wrong' ? wrongType : list([...(value?.fields.keys() ?? [])]);
    },
  ],
  hlen: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'hash');
      return value === 'wrong' ? wrongType : integer(value?.fields.size ?? 0);
    },
  ],
  hexists: [
    3,
    (r, s, [key = '', field = '']) => {
      const value = typed(r, s, key, 'hash');
      return value === 'wrong' ? wrongType : integer(value?.fields.has(field) ? 1 : 0);
    },
  ],
  hdel: [
    -3,
    (r, s, [key = '', ...fields]) => {
      const value = typed(r, s, key, 'hash');
      if (value === 'wrong') return wrongType;
      const count = fields.filter((field) => value?.fields.delete(field)).length;
      if (value?.fields.size === 0) remove(r, s, key);
      return integer(count);
    },
  ],
  sadd: [
    -3,
    (r, s, [key = '', ...members]) => {
      const value = typed(r, s, key, 'set') ?? { type: 'set' as const, members: new Set<string>() };
      if (value === 'wrong') return wrongType;
      const before = value.members.size;
      for (const member of members) value.members.add(member);
      put(r, s, key, value, entry(r, s, key)?.expiresAt);
      return integer(value.members.size - before);
    },
  ],
  srem: [
    -3,
    (r, s, [key = '', ...members]) => {
      const value = typed(r, s, key, 'set');
      if (value === 'wrong') return wrongType;
      const count = members.filter((member) => value?.members.delete(member)).length;
      if (value?.members.size === 0) remove(r, s, key);
      return integer(count);
    },
  ],
  smembers: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'set');
      return value === 'wrong' ? wrongType : list([...(value?.members ?? [])]);
    },
  ],
  sismember: [
    3,
    (r, s, [key = '', member = '']) => {
      const value = typed(r, s, key, 'set');
      return value === 'wrong' ? wrongType : integer(value?.members.has(member) ? 1 : 0);
    },
  ],
  scard: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'set');
      return value === 'wrong' ? wrongType : integer(value?.members.size ?? 0);
    },
  ],
  sinter: [-2, combined('inter')],
  sunion: [-2, combined('union')],
  sdiff: [-2, combined('diff')],
};
