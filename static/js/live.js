// Le fil du direct : le programme y dit quelles parties ont changé. Rompu, il est repris, de plus en plus patiemment.
// Ne lit aucune réponse et ne sait rien de la page.

/** @typedef {{addEventListener: (name: string, heard: (event: any) => void) => void, close: () => void}} Stream */
/**
 * `onHello` : le fil est ouvert, tout est à relire ; `onChanged` : ces parties ont changé ; `onLost` : il est rompu.
 * @typedef {{onHello: () => void, onChanged: (parts: string[]) => void, onLost: () => void}} Listener
 */

// Le programme parle au moins toutes les 15 s : plus long, c'est un Wi-Fi perdu que personne ne nous dira.
const SILENCE_MS = 40_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** @param {Listener} listener @param {() => Stream} [connect] */
export function createLive({ onHello, onChanged, onLost }, connect = () => new EventSource('api/events')) {
  /** @type {Stream | null} */
  let stream = null;
  let connected = false;
  let heard = 0;
  let failures = 0;
  let retryAt = 0;

  function open() {
    const current = connect();
    stream = current;
    heard = Date.now();
    /** @param {(event: any) => void} act */
    const hear = (act) => (/** @type {any} */ event) => {
      if (stream !== current) return;
      heard = Date.now();
      act(event);
    };
    current.addEventListener('hello', hear(() => {
      connected = true;
      failures = 0;
      onHello();
    }));
    current.addEventListener('changed', hear((event) => onChanged(partsOf(event.data))));
    current.addEventListener('alive', hear(() => {}));
    current.addEventListener('error', hear(drop));
  }

  /** Ferme, et reprendra : EventSource reprend aussi de lui-même, mais pas après tous les refus. */
  function drop() {
    close();
    retryAt = Date.now() + Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    failures += 1;
  }

  function close() {
    const was = connected;
    stream?.close();
    stream = null;
    connected = false;
    retryAt = 0;
    if (was) onLost();
  }

  return {
    isConnected: () => connected,
    close,
    /** À appeler souvent : ouvre, reprend, remarque un silence. */
    watch() {
      const now = Date.now();
      if (stream && now - heard > SILENCE_MS) drop();
      else if (!stream && now >= retryAt) open();
    },
  };
}

/** @param {string} data @returns {string[]} */
function partsOf(data) {
  try {
    const { parts } = JSON.parse(data);
    return Array.isArray(parts) ? parts : [];
  } catch {
    return [];
  }
}
