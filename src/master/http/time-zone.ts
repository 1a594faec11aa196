/**
 * The time zone of an IANA name in its one spelling, null when there is none. Offsets such as +08:00 know no
 * daylight saving and are none. (One spelling, because what is computed for a zone is kept by its name.)
 */
export function canonicalZone(name: string): string | null {
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
