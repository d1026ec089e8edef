/** The diagnosis as a library: take a picture of a cluster, apply the rules, show what they found. */
export { diagnose } from './engine.ts';
export type { Claim, Diagnosis, Evidence, Finding } from './finding.ts';
export type { Rule } from './rule.ts';
export { allRules } from './rules/index.ts';
export { type CollectOptions, collectSnapshot } from './snapshot/collect.ts';
export type { Snapshot } from './snapshot/snapshot.ts';
