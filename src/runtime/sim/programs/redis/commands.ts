import { matches } from '../../shell/pattern.ts';
import { collectionCommands } from './collections.ts';
import {
  type Command,
  entry,
  notInteger,
  put,
  type Redis,
  remove,
  type Session,
  syntax,
  typed,
  wrongType,
} from './context.ts';
import { bulk, failure, integer, list, ok, type Reply } from './resp.ts';
import { sizeOfStore } from './store.ts';

const keys = (redis: Redis, session: Session): string[] =>
  [...(redis.store.databases[session.db]?.keys() ?? [])].filter((key) => entry(redis, session, key));

const add = (redis: Redis, session: Session, key: string, by: number): Reply => {
  const value = typed(redis, session, key, 'string');
  if (value === 'wrong') return wrongType;
  const before = value?.text ?? '0';
  if (!/^-?\d+$/.test(before) || !Number.isInteger(by)) return notInteger;
  const result = Number(before) + by;
  put(redis, session, key, { type: 'string', text: String(result) }, entry(redis, session, key)?.expiresAt);
  return integer(result);
};

const set: Command = (redis, session, [key = '', text = '', ...options]) => {
  let expiresAt: number | undefined;
  let only: 'NX' | 'XX' | undefined;
  let get = false;
  for (let at = 0; at < options.length; at++) {
    const word = options[at]?.toUpperCase();
    if (word === 'NX' || word === 'XX') only = word;
    else if (word === 'GET') get = true;
    else if (word === 'KEEPTTL') expiresAt = entry(redis, session, key)?.expiresAt;
    else if (word === 'EX' || word === 'PX') {
      const amount = Number(options[++at]);
      if (!Number.isInteger(amount)) return notInteger;
      if (amount <= 0) return failure("ERR invalid expire time in 'set' command");
      expiresAt = redis.store.now() + amount * (word === 'EX' ? 1000 : 1);
    } else return syntax;
  }
  const before = entry(redis, session, key);
  if ((only === 'NX' && before) || (only === 'XX' && !before)) return bulk(null);
  const old = before?.value.type === 'string' ? before.value.text : null;
  put(redis, session, key, { type: 'string', text }, expiresAt);
  return get ? bulk(old) : ok;
};

const expire =
  (unit: number, absolute: boolean): Command =>
  (redis, session, [key = '', text = '']) => {
    const found = entry(redis, session, key);
    if (!/^-?\d+$/.test(text)) return notInteger;
    if (!found) return integer(0);
    found.expiresAt = Number(text) * unit + (absolute ? 0 : redis.store.now());
    redis.dirty++;
    return integer(1);
  };

const ttl =
  (unit: number): Command =>
  (redis, session, [key = '']) => {
    const found = entry(redis, session, key);
    if (!found) return integer(-2);
    return integer(found.expiresAt === undefined ? -1 : Math.ceil((found.expiresAt - redis.store.now()) / unit));
  };

