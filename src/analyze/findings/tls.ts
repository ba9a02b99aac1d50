import { isForOthers, misfitOf, namesOf, UNUSED_STATUS } from '../protocols/tls/certificate-fit.ts';
import type { FieldValue } from '../record/event.ts';
import { fieldsIn, textIn } from '../record/field-values.ts';
import { type Case, Cases } from './cases.ts';
import { certificateEnd, endText } from './certificate-end.ts';
import { CertificateSeen } from './certificate-seen.ts';
import { clientOf, type DetectorKind, type FindingContext, serviceNamed } from './detector.ts';
import type { Evidence, Finding } from './finding.ts';
import { counted, examplesOf, listed, quoted, share } from './words.ts';

/** What an alert means: who complains, about what. @param by who sent it */
const ALERTS: Readonly<Record<string, (by: string, other: string) => string>> = {
  unknown_ca: (by, other) => `${by} does not trust the certificate authority of ${other}`,
  bad_certificate: (by, other) => `${by} rejects the certificate of ${other}`,
  certificate_expired: (by, other) => `${by} rejects the certificate of ${other} as expired`,
  certificate_unknown: (by, other) => `${by} rejects the certificate of ${other}`,
  certificate_required: (by, other) => `${by} requires a client certificate, and ${other} sent none`,
  unrecognized_name: (by) => `${by} does not know the server name in the request`,
  no_application_protocol: (by) => `${by} supports none of the application protocols offered`,
  protocol_version: (by) => `${by} supports none of the TLS versions offered`,
  handshake_failure: (by) => `${by} accepts none of the TLS parameters offered`,
};

/** TLS handshakes that fail, and certificates that are expired, soon to be, or for other names. */
export const tls: DetectorKind = {
  codes: ['TLS_HANDSHAKE_FAILS', 'TLS_CERTIFICATE_EXPIRED', 'TLS_NAME_MISMATCH', 'TLS_PORT_MISMATCH'],
  exchanges: (protocol) => protocol === 'tls',
  explains: { TLS_CERTIFICATE_EXPIRED: ['TLS_HANDSHAKE_FAILS'], TLS_NAME_MISMATCH: ['TLS_HANDSHAKE_FAILS'] },
  create: (context) => {
    const failed = new Cases(context.bounds);
    const expired = new Cases(context.bounds);
    const mismatched = new Cases(context.bounds);
    const foreign = new Cases(context.bounds);
    /** By server: the certificate that ends first. */
    const ends = new Map<string, CertificateSeen>();
    /** Handshakes with such a certificate after which the client sent nothing and closed. */
    const unused = new Cases(context.bounds);
    /** Who sent an alert, by flow: the exchange that follows does not have it. */
    const alerts = new Map<number, 0 | 1>();
    return {
      event: (event, flow, server) => {
        if (event.kind === 'event' && event.code === 'TLS_ALERT' && event.from !== undefined) {
          alerts.set(flow.id, event.from);
          if (alerts.size > 4096) alerts.clear();
          return;
        }
        if (event.kind !== 'exchange') return;
        const fields = fieldsIn(event.fields.tls);
        if (fields === undefined) return;
        for (const cases of [failed, expired, mismatched, foreign]) cases.of(server).attempts += 1;
        const failure = event.failed ? event.status : '';
        const misfit = misfitOf(failure);
        if (misfit !== undefined) unused.of(`${misfit} ${server}`).add(flow.id, event.time);
        else if (failure === 'answer is not TLS')
          foreign.of(server).add(flow.id, event.time, clientOf(context, flow, event.time));
        else if (failure !== '' && failure !== 'reset' && failure !== 'closed' && failure !== 'no answer') {
          const client = clientOf(context, flow, event.time);
          const by = alerts.get(flow.id);
          const known = by === undefined ? undefined : ALERTS[failure];
          const text =
            known === undefined ? `alert ${failure}` : by === 0 ? known(client, server) : known(server, client);
          failed.of(server).add(flow.id, event.time, text);
        }
        const notAfter = Date.parse(textIn(fields.notAfter));
        const at = Number(context.epoch() / 1_000_000n) + event.time / 1e6;
        const end = certificateEnd(validFrom(fields.certificates), notAfter, at);
        if (end !== undefined) {
          const own = Array.isArray(fields.certificates) ? fieldsIn(fields.certificates[0]) : undefined;
          const seen = new CertificateSeen(own, notAfter, textIn(fields.sni), {
            address: context.hosts.text(flow.serverHost),
            port: flow.serverPort,
          });
          const old = ends.get(server);
          ends.set(server, old === undefined ? seen : old.withOther(seen));
          expired.of(server).add(flow.id, event.time, end);
        }
        const sni = textIn(fields.sni).toLowerCase();
        const names = namesOf(fields.certificates);
        if (isForOthers(names, sni)) {
          mismatched.of(server).add(flow.id, event.time, `requested ${sni}, the certificate is for ${listed(names)}`);
        }
      },
      findings: () => {
        const seen = { context, failed, expired, mismatched, foreign, ends, unused };
        return [
          ...expiredCertificates(seen),
          ...mismatchedNames(seen),
          ...failedHandshakes(seen),
          ...foreignPorts(seen),
        ];
      },
    };
  },
};

