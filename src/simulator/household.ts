/** A device in the LAN of the simulated household: what its people call it, and the address the core sees. */
export interface Device {
  name: string;
  address: string;
  /** How busy it is, relative to the others. */
  weight: number;
}

/** The devices with names; more than these are nameless small things. */
export const DEVICES: readonly Device[] = [
  { name: '客厅电视 (Living room TV)', address: '192.168.1.20', weight: 9 },
  { name: "Anna's MacBook", address: '192.168.1.31', weight: 8 },
  { name: "Ben's PC", address: '192.168.1.32', weight: 8 },
  { name: "Anna's iPhone", address: '192.168.1.41', weight: 6 },
  { name: '小米手机 (Ben)', address: '192.168.1.42', weight: 5 },
  { name: 'iPad (kids)', address: '192.168.1.43', weight: 4 },
  { name: 'NAS', address: '192.168.1.10', weight: 3 },
  { name: 'Nintendo Switch', address: '192.168.1.51', weight: 2 },
  { name: 'Home Assistant', address: '192.168.1.11', weight: 1 },
  { name: '扫地机器人 (Robot)', address: '192.168.1.61', weight: 0.5 },
  { name: 'Guest laptop', address: 'fd00:1::6:21', weight: 1 },
];

/** The first `count` devices of the household, continued with nameless ones. */
export function devices(count: number): Device[] {
  return Array.from({ length: count }, (_, index) => {
    const named = DEVICES[index];
    if (named !== undefined) return named;
    const number = index - DEVICES.length;
    const address = `192.168.${2 + Math.floor(number / 250)}.${1 + (number % 250)}`;
    return { name: `device ${number + 1}`, address, weight: 1 / (number + 2) };
  });
}
