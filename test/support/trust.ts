/** Makes the running test process trust a certificate authority. */
import tls from "node:tls";

/** Node.js reads `NODE_EXTRA_CA_CERTS` only when it starts. */
export function trust(certificate: string): void {
  const create = tls.createSecureContext;
  tls.createSecureContext = (options) => {
    const context = create(options);
    if (!options?.ca) context.context.addCACert(certificate);
    return context;
  };
}
