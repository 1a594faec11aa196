/** Outcome of checking one value: what the program will use, or what is wrong and what would be right. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: string; readonly valid: string };

export function accept<T>(value: T): Checked<T> {
  return { ok: true, value };
}

export function refuse(problem: string, valid = ''): Checked<never> {
  return { ok: false, problem, valid };
}
