import { describe, expect, test } from 'vitest';
import { checkHosts, checkListenHost, checkOrigins } from './check-host.ts';
import { checkMasterUrl, isExposed } from './check-master-url.ts';
import { checkCoreAddress, coreAddressKind } from './core-address.ts';

describe('--mihomo-host', () => {
  test.each([
    ['1.2.3.4'],
    ['::1'],
    ['[::1]'],
    ['router.lan'],
    ['mihomo_core'],
    ['unix:/run/mihomo.sock'],
    ['http://h'],
    ['http://h:9090'],
    ['https://[::1]:9443/'],
  ])('accepts %s as it is', (text) => {
    expect(checkCoreAddress(text)).toEqual({ ok: true, value: text });
  });

  test.each([
    ['1.2.3'],
    ['1.2.3.4:9090'],
    ['a b'],
    ['unix:relative.sock'],
    ['ws://h'],
    ['http://h/path'],
    ['http://h?secret=x'],
    ['http://u:p@h'],
    ['http://h:99999'],
    ['http://'],
  ])('refuses %s', (text) => {
    expect(checkCoreAddress(text)).toMatchObject({ ok: false });
  });

  test('a port in a bare address is pointed to where it belongs', () => {
    expect(checkCoreAddress('1.2.3.4:99')).toMatchObject({ valid: '1.2.3.4 here, and 99 as --mihomo-port' });
  });

  test('what the rules need to know', () => {
    expect(coreAddressKind('https://h')).toEqual({ tls: true, portDecided: false });
    expect(coreAddressKind('http://[::1]:80')).toEqual({ tls: false, portDecided: true });
    expect(coreAddressKind('http://[::1]')).toEqual({ tls: false, portDecided: false });
    expect(coreAddressKind('unix:/s')).toEqual({ tls: false, portDecided: true });
    expect(coreAddressKind('::1')).toEqual({ tls: false, portDecided: false });
  });
});

describe('--master-url', () => {
  test.each([
    ['http://192.168.1.10:8080', 'http://192.168.1.10:8080'],
    ['https://a.example/tracker/', 'https://a.example/tracker'],
    ['HTTP://Host:80//', 'http://host'],
    ['http://127.0.0.1:8080/api/v1', 'http://127.0.0.1:8080'],
    ['https://a.example/tracker/api/v1/', 'https://a.example/tracker'],
    ['http://h/api/v1/stats', 'http://h/api/v1/stats'],
    ['http://h/myapi/v1', 'http://h/myapi/v1'],
  ])('%s is kept as %s', (text, value) => {
    expect(checkMasterUrl(text)).toEqual({ ok: true, value });
  });

  test.each([
    ['ftp://h'],
    ['http://h/?a=b'],
    ['http://h/#x'],
    ['http://h?'],
    ['http://u@h'],
    ['http://'],
    ['192.168.1.10:8080'],
    ['nonsense'],
  ])('refuses %s', (text) => {
    expect(checkMasterUrl(text)).toMatchObject({ ok: false });
  });

  test('a missing scheme is added to the advice', () => {
    expect(checkMasterUrl('10.0.0.1:8080')).toMatchObject({ valid: 'http://10.0.0.1:8080 (or https://)' });
  });

  test.each([
    ['http://10.1.2.3', false],
    ['http://172.31.0.1', false],
    ['http://172.32.0.1', true],
    ['http://[::1]', false],
    ['http://[fd00::1]', false],
    ['http://[2001:db8::1]', true],
    ['http://nas', false],
    ['http://nas.lan', false],
    ['http://a.example.com', true],
    ['https://a.example.com', false],
  ])('%s exposes the token: %s', (url, exposed) => {
    expect(isExposed(url)).toBe(exposed);
  });
});

describe('lists of names', () => {
  test('--allow-hosts', () => {
    expect(checkHosts('Tracker.LAN., [::1] ,,a')).toEqual({ ok: true, value: ['tracker.lan', '::1', 'a'] });
    expect(checkHosts('*.lan')).toMatchObject({ ok: false });
    expect(checkHosts('a:80')).toMatchObject({ ok: false });
  });

  test('--trusted-origins', () => {
    expect(checkOrigins('https://A.example:443/, tauri://localhost')).toEqual({
      ok: true,
      value: ['https://a.example', 'tauri://localhost'],
    });
    for (const text of ['*', 'https://*.a', 'a.example', 'null', 'https://a/b', 'https://u@a']) {
      expect(checkOrigins(text), text).toMatchObject({ ok: false });
    }
  });

  test('--listen-host', () => {
    expect(checkListenHost('[::]')).toEqual({ ok: true, value: '::' });
    expect(checkListenHost('localhost')).toMatchObject({ ok: true });
    expect(checkListenHost('[1.2.3.4]')).toMatchObject({ ok: false });
  });
});
