import { styleText } from 'node:util';
import { byteSize } from '../../common/byte-size.ts';
import type { ConnectionFields } from '../../domain/connection.ts';
import { parseChains } from '../../domain/dimensions.ts';
import { visible } from './visible.ts';
import { cut, padEnd } from './width.ts';

/** What happened, as it waits in the queue: references and numbers only, made a line when it is printed. */
export type ConsoleEvent =
  | { readonly kind: 'open'; readonly at: number; readonly fields: ConnectionFields }
  | {
      readonly kind: 'close';
      readonly at: number;
      readonly fields: ConnectionFields;
      readonly download: number;
      readonly upload: number;
    }
  | {
      readonly kind: 'traffic';
      readonly at: number;
      readonly fields: ConnectionFields;
      readonly deltaDownload: number;
      readonly deltaUpload: number;
      readonly download: number;
      readonly upload: number;
    }
  | { readonly kind: 'note'; readonly at: number; readonly text: string };

export interface LineStyle {
  /** Columns aligned and the time short; else one blank between the parts and the date in front. */
  readonly aligned: boolean;
  readonly colour: boolean;
}

type Format = Parameters<typeof styleText>[0];

const KIND_FORMAT: Record<ConsoleEvent['kind'], Format> = {
  open: 'green',
  close: 'red',
  traffic: 'cyan',
  note: 'yellow',
};

/** Columns of a name, of a host, and of free text; longer ones are cut. */
const NAME_COLUMNS = 48;
const HOST_COLUMNS = 64;
const NOTE_COLUMNS = 400;

/** Where the columns after source and destination begin on a terminal, unless these are longer. */
const SOURCE_COLUMNS = 21;
const DESTINATION_COLUMNS = 32;
const SIZE_COLUMNS = 11;

function clean(text: string, max: number, keepEnd = false): string {
  // Nothing looks at more of a text than can be shown, however long it is.
  const bound = max * 8;
  const part = keepEnd ? text.slice(-bound) : text.slice(0, bound);
  return cut(visible(part), max, keepEnd);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

function timeOf(at: number, short: boolean): string {
  const date = new Date(at);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return short ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** `host:port`; a host keeps its end when cut, where the site is that a long prefix would hide. */
function endpoint(host: string, port: string): string {
  const name = host === '' ? '?' : clean(host, HOST_COLUMNS, true);
  return `${name.includes(':') ? `[${name}]` : name}:${clean(port, 8)}`;
}

function chainOf(fields: ConnectionFields): string {
  // A chain of hundreds is no chain; its group and its exit say most.
  const chain = parseChains(fields.chains);
  const shown = chain.length > 8 ? [...chain.slice(0, 4), '…', ...chain.slice(-3)] : chain;
  return shown.map((name) => clean(name, NAME_COLUMNS)).join(' → ');
}

function ruleOf(fields: ConnectionFields): string {
  const rule = clean(fields.rule, NAME_COLUMNS);
  return fields.rule_payload === '' ? rule : `${rule} (${clean(fields.rule_payload, NAME_COLUMNS)})`;
}

/** The event as one line, without the newline. */
export function consoleLine(event: ConsoleEvent, style: LineStyle): string {
  const paint = (format: Format, text: string) =>
    style.colour && text !== '' ? styleText(format, text, { validateStream: false }) : text;
  const pad = (text: string, columns: number) => (style.aligned ? padEnd(text, columns) : text);
  const size = (bytes: number) => (style.aligned ? byteSize(bytes).padStart(SIZE_COLUMNS) : byteSize(bytes));

  const head = [
    paint('dim', timeOf(event.at, style.aligned)),
    paint(KIND_FORMAT[event.kind], pad(event.kind, 7)),
  ];
  if (event.kind === 'note') return [...head, clean(event.text, NOTE_COLUMNS)].join(' ');

  const { fields } = event;
  const parts = [
    ...head,
    pad(clean(fields.network, 8), 3),
    pad(endpoint(fields.source_ip, fields.source_port), SOURCE_COLUMNS),
    paint('dim', '→'),
    paint(
      'bold',
      pad(endpoint(fields.host || fields.destination_ip, fields.destination_port), DESTINATION_COLUMNS),
    ),
  ];
  if (event.kind === 'open') {
    parts.push(ruleOf(fields), paint('dim', '|'), paint('magenta', chainOf(fields)));
  } else {
    if (event.kind === 'traffic')
      parts.push(`↑ +${size(event.deltaUpload)}`, `↓ +${size(event.deltaDownload)}`);
    else parts.push(`↑ ${size(event.upload)}`, `↓ ${size(event.download)}`);
    parts.push(`total ${size(event.upload + event.download)}`);
    if (event.kind === 'close') parts.push(paint('dim', clean(fields.id, NAME_COLUMNS)));
  }
  return parts.join(' ');
}
