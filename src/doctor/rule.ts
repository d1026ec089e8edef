import type { Claim, Severity } from './finding.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** Where in a pod's life it goes wrong; also the folder of the rule. */
export type Phase =
  | 'admission'
  | 'scheduling'
  | 'config'
  | 'image'
  | 'create'
  | 'run'
  | 'probe'
  | 'network'
  | 'node'
  | 'controller'
  | 'storage';

/** How early the rule can speak: from the one manifest, from a whole set, only with the live cluster, or never before the fact. */
export type Lintability = 'manifest' | 'set' | 'cluster' | 'never';

/** A small cluster in YAML (see snapshot/from-yaml.ts), sick in this rule's way or healthy though it looks similar. */
export interface Example {
  /** What it shows, as the end of "the rule speaks when …" or "is silent when …". */
  readonly when: string;
  readonly yaml: string;
  /** `manifests`: the YAML is what a user is about to apply. Default `live`. */
  readonly stage?: 'live' | 'manifests';
  /** Sick only: text that the sentence must hold. */
  readonly says?: string;
  /** Sick only: other rules that rightly speak too. */
  readonly also?: readonly string[];
}

/** How to provoke it on a running cluster. */
export interface Fault {
  /** Objects to apply, in order; the namespace is the fault's own unless one stands in the object. */
  readonly manifest: string;
  /** Applied once the first is up; for what shows only after a change. */
  readonly then?: string;
  /** Runtimes on which it happens. */
  readonly runtimes: readonly ('sim' | 'containerd')[];
  /** True: after `--fix`, all is healthy. False: a person has to decide. */
  readonly fixable: boolean;
  /** Seconds until `why` can know, if more than a few. */
  readonly patienceSeconds?: number;
}

/**
 * One diagnosis. Its file is `src/doctor/rules/<phase>/<id>.ts`; metadata, examples and the check stand together, and page and test
 * are made from them. See docs/adding-a-rule.md.
 */
export interface Rule {
  /** Kebab-case, the file's name, the page's name, the rule id of `lint` and of SARIF. Never changed once released. */
  readonly id: string;
  readonly title: string;
  readonly phase: Phase;
  /** Its entries in the failure catalogue: `IMG-01`. */
  readonly codes: readonly string[];
  /** Kubernetes' own reason names and words under which people meet it. */
  readonly symptoms: readonly string[];
  readonly severity: Severity;
  readonly lint: Lintability;
  /**
   * 0-100: of claims about the same container the highest wins, the others become consequences. 90: proved and specific. 70: specific, read
   * from a log. 50: specific, a likely reading. 20: what remains when nobody knows better. 5: a mere symptom.
   */
  readonly rank: number;
  /** For the page: what it means, how to tell it from its neighbours, how to repair it. Markdown, a few sentences each. */
  readonly meaning: string;
  readonly tell: string;
  readonly fix: string;
  readonly sick: readonly [Example, ...Example[]];
  readonly healthy: readonly Example[];
  readonly fault?: Fault;
  /** Pure. Speaks once for each sick object; grouping is the engine's. */
  check(snapshot: Snapshot): Iterable<Claim>;
}
