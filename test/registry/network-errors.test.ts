/** What the error codes of Node.js stand for. */
import { errorCode, networkError, neverArrived } from "../../provider/registry/transport/network-errors";

test.each(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "EPROXY", "CERT_HAS_EXPIRED", "ERR_TLS_CERT_ALTNAME_INVALID"])(
  "knows that a request that failed with %s was not sent",
  (code) => {
    expect(neverArrived(code)).toBe(true);
    expect(networkError(code).connected).toBe(false);
  },
);

test.each(["ECONNRESET", "EPIPE", "ATTEMPT_TIMEOUT", "ETIMEDOUT", "EPROTO", "ABORT_ERR", ""])(
  "does not claim that a request that failed with %p was not sent",
  (code) => {
    expect(neverArrived(code)).toBe(false);
  },
);

test("names an unknown code as the reason, and does not retry", () => {
  expect(networkError("EUNHEARD")).toEqual({ reason: "EUNHEARD", retries: 0, connected: false });
  expect(networkError("").reason).toBe("the request failed");
});

test.each([
  [Object.assign(new Error(), { code: "EPIPE" }), "EPIPE"],
  [Object.assign(new Error(), { code: 7 }), ""],
  [new Error(), ""],
  [undefined, ""],
])("reads the code of %p", (error, code) => {
  expect(errorCode(error)).toBe(code);
});
