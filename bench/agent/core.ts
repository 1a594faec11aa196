import { SimulatedCore } from '../../src/simulator/core.ts';
import { steadyLoad } from '../../src/simulator/profiles.ts';
import { SimulatedCoreServer } from '../../src/simulator/server.ts';

/**
 * A process with a simulated core of a steady number of connections, all of which have other counters in every
 * snapshot. Tells its port, then answers every message with how many snapshots its feeds have sent.
 */
const core = new SimulatedCore({
  seed: 42,
  startAt: Date.now(),
  profile: steadyLoad(Number(process.argv[2])),
  forgetClosed: true,
});
const server = new SimulatedCoreServer({ core, host: '127.0.0.1', port: 0 });
await server.start();
process.on('message', () => process.send?.({ sent: server.traffic.sent }));
process.on('disconnect', () => process.exit());
process.send?.({ port: server.port });
