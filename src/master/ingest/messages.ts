import type { WireError } from '../../common/wire-error.ts';
import type { SyncAnswer } from '../../protocol/v2.ts';
import type { LedgerLot } from '../store/lot-source.ts';
import type { TotalsBorders } from '../store/maintenance.ts';
import type { Lot } from '../store/store.ts';
import type { HashedToken, NewToken } from '../tokens/token.ts';
import type { CreatedToken, TokenUse } from '../tokens/token-table.ts';
import type { Delivery } from './ingest.ts';
import type { BackupMark, Forgotten } from './lots.ts';
import type { MergerMetrics } from './merger.ts';
import type { PackedFacts } from './packed-facts.ts';
import type { PrunedSums, PrunePart } from './record-retention.ts';
import type { TotalsPart } from './totals-retention.ts';

/** What the thread of the merge is asked, and what each question answers. */
export interface Operations {
  v1: (delivery: Delivery) => { count: number };
  v2: (delivery: Delivery) => SyncAnswer;
  storeId: () => string;
  lots: (limit: number, below: number) => LedgerLot[];
  /** Rows left to be sealed before this; those of the lot that was sealed now, and all that are sealed. */
  sealOne: () => { unsealed: number; sealed: number; waiting: number };
  sealed: () => Lot[];
  rows: (lot: number, offset: number, limit: number) => PackedFacts;
  flushed: (lot: number) => void;
  tidy: () => void;
  backedUp: (mark: BackupMark) => void;
  backup: () => BackupMark;
  forgetSome: () => Forgotten;
  beginPruning: (keepMs: number) => PrunePart;
  pruneSome: (part: PrunePart) => { removed: number; next: PrunePart | null };
  pruned: () => PrunedSums;
  keepTotals: (borders: TotalsBorders, part: TotalsPart | null) => TotalsPart | null;
  status: () => { metrics: MergerMetrics; unsealed: number; importLeft: number };
  createToken: (token: NewToken) => CreatedToken;
  revokeToken: (id: number) => boolean;
  tokensUsed: (uses: readonly TokenUse[]) => void;
  close: () => void;
}
export type OperationName = keyof Operations;

export interface Question {
  id: number;
  operation: OperationName;
  args: unknown[];
}

export type ToMain =
  | { kind: 'ready' }
  | { kind: 'failed'; error: WireError }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  /** So many facts wait that a flush is due at once. */
  | { kind: 'hurry' }
  | { kind: 'import'; left: number }
  /** All there are: before `ready`, and whenever they change. */
  | { kind: 'tokens'; tokens: HashedToken[] }
  | { kind: 'conflict'; agentId: string; conflict: string };

export interface WorkerSetup {
  path: string;
  reserveLocal: boolean;
  hurryRows: number;
}
