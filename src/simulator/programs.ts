/** A local program that opens connections, as the core of a desktop finds it. */
export interface Program {
  process: string;
  processPath: string;
  weight: number;
}

export const PROGRAMS: readonly Program[] = [
  {
    process: 'Google Chrome Helper',
    processPath:
      '/Applications/Google Chrome.app/Contents/Frameworks/Google Chrome Framework.framework/Versions/138.0.7204.50/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper',
    weight: 40,
  },
  { process: 'firefox', processPath: '/Applications/Firefox.app/Contents/MacOS/firefox', weight: 12 },
  {
    process: 'Code Helper',
    processPath:
      '/Applications/Visual Studio Code.app/Contents/Frameworks/Code Helper.app/Contents/MacOS/Code Helper',
    weight: 10,
  },
  { process: 'Telegram', processPath: '/Applications/Telegram.app/Contents/MacOS/Telegram', weight: 8 },
  { process: 'Spotify', processPath: '/Applications/Spotify.app/Contents/MacOS/Spotify', weight: 6 },
  { process: 'steam_osx', processPath: '/Applications/Steam.app/Contents/MacOS/steam_osx', weight: 5 },
  { process: 'node', processPath: '/opt/homebrew/bin/node', weight: 5 },
  { process: 'git-remote-http', processPath: '/opt/homebrew/libexec/git-core/git-remote-http', weight: 3 },
  { process: 'curl', processPath: '/usr/bin/curl', weight: 2 },
  {
    process: 'apsd',
    processPath: '/System/Library/PrivateFrameworks/ApplePushService.framework/apsd',
    weight: 4,
  },
  { process: '', processPath: '', weight: 5 },
];
