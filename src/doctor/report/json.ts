import type { Diagnosis } from '../finding.ts';

/** The version of the JSON report; grows when a field changes its meaning or goes away. See docs/why/report.md. */
export const reportVersion = 'coracle.why/v1';

/** The report as a plain value; see docs/why/report.md for its fields. */
export function jsonReport(diagnosis: Diagnosis, serverVersion?: string): object {
  const { at, looked, findings, unexplained, unseen } = diagnosis;
  return {
    version: reportVersion,
    at: new Date(at).toISOString(),
    ...(serverVersion && { server: serverVersion }),
    healthy: findings.every((it) => it.severity === 'info') && unexplained.length === 0,
    looked,
    findings: findings.map(({ evidence, explains, because, cause: _internal, rank: _rank, ...it }) => ({
      ...it,
      evidence: evidence.map(({ text, source }) => ({
        text,
        source:
          'at' in source && source.at !== undefined ? { ...source, at: new Date(source.at).toISOString() } : source,
      })),
      ...(explains && { explains: explains.slice(0, 1000) }),
      ...(because && { because }),
    })),
    unexplained,
    unseen,
  };
}
