import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const SOURCE = join(import.meta.dirname, '../src');

interface Room {
  /** Rooms or single files whose code it may load: `NAME/*` stands for all rooms below a directory. */
  readonly loads: readonly string[];
  /** Of these it may name the types, and load nothing. */
  readonly types?: readonly string[];
}

/** What the analysis as a whole is made of, and what judges whole analyses may use. */
const BELOW_ENGINE = [
  'wire',
  'analyze',
  'analyze/layers',
  'analyze/packet',
  'analyze/record',
  'analyze/flow',
  'analyze/identity',
  'analyze/protocols',
  'analyze/found',
  'analyze/tcp',
  'analyze/state',
] as const;
const ABOVE_ENGINE = [...BELOW_ENGINE, 'analyze/engine'] as const;

/** What every part of the command line may use. */
const BELOW_CLI = ['wire', 'capture/*', 'analyze/*', 'view', 'run/*'] as const;

/**
 * What each room of src/ may import besides itself (ARCHITECTURE.md): one way, from the command line down to the wire.
 * A room is a directory or a file, with what is below it unless that has a line of its own. Within a directory the rooms stand from
 * the bottom to the top: each one may use those above its line. Types may point the other way where a lower room calls
 * what a higher one implements.
 */
export const ROOMS: Readonly<Record<string, Room>> = {
  wire: { loads: [] },
  ticket: { loads: ['wire'] },

  capture: { loads: [] },
  'capture/kube': { loads: ['wire'] },
  'capture/streams': { loads: ['wire', 'capture'] },
  'capture/agentless': { loads: ['wire', 'capture', 'capture/kube'], types: ['capture/streams'] },
  'capture/agents': { loads: ['wire', 'capture', 'capture/kube', 'capture/streams', 'capture/agentless'] },
  'capture/kinds': { loads: ['wire', 'capture', 'capture/kube'] },
  'capture/targets': { loads: ['wire', 'capture', 'capture/kube', 'capture/kinds'] },
  'capture/names': { loads: ['wire', 'capture', 'capture/kube'] },
  'capture/tenant': { loads: ['wire', 'ticket', 'capture', 'capture/kube', 'capture/streams', 'capture/agents'] },
  'capture/facts': { loads: ['wire', 'capture', 'capture/kube'] },
  'capture/plan': { loads: ['wire', 'capture/*'] },
  'capture/registry': { loads: ['wire'] },
  'capture/install': {
    loads: ['wire', 'capture', 'capture/kube', 'capture/agents', 'capture/kinds', 'capture/targets', 'capture/plan'],
  },

  analyze: { loads: ['wire'] },
  'analyze/layers': { loads: ['wire', 'analyze'], types: ['analyze/packet'] },
  'analyze/packet': { loads: ['wire', 'analyze', 'analyze/layers'] },
  'analyze/record': {
    loads: ['wire', 'analyze', 'analyze/layers', 'analyze/packet'],
    types: ['analyze/flow', 'analyze/identity', 'analyze/protocols'],
  },
  'analyze/flow': { loads: ['wire', 'analyze', 'analyze/layers', 'analyze/packet', 'analyze/record'] },
  'analyze/identity': { loads: ['wire', 'analyze', 'analyze/layers', 'analyze/packet', 'analyze/record'] },
  'analyze/protocols': {
    loads: ['wire', 'analyze', 'analyze/layers', 'analyze/packet', 'analyze/record'],
    types: ['analyze/flow'],
  },
  'analyze/found': {
    loads: [
      'wire',
      'analyze',
      'analyze/layers',
      'analyze/record',
      'analyze/flow',
      'analyze/identity',
      'analyze/summary',
    ],
    types: ['analyze/packet', 'analyze/engine'],
  },
  'analyze/tcp': {
    loads: [
      'wire',
      'analyze',
      'analyze/layers',
      'analyze/packet',
      'analyze/record',
      'analyze/flow',
      'analyze/protocols',
    ],
    types: ['analyze/engine'],
  },
  'analyze/summary': {
    loads: [
      'wire',
      'analyze',
      'analyze/layers',
      'analyze/packet',
      'analyze/record',
      'analyze/flow',
      'analyze/identity',
    ],
    types: ['analyze/protocols'],
  },
  'analyze/where': { loads: ['wire', 'analyze', 'analyze/record', 'analyze/protocols'] },
  'analyze/state': { loads: ['wire', 'analyze'] },
  'analyze/engine': {
    loads: BELOW_ENGINE,
    types: ['analyze/summary', 'analyze/where'],
  },
  'analyze/trace': { loads: [...ABOVE_ENGINE, 'analyze/summary'] },
  'analyze/findings': { loads: [...ABOVE_ENGINE, 'analyze/summary', 'analyze/trace'] },
  'analyze/diff': { loads: [...ABOVE_ENGINE, 'analyze/summary'], types: ['analyze/findings'] },

  'agent/netns': { loads: ['wire', 'agent/limits.ts'] },
  'agent/spool': { loads: ['wire', 'agent/limits.ts'] },
  'agent/tcpdump': { loads: ['wire', 'agent/limits.ts', 'agent/netns', 'agent/spool'] },
  'agent/session': { loads: ['wire', 'agent/limits.ts', 'agent/netns', 'agent/spool', 'agent/tcpdump'] },
  'agent/recording': { loads: ['wire', 'agent/limits.ts', 'agent/netns', 'agent/spool', 'agent/session'] },
  'agent/listener': {
    loads: [
      'wire',
      'ticket',
      'agent/limits.ts',
      'agent/netns',
      'agent/session',
      'agent/spool',
      'agent/tcpdump',
      'agent/recording',
    ],
  },
  agent: { loads: ['wire', 'agent/*'] },

  view: { loads: ['wire'], types: ['analyze/*'] },

  run: { loads: ['wire', 'analyze/*'] },
  'run/sink': { loads: ['wire', 'run'] },
  'run/input': { loads: ['wire', 'run'] },
  'run/parquet': { loads: ['wire', 'analyze/*', 'run', 'run/sink'] },
  'run/analysis': { loads: ['wire', 'analyze/*', 'view', 'run', 'run/sink', 'run/parquet'] },
  'run/otlp': { loads: ['wire', 'analyze/*', 'view', 'run', 'run/analysis'] },
  'run/convert': { loads: ['wire', 'analyze/*', 'view', 'run'] },
  'run/rotation': { loads: ['wire', 'run', 'run/sink'], types: ['capture/streams', 'run/outputs'] },
  'run/outputs': {
    loads: ['wire', 'capture/streams', 'analyze/*', 'view', 'run', 'run/sink', 'run/analysis', 'run/rotation'],
  },
  'run/reading': {
    loads: ['wire', 'analyze/*', 'view', 'run', 'run/sink', 'run/input', 'run/analysis', 'run/convert'],
  },
  'run/diff': { loads: ['wire', 'analyze/*', 'view', 'run', 'run/analysis'] },
  'run/merge': { loads: ['wire', 'analyze/*', 'view', 'run', 'run/input', 'run/analysis'] },
  'run/recording': { loads: ['wire', 'capture/*', 'run', 'run/sink'] },
  'run/report': { loads: ['wire', 'analyze/*', 'view', 'run', 'run/sink', 'run/analysis'] },
  'run/capture': { loads: ['wire', 'capture/*', 'view', 'run', 'run/sink', 'run/outputs'] },
  'run/diagnose': {
    loads: ['wire', 'capture/*', 'analyze/*', 'view', 'run', 'run/capture', 'run/analysis', 'run/outputs', 'run/sink'],
  },

  cli: { loads: BELOW_CLI },
  'cli/settings': { loads: [...BELOW_CLI, 'cli'] },
  'cli/wireshark-profile': { loads: [...BELOW_CLI, 'cli'] },
  'cli/help': { loads: [...BELOW_CLI, 'cli', 'cli/top/limits.ts'] },
  'cli/install': { loads: [...BELOW_CLI, 'cli', 'cli/version'] },
  'cli/image': { loads: [...BELOW_CLI, 'cli'] },
  'cli/keylog': { loads: [...BELOW_CLI, 'cli'] },
  'cli/cleanup': { loads: [...BELOW_CLI, 'cli'] },
  'cli/capture': { loads: [...BELOW_CLI, 'cli', 'cli/help', 'cli/wireshark-profile'] },
  'cli/read': { loads: [...BELOW_CLI, 'cli', 'cli/capture'] },
  'cli/captures': { loads: [...BELOW_CLI, 'cli', 'cli/capture', 'cli/read'] },
  'cli/top': { loads: [...BELOW_CLI, 'cli', 'cli/capture', 'cli/read'] },
  'cli/diagnose': { loads: [...BELOW_CLI, 'cli', 'cli/capture', 'cli/read'] },
  'cli/observe': { loads: [...BELOW_CLI, 'cli', 'cli/capture', 'cli/read'] },
  'cli/diff': { loads: [...BELOW_CLI, 'cli', 'cli/capture'] },
  'cli/merge': { loads: [...BELOW_CLI, 'cli'] },
  'cli/trace': { loads: [...BELOW_CLI, 'cli', 'cli/capture', 'cli/read'] },
  'cli/extcap': { loads: [...BELOW_CLI, 'cli', 'cli/capture'] },
  'cli/doctor': { loads: [...BELOW_CLI, 'cli', 'cli/cleanup', 'cli/extcap'] },
  'cli/completion': { loads: [...BELOW_CLI, 'cli', 'cli/settings', 'cli/help', 'cli/capture'] },
  'cli/upkeep-commands.ts': { loads: [...BELOW_CLI, 'cli/*'] },
  'cli/root-command.ts': { loads: [...BELOW_CLI, 'cli', 'cli/settings'] },
  'cli/program.ts': { loads: [...BELOW_CLI, 'cli/*'] },
  'cli/observe-main.ts': { loads: [...BELOW_CLI, 'cli', 'cli/root-command.ts', 'cli/observe'] },
  'cli/main.ts': { loads: [...BELOW_CLI, 'cli/*'] },

  'edge/trigger': { loads: ['wire', 'agent/recording', 'analyze/*'] },
  // The merge orders the interfaces of one node beside the agent as it does those of several at the client.
  edge: { loads: ['wire', 'analyze/*', 'capture', 'capture/streams', 'edge/trigger'], types: ['agent/recording'] },
  controller: { loads: ['wire', 'ticket', 'capture/*', 'run/*'] },
};

