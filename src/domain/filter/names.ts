import type { Filter, Test } from './tree.ts';

/** Whether any test of the filter is about one of these fields. */
export function mentions(filter: Filter | null, fields: readonly string[]): boolean {
  return filter !== null && tests(filter).some((test) => test !== null && fields.includes(test.field));
}

/** Whether the filter is about these fields and nothing else; a word is about several. */
export function mentionsOnly(filter: Filter | null, fields: readonly string[]): boolean {
  return filter === null || tests(filter).every((test) => test !== null && fields.includes(test.field));
}

/** All tests, null for each word. */
function tests(filter: Filter): (Test | null)[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.flatMap(tests);
    case 'not':
      return tests(filter.of);
    case 'word':
      return [null];
    case 'test':
      return [filter];
  }
}

/**
 * Whether a filter can let anything of an agent pass: what it asks beside the agent may be true or not, so an agent is
 * left out only when its name alone decides.
 */
export function admitsAgent(filter: Filter | null, agent: string): boolean {
  return filter === null || possible(filter, agent).true;
}

/** Which outcomes a filter can have for facts of one agent. */
interface Outcomes {
  readonly true: boolean;
  readonly false: boolean;
}

function possible(filter: Filter, agent: string): Outcomes {
  switch (filter.kind) {
    case 'and': {
      const parts = filter.parts.map((part) => possible(part, agent));
      return { true: parts.every((part) => part.true), false: parts.some((part) => part.false) };
    }
    case 'or': {
      const parts = filter.parts.map((part) => possible(part, agent));
      return { true: parts.some((part) => part.true), false: parts.every((part) => part.false) };
    }
    case 'not': {
      const of = possible(filter.of, agent);
      return { true: of.false, false: of.true };
    }
    case 'word':
      return { true: true, false: true };
    case 'test':
      return ofTest(filter, agent);
  }
}

function ofTest({ field, op, values }: Test, agent: string): Outcomes {
  if (field !== 'agent') return { true: true, false: true };
  const named = values.includes(agent);
  const passes = op === '=' || op === 'in' ? named : !named;
  return { true: passes, false: !passes };
}
