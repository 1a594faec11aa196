import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { minuteOf } from '../../src/domain/bucket.ts';
import { RECORDS_FILE } from '../../src/master/ingest/schema.ts';
import { SCHEMA_VERSION } from '../../src/master/store/embedded/schema.ts';
import { DAY, type Recipe } from './generator.ts';
import { type Loaded, load } from './load.ts';
import { addHelpfulIndexes } from './original.ts';
import { makeWorld, type World } from './world.ts';

/** Grows with every change of what the generator gives or of how it is laid into the files. */
const DATA_VERSION = 2;
const DAYS = 90;
/** Above, the files hold facts alone: nothing that is measured there reads records. */
export const MOST_RECORDS = 5_000_000;

const FILES = {
  records: 'master.db',
  facts: 'master.facts.duckdb',
  original: 'original.db',
  originalIndexed: 'original-indexed.db',
} as const;

/** What is told of a data set beside it; without it a data set is not whole. */
interface Manifest {
  version: string;
  recipe: Recipe;
  loaded: Loaded;
}

export interface DatasetOptions {
  /** Where data sets are kept between runs. */
  data: string;
  connections: number;
  seed: number;
  say: (line: string) => void;
}

/** A master's stores filled with the generated data, and the same data in the original's schema. */
export class Dataset {
  readonly recipe: Recipe;
  readonly world: World;
  readonly loaded: Loaded;
  readonly hasRecords: boolean;
  readonly #directory: string;

  private constructor(directory: string, { recipe, loaded }: Manifest) {
    this.#directory = directory;
    this.recipe = recipe;
    this.loaded = loaded;
    this.world = makeWorld(recipe.seed);
    this.hasRecords = recipe.connections <= MOST_RECORDS;
  }

  /** The one made before with the same values, or a new one. */
  static async get({ data, connections, seed, say }: DatasetOptions): Promise<Dataset> {
    const directory = join(data, `facts-${connections}-${seed}`);
    const version = `${DATA_VERSION}.${SCHEMA_VERSION}.${RECORDS_FILE.migrations.at(-1)?.version}`;
    const known = readManifest(directory);
    if (known?.version === version) return new Dataset(directory, known);
    const firstMinute = minuteOf(Date.now()) - (minuteOf(Date.now()) % DAY) - DAYS * DAY;
    const recipe = { seed, connections, days: DAYS, firstMinute };
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    const path = (file: string) => join(directory, file);
    const withRecords = connections <= MOST_RECORDS;
    let tenths = 0;
    const loaded = await load({
      recipe,
      world: makeWorld(seed),
      records: path(FILES.records),
      facts: path(FILES.facts),
      original: withRecords ? path(FILES.original) : null,
      withRecords,
      progress: (done) => {
        if (Math.floor(done * 10) > tenths) say(`making the data: ${++tenths * 10} % of the facts`);
      },
    });
    if (withRecords) {
      copyFileSync(path(FILES.original), path(FILES.originalIndexed), constants.COPYFILE_FICLONE);
      addHelpfulIndexes(path(FILES.originalIndexed));
    }
    for (const rest of ['.last', '.tmp']) rmSync(path(FILES.facts) + rest, { recursive: true, force: true });
    const manifest: Manifest = { version, recipe, loaded };
    writeFileSync(path('manifest.json'), JSON.stringify(manifest, null, 2));
    return new Dataset(directory, manifest);
  }

  path(file: keyof typeof FILES): string {
    return join(this.#directory, FILES[file]);
  }

  bytes(file: keyof typeof FILES): number {
    return statSync(this.path(file)).size;
  }

  /** Copies a master's stores to where one may change them; returns where they are. */
  copyTo(directory: string): { records: string; facts: string } {
    mkdirSync(directory, { recursive: true });
    const copy = (file: keyof typeof FILES) => {
      const path = join(directory, FILES[file]);
      copyFileSync(this.path(file), path, constants.COPYFILE_FICLONE);
      return path;
    };
    return { records: copy('records'), facts: copy('facts') };
  }
}

function readManifest(directory: string): Manifest | null {
  const path = join(directory, 'manifest.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : null;
}
