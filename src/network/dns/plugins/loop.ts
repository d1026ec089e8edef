import { randomInt } from '../../../base/random.ts';
import type { DnsPlugin } from '../chain.ts';
import { canonicalName, failure } from '../records.ts';

/** Notices that the forwarder leads back here: a random name asked once must not be seen again and again. */
export const loopPlugin: DnsPlugin = {
  name: 'loop',
  async setup(_directive, { random, log, zones }) {
    const zone = zones[0] ?? '';
    const probe = canonicalName(`${randomInt(random, 2 ** 31)}.${randomInt(random, 2 ** 31)}.${zone}`);
    let seen = 0;
    let asked = false;
    return (next) => {
      const check = (): void => {
        asked = true;
        next({ name: probe, type: 'HINFO', client: '127.0.0.1' }).catch((error: unknown) =>
          log.debug('the loop probe failed', { error }),
        );
      };
      return async (request) => {
        if (canonicalName(request.name) === probe && request.type === 'HINFO') {
          seen++;
          if (seen > 2) log.error('Loop detected: the forwarder leads back to this server', { zone, probe });
          return failure(seen > 2 ? 'SERVFAIL' : 'NXDOMAIN');
        }
        if (!asked) check();
        return next(request);
      };
    };
  },
};
