import { Component } from '@angular/core';
import { MatIcon } from '@angular/material/icon';
import { RouterLink, RouterOutlet } from '@angular/router';

@Component({
  selector: 'vt-root',
  imports: [MatIcon, RouterLink, RouterOutlet],
  template: `
    <header>
      <a routerLink="/" aria-label="Vehicle Tracker, all vehicles">
        <mat-icon svgIcon="vehicle" />
        <span>Vehicle Tracker</span>
      </a>
    </header>
    <router-outlet />
  `,
  styleUrl: './app.scss',
})
export class App {}
