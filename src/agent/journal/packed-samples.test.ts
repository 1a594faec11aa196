import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyFields } from '../../domain/connection.ts';
import { newEntry } from '../books/entry.ts';
import { type PackedSample, SamplePacker, unpackSamples } from './packed-samples.ts';

const packer = new SamplePacker();

function packed(samples: readonly PackedSample[]): Buffer {
  packer.begin();
  for (const { key, download, upload, recoveredDownload, recoveredUpload } of samples) {
    const entry = newEntry(emptyFields('c'), true, { download, upload });
    entry.recovered = { download: recoveredDownload, upload: recoveredUpload };
    packer.add(key, entry);
  }
  return packer.end();
}

describe('packed samples', () => {
  it('are read as they were written', () => {
    // Counters are at most 64 TiB on the wire; the format must not be what limits them.
    const counter = fc.oneof(fc.nat(300), fc.maxSafeNat());
    const sample = fc.record({
      key: fc.integer({ min: 1, max: 2 ** 40 }),
      download: counter,
      upload: counter,
      recoveredDownload: fc.oneof(fc.constant(0), counter),
      recoveredUpload: fc.oneof(fc.constant(0), counter),
    });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 300 }), (samples) => {
        expect([...unpackSamples(packed(samples))]).toEqual(samples);
      }),
    );
  });

  it('say when they are something else, or not whole', () => {
    expect(() => [...unpackSamples(Buffer.from([9, 2, 1, 1]))]).toThrow(/unknown kind \(9\)/);
    const whole = packed([{ key: 7, download: 300, upload: 5, recoveredDownload: 300, recoveredUpload: 1 }]);
    for (let length = 2; length < whole.length; length++) {
      expect(() => [...unpackSamples(whole.subarray(0, length))]).toThrow(/cut off/);
    }
  });

  it('take about ten bytes a connection', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({
      key: i + 1,
      download: 2_000_000 + i,
      upload: 90_000 + i,
      recoveredDownload: 0,
      recoveredUpload: 0,
    }));
    expect(packed(many).length).toBeLessThan(10 * many.length);
  });
});
