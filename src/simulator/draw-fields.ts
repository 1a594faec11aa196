import type { CoreFields } from './core-fields.ts';
import type { Device } from './household.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import { type Weighted, weightedKeys } from './weighted.ts';
import type { Site, World } from './world.ts';

const INBOUND: Readonly<Record<string, Partial<CoreFields>>> = {
  Tun: { inboundName: 'DEFAULT-TUN', inboundIP: '198.18.0.1', inboundPort: '0' },
  Redir: { inboundName: 'DEFAULT-REDIR', inboundIP: '192.168.1.1', inboundPort: '7892' },
  TProxy: { inboundName: 'DEFAULT-TPROXY', inboundIP: '::', inboundPort: '7893' },
};
const MIXED: Partial<CoreFields> = { inboundName: 'DEFAULT-MIXED', inboundPort: '7890' };

/** Draws what the core says of new connections. */
export class FieldDrawer {
  readonly #world: World;
  readonly #profile: Profile;
  readonly #random: Random;
  readonly #types: Weighted<string>;
  readonly #dnsModes: Weighted<string>;
  /** Client sockets of plain HTTP: the next request of the device may come on the same one. */
  readonly #httpPorts = new Map<string, string>();

  constructor(world: World, profile: Profile, random: Random) {
    this.#world = world;
    this.#profile = profile;
    this.#random = random;
    this.#types = weightedKeys(profile.types);
    this.#dnsModes = weightedKeys(profile.dnsModes);
  }

  fields(site: Site, device: Device, network: 'tcp' | 'udp'): Partial<CoreFields> {
    const random = this.#random;
    const { chains, providerChains, node } = this.#world.proxies.chain(site.target, random);
    const type = this.#type(network);
    const direct = chains[0] === 'DIRECT';
    const addressed = site.host === '' || direct || !random.chance(this.#profile.addresslessShare * 2);
    const host = this.#host(site);
    const program = this.#profile.processes ? this.#world.program.draw(random) : null;
    const sourceIP = this.#profile.processes ? (type === 'Tun' ? '198.18.0.1' : '127.0.0.1') : device.address;
    return {
      network,
      type,
      sourceIP,
      sourcePort: this.#sourcePort(type, sourceIP),
      destinationPort: type === 'HTTP' ? '80' : '443',
      destinationIP: addressed ? site.address : '',
      destinationGeoIP: this.#geo(site, addressed),
      destinationIPASN: addressed ? site.asn : '',
      host,
      dnsMode: host === '' ? 'normal' : this.#dnsModes.draw(random),
      sniffHost: random.chance(0.1) ? host : '',
      ...(program && { process: program.process, processPath: program.processPath, uid: 501 }),
      ...(INBOUND[type] ?? { ...MIXED, inboundIP: this.#profile.processes ? '127.0.0.1' : '192.168.1.1' }),
      // UDP shows the configured server, and nothing when there is none.
      remoteDestination: node?.server ?? (network === 'tcp' && direct ? site.address : ''),
      chains,
      providerChains,
      rule: site.rule,
      rulePayload: site.rulePayload,
    };
  }

  /** Where datagrams go that share an entry with others: a name, else an address. */
  peer(): string {
    const site = this.#random.pick(this.#world.sites);
    return this.#host(site) || site.address;
  }

  /** A site of a content network has another label each time. */
  #host(site: Site): string {
    return site.host.replace('*', () => this.#random.uint32().toString(36).slice(0, 6));
  }

  #type(network: 'tcp' | 'udp'): string {
    const type = this.#types.draw(this.#random);
    if (network === 'tcp') return type;
    // There is no UDP over these.
    if (type === 'Redir') return 'TProxy';
    return type === 'HTTP' || type === 'HTTPS' ? 'Socks5' : type;
  }

  #sourcePort(type: string, sourceIP: string): string {
    const used = this.#httpPorts.get(sourceIP);
    if (type === 'HTTP' && used !== undefined && this.#random.chance(0.6)) return used;
    const port = String(this.#random.between(32_768, 65_535));
    if (type === 'HTTP') this.#httpPorts.set(sourceIP, port);
    return port;
  }

  /** Only a rule on countries that was reached looks one up. */
  #geo(site: Site, addressed: boolean): string[] | null {
    if (!addressed || (site.rule !== 'GeoIP' && site.rule !== 'Match')) return null;
    return this.#random.chance(0.07) ? [] : [site.country];
  }
}
