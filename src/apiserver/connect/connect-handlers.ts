import type { AdmissionPlugin, ClusterDialer, ConnectHandler, KubeletDialer } from '../contracts.ts';
import { logsHandler } from './logs.ts';
import { nodeProxy, podProxy, serviceProxy } from './proxy.ts';
import { streamHandler } from './streams.ts';

/** What takes over whole connections, by `resource/subresource`. */
export function connectHandlers(dialers: {
  readonly kubelets: KubeletDialer;
  readonly cluster: ClusterDialer;
  /** The plugins that may refuse a connection (operation CONNECT). Default: none. */
  readonly admission?: () => readonly AdmissionPlugin[];
}): Readonly<Record<string, ConnectHandler>> {
  const { kubelets, cluster } = dialers;
  const admission = dialers.admission ?? (() => []);
  return {
    'pods/log': logsHandler(kubelets),
    'pods/exec': streamHandler('exec', kubelets, admission),
    'pods/attach': streamHandler('attach', kubelets, admission),
    'pods/portforward': streamHandler('portforward', kubelets, admission),
    'pods/proxy': podProxy(cluster, admission),
    'services/proxy': serviceProxy(cluster, admission),
    'nodes/proxy': nodeProxy(kubelets, admission),
  };
}
