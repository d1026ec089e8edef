import type { SimPressure } from '../../runtime/sim/sim-node.ts';
import type { RegistryFault, SimRegistry } from '../../runtime/sim/sim-registry.ts';
import { UsageError } from '../options.ts';
import type { SimMember } from './sim-nodes.ts';
import type { SimWorld } from './sim-world.ts';

/** What can be done to a simulated node. */
export type SimNodeAction =
  /** The machine loses power: its containers end, the node becomes NotReady when its lease runs out. */
  | 'power-off'
  /** It boots again, with what is on its disk. */
  | 'power-on'
  /** The kubelet ends, containers go on. */
  | 'stop-kubelet'
  | 'start-kubelet'
  /** The container runtime does not answer any more, containers go on. */
  | 'hang-runtime'
  | 'resume-runtime';

/** Faults and repairs of a simulated cluster, as they come over the control socket. */
export type SimRequest =
  /** `target` is a registry (`docker.io`) or a repository (`docker.io/library/nginx`); without `fault` it is mended. */
  | { readonly kind: 'registry'; readonly target: string; readonly fault?: RegistryFault }
  | { readonly kind: 'node'; readonly node: string; readonly action: SimNodeAction }
  | { readonly kind: 'pressure'; readonly node: string; readonly what: SimPressure; readonly on: boolean }
  /** Cuts or heals the path between two nodes or addresses; `*` is everything else. */
  | { readonly kind: 'partition'; readonly a: string; readonly b: string; readonly cut: boolean };

/** How to break and mend the simulated nodes of a running cluster. */
export interface SimControls {
  /** Names of the nodes. */
  readonly nodes: readonly string[];
  /** Images can be added to it, and it can be made to fail. */
  readonly registry: SimRegistry;
  /** Carries a request out; rejects with `UsageError` when there is no such node or request. */
  apply(request: SimRequest): Promise<void>;
}

const pressures: readonly SimPressure[] = ['memory', 'disk', 'pid'];

export function simControls(members: readonly SimMember[], world: SimWorld): SimControls {
  const byName = new Map(members.map((member) => [member.name, member]));
  const member = (name: string): SimMember => {
    const found = byName.get(name);
    if (!found) throw new UsageError(`there is no simulated node ${name}`);
    return found;
  };
  const act = async ({ node, startKubelet, stopKubelet }: SimMember, action: SimNodeAction): Promise<void> => {
    switch (action) {
      case 'power-off':
        await stopKubelet();
        node.powerOff();
        return;
      case 'power-on':
        node.powerOn();
        return startKubelet();
      case 'stop-kubelet':
        return stopKubelet();
      case 'start-kubelet':
        return startKubelet();
      case 'hang-runtime':
        return node.runtime.setAnswering(false);
      case 'resume-runtime':
        return node.runtime.setAnswering(true);
      default:
        throw new UsageError(`a node cannot ${String(action satisfies never)}`);
    }
  };
  return {
    nodes: members.map(({ name }) => name),
    registry: world.registry,
    async apply(request) {
      switch (request.kind) {
        case 'registry':
          world.registry.fault(request.target, request.fault);
          return;
        case 'node':
          return act(member(request.node), request.action);
        case 'pressure':
          if (!pressures.includes(request.what)) throw new UsageError(`there is no pressure of ${request.what}`);
          member(request.node).node.press(request.what, request.on);
          return;
        case 'partition':
          world.network.partition(request.a, request.b, request.cut);
          return;
        default:
          throw new UsageError(`no such request: ${JSON.stringify(request satisfies never)}`);
      }
    },
  };
}
