import { Component, ElementRef, input, linkedSignal, output, viewChild } from '@angular/core';
import { MatFormField, MatPrefix, MatSuffix } from '@angular/material/form-field';
import { MatIcon } from '@angular/material/icon';
import { MatInput } from '@angular/material/input';

const PAUSE_IN_TYPING_MS = 200;

@Component({
  selector: 'vt-search-field',
  imports: [MatFormField, MatIcon, MatInput, MatPrefix, MatSuffix],
  template: `
    <mat-form-field appearance="outline" subscriptSizing="dynamic">
      <mat-icon matPrefix svgIcon="search" />
      <input
        #field
        matInput
        type="search"
        data-testid="search"
        aria-label="Search vehicles by plate, VIN or customer"
        aria-keyshortcuts="/"
        placeholder="Plate, VIN or customer"
        autocomplete="off"
        spellcheck="false"
        maxlength="200"
        [value]="text()"
        (input)="typed(field.value)"
      />
      <kbd matSuffix aria-hidden="true">/</kbd>
    </mat-form-field>
  `,
  styleUrl: './search-field.scss',
  host: { '(document:keydown)': 'focusOnSlash($event)' },
})
export class SearchField {
  readonly value = input.required<string>();
  readonly searched = output<string>();

  private readonly field = viewChild.required<ElementRef<HTMLInputElement>>('field');
  private pause: ReturnType<typeof setTimeout> | undefined;

  /** Follows `value`, but never takes back what somebody is just typing. */
  protected readonly text = linkedSignal<string, string>({
    source: this.value,
    computation: (value, typed) =>
      typed && (this.pause !== undefined || typed.value.trim() === value) ? typed.value : value,
  });

  protected typed(text: string): void {
    this.text.set(text);
    clearTimeout(this.pause);
    this.pause = setTimeout(() => {
      this.pause = undefined;
      this.searched.emit(text.trim());
    }, PAUSE_IN_TYPING_MS);
  }

  protected focusOnSlash(event: KeyboardEvent): void {
    const typing = (event.target as Element).matches('input, textarea, select, [contenteditable]');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.field().nativeElement.focus();
      this.field().nativeElement.select();
    }
  }
}
