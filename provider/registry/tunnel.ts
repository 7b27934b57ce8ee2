import { HttpsProxyAgent } from "https-proxy-agent";

/** Connections to hosts through a proxy, kept alive. */
export class Tunnel extends HttpsProxyAgent<string> {
  // Guessed from the call stack otherwise, wrongly when a socket is put back: it would never be found again.
  override isSecureEndpoint(): boolean {
    return true;
  }

  override async connect(...[request, options]: Parameters<HttpsProxyAgent<string>["connect"]>) {
    let status = 0;
    request.once("proxyConnect", (answer: { statusCode: number }) => {
      status = answer.statusCode;
    });
    const socket = await super.connect(request, options).catch((error: NodeJS.ErrnoException) => {
      throw status === 0 ? this.#failed(error.code ?? "it closes the connection", "EPROXY") : error;
    });
    if (status === 200) return socket;
    // the base class would hand the proxy's refusal on as if the host itself had answered
    socket.destroy();
    throw this.#failed(`it answers ${status}`, status >= 500 ? "EPROXY" : "EPROXYREFUSED");
  }

  #failed(reason: string, code: "EPROXY" | "EPROXYREFUSED"): Error {
    return Object.assign(new Error(`the proxy ${this.proxy.host} does not connect, ${reason}`), { code });
  }
}
