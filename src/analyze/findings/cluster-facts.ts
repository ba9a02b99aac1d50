/**
 * What the API server has about a target and its surroundings, as far as findings need it. Whoever reads the cluster makes
 * these; the analysis reads none itself. `unreadable`: the user may not read that kind, so nothing follows from it.
 */
export interface ClusterFacts {
  readonly services: Readable<ServiceFacts>;
  readonly endpointSlices: Readable<EndpointSliceFacts>;
  readonly pods: Readable<PodFacts>;
  readonly ingresses: Readable<IngressFacts>;
  readonly networkPolicies: Readable<NetworkPolicyFacts>;
  /** Classes that Ingresses name and that do not exist. */
  readonly absentIngressClasses: readonly string[];
  /** The namespaces whose labels are known; of the others only the name is. */
  readonly namespaces: readonly NamespaceFacts[];
  /** Warnings about pods; left out where they could not be read. */
  readonly events?: readonly EventFacts[];
  /** TLS Secrets of Ingresses that a user asks about; what may not be read is left out. */
  readonly tlsSecrets?: readonly TlsSecretFacts[] | undefined;
  /** When they were read: ns since 1970. */
  readonly at: bigint;
}

/** The certificate in a Secret: how long it is valid, ms since 1970. `absent`: there is no such Secret; `unusable`: no certificate is in it. */
export interface TlsSecretFacts {
  readonly namespace: string;
  readonly name: string;
  readonly certificate: { readonly from: number; readonly until: number } | 'absent' | 'unusable';
}

/** What the cluster reports about a pod: `Unhealthy`, `Readiness probe failed: …`. */
export interface EventFacts {
  readonly namespace: string;
  readonly pod: string;
  readonly reason: string;
  /** Its first line. */
  readonly message: string;
  readonly count: number;
  /** When it came last, ns since 1970; 0 where that is not known. */
  readonly last: bigint;
}

/** How often a pod became ready or ceased to be, while its namespace was watched. */
export interface ReadinessFacts {
  readonly namespace: string;
  readonly pod: string;
  readonly changes: number;
}

export type Readable<Facts> = readonly Facts[] | 'unreadable';

export type Labels = Readonly<Record<string, string>>;

export interface ObjectFacts {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Labels | undefined;
  /** ns since 1970; undefined where the object does not have it. */
  readonly created?: bigint | undefined;
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
    readonly nodePort: number | undefined;
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
  /** ns since 1970; undefined where it is not being deleted. */
  readonly deleted: bigint | undefined;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string | undefined;
    /** ns since 1970 */
    readonly changed: bigint | undefined;
  }[];
  readonly ports: readonly { readonly name: string | undefined; readonly port: number; readonly protocol: string }[];
  /** The node's addresses. */
  readonly nodeIps: readonly string[];
  /** Why containers wait: `CrashLoopBackOff`, `ImagePullBackOff`. */
  readonly waiting: readonly string[];
  /** Why containers ended before: `OOMKilled`, `Error`. */
  readonly ended?: readonly string[];
}

export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Labels;
}

export interface NetworkPolicyFacts extends ObjectFacts {
  /** The pods that it isolates. */
  readonly podSelector: LabelSelectorFacts;
  readonly directions: readonly PolicyDirection[];
  /** What it lets in: any of them. */
  readonly ingress: readonly PolicyRuleFacts[];
  /** What it lets out: any of them. */
  readonly egress: readonly PolicyRuleFacts[];
}

export type PolicyDirection = 'ingress' | 'egress';

/** Without any requirement it selects everything. */
export interface LabelSelectorFacts {
  readonly labels: Labels;
  readonly expressions: readonly {
    readonly key: string;
    /** `In`, `NotIn`, `Exists`, `DoesNotExist` */
    readonly operator: string;
    readonly values: readonly string[];
  }[];
}

export interface PolicyRuleFacts {
  /** Empty: everybody. */
  readonly peers: readonly PolicyPeerFacts[];
  /** Empty: every port. */
  readonly ports: readonly PolicyPortFacts[];
}

export interface PolicyPeerFacts {
  /** Without a namespaceSelector: pods of the policy's own namespace. */
  readonly podSelector: LabelSelectorFacts | undefined;
  readonly namespaceSelector: LabelSelectorFacts | undefined;
  readonly ipBlock: { readonly cidr: string; readonly except: readonly string[] } | undefined;
}

export interface PolicyPortFacts {
  readonly protocol: string;
  /** A number, or a name that the destination's pod declares; undefined: every port of the protocol. */
  readonly port: number | string | undefined;
  /** Last port of a range that begins with `port`. */
  readonly endPort: number | undefined;
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
