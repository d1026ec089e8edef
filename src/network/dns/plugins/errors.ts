import type { DnsPlugin } from '../chain.ts';
import { failure } from '../records.ts';

/** Logs what breaks and answers SERVFAIL. */
export const errorsPlugin: DnsPlugin = {
  name: 'errors',
  setup:
    async (_directive, { log }) =>
    (next) =>
    async (request) => {
      try {
        return await next(request);
      } catch (error) {
        log.warn('a query failed', { name: request.name, type: request.type, client: request.client, error });
        return failure('SERVFAIL');
      }
    },
};
