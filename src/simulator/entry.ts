import type { CoreFields } from './core-fields.ts';
import type { RecordText } from './dialect.ts';
import { bytesAfter, type Plan } from './plan.ts';
import type { TrueConnection, TrueRun } from './truth.ts';

/**
 * A connection inside the simulated core, and at the same time the truth about it: what is true is what the core
 * counts with, so that the two cannot drift apart. Whatever moves goes through `#count`, which keeps the run's sum.
 */
export class Entry implements TrueConnection {
  readonly id: string;
  readonly fields: CoreFields;
  readonly counted: boolean;
  readonly run: TrueRun;
  readonly openedAt: number;
  destinations: readonly string[] = [];
  closedAt: number | null = null;
  download = 0;
  upload = 0;
  listedDownload = 0;
  listedUpload = 0;
  listedAt: number | null = null;

  /** The constant text of its record, made when it is first listed and dropped at the close. */
  text: RecordText | null = null;
  /** Place in the table. */
  place = -1;
  plan: Plan | null = null;
  /** An overlay that repeats the bytes of another connection. */
  mirrors: Entry | null = null;
  /** Ends with this one. */
  overlay: Entry | null = null;
  /** Part of the counters that did not come from the plan. */
  #movedDownload = 0;
  #movedUpload = 0;

  constructor(id: string, fields: CoreFields, counted: boolean, run: TrueRun, openedAt: number) {
    this.id = id;
    this.fields = fields;
    this.counted = counted;
    this.run = run;
    this.openedAt = openedAt;
  }

  get host(): string {
    return this.fields.host || this.fields.destinationIP;
  }

  get node(): string {
    return this.fields.chains[0] ?? '';
  }

  move(download: number, upload: number): void {
    this.#movedDownload += download;
    this.#movedUpload += upload;
    this.#count(download, upload);
  }

  /** Brings the counters up to an instant. */
  settle(at: number): void {
    if (this.mirrors !== null) {
      // A hop carries the same bytes plus the framing of the protocol inside it.
      this.mirrors.settle(at);
      const { download, upload } = this.mirrors;
      const framedDownload = download + Math.floor(download / 64);
      const framedUpload = upload + Math.floor(upload / 64);
      this.#count(Math.max(0, framedDownload - this.download), Math.max(0, framedUpload - this.upload));
    } else if (this.plan !== null) {
      const elapsed = at - this.openedAt;
      const download = bytesAfter(this.plan.download, elapsed) + this.#movedDownload;
      const upload = bytesAfter(this.plan.upload, elapsed) + this.#movedUpload;
      // A torn read looked a moment ahead: what it showed cannot be taken back.
      if (download > this.download) this.#count(download - this.download, 0);
      if (upload > this.upload) this.#count(0, upload - this.upload);
    }
  }

  #count(download: number, upload: number): void {
    this.download += download;
    this.upload += upload;
    if (this.counted) {
      this.run.download += download;
      this.run.upload += upload;
    }
  }
}
