/** Calls to the REST API; every failure is one sentence. */

export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status
   * @param {{field: string, message: string}[]} fields
   */
  constructor(message, status, fields) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

/**
 * Send a request and return the response, or throw what the server said.
 * @param {string} path below /api/v1
 * @param {RequestInit} [options]
 */
async function request(path, options) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, options);
  } catch {
    throw new ApiError("The server does not answer; is it still running?", 0, []);
  }
  if (response.ok) return response;
  if (response.status === 401) throw new ApiError("You are signed out; reload the page to sign in again.", 401, []);
  const body = await response.json().catch(() => ({}));
  throw new ApiError(body.detail ?? `The server answered ${response.status}.`, response.status, body.fields ?? []);
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function getJson(path, signal) {
  return (await request(path, { signal })).json();
}

/**
 * The response itself, for what is read as it comes.
 * @param {string} path
 */
export function getResponse(path) {
  return request(path);
}

/**
 * @param {"POST" | "DELETE" | "PATCH"} method
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function send(method, path, body, signal) {
  const headers = body === undefined ? undefined : { "Content-Type": "application/json" };
  const response = await request(path, { method, headers, signal, body: JSON.stringify(body) });
  return response.status === 204 ? null : response.json();
}
