import { Routes } from '@angular/router';

import { Vehicles } from './vehicles/vehicles';

export const routes: Routes = [
  { path: '', component: Vehicles, title: 'Vehicles · Vehicle Tracker' },
  { path: '**', redirectTo: '' },
];
