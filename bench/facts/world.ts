import { PROGRAMS } from '../../src/simulator/programs.ts';
import { type Node, Proxies } from '../../src/simulator/proxies.ts';
import { Random } from '../../src/simulator/random.ts';
import { Weighted, zipf } from '../../src/simulator/weighted.ts';

/**
 * What the generated connections are made of: who and what there is, before anything moves. A connection names its
 * parts by their place in these lists, so that it is a handful of integers wherever it goes.
 */
export interface World {
  readonly agents: readonly Agent[];
  readonly devices: readonly Device[];
  /** Place 0: connections without a host name. */
  readonly hosts: readonly Host[];
  readonly addresses: readonly Address[];
  readonly rules: readonly Rule[];
  readonly chains: readonly Chain[];
  readonly programs: readonly { process: string; processPath: string }[];
}

export interface Agent {
  readonly name: string;
  /** Places of its nodes, the busiest first. */
  readonly nodes: Weighted<number>;
}

export interface Device {
  readonly agent: number;
  readonly address: string;
  readonly connType: string;
  readonly inboundName: string;
  readonly inboundUser: string;
  /** Places of its programs; a phone behind a router has only the nameless one. */
  readonly programs: readonly number[];
}

export interface Host {
  readonly name: string;
  readonly port: number;
  readonly network: string;
  readonly rule: number;
  /** Its addresses follow each other. */
  readonly firstAddress: number;
  readonly addresses: number;
}

export interface Address {
  readonly text: string;
  readonly country: string;
  readonly asn: string;
}

export interface Rule {
  readonly type: string;
  readonly payload: string;
  /** Place of the first of its chains: one a node for what goes through a proxy, else the only one. */
  readonly firstChain: number;
  readonly proxied: boolean;
}

export interface Chain {
  /** JSON text as the tracker keeps it: group first, exit node last. */
  readonly chains: string;
  readonly provider: string;
}

const AGENTS = 20;
const DEVICES_PER_AGENT = 12;
const HOSTS = 50_000;
const SITES = 12_000;
const ADDRESSES = 80_000;
const NODES = 40;
const NODES_PER_AGENT = 8;
const COUNTRIES = 'us jp sg hk de gb nl fr cn tw kr in au ca br it es se ch ie fi pl ru tr id'.split(' ');
const ENDINGS = ['com', 'net', 'org', 'io', 'co.jp', 'com.cn', 'de', 'app', 'co.uk', 'dev'];
const LABELS = ['www', 'api', 'cdn', 'img', 'static', 'video', 'push', 'auth', 'data', 'edge'];
/** Of 20 hosts, so many have this port. */
const PORTS = [...new Array<number>(16).fill(443), 80, 80, 8443, 5228];
const RULE_TYPES = ['RuleSet', 'DomainSuffix', 'GeoSite', 'DomainKeyword', 'GeoIP', 'IPCIDR', 'ProcessName'];
const RULES = 45;
const GROUPS = ['Select', 'Streaming', 'Social', 'AI', 'Games', 'Downloads'];

function makeRules(nodes: readonly Node[]): { rules: Rule[]; chains: Chain[] } {
  const chains: Chain[] = [];
  const add = (path: readonly string[], provider = '') =>
    chains.push({ chains: JSON.stringify(path), provider }) - 1;
  const direct = add(['Domestic', 'DIRECT']);
  const reject = add(['Ads', 'REJECT']);
  const proxied = GROUPS.map((group) => {
    const first = chains.length;
    for (const node of nodes) add([group, 'Automatic', node.name], node.provider);
    return first;
  });
  const rules = Array.from({ length: RULES }, (_, i): Rule => {
    const last = i === RULES - 1;
    const type = last ? 'Match' : RULE_TYPES[i % RULE_TYPES.length]!;
    const payload = last ? '' : `${type.toLowerCase()}-${1 + Math.floor(i / RULE_TYPES.length)}`;
    if (i % 3 === 1) return { type, payload, firstChain: direct, proxied: false };
    if (i === 6) return { type, payload, firstChain: reject, proxied: false };
    return { type, payload, firstChain: proxied[i % GROUPS.length]!, proxied: true };
  });
  return { rules, chains };
}

