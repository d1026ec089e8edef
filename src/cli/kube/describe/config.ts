import type { V1ConfigMap, V1Secret } from '../../../api/generated/types.ts';
import { type Describer, heading, labelsAndAnnotations } from './describer.ts';
import { ownEvents } from './events.ts';

const sorted = <T>(map: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
const bytesOf = (base64: string): number => Buffer.from(base64, 'base64').length;

export const describeConfigMap: Describer<V1ConfigMap> = async (page, object, around) => {
  heading(page, object.metadata);
  labelsAndAnnotations(page, object.metadata);
  page.line(0, '');
  page.line(0, 'Data');
  page.line(0, '====');
  for (const [key, value] of sorted(object.data)) for (const line of [`${key}:`, '----', value, '']) page.line(0, line);
  page.line(0, '');
  page.line(0, 'BinaryData');
  page.line(0, '====');
  for (const [key, value] of sorted(object.binaryData)) page.line(0, `${key}: ${bytesOf(value)} bytes`);
  page.line(0, '');
  await ownEvents(page, object, around);
};

/** Tells how long the values are, never what they are; a service account's token is the exception, as with kubectl. */
export const describeSecret: Describer<V1Secret> = (page, object) => {
  heading(page, object.metadata);
  labelsAndAnnotations(page, object.metadata);
  page.line(0, '');
  page.line(0, 'Type:', object.type ?? '');
  page.line(0, '');
  page.line(0, 'Data');
  page.line(0, '====');
  for (const [key, value] of sorted(object.data)) {
    const shown = key === 'token' && object.type === 'kubernetes.io/service-account-token';
    page.line(0, `${key}:`, shown ? Buffer.from(value, 'base64').toString('utf8') : `${bytesOf(value)} bytes`);
  }
};
