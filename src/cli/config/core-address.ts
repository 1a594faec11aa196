import { isHost } from './check-host.ts';
import { accept, type Checked, refuse } from './checked.ts';

const VALID =
  'an address or name (127.0.0.1, ::1, router.lan), unix:/path, http://host[:port] or https://host[:port]';

/**
 * Whether `--mihomo-host` has one of the forms that the collector connects to. Only the form: taking it apart is
 * the collector's.
 */
export function checkCoreAddress(text: string): Checked<string> {
  if (text.startsWith('unix:')) {
    return text.startsWith('unix:/') ? accept(text) : refuse('is no absolute path', VALID);
  }
  if (!text.includes('://')) {
    if (isHost(text)) return accept(text);
    const withPort = /^(.+):(\d+)$/.exec(text);
    if (withPort && isHost(withPort[1]!)) {
      return refuse('has a port in it', `${withPort[1]} here, and ${withPort[2]} as --mihomo-port`);
    }
    return refuse('is no address or name', VALID);
  }
  if (!/^https?:\/\//i.test(text)) return refuse('has a scheme that is not spoken', VALID);
  if (!URL.canParse(text)) return refuse('is no URL', VALID);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    return refuse(
      'has credentials in it',
      `${url.protocol}//${url.host} here, and the secret as --mihomo-token`,
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return refuse('has more than host and port', `${url.protocol}//${url.host}`);
  }
  return accept(text);
}

export interface CoreAddressKind {
  readonly tls: boolean;
  /** A port in the address itself, or a socket file, which has none. */
  readonly portDecided: boolean;
}

/** What the rules between options must know of an address that was accepted. */
export function coreAddressKind(text: string): CoreAddressKind {
  const url = /^(https?):\/\/(\[[^\]]*\]|[^/:]*)(:\d+)?/i.exec(text);
  return {
    tls: url?.[1]?.toLowerCase() === 'https',
    portDecided: text.startsWith('unix:') || url?.[3] !== undefined,
  };
}
