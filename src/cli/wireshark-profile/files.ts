/**
 * The profile's files, in Wireshark's own forms (WSUG, "Files used by Wireshark"). Names come from the capture: ksnoop
 * writes those of pods, Services and nodes into it.
 */

/** Each column's title and what stands in it. An interface of ksnoop is called `namespace/pod/any`. */
const COLUMNS = [
  ['No.', '%m'],
  ['Time', '%t'],
  ['Captured in', '%Cus:frame.interface_name:0:R'],
  ['Source', '%rs'],
  ['Src port', '%uS'],
  ['Destination', '%rd'],
  ['Dst port', '%uD'],
  ['Protocol', '%p'],
  ['Length', '%L'],
  ['Info', '%i'],
] as const;

const PREFERENCES: Readonly<Record<string, string>> = {
  // Only the names in the file, without DNS look-ups: addresses of a cluster mean nothing outside it.
  'nameres.network_name': 'TRUE',
  'nameres.use_external_name_resolver': 'FALSE',
  'nameres.dns_pkt_addr_resolution': 'FALSE',
  'nameres.transport_name': 'FALSE',
  'nameres.mac_name': 'FALSE',
  // What a pod sends has its checksum filled in later, by the card or never.
  'ip.check_checksum': 'FALSE',
  'tcp.check_checksum': 'FALSE',
  'udp.check_checksum': 'FALSE',
};

/** What went wrong, before the pods' own colours: its name, a display filter, background and foreground. */
const TROUBLES = [
  ['Answers 5xx', 'http.response.code >= 500 || http2.headers.status >= 500', colour(164, 0, 0), colour(255, 252, 156)],
  ['TCP reset', 'tcp.flags.reset == 1', colour(164, 0, 0), colour(255, 252, 156)],
  [
    'Bad TCP',
    'tcp.analysis.flags && !tcp.analysis.window_update && !tcp.analysis.keep_alive && !tcp.analysis.keep_alive_ack',
    colour(18, 39, 46),
    colour(247, 135, 135),
  ],
  ['DNS failure', 'dns.flags.rcode > 0', colour(18, 39, 46), colour(255, 252, 156)],
] as const;

/** Pale, for the text on them is black. */
const POD_COLOURS = [
  colour(218, 238, 255),
  colour(228, 255, 199),
  colour(255, 240, 214),
  colour(238, 224, 255),
  colour(255, 224, 232),
  colour(214, 250, 245),
  colour(250, 250, 205),
  colour(226, 226, 236),
] as const;

/** A colour as colour filters have it: three numbers of 16 bits. */
function colour(red: number, green: number, blue: number): string {
  return `[${[red, green, blue].map((part) => part * 257).join(',')}]`;
}

export function preferencesText(): string {
  const columns = COLUMNS.map(([title, format]) => `\t"${title}", "${format}"`).join(',\n');
  const rest = Object.entries(PREFERENCES).map(([name, value]) => `${name}: ${value}`);
  return ['# ksnoop: names of pods and Services', 'gui.column.format:', columns, ...rest, ''].join('\n');
}

/** Each pod is one interface of the file; its number, over the number of colours, chooses its colour. */
export function colourFiltersText(): string {
  const black = colour(18, 39, 46);
  const pods = POD_COLOURS.map((back, index) => {
    const filter = `frame.interface_id % ${POD_COLOURS.length} == ${index}`;
    return `@Pod ${index + 1}, ${index + 1 + POD_COLOURS.length} ...@${filter}@${back}${black}`;
  });
  const troubles = TROUBLES.map(([name, filter, back, front]) => `@${name}@${filter}@${back}${front}`);
  return [...troubles, ...pods, ''].join('\n');
}
