import type { Family, Fragment, Spread } from './fragment.ts';
import { spreadName } from './fragment.ts';

/** What the kernel is to hold, and what of it has changed since it was last told. Grows and shrinks port by port: a change costs what it touches. */
export interface RuleTable {
  readonly family: Family;
  /** What a port needs from now on; undefined when it is gone. */
  set(key: string, fragment: Fragment | undefined): void;
  /** All there is, by name. */
  chains(): ReadonlyMap<string, readonly string[]>;
  sets(): ReadonlyMap<string, string>;
  spreads(): ReadonlyMap<string, Spread>;
  /** How many slot maps there must be, for addresses and for node ports. */
  slots(): { readonly slot: number; readonly 'node-slot': number };
  elements(map: string): ReadonlyMap<string, string>;
  maps(): readonly string[];
  /** What differs from what was last taken. Taking it makes it the state from which the next difference counts. */
  take(): TableChange;
}

export interface TableChange {
  /** Of the kernel's element, what it was ('' in a set, undefined = absent) and what it is to be. */
  readonly elements: readonly {
    readonly map: string;
    readonly key: string;
    readonly before: string | undefined;
    readonly after: string | undefined;
  }[];
  readonly chains: readonly {
    readonly name: string;
    readonly before: readonly string[] | undefined;
    readonly after: readonly string[] | undefined;
  }[];
  readonly sets: readonly {
    readonly name: string;
    readonly before: string | undefined;
    readonly after: string | undefined;
  }[];
  readonly newSpreads: readonly Spread[];
  readonly newSlots: readonly string[];
}

const slotPattern = /^(node-slot|slot)-(\d+)$/;

export function ruleTable(family: Family): RuleTable {
  const fragments = new Map<string, Fragment>();
  /** Who wants what value of an element: two services may claim one address, the first to come has it. */
  const claims = new Map<string, Map<string, { owner: string; value: string }[]>>();
  const chains = new Map<string, readonly string[]>();
  const sets = new Map<string, string>();
  const spreads = new Map<string, Spread>();
  const slots = { slot: 0, 'node-slot': 0 };
  /** Values as last taken, of what was touched since. */
  const touched = new Map<string, { map: string; key: string; before: string | undefined }>();
  const touchedChains = new Map<string, readonly string[] | undefined>();
  const touchedSets = new Map<string, string | undefined>();
  let newSpreads: Spread[] = [];
  let newSlots: string[] = [];

  const wanted = (map: string, key: string): string | undefined => claims.get(map)?.get(key)?.[0]?.value;
  const touch = (map: string, key: string): void => {
    const at = `${map}|${key}`;
    if (!touched.has(at)) touched.set(at, { map, key, before: wanted(map, key) });
  };
  const touchChain = (name: string): void => {
    if (!touchedChains.has(name)) touchedChains.set(name, chains.get(name));
  };
  const touchSet = (name: string): void => {
    if (!touchedSets.has(name)) touchedSets.set(name, sets.get(name));
  };
  const remove = (owner: string, fragment: Fragment): void => {
    for (const { map, key } of fragment.elements) {
      touch(map, key);
      const own = claims.get(map);
      const left = (own?.get(key) ?? []).filter((it) => it.owner !== owner);
      if (left.length > 0) own?.set(key, left);
      else own?.delete(key);
    }
    for (const name of fragment.chains.keys()) {
      touchChain(name);
      chains.delete(name);
    }
    for (const name of fragment.sets.keys()) {
      touchSet(name);
      sets.delete(name);
    }
  };
  const add = (owner: string, fragment: Fragment): void => {
    for (const { map, key, value } of fragment.elements) {
      touch(map, key);
      let own = claims.get(map);
      if (!own) {
        own = new Map();
        claims.set(map, own);
      }
      const list = own.get(key);
      if (!list) own.set(key, [{ owner, value }]);
      else if (!list.some((it) => it.owner === owner)) list.push({ owner, value });
      const match = slotPattern.exec(map);
      const kind = match?.[1] as keyof typeof slots | undefined;
      if (kind === undefined) continue;
      while (slots[kind] <= Number(match?.[2])) newSlots.push(`${kind}-${slots[kind]++}`);
    }
    for (const [name, rules] of fragment.chains) {
      touchChain(name);
      chains.set(name, rules);
    }
    for (const [name, declaration] of fragment.sets) {
      touchSet(name);
      sets.set(name, declaration);
    }
    for (const spread of fragment.spreads) {
      const name = spreadName(spread);
      if (spreads.has(name)) continue;
      spreads.set(name, spread);
      newSpreads.push(spread);
    }
  };
  return {
    family,
    set(key, fragment) {
      const old = fragments.get(key);
      if (old) remove(key, old);
      if (fragment) {
        fragments.set(key, fragment);
        add(key, fragment);
      } else fragments.delete(key);
    },
    chains: () => chains,
    sets: () => sets,
    spreads: () => spreads,
    slots: () => slots,
    maps: () => [...claims.keys()],
    elements: (map) => new Map([...(claims.get(map) ?? [])].map(([key, list]) => [key, list[0]?.value ?? ''])),
    take() {
      const change: TableChange = {
        elements: [...touched.values()]
          .map((it) => ({ ...it, after: wanted(it.map, it.key) }))
          .filter((it) => it.before !== it.after),
        chains: [...touchedChains]
          .map(([name, before]) => ({ name, before, after: chains.get(name) }))
          .filter(({ before, after }) => !sameRules(before, after)),
        sets: [...touchedSets]
          .map(([name, before]) => ({ name, before, after: sets.get(name) }))
          .filter(({ before, after }) => before !== after),
        newSpreads,
        newSlots,
      };
      touched.clear();
      touchedChains.clear();
      touchedSets.clear();
      newSpreads = [];
      newSlots = [];
      return change;
    },
  };
}

const sameRules = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((it, i) => it === b[i]));
