import type { DnsPlugin } from '../chain.ts';
import { CorefileError } from '../corefile.ts';
import { canonicalName, type DnsAnswer, type DnsRecord } from '../records.ts';

/** Answers kept of each sort (CoreDNS: 9984). */
const capacity = 9984;
const minTtl = 5;

interface Kept {
  readonly answer: DnsAnswer;
  readonly at: number;
  readonly ttl: number;
}

const seconds = (text: string | undefined, fallback: number, line: number): number => {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new CorefileError(line, `cache: ${text} is no number of seconds`);
  return value;
};

const aged = (records: readonly DnsRecord[], by: number): readonly DnsRecord[] =>
  records.map((it) => ({ ...it, ttl: Math.max(0, it.ttl - by) }));

/** Keeps answers for their time to live, at most the given seconds (3600), and refusals at most 1800. */
export const cachePlugin: DnsPlugin = {
  name: 'cache',
  async setup({ args, body, line }, { clock, count }) {
    let success = seconds(
      args.find((it) => /^\d/.test(it)),
      3600,
      line,
    );
    let denial = Math.min(
      seconds(
        args.find((it) => /^\d/.test(it)),
        1800,
        line,
      ),
      1800,
    );
    for (const it of body) {
      if (it.name === 'success') success = seconds(it.args[1], success, it.line);
      else if (it.name === 'denial') denial = seconds(it.args[1], denial, it.line);
      else if (!['prefetch', 'disable', 'keepttl', 'servfail'].includes(it.name)) {
        throw new CorefileError(it.line, `cache: ${it.name} is not supported`);
      }
    }
    const disabled = new Set(body.filter((it) => it.name === 'disable').map((it) => it.args[0]));
    const kept = new Map<string, Kept>();
    return (next) => async (request) => {
      const key = `${canonicalName(request.name)} ${request.type}`;
      const now = clock.monotonic();
      const known = kept.get(key);
      if (known) {
        const age = Math.floor((now - known.at) / 1000);
        if (age < known.ttl) {
          count('coredns_cache_hits_total', { type: known.answer.answers.length > 0 ? 'success' : 'denial' });
          const { answer } = known;
          return {
            ...answer,
            // CoreDNS sets the bit on everything from its cache (plugin/cache/item.go).
            authoritative: true,
            answers: aged(answer.answers, age),
            authorities: aged(answer.authorities, age),
            additionals: aged(answer.additionals, age),
          };
        }
        kept.delete(key);
      }
      count('coredns_cache_misses_total');
      const answer = await next(request);
      const positive = answer.rcode === 'NOERROR' && answer.answers.length > 0;
      const negative = answer.rcode === 'NXDOMAIN' || (answer.rcode === 'NOERROR' && !positive);
      if ((positive && !disabled.has('success')) || (negative && !disabled.has('denial'))) {
        const ttls = [...answer.answers, ...answer.authorities].map((it) =>
          it.type === 'SOA' ? Math.min(it.ttl, it.data.minimum) : it.ttl,
        );
        const ttl = Math.min(Math.max(minTtl, Math.min(...ttls, 3600)), positive ? success : denial);
        if (kept.size >= capacity) {
          const oldest = kept.keys().next().value;
          if (oldest !== undefined) kept.delete(oldest);
        }
        kept.set(key, { answer, at: now, ttl });
      }
      return answer;
    };
  },
};
