import type { V1ObjectMeta } from '../../../api/generated/types.ts';
import { formatSelector, type LabelSelectorObject, requirementsOf } from '../../../api/label-selector.ts';
import type { KubeObject, Live } from '../../../api/resource.ts';
import type { HttpsClient } from '../../../client/https-client.ts';
import { annotationLines, type Page, pairs } from './page.ts';

/** What a description may ask besides its object. */
export interface Surroundings {
  readonly client: HttpsClient;
  readonly showEvents: boolean;
  /** Epoch milliseconds: ages count back from here. */
  readonly now: number;
}

/** Writes the page of one object. Kubernetes' layout: k8s.io/kubectl/pkg/describe of 1.33. */
export type Describer<T extends KubeObject = KubeObject> = (
  page: Page,
  object: Live<T>,
  around: Surroundings,
) => Promise<void> | void;

/** Name, namespace where it has one, and whatever else stands at the head. */
export function heading(page: Page, meta: V1ObjectMeta, ...more: readonly (readonly [string, unknown])[]): void {
  page.line(0, 'Name:', meta.name);
  if (meta.namespace) page.line(0, 'Namespace:', meta.namespace);
  for (const [title, value] of more) page.line(0, `${title}:`, value);
}

export function labelsAndAnnotations(page: Page, meta: V1ObjectMeta | undefined): void {
  page.list('Labels', pairs(meta?.labels));
  page.list('Annotations', annotationLines(meta?.annotations));
}

/** A selector in its text form; `whenAll` for one that takes everything. */
export function selectorText(selector: LabelSelectorObject | undefined, whenAll = ''): string {
  return formatSelector(requirementsOf(selector) ?? []) || whenAll;
}

/** `ReplicaSet/web-5d9`, where something controls the object. */
export function controllerOf(meta: V1ObjectMeta): string | undefined {
  const owner = meta.ownerReferences?.find((one) => one.controller);
  return owner && `${owner.kind}/${owner.name}`;
}

/** Conditions with a reason, as workloads show them. */
export function reasonConditions(
  page: Page,
  conditions: readonly { readonly type: string; readonly status: string; readonly reason?: string }[] | undefined,
): void {
  if (!conditions?.length) return;
  page.line(0, 'Conditions:');
  page.line(1, 'Type', 'Status', 'Reason');
  page.line(1, '----', '------', '------');
  for (const { type, status, reason } of conditions) page.line(1, `${type} `, status, reason ?? '');
}
