import { Location } from '@angular/common';
import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  provideHttpClientTesting,
  TestRequest,
} from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter, Router } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';

import { VehiclePage } from '../api/contract';
import { FakeEventSource } from '../api/event-source.fixture';
import { routes } from '../app.routes';
import { provideIcons } from '../icons';

/** Somebody in front of the screen, and the read service behind it. Needs fake timers. */
export class Dispatcher {
  private readonly http = TestBed.inject(HttpTestingController);
  private readonly location = TestBed.inject(Location);

  private constructor(readonly screen: HTMLElement) {}

  static async opens(url: string): Promise<Dispatcher> {
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideIcons(),
        provideRouter(routes),
      ],
    });
    FakeEventSource.install();
    // jsdom has nothing to scroll.
    Element.prototype.scrollTo = (): void => undefined;
    TestBed.inject(Router).setUpLocationChangeListener();
    const harness = await RouterTestingHarness.create(url);
    const dispatcher = new Dispatcher(harness.fixture.nativeElement as HTMLElement);
    await dispatcher.waits(0);
    return dispatcher;
  }

  async waits(milliseconds: number): Promise<void> {
    await vi.advanceTimersByTimeAsync(milliseconds);
    TestBed.tick();
    await vi.advanceTimersByTimeAsync(20);
    TestBed.tick();
  }

  /** The one request under way. */
  request(path = '/api/v1/vehicles'): TestRequest {
    const requests = this.http.match(({ url }) => url === path);
    const [request, ...more] = requests.filter(({ cancelled }) => !cancelled);
    if (request === undefined || more.length > 0) {
      throw new Error(
        `Expected one request of ${path}, found ${String(request ? more.length + 1 : 0)}`,
      );
    }
    return request;
  }

  async isAnswered(answer: VehiclePage): Promise<void> {
    this.request().flush(answer);
    await this.waits(0);
  }

  /** The stream tells something. */
  async isTold(type: string, data: object): Promise<void> {
    FakeEventSource.only.says(type, data);
    await this.waits(0);
  }

  async isRefused(problem: object): Promise<void> {
    this.request().flush(problem, { status: 422, statusText: 'Unprocessable Content' });
    await this.waits(0);
  }

  async isLeftAlone(): Promise<void> {
    this.request().error(new ProgressEvent('error'));
    await this.waits(0);
  }

  async types(text: string, testId: string): Promise<void> {
    const field = this.field(testId);
    field.focus();
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await this.waits(0);
  }

  async presses(name: string): Promise<void> {
    const controls = this.screen.ownerDocument.querySelectorAll<HTMLElement>(
      'button, mat-option, [role=button]',
    );
    const control = [...controls].find((candidate) =>
      [candidate.getAttribute('aria-label'), candidate.textContent.trim()].some((label) =>
        label?.includes(name),
      ),
    );
    if (control === undefined) {
      throw new Error(`There is nothing to press called "${name}"`);
    }
    control.click();
    await this.waits(0);
  }

  async goesBack(): Promise<void> {
    this.location.back();
    await this.waits(0);
  }

  /** Each vehicle’s row as it reads. */
  rows(): readonly string[] {
    return [...this.screen.querySelectorAll('[data-testid=vehicle-row]')].map((row) =>
      [...row.children].map((cell) => cell.textContent.trim()).join(' | '),
    );
  }

  url(): string {
    return decodeURIComponent(TestBed.inject(Router).url);
  }

  text(testId: string): string {
    return this.find(testId).textContent.replaceAll(/\s+/g, ' ').trim();
  }

  sees(text: string): boolean {
    return this.screen.textContent.includes(text);
  }

  field(testId: string): HTMLInputElement {
    return this.find(testId) as HTMLInputElement;
  }

  find(testId: string): HTMLElement {
    const found = this.screen.querySelector<HTMLElement>(`[data-testid=${testId}]`);
    if (found === null) {
      throw new Error(`There is no ${testId} on the screen`);
    }
    return found;
  }
}
