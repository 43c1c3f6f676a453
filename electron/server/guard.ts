import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/**
 * Who may talk to the server. It listens on the loopback interface only, but every page open in the user's browser can
 * reach that: a name that resolves to 127.0.0.1 (DNS rebinding) is refused by its Host, a foreign page by its Origin,
 * another local user by the token, which only the address printed at the start carries.
 */
export class Guard {
  readonly token = randomBytes(24).toString('base64url');
  private readonly hosts: ReadonlySet<string>;
  private readonly cookieName: string;
  private once: string | undefined;

  constructor(port: number) {
    this.hosts = new Set([`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]);
    // Cookies ignore the port: two servers must not log each other out.
    this.cookieName = `pointmap-${port}`;
  }

  get cookie(): string {
    return `${this.cookieName}=${this.token}; HttpOnly; SameSite=Strict; Path=/`;
  }

  /** The address is ours and no foreign page asks. */
  sameSite({ headers }: IncomingMessage): boolean {
    if (!this.hosts.has(headers.host ?? '')) return false;
    if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) return false;
    const site = headers['sec-fetch-site'];
    return site === undefined || site === 'same-origin' || site === 'none';
  }

  /**
   * Following the printed address from another page (a terminal in a browser, say) is allowed: it carries the token.
   */
  knownHost({ headers }: IncomingMessage): boolean {
    return this.hosts.has(headers.host ?? '');
  }

  rightToken(given: string | null | undefined): boolean {
    return same(given, this.token);
  }

  /** A key for one use, for an address that others may see: it stands in the list of processes as a browser is started. */
  onceToken(): string {
    this.once = randomBytes(24).toString('base64url');
    return this.once;
  }

  /** What an address may carry: the token, or a key that has not been used. */
  admits(given: string | null): boolean {
    if (this.once !== undefined && same(given, this.once)) {
      this.once = undefined;
      return true;
    }
    return this.rightToken(given);
  }

  hasCookie({ headers }: IncomingMessage): boolean {
    const values = (headers.cookie ?? '')
      .split(/;\s*/)
      .filter((part) => part.startsWith(`${this.cookieName}=`))
      .map((part) => part.slice(this.cookieName.length + 1));
    return values.some((value) => this.rightToken(value));
  }
}

function same(given: string | null | undefined, expected: string): boolean {
  const [a, b] = [Buffer.from(given ?? ''), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Sent with every answer: nothing from elsewhere is loaded, framed or told. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; worker-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};
