import { describe, expect, it } from 'vitest';
import { parseCoreAddress } from './address.ts';

const plain = { secure: false, basePath: '', socketPath: undefined };

describe('parseCoreAddress', () => {
  it.each([
    ['127.0.0.1', { host: '127.0.0.1', port: 9090, ...plain }],
    [' router.lan ', { host: 'router.lan', port: 9090, ...plain }],
    ['::1', { host: '::1', port: 9090, ...plain }],
    ['[::1]', { host: '::1', port: 9090, ...plain }],
    ['[::1]:1234', { host: '::1', port: 1234, ...plain }],
    ['fe80::1%eth0', { host: 'fe80::1%eth0', port: 9090, ...plain }],
    ['router:1234', { host: 'router', port: 1234, ...plain }],
    ['http://router', { host: 'router', port: 9090, ...plain }],
    ['https://router', { host: 'router', port: 9090, ...plain, secure: true }],
    ['https://router:443/', { host: 'router', port: 443, ...plain, secure: true }],
    ['HTTPS://[2001:db8::1]:8443', { host: '2001:db8::1', port: 8443, ...plain, secure: true }],
    ['https://proxy/clash/', { host: 'proxy', port: 9090, ...plain, secure: true, basePath: '/clash' }],
    ['路由器.lan', { host: '路由器.lan', port: 9090, ...plain }],
    ['unix:/run/core.sock', { host: 'localhost', port: 80, ...plain, socketPath: '/run/core.sock' }],
    ['unix:///run/core.sock', { host: 'localhost', port: 80, ...plain, socketPath: '/run/core.sock' }],
    ['unix:core.sock', { host: 'localhost', port: 80, ...plain, socketPath: 'core.sock' }],
  ])('reads %s', (text, address) => {
    expect(parseCoreAddress(text, 9090)).toEqual({ ok: true, address });
  });

  it.each([
    ['', 'empty'],
    ['unix:', 'no path'],
    ['ftp://router', 'scheme'],
    ['http://user:pass@router', 'user name'],
    ['http://router?token=x', 'query'],
    ['router/clash', 'path'],
    ['[::1', 'address'],
    ['[router]', 'IPv6'],
    ['http://', 'address'],
    ['a b', 'address'],
    ['1.2.3', 'address'],
    ['999.1.1.1', 'address'],
    ['router:', 'port'],
    ['router:0', 'port'],
    ['router:70000', 'port'],
    ['1:2:3', 'address'],
  ])('has a problem with %j', (text, problem) => {
    const parsed = parseCoreAddress(text, 9090);
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });

  it('checks the port it is given', () => {
    expect(parseCoreAddress('router', 0).ok).toBe(false);
    expect(parseCoreAddress('router', 1.5).ok).toBe(false);
  });
});
