import { computed } from '../../evidence.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const certificateExpired = logRule({
  id: 'certificate-expired',
  title: 'A certificate has expired',
  codes: ['RUN-25'],
  symptoms: ['certificate has expired or is not yet valid', 'CERT_HAS_EXPIRED'],
  rank: 74,
  unready: true,
  pattern:
    /certificate has expired(?: or is not yet valid)?|CERT_HAS_EXPIRED|certificate expired|SSL: CERTIFICATE_VERIFY_FAILED.*expired/i,
  meaning: 'A TLS connection failed because the certificate of the other side, or the program’s own, is past its end.',
  tell: 'Certificates in mounted Secrets are read for their end (the public part only); an expired one is named.',
  fix: 'Renew the certificate.',
  logs: [
    {
      when: 'the other side’s has expired',
      log: 'Get "https://api/": tls: failed to verify certificate: x509: certificate has expired or is not yet valid\n',
      says: 'expired',
    },
  ],
  claim(it, snapshot) {
    const names = (it.pod.spec.volumes ?? []).map((v) => v.secret?.secretName).filter((n) => n !== undefined);
    const old = names.flatMap((name) =>
      (snapshot.secret(it.pod.namespace, name)?.keys ?? [])
        .filter((key) => key.certificateUntil !== undefined && key.certificateUntil < snapshot.now)
        .map((key) => ({ name, key: key.name, until: new Date(key.certificateUntil ?? 0).toISOString() })),
    );
    const [first] = old;
    return {
      says: first
        ? `The certificate ${first.key} in Secret ${it.pod.namespace}/${first.name} expired at ${first.until}.`
        : `Container ${it.container.name} meets an expired certificate.`,
      evidence: [
        ...it.evidence,
        ...old.map((o) =>
          computed({ kind: 'Secret', namespace: it.pod.namespace, name: o.name }, `${o.key}: valid until ${o.until}`),
        ),
      ],
      ...(first && { cause: `secret/${it.pod.namespace}/${first.name}` }),
      commands: [logsCommand(it)],
    };
  },
});
