/** The browser's EventSource, with the read service at the other end. */
export class FakeEventSource extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  private static all: FakeEventSource[] = [];

  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = FakeEventSource.CONNECTING;

  constructor(readonly url: string) {
    super();
    FakeEventSource.all.push(this);
  }

  /** Puts it in the browser's place; streams of an earlier spec are forgotten. */
  static install(): void {
    FakeEventSource.all = [];
    vi.stubGlobal('EventSource', FakeEventSource);
  }

  /** The streams that somebody listens to. */
  static get listenedTo(): readonly FakeEventSource[] {
    return FakeEventSource.all.filter(({ readyState }) => readyState !== FakeEventSource.CLOSED);
  }

  /** The one stream that somebody listens to. */
  static get only(): FakeEventSource {
    const [stream, ...more] = FakeEventSource.listenedTo;
    if (stream === undefined || more.length > 0) {
      throw new Error(`Expected one stream, found ${String(stream ? more.length + 1 : 0)}`);
    }
    return stream;
  }

  get params(): URLSearchParams {
    return new URL(this.url, 'http://localhost').searchParams;
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }

  opens(): void {
    this.readyState = FakeEventSource.OPEN;
    this.onopen?.();
  }

  says(type: string, data: object, cursor = 'c1'): void {
    const event = new MessageEvent(type, { data: JSON.stringify(data), lastEventId: cursor });
    this.dispatchEvent(event);
  }

  /** The connection breaks; the browser tries again by itself. */
  breaks(): void {
    this.readyState = FakeEventSource.CONNECTING;
    this.onerror?.();
  }

  /** An answer that is no stream: the browser gives up. */
  isRefused(): void {
    this.readyState = FakeEventSource.CLOSED;
    this.onerror?.();
  }
}
