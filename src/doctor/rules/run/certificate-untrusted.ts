import { logRule, logsCommand } from './log-rule.ts';

export const certificateUntrusted = logRule({
  id: 'certificate-untrusted',
  title: 'The program does not trust a certificate',
  codes: ['RUN-26'],
  symptoms: [
    'x509: certificate signed by unknown authority',
    'unable to get local issuer certificate',
    'self-signed certificate',
  ],
  rank: 73,
  unready: true,
  pattern:
    /certificate signed by unknown authority|unable to get (?:local )?issuer certificate|self[- ]signed certificate|SSL: CERTIFICATE_VERIFY_FAILED|PKIX path building failed/i,
  meaning:
    'The other side shows a certificate of an authority that the program’s image does not know: one of your own, or of a proxy.',
  tell: 'The message. Certificates that have expired say so.',
  fix: 'Mount the authority’s certificate and tell the program of it.',
  logs: [
    {
      when: 'the authority is unknown',
      log: 'Post "https://vault:8200/": tls: failed to verify certificate: x509: certificate signed by unknown authority\n',
      says: 'does not trust',
    },
  ],
  claim(it) {
    if (/expired/.test(it.line)) return undefined;
    const url = /https:\/\/([^\s"/]+)/.exec(it.line)?.[1];
    return {
      says: `Container ${it.container.name} does not trust the certificate${url ? ` of ${url}` : ' of a server'}: its authority is not known in the image.`,
      commands: [
        `kubectl create configmap ca-bundle -n ${it.pod.namespace} --from-file=ca.crt   # then mount it and set SSL_CERT_FILE`,
        logsCommand(it),
      ],
    };
  },
});