/** What was seen of all handshakes, by server. */
interface Seen {
  readonly context: FindingContext;
  readonly failed: Cases;
  readonly expired: Cases;
  readonly mismatched: Cases;
  readonly foreign: Cases;
  readonly ends: ReadonlyMap<string, CertificateSeen>;
  /** By what is wrong with the certificate, and server. */
  readonly unused: Cases;
}

/** Certificates that are past their end, or soon to be. */
function expiredCertificates({ context, expired, ends, unused }: Seen): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of expired.counting()) {
    const seen = ends.get(subject);
    if (seen === undefined) continue;
    const isPast = one.texts.has('past');
    found.push({
      code: 'TLS_CERTIFICATE_EXPIRED',
      severity: isPast ? 'error' : 'warning',
      confidence: 'proven',
      subject,
      message: `The certificate of ${subject} ${endText(isPast ? 'past' : 'soon', seen.notAfter)}.`,
      evidence: [
        one.evidence(`${share(one, 'handshake')} showed it${seen.text}`, 'has(tls.notAfter)'),
        ...unusedEvidence(unused.of(`expired ${subject}`), UNUSED_STATUS.expired),
      ],
      next: seen.next(serviceNamed(context, subject)),
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Certificates for other names than the client asked for. */
function mismatchedNames({ mismatched, unused }: Seen): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of mismatched.counting()) {
    found.push({
      code: 'TLS_NAME_MISMATCH',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `The certificate of ${subject} does not match the requested name: ${examplesOf(one, 1)}.`,
      evidence: [
        one.evidence(share(one, 'handshake'), 'has(tls.certificates)'),
        ...unusedEvidence(unused.of(`other name ${subject}`), UNUSED_STATUS['other name']),
      ],
      next: 'Use a name that the certificate has, or a certificate for this name.',
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Handshakes that an alert ended. */
function failedHandshakes({ failed }: Seen): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of failed.counting()) {
    found.push({
      code: 'TLS_HANDSHAKE_FAILS',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `TLS with ${subject} fails in ${share(one, 'handshake')}: ${reasons(one)}.`,
      evidence: [one.evidence('the alert ended the handshake', 'protocol == "tls" && failed')],
      next: `openssl s_client -connect ADDRESS:PORT -servername NAME shows the server's side.`,
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** Ports that speak something else. */
function foreignPorts({ foreign }: Seen): Finding[] {
  const found: Finding[] = [];
  for (const [subject, one] of foreign.all()) {
    if (one.cases === 0) continue;
    found.push({
      code: 'TLS_PORT_MISMATCH',
      severity: 'error',
      confidence: 'proven',
      subject,
      message: `Clients use TLS on ${subject}, which does not support it: ${share(one, 'handshake')} got a response that is not TLS.`,
      evidence: [
        one.evidence(
          `${examplesOf(one)} sent a ClientHello, and the response is not TLS`,
          'tls.failure == "answer is not TLS"',
        ),
      ],
      next: 'Check the scheme (https or http) and the port that the client uses, and the backend protocol of an Ingress.',
      otherwise: undefined,
      cases: one.cases,
      attempts: one.attempts,
    });
  }
  return found;
}

/** The most frequent reason, and how many others there are. */
function reasons(one: Case): string {
  const [first = '', ...others] = one.frequent();
  if (one.areTextsCut) return `${first} (and other reasons)`;
  return others.length === 0 ? first : `${first} (and ${counted(others.length, 'other reason')})`;
}

/** When the server's own certificate became valid, ms since 1970; NaN where that is not known. */
function validFrom(certificates: FieldValue | undefined): number {
  const [own] = Array.isArray(certificates) ? certificates : [];
  return Date.parse(textIn(fieldsIn(own)?.notBefore));
}

/** What clients did after such a certificate: nothing, but close. */
function unusedEvidence(one: Case, status: string): Evidence[] {
  if (one.cases === 0) return [];
  const text = `after ${counted(one.cases, 'handshake')} with it the client sent no data, and closed`;
  return [one.evidence(text, `tls.failure == ${quoted(status)}`)];
}
