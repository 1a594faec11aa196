import { type CommandOptions, RunningCommand } from './command.ts';
import { waitFor } from './wait.ts';

export interface MasterOptions extends CommandOptions {
  database: string;
  /** 0 (default) for any free one. */
  port?: number;
  args?: readonly string[];
}

/** The envelope of every answer of the API. */
export interface Answer<T> {
  status: number;
  body: { status: string; data: T; code?: string; message?: string; meta?: Record<string, unknown> };
}

/** A master process on a port of 127.0.0.1, and questions to it. */
export class MasterProcess {
  readonly command: RunningCommand;
  readonly port: number;
  readonly url: string;

  private constructor(command: RunningCommand, port: number) {
    this.command = command;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** The bare process, which may be about to end. */
  static launch(options: MasterOptions): RunningCommand {
    const { database, port = 0, args = [] } = options;
    return new RunningCommand(
      ['master', '--database', database, '--listen-host', '127.0.0.1', '--listen-port', `${port}`, ...args],
      options,
    );
  }

  /** Resolves when it answers that it is ready. */
  static async of(command: RunningCommand): Promise<MasterProcess> {
    const [, found] = await command.said(/"api":"http:\/\/127\.0\.0\.1:(\d+)\/api\/v1"/);
    const master = new MasterProcess(command, Number(found));
    await waitFor('a master that is ready', async () => (await master.get('/ready')).status === 200);
    return master;
  }

  static async start(options: MasterOptions): Promise<MasterProcess> {
    return await MasterProcess.of(MasterProcess.launch(options));
  }

  /** `path` below `/api/v1`. */
  async get<T = unknown>(path: string, headers: Record<string, string> = {}): Promise<Answer<T>> {
    const response = await fetch(`${this.url}/api/v1${path}`, { headers });
    return { status: response.status, body: (await response.json()) as Answer<T>['body'] };
  }

  /** The data of an answer that must be a success. */
  async data<T = Record<string, unknown>>(path: string): Promise<T> {
    const { status, body } = await this.get<T>(path);
    if (status !== 200) throw new Error(`${path}: ${status} ${body.code} ${body.message}`);
    return body.data;
  }

  async post(path: string, value: unknown): Promise<Answer<unknown>> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
    return { status: response.status, body: (await response.json()) as Answer<unknown>['body'] };
  }
}
