import { badRequest, statusError } from '../../api/status.ts';
import { accessDenied } from '../authz/denied.ts';
import type { AdmissionPlugin, ConnectHandler, KubeletDialer, ServerContext } from '../contracts.ts';
import { admitConnect } from './admit-connect.ts';
import { type Backend, splice, upgradeHead } from './backend.ts';
import { chooseContainer, flag, podOf } from './pods.ts';

type Connect = Parameters<ConnectHandler>[0];
type Kind = 'exec' | 'attach' | 'portforward';

/** The kubelet's path and query for a stream (pkg/registry/core/pod/strategy.go, streamParams). */
function kubeletPath(kind: Kind, { namespace, name, query }: Connect, container: string): string {
  const params = new URLSearchParams();
  if (kind === 'portforward') {
    const ports = query.getAll('ports').flatMap((text) => text.split(','));
    for (const port of ports) {
      if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
        throw badRequest(`unable to parse ${JSON.stringify(port)} as a port`);
      }
    }
    if (ports.length > 0) params.set('port', ports.join(','));
    const text = params.toString();
    return `/portForward/${namespace}/${name}${text === '' ? '' : `?${text}`}`;
  }
  for (const [sent, wanted] of [
    ['stdin', 'input'],
    ['stdout', 'output'],
    ['stderr', 'error'],
    ['tty', 'tty'],
  ] as const) {
    if (flag(query, sent)) params.set(wanted, '1');
  }
  if (kind === 'exec') {
    const command = query.getAll('command');
    if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
    for (const word of command) params.append('command', word);
  }
  return `/${kind}/${namespace}/${name}/${container}?${params.toString()}`;
}

const optionKinds: Readonly<Record<Kind, string>> = {
  exec: 'PodExecOptions',
  attach: 'PodAttachOptions',
  portforward: 'PodPortForwardOptions',
};

/** A GET that becomes a WebSocket needs the right to create too, as its SPDY equivalent is a POST. */
async function mayCreate(connect: Connect, context: ServerContext): Promise<void> {
  const { user, resource, subresource, namespace, name } = connect;
  const attributes = {
    user,
    verb: 'create',
    group: resource.group,
    version: resource.version,
    resource: resource.plural,
    subresource,
    name,
    ...(namespace !== undefined && { namespace }),
  };
  const decision = await context.authorizer.authorize(attributes);
  if (!decision.allowed) throw accessDenied(attributes, decision);
}

/**
 * `pods/exec`, `pods/attach`, `pods/portforward`: the client's upgrade goes to the kubelet in its own words, then both connections are joined. SPDY
 * and WebSocket alike end at the kubelet.
 */
export function streamHandler(
  kind: Kind,
  kubelets: KubeletDialer,
  admission: () => readonly AdmissionPlugin[],
): ConnectHandler {
  return async (connect, context) => {
    await mayCreate(connect, context);
    const { request, upgrade, namespace, name, query } = connect;
    const pod = podOf(context, namespace, name);
    const container = kind === 'portforward' ? '' : chooseContainer(pod, query.get('container') ?? '');
    const node = pod.spec?.nodeName;
    if (!node) throw badRequest(`pod ${name} does not have a host assigned`);
    const path = kubeletPath(kind, connect, container);
    await admitConnect(connect, context, optionKinds[kind], admission());
    if (!upgrade) throw badRequest('Upgrade request required');
    let backend: Backend;
    try {
      backend = await kubelets.dial(node);
    } catch (error) {
      throw statusError(500, '', `error dialing backend: ${error instanceof Error ? error.message : String(error)}`);
    }
    backend.socket.write(upgradeHead(request, path, backend));
    if (upgrade.head.length > 0) backend.socket.write(upgrade.head);
    await splice(upgrade.socket, backend.socket);
  };
}
