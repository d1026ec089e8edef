import type { Server } from 'node:http';
import type { KubeletDialer } from '../apiserver/contracts.ts';
import { duplexPair } from '../base/duplex-pair.ts';

/** The kubelets of this process by node name; the API server reaches them without a network. */
export interface LocalKubelets extends KubeletDialer {
  add(nodeName: string, server: Server): void;
  remove(nodeName: string): void;
  /** Says how kubelets of other machines are reached. */
  reachOthers(dial: KubeletDialer['dial']): void;
}

export function localKubelets(): LocalKubelets {
  const servers = new Map<string, Server>();
  let others: KubeletDialer['dial'] | undefined;
  return {
    add: (nodeName, server) => void servers.set(nodeName, server),
    remove: (nodeName) => void servers.delete(nodeName),
    reachOthers(dial) {
      others = dial;
    },
    async dial(nodeName) {
      const server = servers.get(nodeName);
      if (!server) {
        if (others) return others(nodeName);
        throw Object.assign(new Error(`dial tcp: lookup ${nodeName}: no such host`), { code: 'ENOTFOUND' });
      }
      const [near, far] = duplexPair();
      server.emit('connection', far);
      return { socket: near, host: nodeName, headers: {} };
    },
  };
}