/** Rooms that are libraries: commands, terminals, signals and exit codes are their callers' (src/cli, the agent's processes). */
const LIBRARIES = ['wire', 'ticket', 'capture', 'analyze', 'run', 'agent'];

/** The agent's processes themselves: what they read, write and end with is their subject. */
const PROCESSES: ReadonlySet<string> = new Set([
  'agent/main.ts',
  'agent/listener/session-host.ts',
  'agent/listener/idle.ts',
  'agent/session/non-blocking-stdio.ts',
  'agent/session/run-session.ts',
]);

const PROCESS_TEXT = /\bprocess\s*\.\s*(stdin|stdout|stderr|exit|exitCode|on|once|kill)\b|\bisTTY\b/;

export const IMPORT =
  /^\s*(?:import|export)\s+(type\s)?(?:[^'"]*?from\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** The imports that break the rules, one sentence each. */
export function importViolations(source: string = SOURCE): string[] {
  const violations: string[] = [];
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    const file = relative(source, path);
    const room = roomOf(file);
    if (room === undefined) {
      violations.push(`${file}: its directory has no line in scripts/import-directions.ts`);
      continue;
    }
    const text = readFileSync(path, 'utf8');
    for (const [, typeOnly, from, dynamic] of text.matchAll(IMPORT)) {
      const name = from ?? dynamic ?? '';
      const why = name.startsWith('.')
        ? forbidden(room, relative(source, resolve(dirname(path), name)), typeOnly !== undefined)
        : forbiddenPackage(file, name);
      if (why !== undefined) violations.push(`${file}: ${why} (${name})`);
    }
    const used = PROCESS_TEXT.exec(withoutComments(text));
    if (isLibrary(file) && used !== null && !PROCESSES.has(file)) {
      violations.push(`${file}: a library does not touch the process or its terminal (${used[0]})`);
    }
  }
  return violations;
}

function forbidden(room: string, target: string, typeOnly: boolean): string | undefined {
  const other = roomOf(target);
  if (other === room) return undefined;
  const { loads = [], types = [] } = ROOMS[room] ?? {};
  if (isListed(loads, target, other) || (typeOnly && isListed(types, target, other))) return undefined;
  return `${room} must not import ${other ?? target}`;
}

function isListed(entries: readonly string[], target: string, room: string | undefined): boolean {
  return entries.some((entry) => {
    if (!entry.endsWith('/*')) return entry === target || entry === room;
    const directory = entry.slice(0, -2);
    return room === directory || room?.startsWith(`${directory}/`);
  });
}

function forbiddenPackage(file: string, name: string): string | undefined {
  if (file.startsWith('wire/') && !/^node:(string_decoder|net)$/.test(name)) {
    return 'the wire does no I/O and has no dependencies';
  }
  return name === 'commander' && isLibrary(file) ? 'a library knows no command line' : undefined;
}

function isLibrary(file: string): boolean {
  return LIBRARIES.includes(file.split('/')[0] ?? '');
}

/** The file itself or its longest directory that has a line in ROOMS. */
function roomOf(file: string): string | undefined {
  for (let path = file; path !== '.'; path = dirname(path)) {
    if (ROOMS[path] !== undefined) return path;
  }
  return undefined;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}
