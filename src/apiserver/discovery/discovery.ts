import { createHash } from 'node:crypto';
import type { KindRegistry } from '../contracts.ts';
import { apiGroup, apiGroupList, apiResourceList, apiVersions, groupDiscoveryList } from './documents.ts';
import { groupKinds, type ServedGroup } from './groups.ts';

/** A document with its validator. */
export interface DiscoveryDocument {
  readonly body: Buffer;
  /** Quoted, for aggregated discovery only; '' otherwise. */
  readonly etag: string;
}

export interface Discovery {
  /** The document at a path, undefined where there is none. `aggregated` is the version asked for: v2, v2beta1 or ''. */
  find(path: string, aggregated: string, address: string): DiscoveryDocument | undefined;
}

/** Discovery over the registry; documents are made once for each state of it. */
export function createDiscovery(kinds: KindRegistry): Discovery {
  let generation = -1;
  let groups: readonly ServedGroup[] = [];
  let made = new Map<string, DiscoveryDocument>();
  const refresh = (): void => {
    if (generation === kinds.generation) return;
    generation = kinds.generation;
    groups = groupKinds(kinds.list());
    made = new Map();
  };
  const build = (path: string, aggregated: string, address: string): object | undefined => {
    if (path === '/api') {
      return aggregated === ''
        ? apiVersions(address)
        : groupDiscoveryList(
            groups.filter((it) => it.name === ''),
            aggregated,
          );
    }
    if (path === '/apis') {
      return aggregated === ''
        ? apiGroupList(groups)
        : groupDiscoveryList(
            groups.filter((it) => it.name !== ''),
            aggregated,
          );
    }
    const parts = path.split('/');
    const core = parts[1] === 'api';
    const name = core ? '' : (parts[2] ?? '');
    const version = parts[core ? 2 : 3];
    if (parts.length !== (core ? 3 : version === undefined ? 3 : 4)) return undefined;
    const group = groups.find((it) => it.name === name);
    if (!group) return undefined;
    if (version === undefined) return apiGroup(group, true);
    const served = group.versions.find((it) => it.version === version);
    return served && apiResourceList(name, version, served.kinds);
  };
  return {
    find(path, aggregated, address) {
      refresh();
      const asked = path === '/api' || path === '/apis' ? aggregated : '';
      const key = `${path} ${asked} ${path === '/api' ? address : ''}`;
      const known = made.get(key);
      if (known) return known;
      const document = build(path, asked, address);
      if (!document) return undefined;
      const body = Buffer.from(`${JSON.stringify(document)}\n`);
      const etag = asked === '' ? '' : `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
      const result = { body, etag };
      if (made.size < 1024) made.set(key, result);
      return result;
    },
  };
}
