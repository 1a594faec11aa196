import { editDistance } from '../../domain/nearest.ts';

/** The known word that was most likely meant, if any is near enough for a suggestion to help. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const given = word.toLowerCase().replaceAll('_', '-').slice(0, 64);
  let best: string | undefined;
  let least = Math.max(2, Math.ceil(given.length / 3)) + 1;
  for (const candidate of known) {
    const edits = editDistance(given, candidate);
    if (edits < least && edits < candidate.length) {
      best = candidate;
      least = edits;
    }
  }
  if (best !== undefined || given.length < 3) return best;
  return known.find((candidate) => candidate.startsWith(given));
}
