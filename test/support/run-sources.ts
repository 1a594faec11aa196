// The command from its sources, with the arguments of this process.
import { run } from '../../src/cli/main.ts';

await run(process.argv.slice(2));
