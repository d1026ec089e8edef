import { nodes } from '../../../api/generated/resources.ts';
import {
  addQuantity,
  compareQuantity,
  type Quantity,
  quantityOf,
  subQuantity,
  tryParseQuantity,
} from '../../../api/quantity.ts';
import { podRequests, type ResourceAmounts } from '../../../kinds/core/pod-resources.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** What a node has for pods, and what its pods have asked of it. */
export interface Room {
  readonly node: string;
  readonly allocatable: ResourceAmounts;
  readonly used: ReadonlyMap<string, Quantity>;
  readonly pods: number;
}

export const zero = quantityOf(0);

const perSnapshot = new WeakMap<Snapshot, ReadonlyMap<string, Room>>();

/** The room on every node, worked out once for each snapshot. */
export function roomsOf(snapshot: Snapshot): ReadonlyMap<string, Room> {
  let rooms = perSnapshot.get(snapshot);
  if (!rooms) {
    rooms = new Map(snapshot.all(nodes).map((node) => [node.metadata?.name ?? '', roomOf(snapshot, node)]));
    perSnapshot.set(snapshot, rooms);
  }
  return rooms;
}

type Sized = {
  readonly metadata?: { readonly name?: string };
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
};

function roomOf(snapshot: Snapshot, node: Sized): Room {
  const name = node.metadata?.name ?? '';
  const used = new Map<string, Quantity>();
  const alive = snapshot
    .podsOn(name)
    .filter(({ pod }) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed');
  for (const { pod } of alive)
    for (const [resource, amount] of Object.entries(podRequests(pod, { useStatus: true })))
      used.set(resource, addQuantity(used.get(resource) ?? zero, amount));
  const allocatable: Record<string, Quantity> = {};
  for (const [resource, text] of Object.entries(node.status?.allocatable ?? {})) {
    const amount = tryParseQuantity(text);
    if (amount) allocatable[resource] = amount;
  }
  return { node: name, allocatable, used, pods: alive.length };
}

const empty: Room = { node: '', allocatable: {}, used: new Map(), pods: 0 };

export const roomOn = (rooms: ReadonlyMap<string, Room>, node: string): Room => rooms.get(node) ?? empty;

/** What a pod asks of a node. */
export const amounts = (pod: PodFacts): ResourceAmounts => podRequests(pod.pod);

/** Left of a resource; may be below nothing. */
export const freeOf = (room: Room, resource: string): Quantity =>
  subQuantity(room.allocatable[resource] ?? zero, room.used.get(resource) ?? zero);

/** The resources of which the node has too little for the pod; `pods` where it may not have another. */
export function shortOf(wanted: ResourceAmounts, room: Room): readonly string[] {
  const short = Object.entries(wanted)
    .filter(
      ([resource, amount]) => compareQuantity(amount, zero) > 0 && compareQuantity(amount, freeOf(room, resource)) > 0,
    )
    .map(([resource]) => resource);
  const most = room.allocatable['pods'];
  return most && compareQuantity(quantityOf(room.pods + 1), most) > 0 ? [...short, 'pods'] : short;
}

/** The node with the most of a resource, by what it has or by what is left. */
export function most(
  snapshot: Snapshot,
  resource: string,
  by: 'allocatable' | 'free',
): { readonly node: string; readonly amount: Quantity } | undefined {
  let best: { node: string; amount: Quantity } | undefined;
  for (const room of roomsOf(snapshot).values()) {
    const amount = by === 'free' ? freeOf(room, resource) : (room.allocatable[resource] ?? zero);
    if (!best || compareQuantity(amount, best.amount) > 0) best = { node: room.node, amount };
  }
  return best;
}
