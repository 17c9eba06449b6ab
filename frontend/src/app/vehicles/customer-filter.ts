import { DecimalPipe } from '@angular/common';
import {
  Component,
  computed,
  ElementRef,
  input,
  linkedSignal,
  model,
  signal,
  viewChild,
  viewChildren,
} from '@angular/core';
import {
  MatAutocomplete,
  MatAutocompleteSelectedEvent,
  MatAutocompleteTrigger,
} from '@angular/material/autocomplete';
import { MatChip, MatChipRemove, MatChipSet } from '@angular/material/chips';
import { MatOption } from '@angular/material/core';
import { MatFormField } from '@angular/material/form-field';
import { MatIcon } from '@angular/material/icon';
import { MatInput } from '@angular/material/input';

import { Customer, CustomerCount } from '../api/contract';

/** A longer list helps nobody: typing narrows it. */
const LONGEST_LIST = 50;

@Component({
  selector: 'vt-customer-filter',
  imports: [
    DecimalPipe,
    MatAutocomplete,
    MatAutocompleteTrigger,
    MatChip,
    MatChipRemove,
    MatChipSet,
    MatFormField,
    MatIcon,
    MatInput,
    MatOption,
  ],
  templateUrl: './customer-filter.html',
  styleUrl: './customer-filter.scss',
})
export class CustomerFilter {
  readonly customers = input.required<readonly CustomerCount[]>();
  /** The customers of the vehicles shown. */
  readonly owners = input.required<readonly Customer[]>();
  readonly chosen = model.required<readonly string[]>();

  private readonly field = viewChild.required<ElementRef<HTMLInputElement>>('field');
  private readonly removeButtons = viewChildren<ElementRef<HTMLButtonElement>>('removeButton');
  protected readonly typed = signal('');

  /** Every name ever told: what is counted now may leave out a chosen customer. */
  private readonly names = linkedSignal<readonly Customer[], ReadonlyMap<string, string>>({
    source: () => [...this.owners(), ...this.customers()],
    computation: (customers, known) =>
      new Map([
        ...(known?.value ?? []),
        ...customers.map(({ customer_id, name }): [string, string] => [customer_id, name]),
      ]),
  });

  protected readonly chips = computed(() =>
    this.chosen().map((id) => ({ id, name: this.names().get(id) ?? 'Unknown customer' })),
  );

  private readonly matches = computed(() => {
    const typed = folded(this.typed().trim());
    return this.customers().filter(
      ({ customer_id, name }) =>
        !this.chosen().includes(customer_id) && folded(name).includes(typed),
    );
  });
  protected readonly options = computed(() => this.matches().slice(0, LONGEST_LIST));
  protected readonly more = computed(() => this.matches().length - this.options().length);

  protected add(event: MatAutocompleteSelectedEvent): void {
    this.field().nativeElement.value = '';
    this.typed.set('');
    this.chosen.set([...this.chosen(), event.option.value as string]);
  }

  protected remove(id: string): void {
    const index = this.chosen().indexOf(id);
    const buttons = this.removeButtons();
    // The focus must not vanish with the chip.
    (buttons[index + 1] ?? buttons[index - 1] ?? this.field()).nativeElement.focus();
    this.chosen.set(this.chosen().filter((other) => other !== id));
  }
}

/** As the server compares: "varde" finds "Värde". */
function folded(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase();
}
