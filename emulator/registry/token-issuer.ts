/** Signed tokens (JWT) of registries. */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";

/** Claims of every token; `aud` is the registry. */
export interface TokenClaims {
  aud: string;
  sub: string;
  jti: string;
  iat: number;
  exp: number;
}

/** Issues and verifies tokens. A token of another issuer or another run is invalid, since each issuer has its own key. */
export class TokenIssuer<Claims extends object> {
  private readonly key = randomBytes(32);
  // Verifying a signature takes longer than the rest of a request.
  private readonly known = new Map<string, TokenClaims & Claims>();

  constructor(
    private readonly issuer: string,
    private readonly audience: string,
  ) {}

  /** @param isOpaque - Issue a random text that only this issuer knows, not a JWT. */
  issue(subject: string, seconds: number, claims: Claims, isOpaque = false): string {
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.issuer,
      aud: this.audience,
      sub: subject,
      jti: randomUUID(),
      iat: now,
      exp: now + seconds,
      ...claims,
    };
    if (isOpaque) {
      const token = randomBytes(32).toString("base64url");
      this.known.set(token, payload);
      return token;
    }
    const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(payload)}`;
    return `${text}.${this.signature(text)}`;
  }

  /** The claims of a valid token of this issuer. */
  verify(token: string): (TokenClaims & Claims) | undefined {
    const claims = this.known.get(token) ?? this.check(token);
    return claims !== undefined && claims.exp > Date.now() / 1000 ? claims : undefined;
  }

  private check(token: string): (TokenClaims & Claims) | undefined {
    const end = token.lastIndexOf(".");
    const given = Buffer.from(token.slice(end + 1));
    const expected = Buffer.from(this.signature(token.slice(0, Math.max(0, end))));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const claims: TokenClaims & Claims = JSON.parse(
      Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    this.known.set(token, claims);
    return claims;
  }

  private signature(text: string): string {
    return createHmac("sha256", this.key).update(text).digest("base64url");
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
