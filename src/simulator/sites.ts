/** What a host is for decides its way through the core, its port and how much it moves. */
export type SiteKind =
  | 'domestic'
  | 'video'
  | 'social'
  | 'ai'
  | 'chat'
  | 'game'
  | 'work'
  | 'download'
  | 'apple'
  | 'ads'
  | 'foreign';

/** Bytes and length of life of a kind, relative to a plain web request. */
export const KIND_FACTORS: Readonly<Record<SiteKind, { bytes: number; life: number }>> = {
  domestic: { bytes: 4, life: 1 },
  video: { bytes: 60, life: 4 },
  social: { bytes: 15, life: 2 },
  ai: { bytes: 3, life: 4 },
  chat: { bytes: 1, life: 6 },
  game: { bytes: 10, life: 5 },
  work: { bytes: 5, life: 2 },
  download: { bytes: 40, life: 3 },
  apple: { bytes: 10, life: 1 },
  ads: { bytes: 0, life: 0 },
  foreign: { bytes: 4, life: 1 },
};

/** Hosts by popularity within a kind; `*` is a random label that no two connections share (CDN). */
export const SITES: readonly (readonly [kind: SiteKind, ...hosts: string[]])[] = [
  ['domestic', 'www.baidu.com', 'www.bilibili.com', 'upos-sz-*.bilivideo.com', 'www.taobao.com'],
  ['domestic', 'api.weibo.cn', 'mp.weixin.qq.com', 'www.zhihu.com', 'v*.douyinvod.com', 'music.163.com'],
  ['video', 'rr*---sn-i3b7kn6s.googlevideo.com', 'www.youtube.com'],
  [
    'video',
    'ipv4-c*-sin001-ix.1.oca.nflxvideo.net',
    'www.netflix.com',
    'vod-*.disneyplus.com',
    'usher.ttvnw.net',
  ],
  [
    'social',
    'i.ytimg.com',
    'x.com',
    'pbs.twimg.com',
    'www.instagram.com',
    'scontent-*.cdninstagram.com',
    'www.reddit.com',
  ],
  ['social', 'i.redd.it', 'discord.com', 'cdn.discordapp.com', 'www.pixiv.net', 'i.pximg.net'],
  ['ai', 'chatgpt.com', 'api.openai.com', 'claude.ai', 'gemini.google.com', 'huggingface.co'],
  [
    'chat',
    'web.telegram.org',
    '',
    'mtalk.google.com',
    'web.whatsapp.com',
    'gateway.discord.gg',
    'mqtt.home.example',
  ],
  [
    'game',
    'cm*.steamserver.net',
    'cache*-hkg1.steamcontent.com',
    'accounts.nintendo.com',
    'api.epicgames.dev',
  ],
  ['work', 'github.com', 'api.github.com', 'raw.githubusercontent.com', 'www.google.com', 'mail.google.com'],
  ['work', 'zoom.us', 'teams.microsoft.com', 'www.notion.so', 'en.wikipedia.org', 'stackoverflow.com'],
  [
    'download',
    'objects.githubusercontent.com',
    'registry.npmjs.org',
    'registry-1.docker.io',
    'dl.google.com',
  ],
  ['download', 'download.windowsupdate.com', 'deb.debian.org', 'cdn-lfs.huggingface.co'],
  [
    'apple',
    'swcdn.apple.com',
    'gateway.icloud.com',
    'p*-content.icloud.com',
    'push.apple.com',
    'time.apple.com',
  ],
  ['ads', 'ad.doubleclick.net', 'googleads.g.doubleclick.net', 'ads.example.com', 'stats.miui.com'],
];

const FIRST = [
  'blue',
  'quick',
  'north',
  'little',
  'silver',
  'open',
  'daily',
  'green',
  'cloud',
  'river',
  'stone',
  'my',
];
const SECOND = [
  'shop',
  'news',
  'cdn',
  'forum',
  'wiki',
  'mail',
  'pixel',
  'travel',
  'recipes',
  'static',
  'media',
  'bank',
];
const ENDINGS = ['com', 'net', 'org', 'io', 'cn', 'co.jp', 'de', 'com.cn', 'app', 'dev'];

/** A name for the long tail: the same number gives the same name. */
export function tailHost(number: number): string {
  const first = FIRST[number % FIRST.length];
  const second = SECOND[Math.floor(number / FIRST.length) % SECOND.length];
  const ending = ENDINGS[number % ENDINGS.length];
  const round = Math.floor(number / (FIRST.length * SECOND.length));
  return `${round === 0 ? 'www' : `s${round}`}.${first}-${second}.${ending}`;
}
