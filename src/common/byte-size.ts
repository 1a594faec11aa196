const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1536` → `1.50 KiB`; bytes are whole. Binary units, as everywhere in the tracker. */
export function byteSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.995 would be written as 1024.00 of the smaller unit.
  while (Math.abs(value) >= 1023.995 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(2)} ${UNITS[unit]}`;
}