/** 3 hosts of 5 have two addresses, so that 50,000 of them have 80,000. */
function addressesOf(host: number): { firstAddress: number; addresses: number } {
  const place = host % 5;
  const firstAddress = Math.floor(host / 5) * 8 + (place < 3 ? place * 2 : place + 3);
  return { firstAddress, addresses: place < 3 ? 2 : 1 };
}

function makeHosts(random: Random, rules: readonly Rule[]): Host[] {
  const rule = zipf(rules.map((_, place) => place));
  const site = zipf(Array.from({ length: SITES }, (_, place) => place));
  const nameless: Host = {
    name: '',
    port: 443,
    network: 'tcp',
    rule: rules.length - 1,
    firstAddress: 0,
    addresses: 400,
  };
  const named = Array.from({ length: HOSTS }, (_, place): Host => {
    const of = site.draw(random);
    return {
      name: `${LABELS[place % LABELS.length]}-${place.toString(36)}.site-${of}.${ENDINGS[of % ENDINGS.length]}`,
      port: PORTS[random.between(0, PORTS.length - 1)]!,
      network: random.chance(0.08) ? 'udp' : 'tcp',
      rule: rule.draw(random),
      ...addressesOf(place),
    };
  });
  return [nameless, ...named];
}

function makeAddresses(random: Random): Address[] {
  const country = zipf(COUNTRIES);
  return Array.from({ length: ADDRESSES }, (_, place) => ({
    text:
      place % 10 === 9
        ? `2001:db8:${(place >> 8).toString(16)}::${((place & 255) + 1).toString(16)}`
        : `${20 + (place >> 16)}.${(place >> 8) & 255}.${place & 255}.${1 + random.between(0, 253)}`,
    country: random.chance(0.1) ? '' : country.draw(random),
    asn: random.chance(0.2) ? '' : `${13_000 + (place % 90)} NETWORK-${place % 90}`,
  }));
}

function makeDevices(random: Random, programs: number): Device[] {
  return Array.from({ length: AGENTS * DEVICES_PER_AGENT }, (_, place) => {
    const computer = place % 3 === 0;
    const tun = random.chance(0.8);
    return {
      agent: Math.floor(place / DEVICES_PER_AGENT),
      address: `192.168.${Math.floor(place / DEVICES_PER_AGENT)}.${10 + (place % DEVICES_PER_AGENT)}`,
      connType: tun ? 'Tun' : random.chance(0.5) ? 'HTTP' : 'Socks5',
      inboundName: tun ? 'DEFAULT-TUN' : 'DEFAULT-MIXED',
      inboundUser: random.chance(0.1) ? `user-${place % 5}` : '',
      programs: computer ? Array.from({ length: 5 }, () => random.between(0, programs - 2)) : [programs - 1],
    };
  });
}

export function makeWorld(seed: number): World {
  const random = new Random(`world-${seed}`);
  const { nodes } = new Proxies(NODES);
  const { rules, chains } = makeRules(nodes);
  const programs = PROGRAMS.toSorted((a, b) => b.process.length - a.process.length);
  const agents = Array.from({ length: AGENTS }, (_, place): Agent => {
    const own = Array.from({ length: NODES_PER_AGENT }, (_, i) => (place * 7 + i * 5) % NODES);
    return { name: `agent-${String(place + 1).padStart(2, '0')}`, nodes: zipf(own) };
  });
  return {
    agents,
    devices: makeDevices(random, programs.length),
    hosts: makeHosts(random, rules),
    addresses: makeAddresses(random),
    rules,
    chains,
    programs,
  };
}

/** Agents and devices differ as households do: the busiest moves some ten times as much as the least busy. */
export function byBusyness<T>(items: readonly T[]): Weighted<number> {
  const places = items.map((_, place) => place);
  return new Weighted(places, (_, place) => 1 / (1 + (place % 20) / 2));
}