/** Arity as COMMAND shows it: exact when positive, at least when negative; the command's own name counts. */
const table: Readonly<Record<string, readonly [number, Command]>> = {
  ping: [-1, (_r, _s, [text]) => (text === undefined ? { t: 'simple', text: 'PONG' } : bulk(text))],
  echo: [2, (_r, _s, [text]) => bulk(text)],
  quit: [
    -1,
    (_r, session) => {
      session.closing = true;
      return ok;
    },
  ],
  select: [
    2,
    (_r, session, [text = '']) => {
      if (!/^\d+$/.test(text)) return failure('ERR invalid DB index');
      if (Number(text) > 15) return failure('ERR DB index is out of range');
      session.db = Number(text);
      return ok;
    },
  ],
  get: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'string');
      return value === 'wrong' ? wrongType : bulk(value?.text);
    },
  ],
  set: [-3, set],
  setnx: [
    3,
    (r, s, [key = '', text = '']) => {
      if (entry(r, s, key)) return integer(0);
      put(r, s, key, { type: 'string', text });
      return integer(1);
    },
  ],
  setex: [4, (r, s, [key = '', seconds = '', text = '']) => set(r, s, [key, text, 'EX', seconds])],
  getset: [3, (r, s, [key = '', text = '']) => set(r, s, [key, text, 'GET'])],
  getdel: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'string');
      if (value === 'wrong') return wrongType;
      remove(r, s, key);
      return bulk(value?.text);
    },
  ],
  append: [
    3,
    (r, s, [key = '', text = '']) => {
      const value = typed(r, s, key, 'string');
      if (value === 'wrong') return wrongType;
      const whole = (value?.text ?? '') + text;
      put(r, s, key, { type: 'string', text: whole }, entry(r, s, key)?.expiresAt);
      return integer(Buffer.byteLength(whole));
    },
  ],
  strlen: [
    2,
    (r, s, [key = '']) => {
      const value = typed(r, s, key, 'string');
      return value === 'wrong' ? wrongType : integer(Buffer.byteLength(value?.text ?? ''));
    },
  ],
  mget: [
    -2,
    (r, s, names) =>
      list(
        names.map((key) => {
          const value = typed(r, s, key, 'string');
          return value === 'wrong' || !value ? null : value.text;
        }),
      ),
  ],
  mset: [
    -3,
    (r, s, words) => {
      if (words.length % 2 !== 0) return failure("ERR wrong number of arguments for 'mset' command");
      for (let at = 0; at < words.length; at += 2)
        put(r, s, words[at] ?? '', { type: 'string', text: words[at + 1] ?? '' });
      return ok;
    },
  ],
  incr: [2, (r, s, [key = '']) => add(r, s, key, 1)],
  decr: [2, (r, s, [key = '']) => add(r, s, key, -1)],
  incrby: [3, (r, s, [key = '', by]) => add(r, s, key, Number(by))],
  decrby: [3, (r, s, [key = '', by]) => add(r, s, key, -Number(by))],
  del: [-2, (r, s, names) => integer(names.filter((key) => remove(r, s, key)).length)],
  unlink: [-2, (r, s, names) => integer(names.filter((key) => remove(r, s, key)).length)],
  exists: [-2, (r, s, names) => integer(names.filter((key) => entry(r, s, key)).length)],
  type: [2, (r, s, [key = '']) => ({ t: 'simple', text: entry(r, s, key)?.value.type ?? 'none' })],
  rename: [
    3,
    (r, s, [from = '', to = '']) => {
      const found = entry(r, s, from);
      if (!found) return failure('ERR no such key');
      remove(r, s, from);
      put(r, s, to, found.value, found.expiresAt);
      return ok;
    },
  ],
  expire: [-3, expire(1000, false)],
  pexpire: [-3, expire(1, false)],
  expireat: [-3, expire(1000, true)],
  ttl: [2, ttl(1000)],
  pttl: [2, ttl(1)],
  persist: [
    2,
    (r, s, [key = '']) => {
      const found = entry(r, s, key);
      if (found?.expiresAt === undefined) return integer(0);
      found.expiresAt = undefined;
      return integer(1);
    },
  ],
  keys: [2, (r, s, [pattern = '*']) => list(keys(r, s).filter((key) => matches(pattern, key)))],
  scan: [
    -2,
    (r, s, [, ...options]) => {
      const at = options.findIndex((word) => word.toUpperCase() === 'MATCH');
      const pattern = at < 0 ? '*' : (options[at + 1] ?? '*');
      return { t: 'array', items: [bulk('0'), list(keys(r, s).filter((key) => matches(pattern, key)))] };
    },
  ],
  randomkey: [1, (r, s) => bulk(keys(r, s)[0])],
  dbsize: [1, (r, s) => integer(keys(r, s).length)],
  flushdb: [
    -1,
    (r, s) => {
      r.store.databases[s.db]?.clear();
      r.dirty++;
      return ok;
    },
  ],
  flushall: [
    -1,
    (r) => {
      for (const data of r.store.databases) data.clear();
      r.dirty++;
      return ok;
    },
  ],
  ...collectionCommands,
  info: [-1, (r) => bulk(r.info())],
  time: [1, (r) => list([String(Math.floor(r.store.now() / 1000)), String(Math.floor((r.store.now() % 1000) * 1000))])],
  config: [
    -2,
    (r, _s, [sub = '', name = '', value]) => {
      switch (sub.toLowerCase()) {
        case 'get':
          return list([...r.config].filter(([key]) => matches(name.toLowerCase(), key)).flat());
        case 'set':
          if (!r.config.has(name.toLowerCase()))
            return failure(`ERR Unknown option or number of arguments for CONFIG SET - '${name}'`);
          r.config.set(name.toLowerCase(), value ?? '');
          return ok;
        case 'resetstat':
          return ok;
        default:
          return failure(`ERR unknown subcommand '${sub}'. Try CONFIG HELP.`);
      }
    },
  ],
  client: [
    -2,
    (_r, _s, [sub = '']) =>
      /^(setname|setinfo|no-evict)$/i.test(sub) ? ok : /^id$/i.test(sub) ? integer(1) : bulk(''),
  ],
  command: [
    -1,
    (_r, _s, [sub]) =>
      sub?.toLowerCase() === 'count' ? integer(Object.keys(table).length) : { t: 'array', items: [] },
  ],
  save: [1, async (r) => ((await r.save()) ? ok : failure('ERR'))],
  bgsave: [-1, async (r) => ((await r.save()) ? { t: 'simple', text: 'Background saving started' } : failure('ERR'))],
  lastsave: [1, (r) => integer(Math.floor(r.store.now() / 1000))],
  shutdown: [-1, (r) => r.shutdown()],
  role: [1, () => ({ t: 'array', items: [bulk('master'), integer(0), { t: 'array', items: [] }] })],
};

const writes = new Set('set setnx setex getset append mset incr decr incrby decrby lpush rpush hset sadd'.split(' '));

/** Carries out a command. */
export async function runCommand(redis: Redis, session: Session, words: readonly string[]): Promise<Reply> {
  const [name = '', ...args] = words;
  const key = name.toLowerCase();
  const password = redis.config.get('requirepass') ?? '';
  if (key === 'auth') {
    if (password === '')
      return failure(
        'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      );
    const right = args.at(-1) === password && (args.length < 2 || args[0] === 'default');
    if (!right) return failure('WRONGPASS invalid username-password pair or user is disabled.');
    session.authenticated = true;
    return ok;
  }
  const found = Object.hasOwn(table, key) ? table[key] : undefined;
  if (password !== '' && !session.authenticated && key !== 'quit') return failure('NOAUTH Authentication required.');
  if (!found)
    return failure(
      `ERR unknown command '${name}', with args beginning with: ${args
        .slice(0, 3)
        .map((arg) => `'${arg}' `)
        .join('')}`,
    );
  const [arity, command] = found;
  if (arity > 0 ? words.length !== arity : words.length < -arity)
    return failure(`ERR wrong number of arguments for '${key}' command`);
  const limit = Number(redis.config.get('maxmemory') ?? 0);
  if (limit > 0 && writes.has(key) && sizeOfStore(redis.store) > limit)
    return failure("OOM command not allowed when used memory > 'maxmemory'.");
  return command(redis, session, args);
}
