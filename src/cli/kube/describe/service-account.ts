import { secrets } from '../../../api/generated/resources.ts';
import type { V1Secret, V1ServiceAccount } from '../../../api/generated/types.ts';
import { StatusError } from '../../../api/status.ts';
import { type Describer, heading, labelsAndAnnotations, type Surroundings } from './describer.ts';
import { ownEvents } from './events.ts';

/** The secrets of the namespace; undefined where they may not be read, which the page survives. */
async function secretsOf(namespace: string, { client }: Surroundings): Promise<readonly V1Secret[] | undefined> {
  try {
    return (await client.list(secrets, { namespace })).items;
  } catch (error) {
    if (error instanceof StatusError) return undefined;
    throw error;
  }
}

const headWidth = 'Image pull secrets:'.length;

export const describeServiceAccount: Describer<V1ServiceAccount> = async (page, object, around) => {
  const { metadata } = object;
  heading(page, metadata);
  labelsAndAnnotations(page, metadata);
  const found = await secretsOf(metadata.namespace ?? '', around);
  const known = found && new Set(found.map((secret) => secret.metadata?.name));
  const tokens = (found ?? []).filter(
    (secret) =>
      secret.type === 'kubernetes.io/service-account-token' &&
      secret.metadata?.annotations?.['kubernetes.io/service-account.name'] === metadata.name &&
      secret.metadata.annotations['kubernetes.io/service-account.uid'] === metadata.uid,
  );
  const rows: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ['Image pull secrets:', (object.imagePullSecrets ?? []).map((one) => one.name)],
    ['Mountable secrets:', (object.secrets ?? []).map((one) => one.name)],
    ['Tokens:', tokens.map((one) => one.metadata?.name)],
  ];
  for (const [title, names] of rows) {
    if (names.length === 0) page.line(0, title.padEnd(headWidth), '<none>');
    names.forEach((name, i) => {
      const missing = known && !known.has(name) ? ' (not found)' : '';
      page.line(0, (i === 0 ? title : '').padEnd(headWidth), `${name}${missing}`);
    });
  }
  await ownEvents(page, object, around);
};
