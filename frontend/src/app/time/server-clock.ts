import { computed, DestroyRef, inject, Injectable, signal } from '@angular/core';

/** Less than this is the network's doing; following it would make ages jump back and forth. */
const JITTER_MS = 500;

/** The server's time, ticking once a second: an age must be right also where the computer's clock is not. */
@Injectable({ providedIn: 'root' })
export class ServerClock {
  private readonly local = signal(Date.now());
  private readonly offset = signal(0);

  /** Milliseconds since 1970, by the server's clock. */
  readonly now = computed(() => this.local() + this.offset());

  constructor() {
    const tick = setInterval(() => {
      this.local.set(Date.now());
    }, 1000);
    inject(DestroyRef).onDestroy(() => {
      clearInterval(tick);
    });
  }

  /** `serverTime` is what the server's clock said just now, if it has said anything yet. */
  synchronize(serverTime: string | undefined): void {
    if (serverTime === undefined) {
      return;
    }
    const offset = Date.parse(serverTime) - Date.now();
    if (Math.abs(offset - this.offset()) > JITTER_MS) {
      this.local.set(Date.now());
      this.offset.set(offset);
    }
  }
}
