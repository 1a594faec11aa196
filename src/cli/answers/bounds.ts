import { canonicalZone } from '../../master/http/time-zone.ts';

/** `FROM/TO` as two texts, null where it is not that. */
export function periodOf(text: string): { from: string; to: string } | null {
  const [from = '', to = '', ...more] = text.split('/');
  return from === '' || to === '' || more.length > 0 ? null : { from, to };
}

/** The zone of this machine, as the API takes it. */
export function localZone(): string {
  return canonicalZone(Intl.DateTimeFormat().resolvedOptions().timeZone) ?? 'UTC';
}
