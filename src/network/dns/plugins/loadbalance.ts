import { randomInt } from '../../../base/random.ts';
import type { DnsPlugin } from '../chain.ts';
import { CorefileError } from '../corefile.ts';
import type { DnsRecord } from '../records.ts';

/** Shuffles addresses (round robin), CNAMEs staying first. */
export const loadbalancePlugin: DnsPlugin = {
  name: 'loadbalance',
  async setup({ args, line }, { random }) {
    if (args[0] !== undefined && args[0] !== 'round_robin') {
      throw new CorefileError(line, `loadbalance policy ${args[0]} is not supported, only round_robin`);
    }
    return (next) => async (request) => {
      const reply = await next(request);
      if (reply.answers.length < 2) return reply;
      const addresses: DnsRecord[] = reply.answers.filter((it) => it.type === 'A' || it.type === 'AAAA');
      const others = reply.answers.filter((it) => it.type !== 'A' && it.type !== 'AAAA');
      for (let i = addresses.length - 1; i > 0; i--) {
        const j = randomInt(random, i + 1);
        const held = addresses[i] as DnsRecord;
        addresses[i] = addresses[j] as DnsRecord;
        addresses[j] = held;
      }
      return { ...reply, answers: [...others, ...addresses] };
    };
  },
};
