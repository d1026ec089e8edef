import { randomInt } from '../../../base/random.ts';
import type { DnsPlugin } from '../chain.ts';
import { CorefileError } from '../corefile.ts';
import { canonicalName, failure, isBelow } from '../records.ts';

const words = new Set([
  'max_concurrent',
  'policy',
  'except',
  'prefer_udp',
  'force_tcp',
  'expire',
  'max_fails',
  'health_check',
  'next',
  'failover',
]);

/** `1.2.3.4`, `1.2.3.4:5353`, `[::1]:53`, `dns://…`. */
function serverOf(text: string, line: number): { readonly host: string; readonly port: number } {
  if (/^(tls|https|grpc|quic):/.test(text))
    throw new CorefileError(line, `forward: ${text}: only plain DNS is supported`);
  const bare = text.replace(/^dns:\/\//, '');
  const match =
    /^\[(.+)\](?::(\d+))?$/.exec(bare) ?? (/^[^:]+(:\d+)?$/.test(bare) ? /^([^:]+)(?::(\d+))?$/.exec(bare) : null);
  return { host: match?.[1] ?? bare, port: match?.[2] ? Number(match[2]) : 53 };
}

/** Asks other servers: those named, or those of a resolv.conf. */
export const forwardPlugin: DnsPlugin = {
  name: 'forward',
  async setup({ args, body, line }, { exchange, random, count, readFile, log }) {
    const [from, ...to] = args;
    if (from === undefined || to.length === 0) throw new CorefileError(line, 'forward: needs FROM and TO');
    for (const it of body)
      if (!words.has(it.name)) throw new CorefileError(it.line, `forward: ${it.name} is not supported`);
    const servers: { host: string; port: number }[] = [];
    for (const text of to) {
      if (!text.startsWith('/')) {
        servers.push(serverOf(text, line));
        continue;
      }
      const content = await readFile(text).catch((error: unknown) => {
        log.warn('the file of name servers cannot be read', { file: text, error });
        return '';
      });
      for (const match of content.matchAll(/^\s*nameserver\s+(\S+)/gm))
        servers.push({ host: match[1] ?? '', port: 53 });
    }
    const zone = canonicalName(from);
    const except = body.filter((it) => it.name === 'except').flatMap((it) => it.args.map(canonicalName));
    const limit = Number(body.find((it) => it.name === 'max_concurrent')?.args[0] ?? 1000);
    const tcp = body.some((it) => it.name === 'force_tcp');
    const ordered = body.some((it) => it.name === 'policy' && it.args[0] === 'sequential');
    let running = 0;
    return (next) => async (request) => {
      const name = canonicalName(request.name);
      if (!isBelow(name, zone) || except.some((it) => isBelow(name, it))) return next(request);
      if (running >= limit) {
        count('coredns_forward_max_concurrent_rejects_total');
        return failure('REFUSED');
      }
      if (servers.length === 0) return failure('SERVFAIL');
      running++;
      try {
        const start = ordered ? 0 : randomInt(random, servers.length);
        let last: unknown;
        for (let i = 0; i < servers.length; i++) {
          const server = servers[(start + i) % servers.length] ?? { host: '', port: 53 };
          try {
            return await exchange(server, { name: request.name, type: request.type }, { tcp });
          } catch (error) {
            last = error;
          }
        }
        throw last;
      } finally {
        running--;
      }
    };
  },
};
