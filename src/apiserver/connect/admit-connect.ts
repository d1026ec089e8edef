import type { KubeObject } from '../../api/resource.ts';
import type { AdmissionPlugin, ConnectHandler, ServerContext } from '../contracts.ts';
import { admitSubresource } from '../special/admit.ts';

const booleans = new Set(['stdin', 'stdout', 'stderr', 'tty']);

/** Lets the plugins refuse a connection; what they see is the options object that the query stands for. */
export async function admitConnect(
  connect: Parameters<ConnectHandler>[0],
  context: ServerContext,
  kind: string,
  plugins: readonly AdmissionPlugin[],
): Promise<void> {
  if (plugins.length === 0) return;
  const { resource, subresource, namespace, name, query, user, path } = connect;
  const options: Record<string, unknown> = { kind, apiVersion: 'v1' };
  for (const key of new Set(query.keys())) {
    const value = query.get(key) ?? '';
    if (booleans.has(key)) options[key] = value !== 'false' && value !== '0';
    else if (key === 'command') options[key] = query.getAll(key);
    else if (key === 'ports')
      options[key] = query
        .getAll(key)
        .flatMap((text) => text.split(','))
        .map(Number);
    else options[key] = value;
  }
  if (subresource === 'proxy') options['path'] = path;
  await admitSubresource(
    plugins,
    context,
    { user, name, subresource, options: {}, ...(namespace !== undefined && { namespace }) },
    resource,
    options as KubeObject,
    'CONNECT',
  );
}
