import { describe, expect, it } from 'vitest';
import { completeEndpoint, type RawEndpoint, shownUrl } from '../../../src/run/otlp/endpoint.ts';

function completed(raw: Partial<RawEndpoint>) {
  return completeEndpoint({
    url: undefined,
    headers: [],
    ca: undefined,
    signals: ['metrics', 'traces', 'logs'],
    environment: {},
    ...raw,
  });
}

const hrefs = (raw: Partial<RawEndpoint>) =>
  Object.fromEntries(Object.entries(completed(raw).urls).map(([signal, url]) => [signal, url.href]));

describe('the receiver', () => {
  it('has a path for each signal below the URL', () => {
    expect(hrefs({ url: 'http://collector:4318' })).toEqual({
      metrics: 'http://collector:4318/v1/metrics',
      traces: 'http://collector:4318/v1/traces',
      logs: 'http://collector:4318/v1/logs',
    });
    expect(hrefs({ url: 'https://prometheus/api/v1/otlp/?tenant=a', signals: ['metrics'] })).toEqual({
      metrics: 'https://prometheus/api/v1/otlp/v1/metrics?tenant=a',
    });
  });

  it('comes from the variables of OpenTelemetry where no URL is given', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://tempo:4318/custom',
      OTEL_EXPORTER_OTLP_HEADERS: 'a=1,Authorization=Bearer%20x%3Dy, =broken,alone',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.cluster.name=prod,team=a%2Cb',
    };
    expect(hrefs({ environment })).toEqual({
      metrics: 'http://collector:4318/v1/metrics',
      traces: 'http://tempo:4318/custom',
      logs: 'http://collector:4318/v1/logs',
    });
    const { headers, resource } = completed({ environment, headers: ['a=2=3'] });
    expect(headers).toEqual({ a: '2=3', Authorization: 'Bearer x=y' });
    expect(resource).toEqual({ 'k8s.cluster.name': 'prod', team: 'a,b' });
    expect(hrefs({ environment, url: 'http://other:4318' }).traces).toBe('http://other:4318/v1/traces');
  });

  it('is refused where it is none, without the secrets in it', () => {
    for (const raw of [{}, { url: 'collector:4317' }, { url: 'nonsense' }, { url: 'ftp://x' }]) {
      expect(() => completed(raw)).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
    for (const header of ['s3cret', '=s3cret', 'a b=s3cret', 'a=s3cret\r\nb: c']) {
      expect(() => completed({ url: 'http://x', headers: [header] })).toThrow(
        expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('s3cret') }),
      );
    }
    expect(() => completed({ url: 'http://x', ca: '/nowhere/ca.pem' })).toThrow(
      expect.objectContaining({ code: 'CANNOT_READ' }),
    );
    expect(shownUrl(new URL('https://user:s3cret@collector:4318/v1/logs?token=s3cret'))).toBe(
      'https://collector:4318/v1/logs',
    );
  });
});
