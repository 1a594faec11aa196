import { type Static, Type } from '@sinclair/typebox';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ErrorDetail } from '../../../common/errors.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../../domain/export.ts';
import { formatTime } from '../../../domain/time.ts';
import type { AboutExport, ExportQuestion } from '../../export/export-service.ts';
import { ExportedBodies, ExportTicketAnswer } from '../answers/export.ts';
import type { Call } from '../call.ts';
import { addCommand } from '../command.ts';
import { CONNECTIONS_SELECTION, checkSelection } from '../connections-selection.ts';
import { closed } from '../contract.ts';
import type { RouteDeps } from '../deps.ts';
import { success } from '../envelope.ts';
import { checkFactsExport, connectionsQuestion, FACTS_EXPORT, factsQuestion } from '../export-questions.ts';
import { oneOf, text } from '../parameters.ts';
import { checkQuery, QueryBody, questionOf } from '../query-body.ts';
import { addQuestion } from '../question.ts';

const ERRORS = [
  'filter_invalid',
  'query_too_large',
  'query_timeout',
  'too_many_requests',
  'disk_full',
  'not_found',
] as const;

const format = (description?: string) => oneOf(EXPORT_FORMATS, description);

const ExportQuery = Type.Object(
  {
    ticket: Type.Optional(text('stands for everything else')),
    format: Type.Optional(format('required without a ticket')),
    what: Type.Optional(oneOf(['facts', 'connections'], 'required without a ticket; queries need one')),
    ...CONNECTIONS_SELECTION,
    ...FACTS_EXPORT,
  },
  { additionalProperties: false },
);
type ExportQuery = Static<typeof ExportQuery>;

const FactsBody = closed(FACTS_EXPORT);
const ConnectionsBody = closed(CONNECTIONS_SELECTION);
const TicketBody = closed({
  format: format(),
  query: Type.Optional(QueryBody),
  connections: Type.Optional(ConnectionsBody),
  facts: Type.Optional(FactsBody),
});
type TicketBody = Static<typeof TicketBody>;
const QUESTIONS = ['query', 'connections', 'facts'] as const;

/** Everything that a question finds, as a file; and tickets for browsers, which send no token with a download. */
export function exportRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const now = deps.now ?? Date.now;

  addCommand(app, {
    path: '/export/ticket',
    scope: 'read',
    summary: 'A URL that downloads an export, once and within 30 seconds',
    body: TicketBody,
    returns: ExportTicketAnswer,
    errors: ['filter_invalid', 'too_many_requests'],
    check: (body) => checkTicket(body, deps),
    answer: async (body, { request }) => {
      const question = ticketQuestion(body, now());
      const { authorization } = request.headers;
      const { secret, ends } = deps.tickets.make({ question, format: body.format, authorization });
      const path = request.url.replace(/\/ticket$/, '');
      return success({ url: `${path}?ticket=${secret}`, expires: formatTime(ends) });
    },
  });

  addQuestion(app, {
    path: '/export',
    scope: 'read',
    tickets: true,
    head: false,
    summary: 'Everything that a question finds, as a file',
    description: 'Facts or connection records, or what a ticket was made for. Not to be asked as HEAD.',
    query: ExportQuery,
    returns: ExportedBodies,
    errors: ERRORS,
    check: (query) => checkExport(query, deps),
    answer: async (query, call) => {
      const { ticket } = call.request;
      if (ticket !== null) return await send(ticket.question, ticket.format, call, deps);
      return await send(directQuestion(query, now()), query.format ?? 'csv', call, deps);
    },
  });
}

/** Streams it; whatever happens, the export is closed when the answer is. */
async function send(
  question: ExportQuestion,
  as: ExportFormat,
  { reply, signal }: Call,
  { exports, logger }: RouteDeps,
): Promise<FastifyReply> {
  const opened = await exports.open(question, as, signal);
  const close = () => {
    opened.close().catch((error: unknown) => logger.error({ err: error }, 'an export could not be closed'));
  };
  if (reply.raw.closed) close();
  else reply.raw.once('close', close);
  if (opened.bytes !== null) reply.header('content-length', opened.bytes);
  return reply
    .headers(aboutHeaders(opened.about))
    .header('content-disposition', `attachment; filename="${opened.fileName}"`)
    .header('accept-ranges', 'none')
    .type(opened.mediaType)
    .send(opened.body);
}

function aboutHeaders({ tier, from, to, aligned, cutFrom, freshTo }: AboutExport): Record<string, string> {
  const headers: Record<string, string> = {};
  const put = (name: string, value: string | undefined | null) => {
    if (value !== undefined && value !== null) headers[`export-${name}`] = value;
  };
  const time = (at: number | null | undefined) => (typeof at === 'number' ? formatTime(at) : null);
  put('tier', tier);
  put('from', time(from));
  put('to', time(to));
  put('aligned', aligned === undefined ? null : String(aligned));
  put('cut-from', time(cutFrom));
  put('fresh-to', time(freshTo));
  return headers;
}

async function checkExport(query: Partial<ExportQuery>, deps: RouteDeps): Promise<ErrorDetail[]> {
  const { ticket, format: as, what, ...rest } = query;
  if (ticket !== undefined) {
    return Object.keys({ ...query, ticket: undefined }).flatMap((field) =>
      field === 'ticket' ? [] : [{ field, problem: 'cannot be combined with "ticket", which says it all' }],
    );
  }
  const details: ErrorDetail[] = [];
  if (as === undefined) details.push({ field: 'format', problem: 'is required' });
  if (what === undefined) {
    details.push({ field: 'what', problem: 'is required' });
    // What would be wrong with either is wrong.
    const ofFacts = await checkFactsExport(rest, deps.filters);
    const ofConnections = await checkSelection(rest, deps.filters);
    return [...details, ...(ofConnections.length === 0 ? [] : ofFacts)];
  }
  const [own, check] =
    what === 'facts'
      ? ([FACTS_EXPORT, checkFactsExport] as const)
      : ([CONNECTIONS_SELECTION, checkSelection] as const);
  for (const field of Object.keys(rest)) {
    if (!Object.hasOwn(own, field)) details.push({ field, problem: `is nothing that ${what} are asked by` });
  }
  return [...details, ...(await check(rest, deps.filters))];
}

function directQuestion(query: ExportQuery, now: number): ExportQuestion {
  const { ticket: _ticket, format: _format, what, ...rest } = query;
  return what === 'facts' ? factsQuestion(rest, now) : connectionsQuestion(rest, now);
}

async function checkTicket(body: Partial<TicketBody>, deps: RouteDeps): Promise<ErrorDetail[]> {
  const given = QUESTIONS.filter((name) => body[name] !== undefined);
  if (given.length !== 1) {
    const field = given[1] ?? 'query';
    return [{ field, problem: 'exactly one of "query", "connections" and "facts" is needed' }];
  }
  const [details, place] = body.query
    ? [await checkQuery(body.query, deps), 'query']
    : body.facts
      ? [await checkFactsExport(body.facts, deps.filters), 'facts']
      : [await checkSelection(body.connections ?? {}, deps.filters), 'connections'];
  return details.map((detail) => ({ ...detail, field: `${place}.${detail.field}` }));
}

function ticketQuestion(body: TicketBody, now: number): ExportQuestion {
  if (body.query !== undefined) return { what: 'query', query: questionOf(body.query, now) };
  if (body.facts !== undefined) return factsQuestion(body.facts, now);
  return connectionsQuestion(body.connections ?? {}, now);
}
