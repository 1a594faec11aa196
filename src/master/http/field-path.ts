/** Longest name that is told back. */
const LONGEST = 64;

/**
 * A place in a request as a person writes it: `/queries/1/group_by/0` → `queries[1].group_by[0]`. `name` is a field of
 * the object at that place.
 */
export function fieldPath(pointer: string, name?: string): string {
  const steps = pointer.split('/').slice(1).map(unescapePointer);
  if (name !== undefined) steps.push(name);
  return steps.reduce((path, step, index) => path + written(step, index === 0), '');
}

/** The first step of a path: the field of the request that holds the place. */
export function topField(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}

function written(step: string, first: boolean): string {
  if (first) return step.slice(0, LONGEST);
  if (/^\d+$/.test(step)) return `[${step}]`;
  if (/^\w+$/.test(step)) return `.${step.slice(0, LONGEST)}`;
  return `[${JSON.stringify(step.slice(0, LONGEST))}]`;
}

/** RFC 6901: `~1` is a slash, `~0` a tilde. */
function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}
