import type { V1Node, V1Pod } from '../api/generated/types.ts';
import type { KubeObject } from '../api/resource.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { World } from './world.ts';

/**
 * The seams between the scheduling cycle and its plugins, after pkg/scheduler/framework/interface.go. A plugin is a name,
 * the changes of the cluster that can make its rejection obsolete, and any subset of the extension points. It is pure over
 * the cycle's snapshot: a rejection is a value, a throw is a bug.
 */
export interface Rejection {
  /** `Unresolvable`: removing pods from the node cannot help (UnschedulableAndUnresolvable upstream). */
  readonly code: 'Unschedulable' | 'Unresolvable';
  readonly reasons: readonly string[];
  /** Filled in by the cycle. */
  readonly plugin?: string;
}

export const unschedulable = (...reasons: string[]): Rejection => ({ code: 'Unschedulable', reasons });
export const unresolvable = (...reasons: string[]): Rejection => ({ code: 'Unresolvable', reasons });

export type ClusterChange =
  | 'Node/Add'
  | 'Node/Delete'
  | 'Node/UpdateAllocatable'
  | 'Node/UpdateLabel'
  | 'Node/UpdateTaint'
  /** A pod on a node. */
  | 'AssignedPod/Add'
  | 'AssignedPod/UpdateLabel'
  | 'AssignedPod/ScaleDown'
  | 'AssignedPod/Delete'
  /** The waiting pod itself. */
  | 'Pod/Update'
  | 'PersistentVolumeClaim/Add'
  | 'PersistentVolumeClaim/Update'
  | 'PersistentVolumeClaim/Delete'
  | 'PersistentVolume/Add'
  | 'PersistentVolume/Update'
  | 'StorageClass/Add'
  | 'StorageClass/Update'
  | 'CSINode/Add'
  | 'CSINode/Update'
  | 'CSIDriver/Update'
  | 'CSIStorageCapacity/Add'
  | 'CSIStorageCapacity/Update'
  | 'VolumeAttachment/Delete'
  | 'Namespace/Update';

/** What happened: `old` absent for an addition, `next` absent for a removal. */
export interface Change {
  readonly old?: KubeObject;
  readonly next?: KubeObject;
}

export interface Interest {
  readonly on: readonly ClusterChange[];
  /** False: this change cannot make the pod schedulable. Absent: it always may. */
  readonly hint?: (pod: V1Pod, change: Change) => boolean;
}

/** What a plugin keeps for one cycle. `clone` is needed where `addPod`/`removePod` change it. */
export interface StateKey<T> {
  readonly name: string;
  readonly clone?: (state: T) => T;
}

export interface CycleState {
  read<T>(key: StateKey<T>): T | undefined;
  write<T>(key: StateKey<T>, value: T): void;
  clone(): CycleState;
}

export function cycleState(from?: ReadonlyMap<StateKey<unknown>, unknown>): CycleState {
  const values = new Map(from);
  return {
    read: <T>(key: StateKey<T>) => values.get(key as StateKey<unknown>) as T | undefined,
    write: (key, value) => void values.set(key as StateKey<unknown>, value),
    clone() {
      const copy = new Map<StateKey<unknown>, unknown>();
      for (const [key, value] of values) copy.set(key, key.clone ? key.clone(value) : value);
      return cycleState(copy);
    },
  };
}

/** The nodes and what else plugins may look at, standing still for a cycle. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** Nodes that hold pods with any pod affinity or anti-affinity. */
  withAffinity(): Iterable<NodeInfo>;
  /** Nodes that hold pods with required anti-affinity. */
  withRequiredAntiAffinity(): Iterable<NodeInfo>;
  /** How many nodes have the image. */
  imageNodes(image: string): number;
  readonly world: World;
}

export interface Cycle {
  readonly snapshot: Snapshot;
  readonly state: CycleState;
  readonly pod: PodInfo;
}

export type PreFilterResult =
  /** The plugin has nothing to say of this pod: its filter is not called. */
  | 'skip'
  | { readonly rejection: Rejection }
  /** Only these nodes come into question. */
  | { readonly nodeNames: ReadonlySet<string> }
  | undefined;

export const maxNodeScore = 100;

export interface Plugin {
  readonly name: string;
  readonly interests?: readonly Interest[];
  /** A rejection keeps the pod out of the queue altogether. */
  preEnqueue?(pod: V1Pod): Rejection | undefined;
  preFilter?(cycle: Cycle): PreFilterResult;
  /** Keep the pre-filter state true when a pod is put on or taken off a node in thought. */
  addPod?(cycle: Cycle, pod: PodInfo, node: NodeInfo): void;
  removePod?(cycle: Cycle, pod: PodInfo, node: NodeInfo): void;
  filter?(cycle: Cycle, node: NodeInfo): Rejection | undefined;
  /** False: skip this plugin's scores. */
  preScore?(cycle: Cycle, nodes: readonly NodeInfo[]): boolean;
  score?(cycle: Cycle, node: NodeInfo): number;
  /** Brings raw scores into 0..100, in place. `scores[i]` is that of `nodes[i]`. */
  normalize?(cycle: Cycle, scores: number[], nodes: readonly NodeInfo[]): void;
  /** For people: what exactly stood in the way on this node and what would remove it. Only called after a rejection. */
  explain?(cycle: Cycle, node: NodeInfo): string | undefined;
}

export const nodeOf = (object: KubeObject | undefined): V1Node | undefined => object as V1Node | undefined;
export const podOf = (object: KubeObject | undefined): V1Pod | undefined => object as V1Pod | undefined;
