/** Keywords whose values are maps of schemas by name, and those whose values are data. */
const MAPS = new Set(['properties', 'patternProperties']);
const DATA = new Set(['const', 'enum']);

/**
 * A schema of ours as JSON Schema 2020-12, which OpenAPI 3.1 is written in: lists of fixed places are `prefixItems`
 * there. Everything else that we use is the same in both.
 */
export function toJsonSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toJsonSchema);
  if (!isMap(schema)) return schema;
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (DATA.has(key)) result[key] = value;
    else if (MAPS.has(key) && isMap(value)) result[key] = mapped(value);
    else if (key === 'items' && Array.isArray(value)) result.prefixItems = toJsonSchema(value);
    else result[key === 'additionalItems' ? 'items' : key] = toJsonSchema(value);
  }
  return result;
}

function mapped(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, toJsonSchema(value)]));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
