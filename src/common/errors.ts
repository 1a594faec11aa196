/**
 * The catalogue of reported failures: each has a code that users can look up, the HTTP status it is answered
 * with (0: never leaves the process), and a hint that says what to do.
 */
export const ERRORS = {
  unauthorized: {
    status: 401,
    hint: 'Send `Authorization: Bearer <token>` with a token of this master; `tokens create` makes one.',
  },
  forbidden: {
    status: 403,
    hint: 'This token, or this address without a token, has no right to do that: another token may.',
  },
  address_refused: {
    status: 403,
    hint: 'Without tokens only loopback, private and link-local addresses are served. Start the master with --api-token, or make a token: `tokens create`.',
  },
  host_refused: {
    status: 403,
    hint: 'Without a token only names listed in --allow-hosts are served, against DNS rebinding. Use the address, present a token, or start the master with --allow-hosts.',
  },
  origin_refused: {
    status: 403,
    hint: 'Pages of other origins may not call this API. List the origin in --trusted-origins.',
  },
  agent_id_reserved: {
    status: 403,
    hint: 'The id "local" belongs to the agent inside the master. Choose another --agent-id.',
  },
  agent_id_bound: {
    status: 403,
    hint: 'Start the agent with the --agent-id that its token names, or give it a token of its own: `tokens create --scope agent`. Nothing is lost: the agent keeps what was not taken.',
  },
  too_many_agents: {
    status: 403,
    hint: 'Give agents an --agent-id that stays the same, or deliver to another master. Nothing is lost: the agent keeps what was not taken.',
  },
  too_many_journals: {
    status: 403,
    hint: 'Keep --local-database of the agent on a disk that outlives restarts, and give it another --agent-id. Nothing is lost: the agent keeps what was not taken.',
  },
  name_taken: { status: 409, hint: 'Choose another name, or revoke the token of that name first.' },
  too_many_tokens: { status: 409, hint: 'Revoke tokens that nobody uses: their last use is in the list.' },
  not_found: { status: 404, hint: 'See docs/http-api.md for what there is.' },
  method_not_allowed: { status: 405, hint: 'See docs/http-api.md for the methods of each path.' },
  timeout: { status: 408, hint: 'The body did not arrive in time; send it again.' },
  body_too_large: {
    status: 413,
    hint: 'Send less at once: 64 KiB; to /sync 4 MiB compressed and 16 MiB inflated.',
  },
  headers_too_large: { status: 431, hint: 'Send fewer or shorter headers and a shorter query string.' },
  unsupported_media: {
    status: 415,
    hint: 'Send application/json in UTF-8; only bodies of /sync may have content-encoding gzip.',
  },
  bad_request: { status: 400, hint: 'Every problem is listed in `details`.' },
  filter_invalid: {
    status: 400,
    hint: 'Every problem is listed in `details` with its place `at` in the text, in UTF-16 units. The language: docs/filters.md.',
  },
  body_invalid: { status: 400, hint: 'The body must be one JSON object of the documented shape.' },
  too_many_requests: { status: 429, hint: 'Wait for Retry-After seconds.' },
  query_too_large: {
    status: 400,
    hint: 'Ask for less at once: less time between `from` and `to`, longer points (`interval`, `group`), or one agent. `details` says what fits, where that is known.',
  },
  query_timeout: { status: 503, hint: 'Narrow the interval, or filter first.' },
  not_ready: { status: 503, hint: 'See /api/v1/ready for what is missing.' },
  busy: { status: 503, hint: 'The master is at its limit; try again after Retry-After seconds.' },
  disk_full: {
    status: 507,
    hint: 'Free space there, or choose another directory. Nothing was changed, and nothing is lost.',
  },
  backup_invalid: {
    status: 500,
    hint: 'Make another backup, or restore from another one. Nothing was changed.',
  },
  internal: { status: 500, hint: 'See the log of the master.' },
  master_unreachable: {
    status: 0,
    hint: 'Check the address (--url), and that a master runs there.',
  },
  database_served: {
    status: 0,
    hint: 'Ask the program that holds it, if it is a running master: --url http://127.0.0.1:8080, with --token where it wants one. Or stop it first.',
  },
  address_in_use: {
    status: 0,
    hint: 'Stop the other program, or choose another --listen-port (demo and simulate: --port).',
  },
  address_unusable: {
    status: 0,
    hint: 'Choose a --listen-host that this machine has, and a --listen-port that this user may open.',
  },
  file_missing: {
    status: 0,
    hint: 'Name the database with --database; a master makes it when it starts for the first time.',
  },
  file_older: {
    status: 0,
    hint: 'Start the master of this version on it once: it brings the file up to date.',
  },
  export_refused: {
    status: 0,
    hint: 'What can be exported, formats, ranges and filters: docs/exports.md.',
  },
  import_refused: {
    status: 0,
    hint: 'What can be imported: exports of connections as CSV, NDJSON or Parquet. To move a whole history, move the files of the master (docs/exports.md).',
  },
  token_unknown: { status: 0, hint: '`tokens list` shows the numbers and names that there are.' },
  facts_readable: {
    status: 0,
    hint: 'Nothing has to be rebuilt: start the master. To have half hours made of the records in place of these facts all the same, add --force; the file is kept.',
  },
  file_in_use: { status: 0, hint: 'Stop the other process, or give this one a file of its own.' },
  file_newer: {
    status: 0,
    hint: 'Use the newer program that wrote this file, or restore a backup from before.',
  },
  file_foreign: { status: 0, hint: 'This file belongs to something else; give another path.' },
  file_damaged: {
    status: 0,
    hint: 'Restore a backup, or move the file away to begin a new one. Of lost facts, `facts rebuild --from-records` makes half hours from the records.',
  },
  file_unusable: { status: 0, hint: 'Check that the directory exists and can be written.' },
  duckdb_missing: {
    status: 0,
    hint: 'There is no DuckDB build for this platform: run the master elsewhere; agents work here.',
  },
} as const satisfies Record<string, { status: number; hint: string }>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetail {
  field: string;
  problem: string;
  /** Where in a text that people write, such as a filter: UTF-16 units, end exclusive. */
  at?: readonly [from: number, to: number];
  /** What would help. */
  hint?: string;
}

/** A failure that is reported to a person or a client: expected, coded, with what to do about it. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  /** Seconds after which to try again, sent as Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: readonly ErrorDetail[]; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CodedError';
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get hint(): string {
    return ERRORS[this.code].hint;
  }
}
