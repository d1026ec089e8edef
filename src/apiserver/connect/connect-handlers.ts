import type { ClusterDialer, ConnectHandler, KubeletDialer } from '../contracts.ts';
import { logsHandler } from './logs.ts';
import { nodeProxy, podProxy, serviceProxy } from './proxy.ts';
import { streamHandler } from './streams.ts';

/** What takes over whole connections, by `resource/subresource`. */
export function connectHandlers(dialers: {
  readonly kubelets: KubeletDialer;
  readonly cluster: ClusterDialer;
}): Readonly<Record<string, ConnectHandler>> {
  const { kubelets, cluster } = dialers;
  return {
    'pods/log': logsHandler(kubelets),
    'pods/exec': streamHandler('exec', kubelets),
    'pods/attach': streamHandler('attach', kubelets),
    'pods/portforward': streamHandler('portforward', kubelets),
    'pods/proxy': podProxy(cluster),
    'services/proxy': serviceProxy(cluster),
    'nodes/proxy': nodeProxy(kubelets),
  };
}
