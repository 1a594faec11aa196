import type { Component } from '../common/component.ts';
import { listenError } from '../common/listen-error.ts';
import { SimulatedCore } from '../simulator/core.ts';
import { DESKTOP, ROUTER, steadyLoad } from '../simulator/profiles.ts';
import { RecordingServer } from '../simulator/recording-server.ts';
import { SimulatedCoreServer } from '../simulator/server.ts';
import { commandLogger } from './command-log.ts';
import type { ValuesOf } from './config/values.ts';
import type { Program } from './program.ts';

type Simulated = Pick<SimulatedCoreServer, 'start' | 'stop' | 'url'>;

/** `simulate`: a core to attach an agent to, or a recording of a real one. */
export function simulateProgram(values: ValuesOf<'simulate'>): Program {
  const logger = commandLogger(values.logLevel);
  const server = values.recording === undefined ? liveServer(values) : recordingServer(values);
  const component: Component = {
    name: 'simulated core',
    start: async () => {
      try {
        await server.start();
      } catch (error) {
        throw listenError(error, '127.0.0.1', values.port);
      }
    },
    stop: () => server.stop(),
  };
  return {
    logger,
    components: [component],
    announce: () => console.log(`simulated core at ${server.url}; end it with Ctrl-C`),
  };
}

function liveServer(values: ValuesOf<'simulate'>): Simulated {
  const base = values.profile === 'desktop' ? DESKTOP : ROUTER;
  const profile = values.connections === undefined ? base : { ...base, ...steadyLoad(values.connections) };
  const core = new SimulatedCore({
    seed: values.seed ?? Math.floor(Math.random() * 2 ** 32),
    startAt: Date.now(),
    profile,
    dialect: values.dialect,
    forgetClosed: true,
  });
  return new SimulatedCoreServer({
    core,
    host: '127.0.0.1',
    port: values.port,
    ...(values.secret === undefined ? {} : { secret: values.secret }),
  });
}

function recordingServer(values: ValuesOf<'simulate'>): Simulated {
  const server = new RecordingServer({
    path: values.recording ?? '',
    host: '127.0.0.1',
    port: values.port,
    ...(values.secret === undefined ? {} : { secret: values.secret }),
  });
  return {
    get url() {
      return server.url;
    },
    start: async () => {
      await server.start();
      server.play({ speed: values.speed }).then(
        () => console.log('the recording has ended'),
        (error: unknown) => console.error(`the recording cannot be played: ${(error as Error).message}`),
      );
    },
    stop: () => server.stop(),
  };
}
