import type { Client } from '../../client/client.ts';
import type { ClientConfig } from '../../client/client-config.ts';
import { type HttpsClient, httpsClient } from '../../client/https-client.ts';

/** A client whose credentials can be changed under those who hold it. Watches that are open stay on the old connection until they end. */
export function rotatingClient(config: ClientConfig): {
  readonly client: Client;
  use(config: ClientConfig): void;
  close(): void;
} {
  let current: HttpsClient = httpsClient(config);
  const old: HttpsClient[] = [];
  return {
    client: {
      get: (...args) => current.get(...args),
      list: (...args) => current.list(...args),
      watch: (...args) => current.watch(...args),
      create: (...args) => current.create(...args),
      createSubresource: (...args) => current.createSubresource(...args),
      update: (...args) => current.update(...args),
      patch: (...args) => current.patch(...args),
      delete: (...args) => current.delete(...args),
      deleteCollection: (...args) => current.deleteCollection(...args),
    },
    use(next) {
      old.push(current);
      current = httpsClient(next);
      // One before the last is long out of use: what still ran on it has been renewed since.
      while (old.length > 1) old.shift()?.close();
    },
    close() {
      for (const it of [...old, current]) it.close();
    },
  };
}
