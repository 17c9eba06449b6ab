import { HttpErrorResponse } from '@angular/common/http';

import { toFailure } from './failure';

const answer = (status: number, error: unknown): HttpErrorResponse =>
  new HttpErrorResponse({ status, error });

describe('toFailure', () => {
  it.each([
    ['no connection', answer(0, null)],
    ['500', answer(500, { code: 'internal', detail: 'Sorry' })],
    ['503', answer(503, null)],
    ['429', answer(429, null)],
    ['what is not JSON', answer(200, { error: new SyntaxError() })],
    ['a time-out', new Error('Timeout has occurred')],
  ])('takes %s for a service that is unreachable for now', (_what, error) => {
    expect(toFailure(error)).toEqual({ kind: 'unreachable' });
  });

  it('puts a problem document in words, field by field', () => {
    const problem = {
      code: 'invalid_request',
      detail: 'The request is not valid.',
      errors: { limit: ['Not a number.'], customer_id: { 1: ['Not a UUID.'] } },
    };

    expect(toFailure(answer(422, problem))).toEqual({
      kind: 'refused',
      code: 'invalid_request',
      reasons: ['limit: Not a number.', 'customer_id.1: Not a UUID.'],
    });
  });

  it.each([
    ['a proxy answers in HTML', '<h1>Forbidden</h1>', 'It answered 403.'],
    ['nothing comes with the status', null, 'It answered 403.'],
    ['no field is to blame', { code: 'forbidden', detail: 'Not here.' }, 'Not here.'],
    ['there is but a code', { code: 'forbidden' }, 'forbidden'],
    ['it is some other JSON', {}, 'It answered 403.'],
  ])('finds words also when %s', (_what, body, reason) => {
    expect(toFailure(answer(403, body))).toMatchObject({ kind: 'refused', reasons: [reason] });
  });
});
