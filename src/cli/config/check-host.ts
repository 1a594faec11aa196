import { isIP } from 'node:net';
import { accept, type Checked, refuse } from './checked.ts';

/** A name as DNS, hosts files and containers have it; underscores do occur in the latter. */
const NAME =
  /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/** `[::1]` → `::1`; anything else as it is. */
export function withoutBrackets(text: string): string {
  return /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
}

/** An address (IPv6 with or without brackets) or a name. */
export function isHost(text: string): boolean {
  const bare = withoutBrackets(text);
  if (isIP(bare) !== 0) return bare === text || isIP(bare) === 6;
  // All digits and dots is an address with a mistake in it, not a name.
  return NAME.test(text) && !/^[\d.]+$/.test(text);
}

export function checkListenHost(text: string): Checked<string> {
  if (isHost(text)) return accept(withoutBrackets(text));
  return refuse(
    'is no address or name',
    'an address of this machine or a name, such as 0.0.0.0, 127.0.0.1 or ::',
  );
}

/** Entries of a comma-separated list; blanks around them and empty ones do not count. */
export function entries(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

export function checkHosts(text: string): Checked<readonly string[]> {
  const valid = 'names or addresses without port, comma separated, such as tracker.lan,tracker.example';
  const hosts: string[] = [];
  for (const entry of entries(text)) {
    if (entry.includes('*')) {
      return refuse(
        `${entry}: a pattern would let names of strangers in (DNS rebinding); list each name`,
        valid,
      );
    }
    if (!isHost(entry)) return refuse(`${entry} is no name or address`, valid);
    hosts.push(withoutBrackets(entry).toLowerCase().replace(/\.$/, ''));
  }
  return accept(hosts);
}

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@*,]+$/;

export function checkOrigins(text: string): Checked<readonly string[]> {
  const valid = 'exact origins, comma separated, such as https://panel.example,http://192.168.1.2:3000';
  const origins: string[] = [];
  for (const entry of entries(text)) {
    if (entry.includes('*')) {
      return refuse(
        `${entry}: a pattern would let any web page in it read the history; list each origin`,
        valid,
      );
    }
    const origin = entry.replace(/\/$/, '').toLowerCase();
    if (!ORIGIN.test(origin))
      return refuse(`${entry} is no origin (scheme://host[:port], nothing after it)`, valid);
    // Browsers leave the scheme's own port out of the Origin header.
    const web = /^https?:/.test(origin) && URL.canParse(origin);
    origins.push(web ? new URL(origin).origin : origin);
  }
  return accept(origins);
}
