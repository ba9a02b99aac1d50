/**
 * What the API server has about a target and its surroundings, as far as findings need it. Whoever reads the cluster makes
 * these; the analysis reads none itself. `unreadable`: the user may not read that kind, so nothing follows from it.
 */
export interface ClusterFacts {
  readonly services: Readable<ServiceFacts>;
  readonly endpointSlices: Readable<EndpointSliceFacts>;
  readonly pods: Readable<PodFacts>;
  readonly ingresses: Readable<IngressFacts>;
}

export type Readable<Facts> = readonly Facts[] | 'unreadable';

export type Labels = Readonly<Record<string, string>>;

export interface ObjectFacts {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Labels | undefined;
}

export interface ServiceFacts extends ObjectFacts {
  readonly type: string;
  /** Empty for a Service without a selector. */
  readonly selector: Labels;
  readonly clusterIPs: readonly string[];
  readonly ports: readonly {
    readonly name: string | undefined;
    readonly port: number;
    readonly protocol: string;
    readonly targetPort: number | string | undefined;
  }[];
  readonly internalTrafficPolicy: string | undefined;
  readonly externalTrafficPolicy: string | undefined;
}

export interface EndpointSliceFacts extends ObjectFacts {
  /** Name of the Service that it belongs to. */
  readonly service: string;
  readonly ports: readonly { readonly name: string | undefined; readonly port: number | undefined }[];
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly ready: boolean;
    readonly terminating: boolean;
    readonly node: string | undefined;
    readonly pod: string | undefined;
  }[];
}

export interface PodFacts extends ObjectFacts {
  readonly ips: readonly string[];
  readonly node: string | undefined;
  readonly phase: string;
  readonly hostNetwork: boolean;
  /** ns since 1970; undefined where the object does not have it. */
  readonly created: bigint | undefined;
  readonly deleted: bigint | undefined;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string | undefined;
    /** ns since 1970 */
    readonly changed: bigint | undefined;
  }[];
  readonly ports: readonly { readonly name: string | undefined; readonly port: number; readonly protocol: string }[];
}

export interface IngressFacts extends ObjectFacts {
  readonly className: string | undefined;
  readonly backends: readonly {
    readonly host: string | undefined;
    readonly path: string | undefined;
    readonly service: string;
    readonly port: number | string | undefined;
  }[];
  readonly tlsSecrets: readonly string[];
}
