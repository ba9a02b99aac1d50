import { TOP_KEYS } from '../../view/top/help.ts';
import { TOP_VIEWS } from '../../view/top/index.ts';
import { EVENTS_BUSY_RATE, EVENTS_KEPT, EVENTS_KEPT_BUSY, RING_BYTES } from '../top/limits.ts';
import type { Topic } from './topic.ts';

export const screen: Topic = {
  name: 'screen',
  summary: 'the views and keys of ksnoop top',
  sections: [
    {
      title: 'What it shows',
      parts: [
        {
          lines: [
            'ksnoop top -n shop svc/web deploy/api',
            'ksnoop top incident.pcapng',
            'ssh host tcpdump -w - | ksnoop top -',
          ],
        },
        {
          text: 'ksnoop top TARGET captures while the screen is open. ksnoop top FILE shows the whole file, with the same numbers as ksnoop read FILE -o summary; < and > move through the file, Space replays it. r writes a report, an HTML page, of the packets that are kept. q quits and prints the counts of captured and lost packets.',
        },
      ],
    },
    { title: 'Views', parts: [{ terms: TOP_VIEWS.map(({ name, about }) => [name, about] as const) }] },
    {
      title: 'Keys',
      parts: [
        { terms: TOP_KEYS },
        {
          terms: TOP_VIEWS.flatMap(({ name, keys }) => keys.map(([key, does]) => [`${key} in ${name}`, does] as const)),
        },
      ],
    },
    {
      title: 'What is kept',
      parts: [
        {
          text: `Counts are of everything since the beginning. The lists hold the last ${EVENTS_KEPT.toLocaleString('en-US')} exchanges and events, ${EVENTS_KEPT_BUSY.toLocaleString('en-US')} while more than ${EVENTS_BUSY_RATE.toLocaleString('en-US')} per second arrive. w writes the last packets, up to ${RING_BYTES / 1024 / 1024} MiB, to a new file in the current directory. While the screen is paused the capture continues; the first line counts what is new. An expression that is entered during a capture applies to the exchanges that are still kept and to all that follow; for a file it applies to the whole file.`,
        },
        {
          text: 'Requests without a response yet, and open connections, are counted when they end: the summary at the end of a capture has a few more.',
        },
      ],
    },
    {
      title: 'Terminals',
      parts: [
        {
          text: 'Any terminal from 40x8 works, also in tmux and over ssh. It uses eight colours, none with NO_COLOR, and only ASCII where the locale is not UTF-8. The terminal is restored after q, Ctrl-C, a signal or a crash. Without a terminal use -o summary, or -o json for programs.',
        },
      ],
    },
  ],
};
