import { Routes } from '@angular/router';

import { Vehicles } from './vehicles/vehicles';

export const routes: Routes = [
  { path: '', component: Vehicles, title: 'Vehicles · Vehicle Tracker' },
  {
    path: 'vehicles/:vin',
    loadComponent: () => import('./vehicle/vehicle-page').then(({ VehiclePage }) => VehiclePage),
    title: ({ params }) => `${String(params['vin'])} · Vehicle Tracker`,
  },
  { path: '**', redirectTo: '' },
];
