import { describe, expect, it } from 'vitest';
import { type Ticket, Tickets } from './tickets.ts';

const TICKET: Ticket = {
  question: { what: 'facts', facts: { tz: 'UTC', filter: null } },
  format: 'csv',
  authorization: 'Bearer x',
};

describe('tickets', () => {
  it('are 256 random bits, good once', () => {
    const tickets = new Tickets(() => 1000);
    const { secret, ends } = tickets.make(TICKET);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(ends).toBe(31_000);
    expect(tickets.take(secret)).toMatchObject(TICKET);
    expect(tickets.take(secret)).toBeNull();
  });

  it('end after 30 s', () => {
    let now = 0;
    const tickets = new Tickets(() => now);
    const [early, late] = [tickets.make(TICKET).secret, tickets.make(TICKET).secret];
    now = 29_999;
    expect(tickets.take(early)).not.toBeNull();
    now = 30_000;
    expect(tickets.take(late)).toBeNull();
  });

  it('are a thousand at most, and those that ended make room', () => {
    let now = 0;
    const tickets = new Tickets(() => now);
    for (let i = 0; i < 1000; i++) tickets.make(TICKET);
    expect(() => tickets.make(TICKET)).toThrow('wait to be used');
    now = 30_000;
    expect(tickets.take(tickets.make(TICKET).secret)).not.toBeNull();
  });
});
