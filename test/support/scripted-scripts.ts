import type { Behaviour } from './scripted-behaviours';
import type { LoggedRequest } from './scripted-request';

/** Decides per request; undefined leaves it to the other scripts. */
export type Chooser = (request: LoggedRequest) => Behaviour | undefined;

/**
 * Which behaviour a request gets. What is more particular wins: scripts for a number of times, then choosers, then
 * the method's, then `*`.
 */
export class Scripts {
  #limited: LimitedScript[] = [];
  #choosers: Chooser[] = [];
  readonly #byMethod = new Map<string, Behaviour>();

  /** Until taken off; a second one for the same method replaces the first. */
  add(script: string | Chooser, behaviour?: Behaviour): void {
    if (typeof script === 'function') this.#choosers.push(script);
    else if (behaviour !== undefined) this.#byMethod.set(script, behaviour);
  }

  /** For the next `times` matching requests; several wait for each other in order. */
  addLimited(method: string, behaviour: Behaviour, times: number): void {
    this.#limited.push({ method, behaviour, left: times });
  }

  /** Without a method everything goes. */
  remove(method?: string): void {
    if (method === undefined) {
      this.#limited = [];
      this.#choosers = [];
      this.#byMethod.clear();
    } else {
      this.#limited = this.#limited.filter((script) => script.method !== method);
      this.#byMethod.delete(method);
    }
  }

  take(request: LoggedRequest): Behaviour | undefined {
    return this.#takeLimited(request) ?? this.#choose(request) ?? this.#byMethodOf(request);
  }

  #takeLimited({ method }: LoggedRequest): Behaviour | undefined {
    const script = this.#limited.find((one) => one.left > 0 && (one.method === method || one.method === '*'));
    if (script !== undefined) script.left--;
    return script?.behaviour;
  }

  #choose(request: LoggedRequest): Behaviour | undefined {
    for (const chooser of this.#choosers) {
      const behaviour = chooser(request);
      if (behaviour !== undefined) return behaviour;
    }
    return undefined;
  }

  #byMethodOf({ method }: LoggedRequest): Behaviour | undefined {
    return this.#byMethod.get(method) ?? this.#byMethod.get('*');
  }
}

interface LimitedScript {
  readonly method: string;
  readonly behaviour: Behaviour;
  left: number;
}
