import type { KubeObject, Resource } from '../../api/resource.ts';
import type { StructuralSchema } from '../../api/schema.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import type { KindDefinition } from '../kind.ts';

export type Usage = Readonly<Record<'cpu' | 'memory', string>>;

/** metrics.k8s.io/v1beta1 (k8s.io/metrics): what a node used of its resources over a window. */
export interface NodeMetrics extends KubeObject {
  readonly timestamp: string;
  /** A Go duration: `15.2s`. */
  readonly window: string;
  readonly usage: Usage;
}

export interface PodMetrics extends KubeObject {
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly { readonly name: string; readonly usage: Usage }[];
}

const common = { group: 'metrics.k8s.io', version: 'v1beta1', verbs: ['get', 'list'] };

export const nodeMetrics: Resource<NodeMetrics> = {
  ...common,
  plural: 'nodes',
  singular: '',
  kind: 'NodeMetrics',
  namespaced: false,
};

export const podMetrics: Resource<PodMetrics> = {
  ...common,
  plural: 'pods',
  singular: '',
  kind: 'PodMetrics',
  namespaced: true,
};

const text: StructuralSchema = { type: 'string' };
const usage: StructuralSchema = {
  type: 'object',
  additionalProperties: { type: 'string', 'x-coracle-quantity': true },
};
const head = {
  apiVersion: text,
  kind: text,
  metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  timestamp: { type: 'string', format: 'date-time' },
  window: text,
} as const;
const podSchema: StructuralSchema = {
  type: 'object',
  properties: {
    ...head,
    containers: { type: 'array', items: { type: 'object', properties: { name: text, usage } } },
  },
};
const nodeSchema: StructuralSchema = { type: 'object', properties: { ...head, usage } };

const ofNode = columnsOf<NodeMetrics>();
const ofPod = columnsOf<PodMetrics>();

export const nodeMetricsKind: KindDefinition = {
  resource: nodeMetrics as Resource,
  schema: () => nodeSchema,
  columns: [
    nameColumn,
    ofNode.column('cpu', 'CPU used', (it) => it.usage?.cpu ?? ''),
    ofNode.column('memory', 'Memory used', (it) => it.usage?.memory ?? ''),
    ofNode.column('window', 'The time over which it was measured', (it) => it.window ?? ''),
  ],
};

const total = (
  pod: { readonly containers?: readonly { readonly usage?: Partial<Usage> }[] },
  name: keyof Usage,
): string => (pod.containers ?? []).map((it) => it.usage?.[name] ?? '').join(',');

export const podMetricsKind: KindDefinition = {
  resource: podMetrics as Resource,
  schema: () => podSchema,
  columns: [
    nameColumn,
    ofPod.column('cpu', 'CPU used, by container', (it) => total(it, 'cpu')),
    ofPod.column('memory', 'Memory used, by container', (it) => total(it, 'memory')),
    ofPod.column('window', 'The time over which it was measured', (it) => it.window ?? ''),
  ],
};
