// Calls to /api/v1 with the session's cookie, and errors that say what to do.

const page = document.querySelector("[data-bring]");

// What went wrong, in words. `passes`: waiting and asking again may help.
export class Trouble extends Error {
  constructor(words, { status = 0, passes = false, errors = [] } = {}) {
    super(words);
    this.name = "Trouble";
    Object.assign(this, { status, passes, errors });
  }
}

export const gaveUp = (error) => error?.name === "AbortError";

async function asked(url, options) {
  try {
    return await fetch(url, { ...options, credentials: "same-origin", headers: { ...options.headers, "X-CSRFToken": page.dataset.csrf } });
  } catch (error) {
    if (gaveUp(error)) throw error;
    throw new Trouble("Spacekeep can't be reached right now.", { passes: true });
  }
}

// Whoever signed in anew in another tab has a new token: this page fetches it, so that nothing typed here is lost.
async function renewed() {
  const answer = await asked(location.href, { method: "GET" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-bring]")?.dataset.csrf;
  if (fresh) page.dataset.csrf = fresh;
  return Boolean(fresh);
}

async function answered(url, options) {
  const answer = await asked(url, options);
  return answer.status === 403 && (await renewed()) ? asked(url, options) : answer;
}

async function trouble(answer) {
  const { status } = answer;
  const problem = await answer.json().catch(() => ({}));
  if (status === 401 || answer.redirected) {
    return new Trouble("You are not signed in any more. Sign in again in another tab, then try again here: what has arrived is kept.", { status });
  }
  const words = [problem.detail ?? problem.title ?? `Spacekeep answered ${status}.`].flat().join(" ");
  return new Trouble(words, { status, passes: status === 429 || status >= 500, errors: problem.errors ?? [] });
}

// The answer's JSON (null for none). `key` names a request that may be sent twice and is meant once. Raises Trouble;
// AbortError when `signal` says so.
export async function call(method, path, body, { signal, key } = {}) {
  const headers = { ...(body !== undefined && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) };
  const answer = await answered(`/api/v1${path}`, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) throw await trouble(answer);
  return answer.status === 204 ? null : answer.json();
}

// What the portal finds in small files: `parts` are [name, Blob]; the one named `recording` is the head of it.
export async function look(parts, recording) {
  const form = new FormData();
  form.append("recording", recording);
  for (const [name, blob] of parts) form.append("file", blob, name);
  const answer = await answered(page.dataset.look, { method: "POST", body: form });
  if (!answer.ok || answer.redirected) throw await trouble(answer);
  return answer.json();
}
