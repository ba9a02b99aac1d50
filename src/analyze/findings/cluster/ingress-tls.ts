import { certificateEnd, endText } from '../certificate-end.ts';
import type { ClusterFacts, IngressFacts, TlsSecretFacts } from '../cluster-facts.ts';
import { type Finding, withoutPackets } from '../finding.ts';
import { isOfSubjects, type Subjects } from './subject.ts';

/**
 * TLS_CERTIFICATE_EXPIRED and INGRESS_BACKEND_MISSING of the Secrets that an Ingress names for TLS. Without them its controller
 * serves a certificate of its own, which clients reject.
 */
export function ingressTls(ingress: IngressFacts, facts: ClusterFacts, subjects: Subjects): Finding[] {
  if (!isOfSubjects(ingress, subjects)) return [];
  return [...new Set(ingress.tlsSecrets)].flatMap((name) => {
    const secret = facts.tlsSecrets?.find((one) => one.namespace === ingress.namespace && one.name === name);
    return secret === undefined ? [] : ofSecret(ingress, secret, facts.at);
  });
}

function ofSecret(ingress: IngressFacts, { name, certificate }: TlsSecretFacts, at: bigint): Finding[] {
  const place = `${ingress.namespace}/${ingress.name}`;
  const shared = { confidence: 'proven', subject: place, otherwise: undefined, cases: 1, attempts: 1 } as const;
  const describe = `kubectl describe secret -n ${ingress.namespace} ${name}`;
  if (certificate === 'absent' || certificate === 'unusable') {
    const how = certificate === 'absent' ? 'which does not exist' : 'which has no certificate (tls.crt)';
    return [
      {
        ...shared,
        code: 'INGRESS_BACKEND_MISSING',
        severity: 'error',
        message: `Ingress ${place} names the TLS Secret ${name}, ${how}.`,
        evidence: [withoutPackets('most controllers serve a default certificate then, which clients reject')],
        next: certificate === 'absent' ? `kubectl get secrets -n ${ingress.namespace}` : describe,
      },
    ];
  }
  const end = certificateEnd(certificate.from, certificate.until, Number(at / 1_000_000n));
  if (end === undefined) return [];
  return [
    {
      ...shared,
      code: 'TLS_CERTIFICATE_EXPIRED',
      severity: end === 'past' ? 'error' : 'warning',
      message: `The certificate of Ingress ${place} ${endText(end, certificate.until)}.`,
      evidence: [withoutPackets(`it is in the Secret ${name}`)],
      next: `Renew the certificate in the Secret. See who manages it: ${describe}`,
    },
  ];
}
