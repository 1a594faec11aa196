import { type Device, devices } from './household.ts';
import type { Profile } from './profile.ts';
import { PROGRAMS, type Program } from './programs.ts';
import { GROUPS, Proxies } from './proxies.ts';
import type { Random } from './random.ts';
import { SITES, type SiteKind, tailHost } from './sites.ts';
import { Weighted, zipf } from './weighted.ts';

/** A host that is visited, and what the core's rules say of it: the same every time. */
export interface Site {
  kind: SiteKind;
  /** `''`: spoken to by address only. `*` stands for a random label. */
  host: string;
  address: string;
  country: string;
  asn: string;
  rule: string;
  rulePayload: string;
  /** The rule's target: a group, `DIRECT` or `REJECT-DROP`. */
  target: string;
}

/** The surroundings of a simulated core: who is there, where they go, which ways lead there. */
export class World {
  readonly sites: readonly Site[];
  readonly proxies: Proxies;
  readonly popular: Weighted<Site>;
  readonly device: Weighted<Device>;
  readonly program: Weighted<Program>;

  constructor(profile: Profile, random: Random) {
    this.proxies = new Proxies(profile.nodes);
    this.sites = makeSites(profile.hosts, random);
    this.popular = zipf(this.sites);
    this.device = new Weighted(devices(profile.devices), (device) => device.weight);
    this.program = new Weighted(PROGRAMS, (program) => program.weight);
  }

  sitesOf(kind: SiteKind): Site[] {
    return this.sites.filter((site) => site.kind === kind);
  }
}

/** The known hosts of all kinds interleaved, most popular first, then the long tail. */
function makeSites(count: number, random: Random): Site[] {
  const sites: Site[] = [];
  const longest = Math.max(...SITES.map((row) => row.length));
  for (let place = 1; place < longest; place++) {
    for (const [kind, ...hosts] of SITES) {
      const host = hosts[place - 1];
      if (host !== undefined && sites.length < count) sites.push(makeSite(kind, host, random));
    }
  }
  for (let number = 0; sites.length < count; number++) {
    const host = tailHost(number);
    sites.push(makeSite(/cn$/.test(host) ? 'domestic' : 'foreign', host, random));
  }
  return sites;
}

const RULES = new Weighted<[rule: string, weight: number]>(
  [
    ['RuleSet', 35],
    ['GeoSite', 20],
    ['DomainSuffix', 15],
    ['GeoIP', 12],
    ['Match', 10],
    ['IPCIDR', 3],
    ['DomainKeyword', 1],
    ['ProcessName', 1],
    ['AND', 1],
    ['', 1],
  ],
  ([, weight]) => weight,
);

const ASNS = ['13335 CLOUDFLARENET', '15169 GOOGLE', '4134 Chinanet', '0 '];

function makeSite(kind: SiteKind, host: string, random: Random): Site {
  const domestic = kind === 'domestic';
  const address = `${domestic ? 36 : 104}.${random.between(1, 250)}.${random.between(0, 255)}.${random.between(1, 254)}`;
  const [drawn] = RULES.draw(random);
  // A rule on names cannot match what has none; and what no rule matches does not go direct.
  const rule = host === '' ? 'IPCIDR' : domestic && (drawn === 'Match' || drawn === '') ? 'GeoIP' : drawn;
  return {
    kind,
    host,
    address,
    country: domestic ? 'cn' : random.pick(['us', 'us', 'us', 'hk', 'jp', 'sg', 'de', 'nl', 'gb']),
    asn: random.chance(0.1) ? random.pick(ASNS) : '',
    rule,
    rulePayload: payloadOf(rule, kind, host, address),
    target: rule === 'Match' ? GROUPS.rest : targetOf(kind, random),
  };
}

function targetOf(kind: SiteKind, random: Random): string {
  switch (kind) {
    case 'domestic':
      return 'DIRECT';
    case 'video':
      return GROUPS.media;
    case 'ai':
      return GROUPS.ai;
    case 'chat':
      return GROUPS.telegram;
    case 'game':
      return GROUPS.game;
    case 'apple':
      return GROUPS.apple;
    case 'download':
      return GROUPS.download;
    case 'ads':
      return random.chance(0.3) ? 'REJECT-DROP' : GROUPS.ads;
    default:
      return random.chance(0.5) ? GROUPS.select : GROUPS.auto;
  }
}

function payloadOf(rule: string, kind: SiteKind, host: string, address: string): string {
  switch (rule) {
    case 'RuleSet':
      return kind === 'domestic' ? 'cn-domains' : `${kind}-list`;
    case 'GeoSite':
      return kind === 'domestic' ? 'cn' : 'geolocation-!cn';
    case 'DomainSuffix':
      return host.split('.').slice(-2).join('.');
    case 'GeoIP':
      return kind === 'domestic' ? 'cn' : 'us';
    case 'IPCIDR':
      return `${address.split('.').slice(0, 2).join('.')}.0.0/16`;
    case 'DomainKeyword':
      return host.split('.').at(-2) ?? 'x';
    case 'ProcessName':
      return 'Telegram';
    case 'AND':
      return '((Network,tcp) && (DstPort,443))';
    default:
      return '';
  }
}
