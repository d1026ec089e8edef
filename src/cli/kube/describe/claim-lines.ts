import type { V1PersistentVolumeClaim } from '../../../api/generated/types.ts';
import { annotationLines, goList, type Page, pairs, since } from './page.ts';

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** `RWO,RWX`, each once, in the order of upstream. */
export const accessModes = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',');

export const claimClass = (claim: Partial<V1PersistentVolumeClaim>): string =>
  claim.metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? '';

/** The lines of a claim (`now` given) or of a claim's template inside a volume (absent). */
export function claimLines(page: Page, claim: Partial<V1PersistentVolumeClaim>, level: number, now?: number): void {
  const { metadata, spec, status } = claim;
  const indent = '  '.repeat(level);
  const whole = now !== undefined;
  if (whole) {
    page.line(level, 'Name:', metadata?.name);
    page.line(level, 'Namespace:', metadata?.namespace);
  }
  page.line(level, 'StorageClass:', claimClass(claim));
  if (whole) {
    const leaving = metadata?.deletionTimestamp;
    page.line(level, 'Status:', leaving ? `Terminating (lasts ${since(leaving, now)})` : (status?.phase ?? ''));
  }
  page.line(level, 'Volume:', spec?.volumeName ?? '');
  // Inside a volume kubectl writes the indent before the values too.
  const inside = (lines: readonly string[]): readonly string[] =>
    level === 0 ? lines : (lines.length === 0 ? ['<none>'] : lines).map((line) => indent + line);
  page.list('Labels', inside(pairs(metadata?.labels)), indent, indent + indent);
  page.list('Annotations', inside(annotationLines(metadata?.annotations)), indent, indent);
  if (whole) page.line(level, 'Finalizers:', goList(metadata?.finalizers));
  const bound = Boolean(spec?.volumeName);
  page.line(level, 'Capacity:', bound ? (status?.capacity?.['storage'] ?? '0') : '');
  page.line(level, 'Access Modes:', bound ? accessModes(status?.accessModes) : '');
  if (spec?.volumeMode) page.line(level, 'VolumeMode:', spec.volumeMode);
  if (!spec?.dataSource) return;
  page.line(level, 'DataSource:');
  if (spec.dataSource.apiGroup !== undefined) page.line(level + 1, 'APIGroup:', spec.dataSource.apiGroup);
  page.line(level + 1, 'Kind:', spec.dataSource.kind);
  page.line(level + 1, 'Name:', spec.dataSource.name);
}
