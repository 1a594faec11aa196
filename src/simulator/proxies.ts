import type { Random } from './random.ts';
import { type Weighted, zipf } from './weighted.ts';

export interface Node {
  name: string;
  /** `''`: from the configuration itself. */
  provider: string;
  /** Address of its server, shown as `remoteDestination`. */
  server: string;
}

export const PROVIDERS = ['airport-a', 'airport-b'] as const;

/** The policy groups; every one leads to another or to a node. */
export const GROUPS = {
  select: '节点选择',
  auto: '♻️ 自动选择',
  balance: '⚖️ Load balance',
  media: '🎬 流媒体',
  ai: '🤖 AI <US & JP>',
  telegram: '📲 Telegram',
  game: '🎮 游戏平台',
  apple: '🍎 Apple',
  download: '⬇️ Downloads & updates',
  rest: '🐟 漏网之鱼',
  ads: '🛑 广告拦截',
} as const;

const REGIONS = [
  '🇭🇰 香港',
  '🇯🇵 日本',
  '🇸🇬 新加坡',
  '🇺🇸 US Los Angeles',
  '🇹🇼 台湾',
  '🇩🇪 Frankfurt',
  '🇬🇧 London',
];

/** The nodes and groups of a configuration, and which way each group goes at the moment. */
export class Proxies {
  readonly nodes: readonly Node[];
  readonly #byName: Map<string, Node>;
  readonly #busy: Weighted<Node>;
  readonly #now = new Map<string, string>();

  constructor(count: number) {
    this.nodes = Array.from({ length: count }, (_, index) => makeNode(index));
    this.#byName = new Map(this.nodes.map((node) => [node.name, node]));
    this.#busy = zipf(this.nodes);
    const node = (index: number) => this.nodes[index % count]!.name;
    const { select, auto, balance, media, ai, telegram, game, apple, download, rest, ads } = GROUPS;
    for (const [group, now] of [
      [select, balance],
      [auto, node(0)],
      [media, select],
      [ai, node(3)],
      [telegram, auto],
      [game, 'DIRECT'],
      [apple, 'DIRECT'],
      [download, auto],
      [rest, select],
      [ads, 'REJECT'],
    ] as const)
      this.#now.set(group, now);
    // A load balancer has no choice of its own: each connection may get another node.
    this.#now.set(balance, '');
  }

  switch(group: string, to: string): void {
    if (!this.#now.has(group)) throw new Error(`no group ${group}`);
    this.#now.set(group, to);
  }

  /** The way from a group (or straight from a node) to the exit, as the core lists it: exit first. */
  chain(from: string, random: Random): { chains: string[]; providerChains: string[]; node: Node | null } {
    const chains = [from];
    let now = this.#now.get(from);
    while (now !== undefined) {
      const next: string = now === '' ? this.#busy.draw(random).name : now;
      chains.unshift(next);
      now = this.#now.get(next);
    }
    const node = this.#byName.get(chains[0]!) ?? null;
    const providerChains = chains.map((name) => this.#byName.get(name)?.provider ?? '');
    return { chains, providerChains, node };
  }
}

function makeNode(index: number): Node {
  const region = REGIONS[index % REGIONS.length]!;
  const number = String(1 + Math.floor(index / REGIONS.length)).padStart(2, '0');
  const server = `203.0.113.${1 + (index % 250)}`;
  if (index % 10 === 9) return { name: `${region} ${number} <VPS>`, provider: '', server };
  const provider = index % 3 === 2 ? PROVIDERS[1] : PROVIDERS[0];
  const multiplier = index % 5 === 4 ? ' | 2x' : '';
  return { name: `${region} ${number}${multiplier}`, provider, server };
}
