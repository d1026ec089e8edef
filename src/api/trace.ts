/** The ten steps of a pod's life, in order. */
export const steps = [
  'client',
  'apiserver',
  'store',
  'scheduler',
  'binding',
  'kubelet',
  'runtime',
  'network',
  'status',
  'controllers',
] as const;
export type Step = (typeof steps)[number];

/** An object at a revision that a writer had read before it wrote. */
export interface ReadMark {
  /** `pods`, `replicasets.apps`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly name: string;
  readonly resourceVersion: string;
}

/** One piece of work done for an object, measured where it is done. */
export interface Span {
  readonly step: Step;
  /** What was done, for a person: `admit`, `filter and score 3 nodes`, `pull image nginx:1.25`. */
  readonly what: string;
  /** Who did it: `kube-apiserver`, `kube-scheduler`, `kubelet/node-1`, `deployment-controller`. */
  readonly component: string;
  readonly subject: {
    readonly resource: string;
    readonly namespace?: string;
    readonly name: string;
    readonly uid?: string;
  };
  /** Epoch milliseconds, fractions allowed. */
  readonly start: number;
  readonly end: number;
  /** The store revision written, where one was. */
  readonly revision?: number;
  /** Provenance: who asked for the write and what it had read. */
  readonly writer?: string;
  readonly reads?: readonly ReadMark[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
  readonly error?: string;
}

/** Takes spans. Must return at once and never throw. */
export interface SpanSink {
  record(span: Span): void;
}

export const noSpans: SpanSink = { record: () => undefined };
