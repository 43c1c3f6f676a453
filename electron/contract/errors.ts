/** Codes that a caller may act on; everything else is a bug. */
export type ErrorCode =
  | 'usage'
  | 'not-found'
  | 'bad-input'
  | 'unwritable'
  | 'disk-full'
  | 'damaged'
  | 'newer-version'
  | 'cancelled'
  | 'nothing-to-do'
  | 'unsupported';

/**
 * An error meant for the user: one line that says what, why and what to do, the path last. Handled once, at the edge.
 */
export class UserError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'UserError';
  }
}
