/**
 * What is wrong with agents asked for by their ids, null where all are known: a mistyped one is an error, and not an empty
 * answer that looks like a quiet agent.
 */
export function unknownAgents(
  asked: readonly string[],
  known: readonly { readonly agentId: string }[],
): string | null {
  const ids = new Set(known.map(({ agentId }) => agentId));
  const unknown = asked.filter((id) => !ids.has(id));
  if (unknown.length === 0) return null;
  return `there is no agent ${unknown.map((id) => JSON.stringify(id)).join(', ')}`;
}
