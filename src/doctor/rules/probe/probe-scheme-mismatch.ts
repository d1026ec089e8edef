import { editPodSpec } from '../../remedy.ts';
import { fieldOfProbe, outcome, probeExample, probeRule, showProbe } from './probes.ts';

export const probeSchemeMismatch = probeRule(
  {
    id: 'probe-scheme-mismatch',
    title: 'The probe speaks HTTP to an HTTPS port, or the reverse',
    codes: ['PRB-11'],
    symptoms: ['Unhealthy', 'statuscode: 400', 'malformed HTTP response', 'server gave HTTP response to HTTPS client'],
    lint: 'never',
    rank: 90,
    meaning:
      'Probes speak plain HTTP unless `scheme: HTTPS` is set. A TLS port answers plain HTTP with 400 or with bytes that are no HTTP.',
    tell: '`statuscode: 400`, `malformed HTTP response "\\x15\\x03\\x01…"`, or `http: server gave HTTP response to HTTPS client`.',
    fix: '`scheme: HTTPS` (the certificate is not checked), or ask the plain port.',
    sick: [
      {
        when: 'the port speaks TLS',
        yaml: probeExample({
          probe: '{httpGet: {path: /, port: 8443}}',
          output:
            'Get "http://10.244.0.5:8443/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x15\\x03\\x01\\x00\\x02\\x02\\x16"',
        }),
        says: 'speaks TLS',
      },
    ],
    healthy: [],
  },
  (it) => {
    const probe = it.probe.httpGet;
    if (!probe) return undefined;
    const plainToTls =
      probe.scheme !== 'HTTPS' &&
      (/malformed HTTP response/.test(it.output) ||
        (/statuscode: 400/.test(it.output) && /443$/.test(String(probe.port))));
    const tlsToPlain = probe.scheme === 'HTTPS' && /server gave HTTP response to HTTPS client/.test(it.output);
    if (!plainToTls && !tlsToPlain) return undefined;
    const value = plainToTls ? 'HTTPS' : 'HTTP';
    const change = editPodSpec(
      it.snapshot,
      it.pod,
      [{ path: [`${it.kind}Probe`, 'httpGet', 'scheme'], value }],
      it.container.name,
    );
    return {
      says: `Port ${probe.port} of container ${it.container.name} ${plainToTls ? 'speaks TLS, and its' : 'speaks plain HTTP, and its'} ${it.kind} probe (${showProbe(it.probe)}) does not${outcome(it)}.`,
      field: fieldOfProbe(it, '.httpGet.scheme'),
      remedy: {
        says: `Set scheme: ${value}.`,
        commands: ['kubectl explain pod.spec.containers.livenessProbe.httpGet.scheme'],
        ...(change && { actions: [change] }),
      },
    };
  },
);
