/** Edits between two words, a swap of neighbours counting as one (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1);
      }
      row.push(best);
    }
    before = previous;
    previous = row;
  }
  return previous[b.length]!;
}

/** The known word that was most likely meant: least edits, at most a third of its letters; undefined if none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const given = word.toLowerCase().slice(0, 64);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const most = Math.min(least - 1, Math.max(1, Math.ceil(candidate.length / 3)));
    if (Math.abs(candidate.length - given.length) > most) continue;
    const edits = editDistance(given, candidate.toLowerCase());
    if (edits <= most) {
      best = candidate;
      least = edits;
    }
  }
  return best;
}
