import { HttpErrorResponse } from '@angular/common/http';

import { FieldErrors, Problem } from './contract';

/** Either no usable answer came (try again), or the service understood the request and said no. */
export type Failure =
  | { readonly kind: 'unreachable' }
  | {
      readonly kind: 'refused';
      /** The problem's code, if there was a problem document. */
      readonly code: string | null;
      readonly reasons: readonly string[];
    };

const WORTH_REPEATING = new Set([408, 425, 429]);

export function toFailure(error: unknown): Failure {
  const refused =
    error instanceof HttpErrorResponse &&
    error.status >= 400 &&
    error.status < 500 &&
    !WORTH_REPEATING.has(error.status);
  if (!refused) {
    return { kind: 'unreachable' };
  }
  return {
    kind: 'refused',
    code: problemIn(error.error)?.code ?? null,
    reasons: reasonsIn(error.error, `It answered ${String(error.status)}.`),
  };
}

/** What is wrong with which field, or else with the whole. */
function reasonsIn(body: unknown, fallback: string): readonly string[] {
  const problem = problemIn(body);
  const fields = inWords(problem?.errors ?? []);
  return fields.length > 0 ? fields : [problem?.detail ?? problem?.code ?? fallback];
}

function problemIn(body: unknown): Partial<Problem> | null {
  // A proxy in between may answer with something that is no problem document.
  return body !== null && typeof body === 'object' ? body : null;
}

function inWords(errors: FieldErrors, path: readonly string[] = []): readonly string[] {
  if (typeof errors === 'string') {
    return [path.length > 0 ? `${path.join('.')}: ${errors}` : errors];
  }
  if (Array.isArray(errors)) {
    return (errors as readonly FieldErrors[]).flatMap((error) => inWords(error, path));
  }
  return Object.entries(errors).flatMap(([field, error]) => inWords(error, [...path, field]));
}
